"""`acfetch images`: what is in the store; images removed, verified and exported. Options in, one call, one print."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from acfetch.listing import (
    audit_notes,
    finding_line,
    finding_object,
    list_line,
    list_object,
    long_line,
    removed_line,
    removed_object,
)
from acspec.directories import data_directory, run_directory
from acspec.errors import FormatError
from acspec.program import Unwinding, tell
from acspec.store import ImageRecord, Store

Directory = Annotated[str | None, typer.Option("--dir", metavar="DIR", help="The data directory ($APPC_DIR).")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no notes.")]
_MEANS = "An ID or its first 12 digits or more, NAME[:VERSION][,LABEL=VALUE…], or a path that acfetch printed."
_AT_FAULT = 1

images = typer.Typer(help="Show, remove, verify and export the images in the store.", rich_markup_mode=None, add_completion=False)


@images.command("list")
def show(
    directory: Directory = None,
    json: Json = False,
    long: Annotated[bool, typer.Option("--long", "-l", help="Show also when it was used last, and its size.")] = False,
) -> None:
    """Show the images in the store. ID, signer, time of import, name."""
    store = Store.open(data_directory(directory))
    records = sorted(_read_records(store), key=lambda record: (record.name, record.imported))
    if not (json or long):
        sys.stdout.write("".join(list_line(record) for record in records))
        return
    entries = [(record, store.size(record.id), store.last_used(record.id)) for record in records]
    if json:
        sys.stdout.buffer.write(b"".join(list_object(*entry) for entry in entries))
    else:
        sys.stdout.write("".join(long_line(*entry) for entry in entries))


@images.command("rm")
def remove(
    refs: Annotated[list[str], typer.Argument(metavar="REF…", help=_MEANS)], directory: Directory = None, json: Json = False
) -> None:
    """Remove images that no other image and no pod needs. All that are named go, or none."""
    from acfetch.removal import remove_images

    removed = remove_images(refs, data_directory(directory), run_directory(directory))
    if json:
        sys.stdout.buffer.write(b"".join(removed_object(record, size) for record, size in removed))
    else:
        sys.stdout.write("".join(removed_line(record, size) for record, size in removed))


@images.command("verify")
def verify(
    refs: Annotated[list[str] | None, typer.Argument(metavar="REF…", help=f"{_MEANS} Without any: all images.")] = None,
    directory: Directory = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Hash images again, and set aside what is damaged. What is missing is told; exit 1 when one is not good."""
    from acfetch.audit import audit
    from acfetch.leftovers import find_unrecorded

    store = Store.open(data_directory(directory))
    findings = audit(store, refs or (), quiet=quiet)
    if json:
        sys.stdout.buffer.write(b"".join(finding_object(finding) for finding in findings))
    else:
        sys.stdout.write("".join(finding_line(finding) for finding in findings))
    for note in audit_notes(findings, store.damaged, () if refs else find_unrecorded(store)):
        tell("acfetch", note)
    return _AT_FAULT if any(finding.state != "good" for finding in findings) else 0


@images.command("export")
def export(
    ref: Annotated[str, typer.Argument(metavar="REF", help=_MEANS)],
    output: Annotated[str, typer.Argument(metavar="OUTPUT.aci", help="The file to write; - is standard output.")],
    directory: Directory = None,
    compression: Annotated[
        Literal["none", "gzip", "bzip2", "xz"], typer.Option(help="How to compress it; a signature is lost by that.")
    ] = "none",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT.aci when it exists.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write an image of the store to a file. Its signature goes along where that is over these bytes."""
    from acfetch.export import ExportRequest, export_image

    with Unwinding():
        note = export_image(Store.open(data_directory(directory)), ExportRequest(ref, output, compression, overwrite))
    if note is not None and not quiet:
        tell("acfetch", note)


def _read_records(store: Store) -> list[ImageRecord]:
    """Return the records that can be read; of the others people are told."""
    found = []
    for image_id in store.ids():
        try:
            record = store.find(image_id)
        except FormatError as error:
            tell("acfetch", str(FormatError(error.what, error.why, "acfetch images verify sets it aside")))
        else:
            found += [record] if record is not None else []
    return found
