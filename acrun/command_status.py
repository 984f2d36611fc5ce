"""`acrun status` and `acrun cat-manifest`: one pod, options in, one call, one print."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from acrun.command_options import Directory, Json, PodArgument
from acrun.finding import get_state, read_manifest, wait_for_end
from acrun.messages import read_messages
from acrun.usage import measure_pod
from acrun.views import describe
from acspec.directories import run_directory
from acspec.jsontext import dump_pretty
from acspec.pods import Pods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue


def status(
    pod: PodArgument,
    directory: Directory = None,
    json: Json = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the pod has run and ended.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with the exit code of the pod's run.")] = False,
) -> int:
    """Show all of one pod. Its state, its apps, and which isolators are enforced."""
    pods = Pods(run_directory(directory))
    if wait:
        wait_for_end(pods, pod)
    _, state = get_state(pods, pod)
    code = state.get_exit_code() if exit_code else 0
    usage, messages = measure_pod(state), read_messages(state.path)
    if json:
        more: dict[str, JSONValue] = {"usage": usage.to_json() if usage is not None else None, "messages": [*messages]}
        sys.stdout.buffer.write(dump_pretty(state.to_json() | more))
    else:
        sys.stdout.write(describe(state, usage, messages))
    return code


def cat_manifest(
    pod: PodArgument,
    directory: Directory = None,
    pretty_print: Annotated[bool, typer.Option("--pretty-print", help="Lay the manifest out for people.")] = False,
) -> None:
    """Print the manifest of a pod, byte for byte. It was made of images and options."""
    sys.stdout.buffer.write(read_manifest(Pods(run_directory(directory)), pod, pretty=pretty_print or sys.stdout.isatty()))
