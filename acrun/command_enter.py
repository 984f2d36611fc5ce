"""`acrun enter` and `acrun stop`: what stage1 does with a running pod, by the pod's name."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from acrun.command_options import Directory, PodArgument, PodArguments, Stage1
from acrun.records import read_state
from acrun.stage1 import become_entered, get_stage1, stop_pods
from acrun.workspace import own_run_directory
from acspec.errors import KernelError, MissingInputError, UsageError
from acspec.pods import Pod, Pods


def enter(
    pod: PodArgument,
    command: Annotated[list[str] | None, typer.Argument(metavar="[--] [CMD…]", help="What to run; a shell by default.")] = None,
    app: Annotated[str | None, typer.Option(metavar="NAME", help="In this app; not needed when there is only one.")] = None,
    tty: Annotated[
        bool | None, typer.Option("--tty/--no-tty", "-t", help="A terminal of its own; if not said, where all streams are one.")
    ] = None,
    interactive: Annotated[bool, typer.Option("--interactive", "-i", help="As always: standard input is the command's.")] = False,
    directory: Directory = None,
    stage1: Stage1 = None,
) -> None:
    """Run a command in an app of a running pod. It is confined as the app is. Ends with the command's exit code."""
    del interactive  # the fingers of many type it
    found = _get_running(Pods(own_run_directory(directory)), pod)
    names = [state.name for state in read_state(found).apps]
    if app is None and len(names) != 1:
        raise UsageError(pod, f"has {len(names)} apps", f"--app {'|'.join(names)}")
    words = list(command or ())
    if words and words[0].startswith("-") and words[0] != "--":
        raise UsageError(words[0], "stands behind the pod, where the command begins", "acrun enter [OPTIONS] POD [--] CMD…")
    words = words[1:] if words[:1] == ["--"] else words
    wanted = tty if tty is not None else all(map(os.isatty, (0, 1, 2)))
    become_entered(get_stage1(stage1), found.path, app if app is not None else names[0], words, tty=wanted)


def stop(
    pods: PodArguments,
    force: Annotated[bool, typer.Option("--force", "-f", help="Kill at once instead of asking first.")] = False,
    directory: Directory = None,
    stage1: Stage1 = None,
) -> None:
    """End running pods, and wait until they have ended. SIGTERM to their apps, SIGKILL after the grace period."""
    all_pods = Pods(own_run_directory(directory))
    found = [all_pods.get(text) for text in pods]
    for text, pod in zip(pods, found, strict=True):
        if pod.phase != "run":
            raise MissingInputError(text, f"is {pod.state()}, not running")
    ends = stop_pods(get_stage1(stage1), [pod.path for pod in found], force=force)
    for text, (code, said) in zip(pods, ends, strict=True):
        if code != 0:
            raise KernelError(text, f"stage1 could not stop it: {said or f'exit code {code}'}")


def _get_running(pods: Pods, text: str) -> Pod:
    pod = pods.get(text)
    state = pod.state()
    if state != "running":
        raise MissingInputError(text, f"is {state}, not running", "acrun list shows what runs")
    return pod
