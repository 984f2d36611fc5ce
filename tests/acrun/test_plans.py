"""Notes of plans: believed while nothing has changed, and never otherwise."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acrun.filters import Compiled, Filter, keep_compiled
from acrun.plans import Plan, PlannedApp, find_plan, note_plan
from acspec.errors import BusyError
from acspec.locks import open_locked

MANIFEST: dict[str, Any] = {"acKind": "PodManifest", "apps": [{"name": "hello", "app": {"exec": ["/bin/hello", "-v"]}}]}
UNFILTERED = Filter(None, b"", "own", "enforced", None)


@pytest.fixture
def witness(tmp_path: Path) -> Path:
    path = tmp_path / "x.aci"
    path.write_bytes(b"image")
    return path


def note(tmp_path: Path, *witnesses: Path, text: str = "/x.aci", now: int = 0) -> None:
    plan = Plan(
        MANIFEST,
        [PlannedApp("k" * 64, ["sha512-a", "sha512-b"], UNFILTERED)],
        ["volume data is empty"],
    )
    note_plan(
        str(tmp_path / "run"), str(tmp_path / "data"), text, plan, [str(path) for path in witnesses], now or time.time_ns() + 10**9
    )


def find(tmp_path: Path, text: str = "/x.aci", data: str = "data") -> Plan | None:
    return find_plan(str(tmp_path / "run"), str(tmp_path / data), text)


def test_a_plan_is_found_as_it_was_noted(tmp_path: Path, witness: Path) -> None:
    note(tmp_path, witness)
    plan = find(tmp_path)
    assert plan is not None
    assert (plan.manifest, plan.notes, plan.names()) == (MANIFEST, ("volume data is empty",), ["hello"])
    assert [(app.tree, app.images) for app in plan.apps] == [("k" * 64, ("sha512-a", "sha512-b"))]


def test_arguments_go_to_the_end_of_what_is_executed(tmp_path: Path, witness: Path) -> None:
    note(tmp_path, witness)
    plan = find(tmp_path)
    assert plan is not None
    plan.append_arguments(["--all"])
    assert plan.manifest["apps"] == [{"name": "hello", "app": {"exec": ["/bin/hello", "-v", "--all"]}}]


def _replace_by_the_same_bytes(path: Path) -> None:
    before = path.stat()
    shutil.copyfile(path, path.with_suffix(".new"))
    path.with_suffix(".new").rename(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _write_in_place(path: Path) -> None:
    before = path.stat()
    path.write_bytes(b"IMAGE")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "written in place, its time set back": _write_in_place,
    "replaced, its time set back": _replace_by_the_same_bytes,
    "longer": lambda path: path.write_bytes(b"image and more"),
    "gone": Path.unlink,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_note_counts_for_nothing_when_a_witness_is(tmp_path: Path, witness: Path, change: Callable[[Path], object]) -> None:
    note(tmp_path, witness)
    assert find(tmp_path) is not None
    change(witness)
    assert find(tmp_path) is None


def test_a_link_with_another_target_is_a_change(tmp_path: Path, witness: Path) -> None:
    link = tmp_path / "link.aci"
    link.symlink_to("x.aci")
    note(tmp_path, link)
    assert find(tmp_path) is not None
    os.link(witness, tmp_path / "same.aci")  # one and the same file, but not where the link led
    link.unlink()
    link.symlink_to("same.aci")
    assert find(tmp_path) is None


def test_a_file_added_to_a_witness_directory_is_a_change(tmp_path: Path, witness: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    note(tmp_path, witness, images)
    assert find(tmp_path) is not None
    (images / "another").touch()
    assert find(tmp_path) is None


def test_nothing_is_noted_about_what_has_only_just_changed(tmp_path: Path, witness: Path) -> None:
    note(tmp_path, witness, now=witness.stat().st_ctime_ns + 1_000_000)
    assert find(tmp_path) is None


def test_other_words_and_another_store_have_other_notes(tmp_path: Path, witness: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note(tmp_path, witness, text="x.aci")
    assert find(tmp_path, "x.aci") is not None
    assert find(tmp_path, "y.aci") is None
    assert find(tmp_path, "x.aci", data="elsewhere") is None
    monkeypatch.chdir("/")  # where the same words mean another file
    assert find(tmp_path, "x.aci") is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"question":[],"witnesses":[]}', b"\0" * 100])
def test_a_damaged_note_is_no_note(tmp_path: Path, witness: Path, content: bytes) -> None:
    note(tmp_path, witness)
    (file,) = (tmp_path / "run" / "plans").iterdir()
    file.write_bytes(content)
    assert find(tmp_path) is None


def test_a_note_that_others_could_have_written_is_none(tmp_path: Path, witness: Path) -> None:
    note(tmp_path, witness)
    (tmp_path / "run").chmod(0o775)
    assert find(tmp_path) is None
    (tmp_path / "run").chmod(0o755)
    assert find(tmp_path) is not None


def test_a_place_that_takes_no_note_is_no_error(tmp_path: Path, witness: Path) -> None:
    (tmp_path / "run").write_bytes(b"")
    note(tmp_path, witness)
    assert find(tmp_path) is None


def note_stored(tmp_path: Path, witness: Path, stored: Path) -> None:
    plan = Plan(MANIFEST, [PlannedApp("k" * 64, ["sha512-a"], UNFILTERED)], [], [str(stored)])
    note_plan(str(tmp_path / "run"), str(tmp_path / "data"), "/x.aci", plan, [str(witness)], time.time_ns() + 10**9)


def test_images_of_a_plan_that_lie_in_a_store_are_held_and_dated(tmp_path: Path, witness: Path) -> None:
    stored, record = tmp_path / "stored.aci", tmp_path / "stored.json"
    for path in (stored, record):
        path.touch()
    os.utime(record, (0, 0))
    note_stored(tmp_path, witness, stored)
    os.close(open_locked(str(stored)))
    plan = find(tmp_path)
    assert plan is not None
    assert plan.stored == (str(stored),)
    with pytest.raises(BusyError):
        open_locked(str(stored))
    assert record.stat().st_mtime > 0


def test_a_note_counts_for_nothing_when_an_image_of_it_was_removed(tmp_path: Path, witness: Path) -> None:
    stored = tmp_path / "stored.aci"
    stored.touch()
    note_stored(tmp_path, witness, stored)
    stored.unlink()
    assert find(tmp_path) is None


def test_a_note_counts_for_nothing_when_a_filter_of_it_was_collected(tmp_path: Path, witness: Path) -> None:
    key = "f" * 64
    keep_compiled(str(tmp_path / "run"), key, Compiled(b"12345678", ()))
    plan = Plan(MANIFEST, [PlannedApp("k" * 64, ["sha512-a"], Filter(key, b"12345678", "own", "enforced", None))], [])
    note_plan(str(tmp_path / "run"), str(tmp_path / "data"), "/x.aci", plan, [str(witness)], time.time_ns() + 10**9)
    found = find(tmp_path)
    assert found is not None
    assert found.apps[0].filter.program == b"12345678"
    (tmp_path / "run" / "filters" / f"{key}.json").unlink()
    assert find(tmp_path) is None
