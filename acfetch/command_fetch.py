"""`acfetch fetch`: options into one value, one call, one write."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from acfetch import insecure
from acfetch.fetch import fetch_images
from acfetch.local_images import Pull
from acfetch.options import FetchOptions
from acspec.directories import config_directories, data_directory
from acspec.errors import UsageError
from acspec.jsontext import dump_json
from acspec.labels import labels_json
from acspec.passphrase import Passphrase
from acspec.program import Unwinding, tell
from acspec.store import ImageRecord


def fetch(
    refs: Annotated[list[str], typer.Argument(metavar="REF…", help="NAME[:VERSION][,LABEL=VALUE…][@IMAGE-ID], URL or path.")],
    directory: Annotated[str | None, typer.Option("--dir", metavar="DIR", help="The data directory ($APPC_DIR).")] = None,
    output: Annotated[str | None, typer.Option(metavar="FILE", help="Copy the image, and its .asc, out as served.")] = None,
    insecure_options: Annotated[
        str, typer.Option(metavar="WORD,…", help="Go without: image (signature), tls (certificate), http (plain).")
    ] = "",
    cafile: Annotated[
        str | None, typer.Option(metavar="FILE", help="PEM certificate authorities, instead of the system's.")
    ] = None,
    pull: Annotated[
        Pull, typer.Option(help="What comes from the network: what is new, what may have changed as well, or nothing.")
    ] = Pull.UPDATE,
    offline: Annotated[bool, typer.Option("--offline", help="The same as --pull never.")] = False,
    lock: Annotated[str | None, typer.Option(metavar="FILE", help="Pin what came, with all that it depends on, in FILE.")] = None,
    locked: Annotated[str | None, typer.Option(metavar="FILE", help="Take only what FILE pins; the first time, write it.")] = None,
    events: Annotated[int | None, typer.Option(metavar="FD", help="Write what happens to descriptor FD, as JSON lines.")] = None,
    passphrase_fd: Annotated[
        int | None, typer.Option("--passphrase-fd", metavar="N", help="Read an encrypted image's passphrase from descriptor N.")
    ] = None,
    passphrase_file: Annotated[
        str | None, typer.Option("--passphrase-file", metavar="FILE", help="Read it from the first line of FILE.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")] = False,
) -> None:
    """Fetch and verify images, and print their paths in the store. What they depend on comes along."""
    if output is not None and len(refs) != 1:
        raise UsageError("--output", "takes one image")
    if lock is not None and locked is not None:
        raise UsageError("--lock", "cannot be given with --locked")
    if locked is not None and not os.path.lexists(locked):
        lock, locked = locked, None
        if not quiet:
            tell("acfetch", f"{lock}: not there yet: written from what comes now")
    data = data_directory(directory)
    _check_printable(data, json)
    when = Pull.NEVER if offline else pull
    named = Passphrase(passphrase_fd, passphrase_file)
    passphrase = named if named.is_named else None
    words = insecure.parse_insecure(insecure_options, insecure.FETCHING)
    options = FetchOptions(data, config_directories(), words, quiet, output, cafile, when, lock, locked, events, passphrase)
    with Unwinding():
        lines = [_json_line(*item) if json else os.fsencode(item[1]) + b"\n" for item in fetch_images(refs, options)]
    sys.stdout.buffer.write(b"".join(lines))
    sys.stdout.buffer.flush()


def _check_printable(data: str, json: bool) -> None:
    """Check that paths in DATA fit into the form of output that is asked for. Raises: UsageError."""
    if json and any("\ud800" <= character <= "\udfff" for character in data):
        raise UsageError(data, "a path that is not UTF-8 cannot be written as JSON")
    if not json and "\n" in data:
        raise UsageError(data, "a path with a line feed cannot be printed as one line", "--json")


def _json_line(record: ImageRecord, path: str) -> bytes:
    return dump_json(
        {
            "id": record.id,
            "name": record.name,
            "labels": labels_json(record.labels),
            "path": path,
            "signer": record.signer,
            "dependencies": list(record.dependencies),
        }
    )
