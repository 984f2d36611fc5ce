"""`acrun logs`: options in, records out."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from acrun.command_options import Directory, Json, PodArgument
from acrun.following import LogRequest, follow, open_logs, parse_since
from acrun.log_output import LogWriter
from acrun.logs import LogSelection
from acspec.directories import run_directory
from acspec.pods import Pods


class LogStream(Enum):
    """Where an app wrote to."""

    STDOUT = "stdout"
    STDERR = "stderr"


def logs(
    pod: PodArgument,
    app: Annotated[str | None, typer.Option(metavar="NAME", help="Only what this app wrote.")] = None,
    follow_on: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the pod ends.")] = False,
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="The time before each line.")] = False,
    tail: Annotated[int | None, typer.Option("--tail", "-n", metavar="N", min=0, help="Begin with the last N lines.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Only from then on: 10m ago, or a time of RFC 3339.")] = None,
    stream: Annotated[LogStream | None, typer.Option(help="Only what went there.")] = None,
    directory: Directory = None,
    json: Json = False,
) -> None:
    """Show what the apps of a pod wrote, by time. Of several apps each line has the app's name."""
    selection = LogSelection(parse_since(since), stream.value if stream is not None else None)
    request = LogRequest(pod, app, selection, tail, follow=follow_on)
    found, readers = open_logs(Pods(run_directory(directory)), request)
    writer = LogWriter(names=len(readers) > 1, times=timestamps, json=json)
    for records in follow(found, readers, request):
        writer.write(records)
