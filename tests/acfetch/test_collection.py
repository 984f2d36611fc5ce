"""What a collection removes and what it leaves alone."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from acfetch import collection
from acfetch.collection import Collected, CollectOptions, collect
from acspec.locks import open_locked
from acspec.pods import PHASES
from acspec.store import Store
from tests.support import images
from tests.support.stores import DAY, add_image, check_store, listed, make_pod, names_of, set_age, start, wait_until_blocked

LONG_AGO = 30 * DAY


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def run(data: Path, *, keep_for: int = DAY, dry_run: bool = False, pods: Path | None = None, later: float = 0) -> Collected:
    """Collect what is not needed, *later* seconds from now."""
    options = CollectOptions(str(data), str(pods or data), keep_for, dry_run)
    return collect(options, time.time() + later)


def names(data: Path, **options: int) -> list[str]:
    return names_of(run(data, **options).images)


def test_images_go_when_nobody_has_lately_used_them(data: Path) -> None:
    add_image(data, "example.com/young", age=DAY - 7200)
    add_image(data, "example.com/old", age=DAY + 60, signature=b"signature")
    assert names(data) == ["example.com/old"]
    assert len(os.listdir(data / "images")) == 2
    assert names(data, keep_for=DAY // 2) == ["example.com/young"]
    assert os.listdir(data / "images") == []


def test_what_was_removed_is_told_with_its_size(data: Path) -> None:
    image_id = add_image(data, "example.com/old", age=LONG_AGO)
    size = (data / "images" / f"{image_id}.aci").stat().st_size
    assert [(record.id, bytes_) for record, bytes_ in run(data).images] == [(image_id, size)]


def test_what_a_kept_image_depends_on_is_kept(data: Path) -> None:
    base = add_image(data, "example.com/base", age=LONG_AGO)
    middle = add_image(data, "example.com/middle", base, age=LONG_AGO)
    add_image(data, "example.com/gone", base, age=LONG_AGO)
    top = add_image(data, "example.com/top", middle, age=60)
    assert names(data) == ["example.com/gone"]
    set_age(data, top, LONG_AGO)
    assert names(data) == ["example.com/base", "example.com/middle", "example.com/top"]


@pytest.mark.parametrize("phase", PHASES[1:])
def test_images_of_a_pod_are_kept_whatever_its_phase(phase: str, data: Path, tmp_path: Path) -> None:
    base = add_image(data, "example.com/base", age=LONG_AGO)
    app = add_image(data, "example.com/app", base, age=LONG_AGO)
    add_image(data, "example.com/other", base, age=LONG_AGO)
    make_pod(tmp_path / "run", phase, app)
    assert names_of(run(data, pods=tmp_path / "run").images) == ["example.com/other"]
    assert check_store(data) == {base, app}


def test_an_image_in_use_is_kept_with_what_it_depends_on(data: Path) -> None:
    base = add_image(data, "example.com/base")
    app = add_image(data, "example.com/app", base)
    lock = open_locked(str(data / "images" / f"{app}.aci"), shared=True)
    assert names(data, keep_for=0, later=60) == []
    os.close(lock)
    assert names(data, keep_for=0, later=60) == ["example.com/app", "example.com/base"]


def test_an_image_in_use_does_not_keep_what_depends_on_it(data: Path) -> None:
    base = add_image(data, "example.com/base", age=LONG_AGO)
    add_image(data, "example.com/app", base, age=LONG_AGO)
    lock = Store.open(str(data)).hold(base)
    assert names(data) == ["example.com/app"]
    os.close(lock)


def test_more_images_than_go_at_once_all_go(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "_AT_ONCE", 2)
    needs: list[str] = []
    for number in range(7):
        needs.append(add_image(data, f"example.com/app{number}", *needs[-2:], age=LONG_AGO))
    lock = Store.open(str(data)).hold(needs[2])
    set_age(data, needs[2], LONG_AGO)
    assert names(data) == [f"example.com/app{number}" for number in (3, 4, 5, 6)]
    os.close(lock)
    assert names(data) == [f"example.com/app{number}" for number in (0, 1, 2)]
    assert os.listdir(data / "images") == []


def test_a_record_from_the_future_keeps_its_image(data: Path) -> None:
    add_image(data, "example.com/app", age=-DAY)
    assert names(data, keep_for=0) == []


def test_a_damaged_record_protects_the_files_of_its_own_image_only(data: Path) -> None:
    base = add_image(data, "example.com/base", age=LONG_AGO)
    app = add_image(data, "example.com/app", base, age=LONG_AGO)
    (data / "images" / f"{app}.json").write_text("{")
    assert names(data, later=LONG_AGO) == ["example.com/base"]
    assert sorted(os.listdir(data / "images")) == [f"{app}.aci", f"{app}.json"]


def test_a_dry_run_says_the_same_and_removes_nothing(data: Path) -> None:
    base = add_image(data, "example.com/base", age=LONG_AGO)
    add_image(data, "example.com/app", base, age=LONG_AGO)
    (data / "partial" / "x").write_bytes(b"half")
    (data / "tmp" / "image-0").touch()
    (data / "lock").unlink()
    before = sorted(path for path in data.rglob("*"))
    dry = run(data, dry_run=True, later=LONG_AGO)
    assert sorted(path for path in data.rglob("*")) == before
    assert run(data, later=LONG_AGO) == dry
    assert (len(dry.images), [path for path, _ in dry.files]) == (2, [str(data / "partial" / "x")])


HALVES = {
    "the file alone: an addition or a removal cut off": (".aci",),
    "file and signature: the same, a step later": (".aci", ".asc"),
    "the record alone": (".json",),
    "the signature alone": (".asc",),
    "record and signature": (".asc", ".json"),
}


@pytest.mark.parametrize("left", HALVES.values(), ids=HALVES)
def test_what_belongs_to_no_image_goes_when_it_is_old(left: tuple[str, ...], data: Path) -> None:
    keep = add_image(data, "example.com/keep", signature=b"signature", age=-2 * LONG_AGO)
    half = add_image(data, "example.com/half", signature=b"signature")
    for suffix in {".aci", ".asc", ".json"} - set(left):
        (data / "images" / f"{half}{suffix}").unlink()
    assert run(data).files == []
    assert [path for path, _ in run(data, later=LONG_AGO).files] == [f"{data}/images/{half}{suffix}" for suffix in left]
    assert listed(data) == {keep}
    assert len(os.listdir(data / "images")) == 3


def test_a_file_that_somebody_is_adding_stays(data: Path) -> None:
    half = add_image(data, "example.com/half")
    (data / "images" / f"{half}.json").unlink()
    lock = open_locked(str(data / "images" / f"{half}.aci"), shared=True)
    assert run(data, later=LONG_AGO).files == []
    os.close(lock)
    assert len(run(data, later=LONG_AGO).files) == 1


def test_what_is_not_of_our_making_stays(data: Path) -> None:
    add_image(data, "example.com/app", age=-2 * LONG_AGO)
    for name in ("notes.txt", "sha512-0.aci", "x.json", f"sha512-{'0' * 128}.bak", f"SHA512-{'0' * 128}.aci"):
        (data / "images" / name).touch()
    (data / "images" / f"sha512-{'0' * 128}.aci").symlink_to("/etc/passwd")
    before = sorted(os.listdir(data / "images"))
    assert run(data, later=LONG_AGO) == Collected()
    assert sorted(os.listdir(data / "images")) == before


@pytest.mark.parametrize("place", ["partial", "damaged"])
def test_what_was_put_by_goes_when_it_is_old_and_nobody_holds_it(place: str, data: Path) -> None:
    Store.open(str(data), create=True)
    (data / place / "tree" / "below").mkdir(parents=True)
    for name in ("held", "x"):
        (data / place / name).write_bytes(b"half")
    lock = open_locked(str(data / place / "held"))
    assert run(data).files == []
    gone = run(data, later=2 * DAY).files
    assert [os.path.basename(path) for path, _ in gone] == ["tree", "x"]
    assert gone[1][1] == 4
    assert os.listdir(data / place) == ["held"]
    os.close(lock)


def test_what_killed_writers_left_goes_at_once_and_what_is_being_written_stays(data: Path) -> None:
    store = Store.open(str(data), create=True)
    for path in ("tmp/image-0", "images/.x.json.0.tmp", ".version.0.tmp", "tmp/tree-0"):
        (data / path).touch()
    with store.new_image() as new:
        new.write(b"half")
        assert run(data) == Collected()
        assert sorted(os.listdir(data / "tmp"))[-1] == "tree-0", "that one is acrun's"
        assert len(os.listdir(data / "tmp")) == 2
    assert os.listdir(data / "images") == []
    assert not (data / ".version.0.tmp").exists()


def test_a_collection_where_nothing_ever_was_makes_nothing(data: Path) -> None:
    assert run(data) == Collected()
    assert not data.exists()


def test_a_pod_that_was_made_while_the_collection_waited_keeps_its_images(data: Path) -> None:
    app = add_image(data, "example.com/app", age=LONG_AGO)
    with ExitStack() as lock:
        lock.enter_context(Store.open(str(data)).changing())
        process = start("gc", "--dir", str(data), stdout=subprocess.PIPE)
        wait_until_blocked(process)
        make_pod(data, "run", app)
    assert process.communicate() == ("", None)
    assert (process.returncode, listed(data)) == (0, {app})


MEANWHILE: dict[str, Callable[[Path, str], object]] = {
    "used": lambda data, image_id: os.close(Store.open(str(data)).hold(image_id)),
    "named in a pod": lambda data, image_id: make_pod(data, "run", image_id),
}


@pytest.mark.parametrize("happen", MEANWHILE.values(), ids=MEANWHILE)
def test_an_image_stays_that_between_the_first_look_and_its_lock_was(
    happen: Callable[[Path, str], object], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = add_image(data, "example.com/base", age=LONG_AGO)
    app = add_image(data, "example.com/app", base, age=LONG_AGO)

    def lock(path: str) -> int:
        if app in path:
            happen(data, app)
        return open_locked(path)

    monkeypatch.setattr(collection, "open_locked", lock)
    assert names(data) == []
    assert check_store(data) == {base, app}


def test_an_image_that_is_added_while_a_collection_runs_waits_for_its_end(data: Path, tmp_path: Path) -> None:
    Store.open(str(data), create=True)
    images.write_image(tmp_path / "x.aci")
    with ExitStack() as lock:
        lock.enter_context(Store.open(str(data)).changing())
        process = start("-q", "--dir", str(data), "--insecure-options=image", str(tmp_path / "x.aci"), stdout=subprocess.PIPE)
        wait_until_blocked(process)
        assert os.listdir(data / "images") == []
        assert collect(CollectOptions(str(data), str(data), 0, dry_run=True), time.time() + DAY) == Collected()
    out, _ = process.communicate()
    assert (process.returncode, Path(out.strip()).stem) == (0, *listed(data))


def test_two_collections_at_once_remove_each_image_once(data: Path) -> None:
    for number in range(5):
        add_image(data, f"example.com/app{number}", age=LONG_AGO)
    with ExitStack() as lock:
        lock.enter_context(Store.open(str(data)).changing())
        both = [start("gc", "--dir", str(data), stdout=subprocess.PIPE) for _ in range(2)]
        for process in both:
            wait_until_blocked(process)
    lines = [process.communicate()[0].splitlines() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(map(len, lines)) == [0, 5]
