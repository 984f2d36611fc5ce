"""`actool verify`: one line for each image, good or not."""

from __future__ import annotations

from typing import Annotated

import typer

from acspec.errors import MissingInputError, ToolError
from acspec.escape import escape
from acspec.program import tell
from actool.verify import Verified, VerifyRequest, format_json, verify_images

_NOT_GOOD = 1


def verify_command(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE…", help="Images as served, or - for standard input.")],
    key: Annotated[list[str] | None, typer.Option(metavar="FILE", help="Public keys that count.")] = None,
    fingerprint: Annotated[
        list[str] | None, typer.Option(metavar="HEX", help="Only this key counts: one of --key, else of gpg's keyring.")
    ] = None,
    homedir: Annotated[str | None, typer.Option(metavar="DIR", help="Where gpg has its keyring.")] = None,
    signature: Annotated[str | None, typer.Option(metavar="FILE", help="The signature of one image.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for bad ones, too.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Leave the lines of good signatures out.")] = False,
) -> int:
    """Verify the signatures beside images. Which keys count is said by --key or --fingerprint; exit 1 when one is not good."""
    request = VerifyRequest(images, signature, key or (), fingerprint or (), homedir)
    codes = {_show(verified, json, quiet) for verified in verify_images(request)}
    return next((code for code in (MissingInputError.exit_code, *sorted(codes - {0, 1}), 1) if code in codes), 0)


def _show(verified: Verified | ToolError, json: bool, quiet: bool) -> int:
    """Print what came of one image, and return its part of the exit code."""
    if isinstance(verified, ToolError):
        tell("actool", str(verified))
        return verified.exit_code
    if json:
        print(format_json(verified))
    elif not verified.is_good:
        by = f"; it names the key {verified.verdict.key}" if verified.verdict.key else ""
        tell("actool", f"{verified.image}: no good signature: {verified.verdict.reason}{by}")
    elif not quiet:
        whose = "".join(f" ({escape(identity)})" for identity in verified.identities[:1])
        print(f"{escape(verified.image)}: good signature by {verified.verdict.fingerprint}{whose}")
    return 0 if verified.is_good else _NOT_GOOD
