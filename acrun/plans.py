"""Plans: what a run works out before it makes a pod, and notes of them, which spare the next run that work.

A plan is all that a pod needs and that does not depend on the moment. It is noted under the command line that it comes of, with
witnesses: what the files that it was worked out from were like. Any change to one of them, as git knows it (device, inode, size,
both times), and the note counts for nothing. Of the source of a volume counts only where its path leads and what kind of file is
there. Whoever removes notes loses nothing but time. Light: without json, because the path to a start goes through here.

Source: spec/store.md, Notes of plans.
"""

from __future__ import annotations

import os
import stat
import sys
from zlib import crc32

import acspec
from acrun.filters import read_noted
from acrun.workspace import check_run_directory
from acspec import VERSION
from acspec.durable import write_file
from acspec.errors import ToolError
from acspec.image_use import open_held_image
from acspec.jsontext import dump_json, read_json_file
from acspec.ownership import is_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from acrun.filters import Filter
    from acspec.jsontext import JSONValue

# A file that changed so shortly ago could change again without a new time: coarse clocks of kernels tick every 10 ms.
_SETTLED_NS = 100_000_000
# So many notes there are at most: command lines that never come again push each other out.
_PLACES = 4096
# How much of a witness there is of the source of a volume, whose content is the app's business.
_OF_A_SOURCE = 3


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
        """Append *arguments* to what the last app executes. Source: aci.md, exec ("ACE MAY append")."""
        app = self._apps()[-1]["app"]
        if isinstance(app, dict) and isinstance(app["exec"], list):
            app["exec"] = [*app["exec"], *arguments]

    def _apps(self) -> list[dict[str, JSONValue]]:
        apps = self.manifest["apps"]
        return [app for app in apps if isinstance(app, dict)] if isinstance(apps, list) else []


class Evidence:
    """What a plan was worked out from, and from when on (Unix nanoseconds): files, directories, and sources of volumes.

    *sources* are pairs: the path that was asked for, and the path that it led to.
    """

    __slots__ = ("began", "files", "sources")

    def __init__(self, began: int, files: Iterable[str], sources: Iterable[tuple[str, str]] = ()) -> None:
        self.began = began
        self.files = tuple(files)
        self.sources = tuple(sources)


def find_plan(run_directory: str, data_directory: str, words: Sequence[str]) -> tuple[Plan, JSONValue] | None:
    """Return the plan noted for the command line *words*, its images held in their stores, and the options noted with it.

    None when there is none that still holds.
    """
    try:
        check_run_directory(run_directory)
        path, question = _note(run_directory, data_directory, words)
        note = read_json_file(path)
        if not isinstance(note, dict) or note["question"] != question or not _holds(note["witnesses"]):
            return None
        plan = _read_plan(run_directory, note)
        for image in plan.stored:
            open_held_image(image)  # until this process becomes stage1: its descriptors are closed then
        os.utime(path)  # what gc goes by
        return plan, note["options"]
    except (ToolError, OSError, LookupError, TypeError, ValueError):  # absent, cut short by a power failure, or of another version
        return None


def note_plan(
    run_directory: str, data_directory: str, words: Sequence[str], plan: Plan, options: JSONValue, evidence: Evidence
) -> None:
    """Note *plan*, and the *options* that it is started with, for the command line *words*.

    Not when something of the *evidence* has changed since the work began, or only just before. Nothing depends on a note, so a disk
    that takes none is no error, nor is a word that JSON cannot hold.
    """
    try:
        path, question = _note(run_directory, data_directory, words)
        witnesses = [_witness(name) for name in sorted(set(evidence.files))]
        if not all(_is_settled(witness, evidence.began) for witness in witnesses):
            return
        sources = [[asked, found, *_witness(asked)[2:_OF_A_SOURCE]] for asked, found in evidence.sources]
        note: dict[str, JSONValue] = {
            "question": question,
            "witnesses": [*witnesses, *sources],
            "manifest": plan.manifest,
            "apps": [{"tree": app.tree, "images": list(app.images), "filter": app.filter.to_note()} for app in plan.apps],
            "notes": list(plan.notes),
            "stored": list(plan.stored),
            "options": options,
        }
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_file(path, dump_json(note), mode=0o600, sync=False)
    except (ToolError, OSError, ValueError):
        pass


def _note(run_directory: str, data_directory: str, words: Sequence[str]) -> tuple[str, list[JSONValue]]:
    """Return where the note for *words* lies, and the question that it must repeat (the name of its file is but a checksum).

    The question is all that decides what words mean, beside the witnesses.
    """
    place = "" if all(word.startswith("/") for word in words) else os.getcwd()
    us = f"{VERSION} {_stamp(__file__)} {_stamp(acspec.__file__)} {is_root()} {os.uname().machine} {sys.getfilesystemencoding()}"
    data = os.fsencode("\0".join((us, data_directory, place, *words)))
    return os.path.join(run_directory, "plans", f"{crc32(data) % _PLACES:03x}.json"), [data.hex()]


def _stamp(module: str) -> str:
    """Return what tells the directory of a module from that of another installation, which may call itself the same version."""
    status = os.stat(os.path.dirname(os.path.abspath(module)))
    return f"{status.st_dev}-{status.st_ino}-{status.st_ctime_ns}"


def _witness(path: str) -> list[JSONValue]:
    """Return where *path* leads, which kind of file is there, and which file it is: a link given another target is a change."""
    status = os.stat(path)
    kind, times = stat.S_IFMT(status.st_mode), (status.st_mtime_ns, status.st_ctime_ns)
    return [path, os.path.realpath(path), kind, status.st_dev, status.st_ino, status.st_size, *times]


def _is_settled(witness: list[JSONValue], began: int) -> bool:
    times = [value for value in witness[-2:] if isinstance(value, int)]
    # Whole seconds only: a file system whose clock is too coarse to be believed.
    return any(value % 1_000_000_000 for value in times) and began - max(times) > _SETTLED_NS


def _holds(witnesses: JSONValue) -> bool:
    if not isinstance(witnesses, list) or not witnesses:
        return False
    return all(isinstance(item, list) and _witness(str(item[0]))[: len(item)] == item for item in witnesses)


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
