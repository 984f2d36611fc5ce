"""Notes of plans: believed while nothing has changed, and never otherwise."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from acrun.filters import Compiled, Filter, keep_compiled
from acrun.plans import Evidence, Plan, PlannedApp, find_plan, note_plan
from acspec.errors import BusyError
from acspec.locks import open_locked

MANIFEST: dict[str, Any] = {"acKind": "PodManifest", "apps": [{"name": "hello", "app": {"exec": ["/bin/hello", "-v"]}}]}
UNFILTERED = Filter(None, b"", "own", "enforced", None)


@pytest.fixture
def witness(tmp_path: Path) -> Path:
    path = tmp_path / "x.aci"
    path.write_bytes(b"image")
    return path


def note_as_it_is(tmp_path: Path, plan: Plan, evidence: Evidence, *words: str, options: Any = None) -> None:
    note_plan(str(tmp_path / "run"), str(tmp_path / "data"), words or ("/x.aci",), plan, options, evidence)


def long_settled(*witnesses: Path, sources: Sequence[tuple[str, str]] = ()) -> Evidence:
    return Evidence(time.time_ns() + 10**9, [str(path) for path in witnesses], sources)


def note(tmp_path: Path, *witnesses: Path, words: Sequence[str] = ("/x.aci",), began: int = 0) -> None:
    plan = Plan(
        MANIFEST,
        [PlannedApp("k" * 64, ["sha512-a", "sha512-b"], UNFILTERED)],
        ["volume data is empty"],
    )
    evidence = Evidence(began or time.time_ns() + 10**9, [str(path) for path in witnesses])
    note_as_it_is(tmp_path, plan, evidence, *words)
    _let_a_moment_pass(tmp_path / "clock", *witnesses)


def _let_a_moment_pass(clock: Path, *paths: Path) -> None:
    """Wait until what is written has a later time than *paths*: a kernel may count these by ticks of some milliseconds."""
    latest = max(path.stat().st_ctime_ns for path in paths)
    clock.touch()
    while clock.stat().st_ctime_ns <= latest:
        clock.touch()


def find(tmp_path: Path, *words: str, data: str = "data") -> Plan | None:
    found = find_plan(str(tmp_path / "run"), str(tmp_path / data), words or ("/x.aci",))
    return found[0] if found is not None else None


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
    note(tmp_path, witness, began=witness.stat().st_ctime_ns + 1_000_000)
    assert find(tmp_path) is None


def test_nothing_is_noted_about_what_has_changed_since_the_work_began(tmp_path: Path, witness: Path) -> None:
    note(tmp_path, witness, began=witness.stat().st_ctime_ns - 1)
    assert find(tmp_path) is None


def test_other_words_and_another_store_have_other_notes(tmp_path: Path, witness: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note(tmp_path, witness, words=("--rm", "x.aci"))
    assert find(tmp_path, "--rm", "x.aci") is not None
    assert find(tmp_path, "--rm", "y.aci") is None
    assert find(tmp_path, "x.aci") is None
    assert find(tmp_path, "--rm", "x.aci", data="elsewhere") is None
    monkeypatch.chdir("/")  # where the same words mean another file
    assert find(tmp_path, "--rm", "x.aci") is None


def test_options_are_found_as_they_were_noted(tmp_path: Path, witness: Path) -> None:
    options = [{"name": "web"}, {}, {"remove": True}]
    note_as_it_is(tmp_path, Plan(MANIFEST, [], []), long_settled(witness), options=options)
    found = find_plan(str(tmp_path / "run"), str(tmp_path / "data"), ["/x.aci"])
    assert found is not None
    assert found[1] == options


def _put_a_link_in_its_place(source: Path) -> None:
    source.rename(source.with_name("elsewhere"))
    source.symlink_to("elsewhere")


def _put_a_file_in_its_place(source: Path) -> None:
    source.rmdir()
    source.touch()


CHANGES_OF_A_SOURCE: dict[str, Callable[[Path], object]] = {
    "gone": Path.rmdir,
    "a link now": _put_a_link_in_its_place,
    "a file now": _put_a_file_in_its_place,
}


@pytest.mark.parametrize("change", CHANGES_OF_A_SOURCE.values(), ids=CHANGES_OF_A_SOURCE)
def test_a_note_counts_for_nothing_when_the_source_of_a_volume_is(
    tmp_path: Path, witness: Path, change: Callable[[Path], object]
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    note_as_it_is(tmp_path, Plan(MANIFEST, [], []), long_settled(witness, sources=[(str(source), str(source))]))
    (source / "file").touch()
    assert find(tmp_path) is not None, "what lies in a source is nothing to the plan"
    (source / "file").unlink()
    change(source)
    assert find(tmp_path) is None


def test_a_source_that_a_link_leads_to_is_the_one_that_it_led_to(tmp_path: Path, witness: Path) -> None:
    one, other, link = tmp_path / "one", tmp_path / "other", tmp_path / "link"
    one.mkdir()
    other.mkdir()
    link.symlink_to("one")
    note_as_it_is(tmp_path, Plan(MANIFEST, [], []), long_settled(witness, sources=[(str(link), str(one))]))
    assert find(tmp_path) is not None
    link.unlink()
    link.symlink_to("other")
    assert find(tmp_path) is None


def test_notes_are_never_more_than_there_are_places(tmp_path: Path, witness: Path) -> None:
    for number in range(300):
        note(tmp_path, witness, words=("--name", f"job-{number}", "/x.aci"))
    names = os.listdir(tmp_path / "run" / "plans")
    assert names
    assert all(len(name) == len("fff.json") and int(name[:3], 16) < 4096 for name in names)


def test_a_word_that_json_cannot_hold_is_no_error(tmp_path: Path, witness: Path) -> None:
    note_as_it_is(tmp_path, Plan(MANIFEST, [], []), long_settled(witness), options="\udcff")
    assert find(tmp_path) is None


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
    note_as_it_is(tmp_path, plan, long_settled(witness))


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
    note_as_it_is(tmp_path, plan, long_settled(witness))
    found = find(tmp_path)
    assert found is not None
    assert found.apps[0].filter.program == b"12345678"
    (tmp_path / "run" / "filters" / f"{key}.json").unlink()
    assert find(tmp_path) is None
