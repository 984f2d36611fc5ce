"""What an ordinary user keeps of an image, and what is counted as lost."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

from acspec.archive.extract import TreeWriter
from acspec.archive.image import ImageReader
from acspec.archive.losses import Losses
from tests.support import images
from tests.support.images import Node, directory, hard_link
from tests.support.users import as_ordinary_user, place_of_everybody


def extract(path: Path, *layers: images.Files) -> Losses:
    """Extract *layers* into the new directory *path* as an ordinary user."""
    contents = [images.image(files) for files in layers]

    def work() -> Losses:
        path.mkdir(0o700)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        with TreeWriter(descriptor) as writer:
            for content in contents:
                with ImageReader(io.BytesIO(content), "x.aci") as reader:
                    writer.add(reader)
            writer.finish()
        return writer.lost

    lost = as_ordinary_user(work)
    assert isinstance(lost, Losses)
    return lost


def test_content_modes_links_times_and_attributes_are_kept() -> None:
    with place_of_everybody() as place:
        extract(
            place / "t",
            {
                "f": Node(b"data", mode=0o444, mtime="5.000000001", xattrs={"user.a": b"1"}),
                "g": hard_link("f"),
                "l": images.symlink("/etc/passwd", mtime=6),
                "fifo": Node(kind="6", mode=0o600),
            },
        )
        status = (place / "t/f").stat()
        assert ((place / "t/f").read_bytes(), stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (b"data", 0o444, 5_000_000_001)
        assert status.st_nlink == 2
        assert os.getxattr(place / "t/f", "user.a") == b"1"
        assert os.lstat(place / "t/l").st_mtime == 6
        assert stat.S_ISFIFO((place / "t/fifo").stat().st_mode)


def test_what_cannot_be_kept_is_counted() -> None:
    with place_of_everybody() as place:
        lost = extract(
            place / "t",
            {
                "f": Node(uid=12345, gid=12345),
                "l": images.symlink("x", uid=12345),
                "null": Node(kind="3", major=1, minor=3),
                "cap": Node(uid=12345, xattrs={"security.capability": bytes(20)}),
            },
        )
        assert sorted(os.listdir(place / "t")) == ["cap", "f", "l"]
        assert str(lost) == "4 owners, 1 device node, 1 extended attribute"


def test_a_program_that_would_run_with_the_users_own_powers_loses_its_bits() -> None:
    with place_of_everybody() as place:
        lost = extract(place / "t", {"su": Node(b"", mode=0o6755, uid=12345, gid=12345), "d": directory(mode=0o3777)})
        assert stat.S_IMODE((place / "t/su").stat().st_mode) == 0o755
        assert stat.S_IMODE((place / "t/d").stat().st_mode) == 0o3777
        assert lost.modes == 1


def test_directories_that_lock_their_owner_out_are_filled_first() -> None:
    with place_of_everybody() as place:
        extract(
            place / "t",
            {
                "a/b/c": b"implied first",
                "a": directory(mode=0, mtime=1),
                "a/b": directory(mode=0o111, mtime=2),
                "a/d": directory(mode=0),
            },
            {"a": directory(mode=0o500, mtime=3), "a/b": directory(mode=0, mtime=4)},
        )
        # Root looks, or the user after opening the doors again.
        top = place / "t/a"
        assert stat.S_IMODE(top.stat().st_mode) == 0o500
        assert top.stat().st_mtime == 3
        assert stat.S_IMODE((top / "b").stat().st_mode) == 0
        assert (top / "b").stat().st_mtime == 4
        for door in (top, top / "b", top / "d"):
            door.chmod(0o700)
        assert (top / "b/c").read_bytes() == b"implied first"
