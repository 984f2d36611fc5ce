"""Plans: what a run works out before it makes a pod, and notes of them, which spare the next run that work.

A plan is all that a pod needs and that does not depend on the moment. It is noted for a run of one image without options, under
the words that were typed, with witnesses: what the files that it was worked out from were like. Any change to one of them, as
git knows it (device, inode, size, both times), and the note counts for nothing. Whoever removes notes loses nothing but time.
Light: without json, because the path to a start goes through here.

Source: spec/store.md, Notes of plans.
"""

from __future__ import annotations

import os
from zlib import adler32, crc32

from acrun.filters import read_noted
from acrun.workspace import check_run_directory
from acspec import VERSION
from acspec.durable import write_file
from acspec.errors import ToolError
from acspec.image_use import open_held_image
from acspec.jsontext import dump_json, read_json_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from acrun.filters import Filter
    from acspec.jsontext import JSONValue

# A file that changed so shortly ago could change again without a new time: coarse clocks of kernels tick every 10 ms.
_SETTLED_NS = 100_000_000


class PlannedApp:
    """What one app of a plan is made from: the key of its rendered tree, the IDs of the images in it (its own last), its filter."""

    __slots__ = ("filter", "images", "tree")

    def __init__(self, tree: str, images: Iterable[str], calls: Filter) -> None:
        self.tree = tree
        self.images = tuple(images)
        self.filter = calls


class Plan:
    """A pod worked out: the reified manifest as JSON, its apps in the same order, and what people are told about it.

    `stored` are the paths of the images in it that lie in a store, where they are held until the pod names them.
    """

    __slots__ = ("apps", "manifest", "notes", "stored")

    def __init__(
        self, manifest: dict[str, JSONValue], apps: Iterable[PlannedApp], notes: Iterable[str], stored: Iterable[str] = ()
    ) -> None:
        self.manifest = manifest
        self.apps = tuple(apps)
        self.notes = tuple(notes)
        self.stored = tuple(stored)

    def names(self) -> list[str]:
        """Return the names of the apps, in order."""
        return [str(app["name"]) for app in self._apps()]

    def append_arguments(self, arguments: Iterable[str]) -> None:
        """Append *arguments* to what the first app executes. Source: aci.md, exec ("ACE MAY append")."""
        app = self._apps()[0]["app"]
        if isinstance(app, dict) and isinstance(app["exec"], list):
            app["exec"] = [*app["exec"], *arguments]

    def _apps(self) -> list[dict[str, JSONValue]]:
        apps = self.manifest["apps"]
        return [app for app in apps if isinstance(app, dict)] if isinstance(apps, list) else []


def find_plan(run_directory: str, data_directory: str, text: str) -> Plan | None:
    """Return the plan noted for the image *text*, its images held in their stores, or None when there is none that still holds."""
    try:
        check_run_directory(run_directory)
        path, question = _note(run_directory, data_directory, text)
        note = read_json_file(path)
        if not isinstance(note, dict) or note["question"] != question or not _holds(note["witnesses"]):
            return None
        plan = _read_plan(run_directory, note)
        for image in plan.stored:
            open_held_image(image)  # until this process becomes stage1: its descriptors are closed then
        os.utime(path)  # what gc goes by
    except (ToolError, OSError, KeyError, TypeError, ValueError):  # absent, cut short by a power failure, or of another version
        return None
    return plan


def note_plan(run_directory: str, data_directory: str, text: str, plan: Plan, files: Iterable[str], now: int) -> None:
    """Note *plan* for the image *text*, worked out from *files*; not when one has only just changed (*now*: Unix nanoseconds).

    Nothing depends on it, so a disk that takes no note is no error.
    """
    try:
        path, question = _note(run_directory, data_directory, text)
        witnesses: list[JSONValue] = [_witness(name) for name in sorted(set(files))]
        if not all(_is_settled(witness, now) for witness in witnesses):
            return
        note: dict[str, JSONValue] = {
            "question": question,
            "witnesses": witnesses,
            "manifest": plan.manifest,
            "apps": [{"tree": app.tree, "images": list(app.images), "filter": app.filter.to_note()} for app in plan.apps],
            "notes": list(plan.notes),
            "stored": list(plan.stored),
        }
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_file(path, dump_json(note))
    except (ToolError, OSError):
        pass


def _note(run_directory: str, data_directory: str, text: str) -> tuple[str, list[JSONValue]]:
    """Return where the note for *text* lies, and the question that it must repeat (the name of its file is but a checksum)."""
    place = "" if text.startswith("/") else os.getcwd()
    data = os.fsencode("\0".join((VERSION, data_directory, place, text)))
    name = f"{crc32(data):08x}{adler32(data):08x}.json"
    return os.path.join(run_directory, "plans", name), [data.hex()]


def _witness(path: str) -> JSONValue:
    """Return what *path* leads to, and where: a link that is given another target is a change."""
    status = os.stat(path)
    real = os.path.realpath(path)
    return [path, real, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _is_settled(witness: JSONValue, now: int) -> bool:
    times = [value for value in witness[5:] if isinstance(value, int)] if isinstance(witness, list) else []
    # Whole seconds only: a file system whose clock is too coarse to be believed.
    return any(value % 1_000_000_000 for value in times) and now - max(times) > _SETTLED_NS


def _holds(witnesses: JSONValue) -> bool:
    if not isinstance(witnesses, list) or not witnesses:
        return False
    return all(isinstance(item, list) and isinstance(item[0], str) and _witness(item[0]) == item for item in witnesses)


def _read_plan(run_directory: str, note: dict[str, JSONValue]) -> Plan:
    manifest, apps, notes, stored = note["manifest"], note["apps"], note["notes"], note["stored"]
    if not isinstance(manifest, dict) or not (isinstance(apps, list) and isinstance(notes, list) and isinstance(stored, list)):
        raise TypeError("not of the form that note_plan writes")
    return Plan(manifest, [_read_app(run_directory, app) for app in apps], map(str, notes), map(str, stored))


def _read_app(run_directory: str, value: JSONValue) -> PlannedApp:
    images = value["images"] if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(images, list):
        raise TypeError("not of the form that note_plan writes")
    return PlannedApp(str(value["tree"]), map(str, images), read_noted(run_directory, value["filter"]))
