"""Arguments and options that several subcommands have, with one wording."""

from __future__ import annotations

from typing import Annotated

import typer

Directory = Annotated[str | None, typer.Option("--dir", metavar="DIR", help="The data directory ($APPC_DIR).")]
Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
Stage1 = Annotated[str | None, typer.Option("--stage1", metavar="PATH", help="The stage1 program.")]
PodArgument = Annotated[str, typer.Argument(metavar="POD", help="A name, a UUID, or a unique beginning of one.")]
PodArguments = Annotated[list[str], typer.Argument(metavar="POD…", help="Names, UUIDs, or unique beginnings of them.")]
