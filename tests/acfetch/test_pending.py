"""Images that wait for the rest of the run, and copies for --output."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from acfetch.pending import Output, Pending
from acspec.errors import BusyError, OutputError
from acspec.locks import open_locked
from acspec.names import parse_ac_identifier, parse_image_id
from acspec.store import ImageRecord, NewImage, Store

ID = parse_image_id("sha512-" + "1" * 128, "id")
OTHER = parse_image_id("sha512-" + "2" * 128, "id")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(str(tmp_path / "data"), create=True)


def image(store: Store, image_id: str = ID) -> tuple[NewImage, ImageRecord]:
    new = store.new_image()
    new.write(b"tar")
    return new, ImageRecord(parse_image_id(image_id, "id"), parse_ac_identifier("example.com/app", "name"))


def test_nothing_is_in_the_store_before_all_is(store: Store, tmp_path: Path) -> None:
    with Pending() as pending:
        for image_id in (OTHER, ID):
            pending.add(*image(store, image_id), b"signature", None)
        assert list(store.records()) == []
        assert [record.id for record in pending.publish()] == [OTHER, ID]
    assert [record.id for record in store.records()] == [ID, OTHER]
    assert Path(store.signature_path(ID)).read_bytes() == b"signature"
    assert os.listdir(tmp_path / "data/tmp") == []


def test_what_is_not_published_is_gone(store: Store, tmp_path: Path) -> None:
    output = Output(str(tmp_path / "out.aci"))
    with Pending() as pending:
        pending.add(*image(store), None, output)
        output.write(b"served")
    assert os.listdir(tmp_path / "data/tmp") == []
    assert os.listdir(tmp_path / "data/images") == []
    assert os.listdir(tmp_path) == ["data"]


def test_a_copy_appears_with_its_signature_when_its_image_is_in_the_store(store: Store, tmp_path: Path) -> None:
    output = Output(str(tmp_path / "out.aci"))
    with Pending() as pending:
        pending.add(*image(store), b"signature", output)
        output.write(b"ser")
        output.write(b"ved")
        assert list(tmp_path.glob("out*")) == []
        list(pending.publish())
    assert (tmp_path / "out.aci").read_bytes() == b"served"
    assert (tmp_path / "out.aci.asc").read_bytes() == b"signature"


def test_a_copy_has_the_mode_that_the_umask_leaves(store: Store, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with Output(str(tmp_path / "out.aci")) as output:
            output.commit(b"signature")
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("out*")] == [0o640, 0o640]


def test_a_copy_without_a_signature_stands_alone_and_replaces_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "out.aci").write_bytes(b"old")
    with Output(str(tmp_path / "out.aci")) as output:
        output.write(b"new")
        assert (tmp_path / "out.aci").read_bytes() == b"old"
        output.commit(None)
    assert os.listdir(tmp_path) == ["out.aci"]
    assert (tmp_path / "out.aci").read_bytes() == b"new"


@pytest.mark.parametrize("name", ["nowhere/out.aci", ".", "file/out.aci", ""])
def test_a_copy_that_cannot_be_made_is_refused_at_once(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError):
        Output(name)
    assert os.listdir(tmp_path) == ["file"]


def test_an_image_of_the_store_is_held_until_the_run_ends(store: Store) -> None:
    new, record = image(store)
    with new:
        new.publish(record, None)
    with Pending() as pending:
        assert pending.hold(store, ID)
        assert not pending.hold(store, OTHER)
        with pytest.raises(BusyError):
            open_locked(store.image_path(ID))
    os.close(open_locked(store.image_path(ID)))


def test_what_was_published_is_held_until_the_run_ends(store: Store) -> None:
    with Pending() as pending:
        pending.add(*image(store), None, None)
        list(pending.publish())
        with pytest.raises(BusyError):
            open_locked(store.image_path(ID))
    os.close(open_locked(store.image_path(ID)))
