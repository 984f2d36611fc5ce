"""What lies where in a rootfs: the same from an archive and from a disk."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from acspec.archive.entry import Entry, Kind
from acspec.archive.image import ImageReader
from acspec.errors import FormatError
from actool.name_table import LayoutNames, NameTable
from tests.support.corpus import CORPUS
from tests.support.images import hard_link, symlink, tar

LONG = "t" * 3000


def table_of(path: Path) -> NameTable:
    names = NameTable()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with ImageReader(descriptor, "x.aci", hashed=False) as reader:
            for entry in reader:
                names.add(entry)
    finally:
        os.close(descriptor)
    return names


def kinds(entries: Mapping[bytes, Entry | None]) -> dict[bytes, tuple[Kind, bytes] | None]:
    return {path: entry and (entry.kind, entry.link_name) for path, entry in entries.items()}


def test_kinds_and_targets_are_known_of_all_that_an_archive_has_or_implies(tmp_path: Path) -> None:
    files = {"a/b/file": b"", "a/b/again": hard_link("a/b/file"), "link": "a/\x1b", "long": symlink(LONG)}
    (tmp_path / "x.aci").write_bytes(tar(files))
    with closing(table_of(tmp_path / "x.aci")) as names:
        paths = [b"", b"a", b"a/b", b"a/b/file", b"a/b/again", b"link", b"long", b"a/c", b"rootfs", b"manifest"]
        assert kinds({path: names.find(path) for path in paths}) == {
            b"": (Kind.DIRECTORY, b""),
            b"a": (Kind.DIRECTORY, b""),
            b"a/b": (Kind.DIRECTORY, b""),
            b"a/b/file": (Kind.FILE, b""),
            b"a/b/again": (Kind.HARD_LINK, b"a/b/file"),
            b"link": (Kind.SYMLINK, b"a/\x1b"),
            b"long": (Kind.SYMLINK, LONG.encode()),
            b"a/c": None,
            b"rootfs": None,
            b"manifest": None,
        }


@pytest.mark.parametrize("sentence", [sentence for sentence, case in CORPUS.items() if not case.refused])
def test_every_entry_of_a_good_archive_is_found(tmp_path: Path, sentence: str) -> None:
    (tmp_path / "x.aci").write_bytes(CORPUS[sentence].data)
    with (
        closing(table_of(tmp_path / "x.aci")) as names,
        open(tmp_path / "x.aci", "rb") as file,
        ImageReader(file.fileno(), "x.aci", hashed=False) as reader,
    ):
        for entry in reader:
            if entry.name.startswith(b"rootfs/"):
                found = names.find(entry.name[7:])
                assert found is not None
                assert found.kind is entry.kind


def test_a_layout_is_looked_into_without_following_a_link(tmp_path: Path) -> None:
    (tmp_path / "rootfs/etc").mkdir(parents=True)
    (tmp_path / "rootfs/etc/file").write_bytes(b"data")
    (tmp_path / "rootfs/out").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "rootfs/pipe")
    descriptor = os.open(tmp_path, os.O_RDONLY)
    with closing(LayoutNames(descriptor, "layout")) as names:
        paths = [b"", b"etc", b"etc/file", b"out", b"out/manifest", b"pipe", b"none", b"etc/file/x", b"n" * 300]
        assert kinds({path: names.find(path) for path in paths}) == {
            b"": (Kind.DIRECTORY, b""),
            b"etc": (Kind.DIRECTORY, b""),
            b"etc/file": (Kind.FILE, b""),
            b"out": (Kind.SYMLINK, os.fsencode(tmp_path)),
            b"out/manifest": None,
            b"pipe": (Kind.FIFO, b""),
            b"none": None,
            b"etc/file/x": None,
            b"n" * 300: None,
        }
        opened = names.open(b"etc/file")
        assert os.read(opened, 9) == b"data"
        os.close(opened)
        with pytest.raises(OSError, match="layout/rootfs/out"):
            names.open(b"out")
    os.close(descriptor)


def test_a_socket_in_a_layout_is_what_an_archive_cannot_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rootfs").mkdir()
    monkeypatch.chdir(tmp_path / "rootfs")
    descriptor = os.open(tmp_path, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as made, closing(LayoutNames(descriptor, "layout")) as names:
        made.bind("socket")
        with pytest.raises(FormatError, match="a socket, which an archive cannot hold"):
            names.find(b"socket")
    os.close(descriptor)
