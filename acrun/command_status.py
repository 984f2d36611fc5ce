"""`acrun status` and `acrun cat-manifest`: one pod, options in, one call, one print."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from acrun.command_options import Directory, Json, PodArgument
from acrun.states import get_state, read_manifest, wait_for_end
from acrun.usage import measure_pod
from acrun.views import describe
from acspec.directories import run_directory
from acspec.jsontext import dump_pretty
from acspec.pods import Pods


def status(
    pod: PodArgument,
    directory: Directory = None,
    json: Json = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the pod has ended.")] = False,
) -> None:
    """Show one pod: its state, its apps, and which isolators are enforced."""
    pods = Pods(run_directory(directory))
    if wait:
        wait_for_end(pods, pod)
    _, state = get_state(pods, pod)
    usage = measure_pod(state)
    if json:
        sys.stdout.buffer.write(dump_pretty(state.to_json() | {"usage": usage.to_json() if usage is not None else None}))
        return
    sys.stdout.write(describe(state, usage))


def cat_manifest(
    pod: PodArgument,
    directory: Directory = None,
    pretty_print: Annotated[bool, typer.Option("--pretty-print", help="Lay the manifest out for people.")] = False,
) -> None:
    """Print the manifest of a pod, as it was made of images and options, byte for byte."""
    sys.stdout.buffer.write(read_manifest(Pods(run_directory(directory)), pod, pretty=pretty_print or sys.stdout.isatty()))
