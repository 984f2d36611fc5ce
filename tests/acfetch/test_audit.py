"""Images verified where they lie: what is damaged is found, told and set aside, and nothing else is touched."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import threading
import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from acfetch.audit import Finding, audit_images
from acfetch.leftovers import find_unrecorded
from acspec.locks import open_locked
from acspec.names import ImageID
from acspec.store import Store
from acspec.values import replace
from tests.support.stores import PROGRAM, add_image, check_store, listed, start, wait_until_blocked


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def audit(data: Path) -> dict[str, Finding]:
    store = Store.open(str(data))
    return {item.image_id: item for item in audit_images(store.ids(), store, lambda _: None)}


def image(data: Path, image_id: str, suffix: str = ".aci") -> Path:
    return data / "images" / f"{image_id}{suffix}"


def test_good_images_are_good_and_stay_as_they_are(data: Path) -> None:
    base = add_image(data, "example.com/base", signature=b"signature")
    app = add_image(data, "example.com/app", base, labels=[{"name": "version", "value": "1"}])
    before = _times(data)
    assert {key: item.state for key, item in audit(data).items()} == {base: "good", app: "good"}
    assert _times(data) == before


def _times(data: Path) -> dict[Path, tuple[int, int, int]]:
    status = {path: path.stat() for path in data.rglob("*")}
    return {path: (found.st_ino, found.st_mtime_ns, found.st_ctime_ns) for path, found in status.items()}


def rewrite(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def _flip(data: Path, image_id: str) -> None:
    content = bytearray(image(data, image_id).read_bytes())
    content[-600] ^= 1
    rewrite(image(data, image_id), bytes(content))


def _change(data: Path, image_id: str, key: str, value: object) -> None:
    path = image(data, image_id, ".json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))


def _replace_by(make: Callable[[Path], object]) -> Callable[[Path, str], object]:
    def damage(data: Path, image_id: str) -> None:
        image(data, image_id).unlink()
        make(image(data, image_id))

    return damage


DAMAGES: dict[str, tuple[Callable[[Path, str], object], str]] = {
    "one bit of its content": (_flip, "its content is that of sha512-"),
    "its end": (lambda data, key: os.truncate(image(data, key), 1000), "its content is that of sha512-"),
    "all of its content": (lambda data, key: os.truncate(image(data, key), 0), "its content is that of sha512-cf83e1357eef"),
    "bytes behind its end": (
        lambda data, key: rewrite(image(data, key), image(data, key).read_bytes() + b"\0"),
        "its content is that of sha512-",
    ),
    "its file": (lambda data, key: image(data, key).unlink(), "its file is missing"),
    "a link in place of its file": (_replace_by(lambda path: path.symlink_to("/etc/passwd")), "its file is a symbolic link"),
    "a FIFO in place of its file": (_replace_by(os.mkfifo), "its file is no regular file"),
    "a directory in place of its file": (_replace_by(Path.mkdir), "its file is no regular file"),
    "its record, cut off": (lambda data, key: os.truncate(image(data, key, ".json"), 20), "its record is bad: "),
    "its record, emptied": (lambda data, key: os.truncate(image(data, key, ".json"), 0), "its record is bad: "),
    "the ID in its record": (lambda data, key: _change(data, key, "id", "sha512-" + "0" * 128), "its record is bad: "),
    "the name in its record": (
        lambda data, key: _change(data, key, "name", "example.com/other"),
        "its record says other name than its manifest",
    ),
    "a label in its record": (
        lambda data, key: _change(data, key, "labels", [{"name": "version", "value": "9"}]),
        "its record says other labels than its manifest",
    ),
    "the dependencies in its record": (
        lambda data, key: _change(data, key, "dependencies", []),
        "its record says other dependencies than its manifest",
    ),
    "a dependency in its record": (
        lambda data, key: _change(data, key, "dependencies", [key]),
        "its record says other dependencies than its manifest",
    ),
}


@pytest.mark.parametrize(("damage", "fault"), DAMAGES.values(), ids=DAMAGES)
def test_an_image_is_set_aside_when_damage_was_done_to(damage: Callable[[Path, str], object], fault: str, data: Path) -> None:
    base = add_image(data, "example.com/base")
    app = add_image(data, "example.com/app", base, signature=b"signature")
    damage(data, app)
    left = {path.name for path in (data / "images").glob(f"{app}*")}
    found = audit(data)
    assert found[base].state == "good"
    assert (found[app].state, found[app].kept) == ("damaged", None)
    assert str(found[app].fault).startswith(fault)
    assert {path.name for path in (data / "damaged").iterdir()} == left
    assert (data / "damaged").stat().st_mode & 0o777 == 0o700
    assert check_store(data) == {base}
    assert {key: item.state for key, item in audit(data).items()} == {base: "good"}


def test_what_was_set_aside_before_gives_way_to_what_is_now(data: Path) -> None:
    for content in (b"first", b"second"):
        app = add_image(data, "example.com/app", signature=b"signature" if content == b"first" else None)
        rewrite(image(data, app), content)
        assert audit(data)[app].state == "damaged"
    assert {path.name for path in (data / "damaged").iterdir()} == {f"{app}.aci", f"{app}.json"}
    assert (data / "damaged" / f"{app}.aci").read_bytes() == b"second"


def test_an_image_that_lacks_something_further_down_is_incomplete(data: Path) -> None:
    base = add_image(data, "example.com/base")
    middle = add_image(data, "example.com/middle", base)
    app = add_image(data, "example.com/app", middle)
    alone = add_image(data, "example.com/alone")
    _flip(data, base)
    found = audit(data)
    states = {"damaged": {base}, "incomplete": {middle, app}, "good": {alone}}
    assert {state: {key for key, item in found.items() if item.state == state} for state in states} == states
    assert found[app].missing == found[middle].missing == (base,)
    assert listed(data) == {middle, app, alone}


def test_an_image_in_use_is_told_and_stays(data: Path) -> None:
    app = add_image(data, "example.com/app")
    _flip(data, app)
    lock = Store.open(str(data)).hold(app)
    found = audit(data)[app]
    assert (found.state, found.kept) == ("damaged", "another process uses it")
    assert listed(data) == {app}
    os.close(lock)
    assert audit(data)[app].kept is None


def test_an_image_that_cannot_be_read_is_told_and_stays(data: Path) -> None:
    """What hides it may be a network file system that has gone for a moment."""
    app = add_image(data, "example.com/app")
    image(data, app).chmod(0)
    words = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    command = [*words, *PROGRAM, "images", "verify", "--dir", str(data)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.split()[1]) == (1, "damaged")
    assert ended.stderr.endswith("its file cannot be read: permission denied (not set aside: it may be readable another time)\n")
    assert listed(data) == {app}


def test_an_image_that_was_mended_while_it_was_read_stays(data: Path) -> None:
    """Damage was found, but before it could be set aside the image was fetched again."""
    app = add_image(data, "example.com/app")
    _flip(data, app)
    whole = data.parent / "elsewhere"
    add_image(whole, "example.com/app")
    with ExitStack() as lock:
        lock.enter_context(Store.open(str(data)).changing())
        process = start("images", "verify", "--dir", str(data), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until_blocked(process)
        image(whole, app).rename(image(data, app))
    out, err = process.communicate()
    assert (process.returncode, err, out.split()[1]) == (0, "", "good")
    assert check_store(data) == {app}
    assert not (data / "damaged").exists()


def test_an_image_that_was_removed_while_it_was_read_is_left_out(data: Path) -> None:
    app = add_image(data, "example.com/app")
    _flip(data, app)
    with ExitStack() as lock:
        lock.enter_context(Store.open(str(data)).changing())
        process = start("images", "verify", "--dir", str(data), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until_blocked(process)
        for suffix in (".json", ".aci"):
            image(data, app, suffix).unlink()
    assert (process.communicate(), process.returncode) == (("", ""), 0)


def test_an_image_that_was_never_valid_is_still_what_it_was(data: Path) -> None:
    app = add_image(data, "example.com/app")
    content = b"no tar at all"
    store = Store.open(str(data))
    record = store.read_record(app)
    other = ImageID(f"sha512-{hashlib.sha512(content).hexdigest()}")
    with store.new_image() as new:
        new.write(content)
        new.publish(replace(record, id=other), None)
    assert audit(data)[other].state == "good"


def test_a_large_image_takes_no_memory_and_two_threads(data: Path) -> None:
    large = add_image(data, "example.com/large", content=bytes(64 << 20))
    for number in range(6):
        add_image(data, f"example.com/app{number}")
    readers: set[int] = set()
    tracemalloc.start()
    store = Store.open(str(data))
    found = audit_images(store.ids(), store, lambda _: readers.add(threading.get_ident()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert large in {item.image_id for item in found}
    assert peak < 8 << 20
    assert len(readers) <= 2
    assert threading.get_ident() not in readers


def test_who_gives_up_does_not_wait_for_the_end_of_an_image(data: Path) -> None:
    """A terabyte of holes takes an hour to read."""
    for name in ("one", "two", "three"):
        path = image(data, add_image(data, f"example.com/{name}"))
        os.truncate(path, 1 << 40)
    process = start("images", "verify", "-q", "--dir", str(data), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while _bytes_read(process.pid) < 64 << 20:
        assert process.poll() is None
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (130, "", "")
    assert not (data / "damaged").exists()


def _bytes_read(pid: int) -> int:
    return int(Path(f"/proc/{pid}/io").read_text().split()[1])


def test_files_without_a_record_are_found_but_for_those_that_somebody_is_adding(data: Path) -> None:
    paths = []
    for number in range(2):
        paths.append(image(data, add_image(data, f"example.com/app{number}")))
        paths[-1].with_suffix(".json").unlink()
    lock = open_locked(str(paths[0]), shared=True)
    assert find_unrecorded(Store.open(str(data))) == [str(paths[1])]
    os.close(lock)
