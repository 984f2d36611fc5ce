"""`acfetch images`: what is in the store."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from acspec.directories import data_directory
from acspec.escape import escape
from acspec.jsontext import dump_json
from acspec.labels import label_map
from acspec.references import format_reference
from acspec.store import ImageRecord, Store


def images(
    directory: Annotated[str | None, typer.Option("--dir", metavar="DIR", help="The data directory ($APPC_DIR).")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the images in the store."""
    records = sorted(Store.open(data_directory(directory)).records(), key=lambda record: (record.name, record.imported))
    if json:
        sys.stdout.buffer.write(b"".join(dump_json(record.to_json()) for record in records))
        return
    sys.stdout.write("".join(_line(record) for record in records))


def _line(record: ImageRecord) -> str:
    signer = record.signer[-16:] if record.signer else "unsigned"
    name = escape(format_reference(record.name, label_map(record.labels)))
    return f"{record.id[:19]}  {signer:16}  {record.imported[:19]}Z  {name}\n"
