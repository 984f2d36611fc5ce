"""`actool diff`: options in, one call, a line for each difference."""

from __future__ import annotations

from typing import Annotated

import typer

from acspec.program import tell
from actool.comparing.comparison import IGNORABLE, compared, parse_ignored
from actool.comparing.difference_lines import format_json, format_text
from actool.passphrase import Passphrase, PassphraseFD, PassphraseFile

_DIFFERENT = 1


def diff_command(
    old: Annotated[str, typer.Argument(metavar="A", help="An image, a layout directory, or - for standard input.")],
    new: Annotated[str, typer.Argument(metavar="B", help="The one to compare it with.")],
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; only exit.")] = False,
    ignore: Annotated[list[str] | None, typer.Option(metavar="WHAT,…", help=f"Leave out: {', '.join(IGNORABLE)}.")] = None,
    passphrase_fd: PassphraseFD = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Print what differs between two images, manifest and files. Exit 1 when anything does."""
    show = format_json if json else format_text
    different = False
    with compared(old, new, parse_ignored(ignore or []), Passphrase(passphrase_fd, passphrase_file)) as comparison:
        for difference in comparison:
            different = True
            if quiet:
                break
            print(show(difference))
        if not (different or quiet or ignore) and comparison.form:
            tell("actool", f"{old} and {new} hold the same, but not in the same form: {', '.join(comparison.form)}")
    return _DIFFERENT if different else 0
