"""`acrun top` and `acrun stats`: options in, tables or JSON out."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from acrun.command_options import Directory, Json
from acrun.pauses import sleep_while_read
from acrun.screen import Screen, is_screen
from acrun.views import list_samples
from acrun.watching import watch
from acspec.directories import run_directory
from acspec.jsontext import dump_json
from acspec.pods import Pods


def stats(
    pods: Annotated[list[str] | None, typer.Argument(metavar="[POD…]", help="Only these; all that run by default.")] = None,
    no_stream: Annotated[bool, typer.Option("--no-stream", help="Measure once, and end.")] = False,
    directory: Directory = None,
    json: Json = False,
) -> None:
    """Show what running pods use, each second. On a terminal a table until q is typed, else JSON. `top` and `stats` are one."""
    all_pods, words = Pods(run_directory(directory)), pods or ()
    if is_screen() and not json and not no_stream:
        with Screen() as screen:
            for samples in watch(all_pods, words, screen.pause):
                screen.draw(list_samples(samples))
        return
    for samples in watch(all_pods, words, sleep_while_read):
        if sys.stdout.isatty() and not json:
            sys.stdout.write(list_samples(samples))
        else:
            sys.stdout.write(b"".join(dump_json(sample.to_json()) for sample in samples).decode("utf-8"))
        sys.stdout.flush()
        if no_stream or not samples:
            return
