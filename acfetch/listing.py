"""Images as people and programs read of them: lines and objects. Nothing is printed here.

Source: spec/store.md, Image arguments.
"""

from __future__ import annotations

import os
import time

from acspec.escape import escape
from acspec.jsontext import dump_json
from acspec.labels import label_map, labels_json
from acspec.references import format_reference
from acspec.sizes import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from acfetch.audit import Finding
    from acfetch.collection import Collected
    from acspec.jsontext import JSONValue
    from acspec.store import ImageRecord


def list_line(record: ImageRecord) -> str:
    """Return the line of an image in a list: ID, signer, when it was imported, name."""
    return f"{record.id[:19]}  {_signer(record):16}  {record.imported[:19]}Z  {_name(record)}\n"


def long_line(record: ImageRecord, size: int, used: float) -> str:
    """Return the same with the size of its tar in bytes, and when it was used last, in seconds since 1970."""
    when = f"{record.imported[:19]}Z  {_rfc3339(used)}"
    return f"{record.id[:19]}  {_signer(record):16}  {when}  {human_size(size):>10}  {_name(record)}\n"


def list_object(record: ImageRecord, size: int, used: float) -> bytes:
    """Return the object of an image in a list: its record with `size` and `used`."""
    return dump_json(record.to_json() | {"size": size, "used": _rfc3339(used)})


def removed_line(record: ImageRecord, size: int) -> str:
    """Return the line of an image that was removed: ID, size, name."""
    return f"image  {record.id[:19]}  {human_size(size):>10}  {_name(record)}\n"


def removed_object(record: ImageRecord, size: int) -> bytes:
    """Return the object of an image that was removed."""
    return dump_json(_removed(record, size))


def collected_lines(collected: Collected) -> str:
    """Return the lines of all that a collection removed."""
    files = [f"file   {escape(path)}  {human_size(size)}\n" for path, size in collected.files]
    return "".join([removed_line(record, size) for record, size in collected.images] + files)


def collected_object(collected: Collected) -> bytes:
    """Return the object of all that a collection removed: `images` and `files`."""
    files: list[JSONValue] = [{"path": _text(path), "size": size} for path, size in collected.files]
    return dump_json({"images": [_removed(record, size) for record, size in collected.images], "files": files})


def finding_line(finding: Finding) -> str:
    """Return the line of an image that was verified: ID, state, name."""
    name = _name(finding.record) if finding.record is not None else "-"
    return f"{escape(finding.image_id)[:19]}  {finding.state:10}  {name}\n"


def finding_object(finding: Finding) -> bytes:
    """Return the object of an image that was verified; `setAside` is null when there was no need to."""
    record = finding.record
    return dump_json(
        {
            "id": finding.image_id,
            "name": record.name if record is not None else None,
            "labels": labels_json(record.labels) if record is not None else [],
            "state": finding.state,
            "fault": finding.fault,
            "missing": list(finding.missing),
            "setAside": finding.kept is None if finding.fault is not None else None,
        }
    )


def audit_notes(findings: Iterable[Finding], damaged: str, unrecorded: Iterable[str]) -> list[str]:
    """Return the lines that people are told: of images that are not good, and of files that have no record.

    *damaged* is where damaged images are put.
    """
    notes = [note for finding in findings if (note := _note(finding, damaged)) is not None]
    return notes + [f"{path}: belongs to no image (acfetch gc removes it)" for path in unrecorded]


def _note(finding: Finding, damaged: str) -> str | None:
    what = f"{_name(finding.record)} ({finding.image_id[:19]})" if finding.record is not None else f"{finding.image_id[:19]}…"
    if finding.fault is not None:
        done = f"set aside in {damaged}" if finding.kept is None else f"not set aside: {finding.kept}"
        return f"{what}: damaged: {finding.fault} ({done})"
    if finding.missing:
        more = f" and {len(finding.missing) - 1} more" if len(finding.missing) > 1 else ""
        return f"{what}: incomplete: needs {finding.missing[0][:19]}…{more}, not in the store (fetch it again)"
    return None


def _removed(record: ImageRecord, size: int) -> dict[str, JSONValue]:
    return {"id": record.id, "name": record.name, "labels": labels_json(record.labels), "size": size}


def _name(record: ImageRecord) -> str:
    return escape(format_reference(record.name, label_map(record.labels)))


def _signer(record: ImageRecord) -> str:
    return record.signer[-16:] if record.signer else "unsigned"


def _rfc3339(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def _text(path: str) -> str:
    """Return a path as JSON can hold it: bytes that are no text become escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
