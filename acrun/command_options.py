"""Arguments, options and output that several subcommands have, with one wording."""

from __future__ import annotations

from typing import Annotated

import typer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

Directory = Annotated[str | None, typer.Option("--dir", metavar="DIR", help="The data directory ($APPC_DIR).")]
Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
Stage1 = Annotated[str | None, typer.Option("--stage1", metavar="PATH", help="The stage1 program.")]
PodArgument = Annotated[str, typer.Argument(metavar="POD", help="A name, a UUID, or a unique beginning of a UUID.")]
PodArguments = Annotated[list[str], typer.Argument(metavar="POD…", help="Names, UUIDs, or unique beginnings of UUIDs.")]


def option_names(function: Callable[..., object]) -> set[str]:
    """Return the options that Typer reads for *function*, as they are typed."""
    application = typer.Typer(add_completion=False)
    application.command()(function)
    parameters = typer.main.get_command(application).params
    return {name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("-")}
