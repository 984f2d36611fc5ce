"""The image store: what is in it is whole, and stays what it was."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.errors import BusyError, ConfigError, FormatError, MissingInputError
from acspec.fields import Fields
from acspec.jsontext import dump_json, parse_json
from acspec.labels import Label
from acspec.locks import open_locked
from acspec.names import ACIdentifier, ImageID
from acspec.references import ImageIDArgument, ImageReference, parse_argument
from acspec.store import ImageRecord, Store
from tests.support.stores import wait_until_blocked


def image_id(content: bytes) -> ImageID:
    return ImageID("sha512-" + hashlib.sha512(content).hexdigest())


def record(content: bytes = b"tar", name: str = "example.com/app", **more: Any) -> ImageRecord:
    labels = tuple(Label(ACIdentifier(key), value) for key, value in more.pop("labels", {}).items())
    return ImageRecord(image_id(content), ACIdentifier(name), labels, **more)


def add(store: Store, content: bytes = b"tar", signature: bytes | None = None, **more: Any) -> str:
    with store.new_image() as image:
        image.write(content)
        return image.publish(record(content, **more), signature)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(str(tmp_path / "data"), create=True)


def test_a_new_store_has_a_version_and_its_directories(store: Store) -> None:
    assert Path(store.path, "version").read_text() == "1\n"
    assert sorted(os.listdir(store.path)) == ["images", "partial", "tmp", "version"]


def test_an_absent_directory_is_an_empty_store(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "nothing"))
    assert list(store.records()) == []
    assert store.find(image_id(b"x")) is None
    assert not (tmp_path / "nothing").exists()


def test_a_store_of_another_format_is_refused(store: Store) -> None:
    Path(store.path, "version").write_text("2\n")
    with pytest.raises(ConfigError, match='has format "2", this program knows 1'):
        Store.open(store.path)


def test_what_was_added_is_found_with_all_that_was_said_of_it(store: Store) -> None:
    path = add(store, b"tar", b"signature", origin="https://x/y.aci", served_size=3, signer="F" * 40, imported="2026-01-01")
    assert path == store.image_path(image_id(b"tar"))
    assert Path(path).read_bytes() == b"tar"
    assert os.stat(path).st_mode & 0o777 == 0o444
    assert Path(store.signature_path(image_id(b"tar"))).read_bytes() == b"signature"
    found = store.find(image_id(b"tar"))
    assert found is not None
    assert (found.origin, found.served_size, found.signer) == ("https://x/y.aci", 3, "F" * 40)


def test_what_killed_writers_left_goes_with_the_next_and_what_is_held_stays(store: Store) -> None:
    names = ["image-1", "gpg-2", "gpg-3", "tree-4"]
    for name in names:
        os.mkdir(os.path.join(store.tmp, name))
        Path(store.tmp, name, "file").touch()
    lock = open_locked(os.path.join(store.tmp, "gpg-3"))
    try:
        Store.open(store.path, create=True)
        assert sorted(os.listdir(store.tmp)) == ["gpg-3", "tree-4"]
    finally:
        os.close(lock)


@pytest.mark.parametrize(("place", "name"), [("tmp", "gpg-1"), ("images", ".a.0.tmp")])
def test_behind_a_link_nothing_is_removed(store: Store, tmp_path: Path, place: str, name: str) -> None:
    (tmp_path / "of-somebody").mkdir()
    (tmp_path / "of-somebody" / name).touch()
    os.rmdir(os.path.join(store.path, place))
    os.symlink(tmp_path / "of-somebody", os.path.join(store.path, place))
    Store.open(store.path, create=True)
    assert os.listdir(tmp_path / "of-somebody") == [name]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_in_the_store_of_somebody_else_nothing_is_removed(store: Store) -> None:
    Path(store.tmp, "gpg-1").touch()
    os.chown(store.path, 1234, 1234)
    Store.open(store.path, create=True)
    assert os.listdir(store.tmp) == ["gpg-1"]


def test_nothing_is_left_of_an_image_that_was_not_published(store: Store) -> None:
    with store.new_image() as image:
        image.write(b"half")
    assert os.listdir(os.path.join(store.path, "tmp")) == []
    assert list(store.records()) == []


def test_an_image_without_a_record_is_not_in_the_store(store: Store) -> None:
    os.unlink(add(store).removesuffix(".aci") + ".json")
    assert store.find(image_id(b"tar")) is None
    assert list(store.records()) == []


def test_a_record_without_an_image_is_not_in_the_store(store: Store) -> None:
    os.unlink(add(store))
    assert store.find(image_id(b"tar")) is None


def test_a_damaged_image_is_mended_by_adding_it_again(store: Store) -> None:
    path = add(store)
    os.chmod(path, 0o644)
    Path(path).write_bytes(b"rat")
    assert Path(add(store)).read_bytes() == b"tar"


def test_a_damaged_record_is_named_and_mended_by_adding_again(store: Store) -> None:
    path = Path(add(store).removesuffix(".aci") + ".json")
    path.write_bytes(b"{")
    with pytest.raises(FormatError, match="not JSON"):
        store.find(image_id(b"tar"))
    add(store)
    assert store.find(image_id(b"tar")) is not None


def test_what_is_not_named_by_an_id_is_no_record(store: Store) -> None:
    add(store)
    for name in (f"sha512-{'G' * 128}", f"sha512-{'0' * 127}\n", f"sha512-{'0' * 129}", f"sha256-{'0' * 128}", "x"):
        Path(store.images, f"{name}.json").write_text("{}")
    assert store.ids() == [image_id(b"tar")]
    assert [item.id for item in store.records()] == [image_id(b"tar")]


def test_an_unsigned_import_does_not_hide_that_an_image_was_signed(store: Store) -> None:
    add(store, signature=b"s", signer="A" * 40)
    add(store, given_up=("image",))
    found = store.find(image_id(b"tar"))
    assert found is not None
    assert (found.signer, found.given_up) == ("A" * 40, ())


def test_a_signature_that_comes_later_is_recorded(store: Store) -> None:
    add(store, given_up=("image",))
    add(store, signature=b"s", signer="A" * 40)
    found = store.find(image_id(b"tar"))
    assert found is not None
    assert (found.signer, found.given_up) == ("A" * 40, ())


def test_a_unique_beginning_of_an_id_is_enough(store: Store) -> None:
    add(store, b"one")
    add(store, b"two")
    found = store.find_prefix(image_id(b"two")[:19])
    assert found is not None
    assert found.id == image_id(b"two")
    assert store.find_prefix("sha512-" + "0" * 12) is None


def test_a_beginning_that_means_two_images_is_refused(store: Store) -> None:
    add(store, b"one")
    add(store, b"two")
    with pytest.raises(MissingInputError, match="means 2 images"):
        store.find_prefix("sha512-")


MATCHES = {
    "no label asked for": ({"version": "1"}, {}, True),
    "the same value": ({"version": "1"}, {"version": "1"}, True),
    "another value": ({"version": "2"}, {"version": "1"}, False),
    "a label that the image lacks": ({}, {"version": "1"}, False),
    "another system that nobody asked for": ({"os": "freebsd", "arch": "arm"}, {}, False),
    "another system that was asked for": ({"os": "freebsd", "arch": "arm"}, {"os": "freebsd", "arch": "arm"}, True),
}


@pytest.mark.parametrize(("labels", "asked", "found"), MATCHES.values(), ids=MATCHES)
def test_names_are_found_by_the_labels_asked_for(store: Store, labels: dict[str, str], asked: dict[str, str], found: bool) -> None:
    add(store, labels=labels)
    assert (store.find_named("example.com/app", asked) is not None) is found
    assert store.find_named("example.com/apple", asked) is None


def test_of_several_the_newest_import_is_found(store: Store) -> None:
    add(store, b"new", imported="2026-02-01T00:00:00Z")
    add(store, b"old", imported="2026-01-01T00:00:00Z")
    found = store.find_named("example.com/app", {})
    assert found is not None
    assert found.id == image_id(b"new")


def test_an_open_image_cannot_be_locked_for_removal(store: Store) -> None:
    path = add(store)
    descriptor = open_locked(path, shared=True)
    with pytest.raises(BusyError):
        open_locked(path)
    os.close(descriptor)
    os.close(open_locked(path))


def test_a_just_published_image_can_be_opened_while_its_writer_lives(store: Store) -> None:
    with store.new_image() as image:
        image.write(b"tar")
        image.publish(record(), None)
        os.close(open_locked(store.image_path(image_id(b"tar")), shared=True))


def _add_many(path: str, number: int) -> None:
    for _ in range(5):
        add(Store.open(path, create=True), b"same")
        add(Store.open(path, create=True), b"other %d" % number)


def test_many_processes_add_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "data")
    workers = [multiprocessing.get_context("spawn").Process(target=_add_many, args=(path, number)) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    store = Store.open(path)
    assert {item.id for item in store.records()} == {image_id(b"same"), *(image_id(b"other %d" % n) for n in range(3))}
    assert all(image_id(Path(store.image_path(item.id)).read_bytes()) == item.id for item in store.records())
    assert os.listdir(os.path.join(path, "tmp")) == []


def test_whoever_changes_what_is_there_waits_for_whoever_does(store: Store) -> None:
    path = add(store, b"one")
    worker = multiprocessing.get_context("spawn").Process(target=_add_many, args=(store.path, 1))
    with store.changing():
        worker.start()
        wait_until_blocked(worker)
        assert {os.path.splitext(name)[0] for name in os.listdir(store.images)} == {os.path.basename(path).removesuffix(".aci")}
    worker.join()
    assert (worker.exitcode, len(os.listdir(store.images))) == (0, 6)


LOCK_MODES = {0o755: 0o600, 0o700: 0o600, 0o775: 0o660, 0o2775: 0o660, 0o777: 0o666}


@pytest.mark.parametrize(("mode", "lock"), LOCK_MODES.items())
def test_the_lock_is_open_to_those_who_may_write_and_to_nobody_else(store: Store, mode: int, lock: int) -> None:
    os.chmod(store.images, mode)
    with store.changing():
        assert os.stat(os.path.join(store.path, "lock")).st_mode & 0o777 == lock


def test_a_link_in_place_of_the_lock_is_refused(store: Store, tmp_path: Path) -> None:
    os.symlink(tmp_path / "target", os.path.join(store.path, "lock"))
    with pytest.raises(OSError, match="symbolic link"), store.changing():
        raise AssertionError("it was followed")
    assert not (tmp_path / "target").exists()


def test_an_image_is_held_from_the_moment_that_it_is_there(store: Store) -> None:
    with store.new_image() as image:
        image.write(b"tar")
        path = image.publish(record(), None)
        with pytest.raises(BusyError):
            open_locked(path)
    os.close(open_locked(path))


def test_adding_again_what_stays_is_a_use(store: Store) -> None:
    path = add(store, signature=b"s", signer="A" * 40)
    os.utime(path.removesuffix(".aci") + ".json", (0, 0))
    assert store.last_used(image_id(b"tar")) == 0
    add(store, given_up=("image",))
    assert store.last_used(image_id(b"tar")) > 0
    found = store.find(image_id(b"tar"))
    assert found is not None
    assert found.signer == "A" * 40


def test_an_image_that_is_not_there_has_no_size_and_no_last_use(store: Store) -> None:
    add(store)
    assert (store.size(image_id(b"tar")), store.size(image_id(b"rat")), store.last_used(image_id(b"rat"))) == (3, 0, 0)


MEANT = {
    "example.com/app": True,
    "example.com/app:1": True,
    "example.com/app:2": False,
    "example.com/other": False,
    "example.com/app@{id}": True,
    "example.com/app:1@{id}": True,
    "example.com/app:2@{id}": False,
    "example.com/other@{id}": False,
    "example.com/app@sha512-" + "0" * 128: False,
    "{id}": True,
    "{beginning}": True,
}


@pytest.mark.parametrize(("text", "meant"), MEANT.items())
def test_a_word_means_the_image_that_is_all_it_says(store: Store, text: str, meant: bool) -> None:
    add(store, labels={"version": "1"})
    whole = image_id(b"tar")
    argument = parse_argument(text.format(id=whole, beginning=whole[:20]))
    assert isinstance(argument, (ImageIDArgument, ImageReference))
    assert (store.find_meant(argument) is not None) is meant


@given(
    name=st.from_regex(r"[a-z0-9]{1,8}(\.[a-z]{2,3})?(/[a-z0-9]{1,8}){0,2}", fullmatch=True),
    content=st.binary(max_size=8),
    origin=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40),
    size=st.integers(0, 2**62),
    signer=st.none() | st.text("0123456789ABCDEF", min_size=40, max_size=40),
)
def test_a_record_that_was_written_is_read_back(name: str, content: bytes, origin: str, size: int, signer: str | None) -> None:
    ids = (image_id(content),)
    written = record(content, name, origin=origin, served_size=size, signer=signer, dependencies=ids, labels={"version": origin})
    value = parse_json(dump_json(written.to_json()), "record")
    assert isinstance(value, dict)
    assert ImageRecord.read(Fields(value, "record")) == written
