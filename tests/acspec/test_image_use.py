"""Images in use: kept where they are, and dated."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acspec.errors import BusyError
from acspec.image_use import date_image, hold_image, open_held_image
from acspec.locks import open_locked
from acspec.store import Store
from tests.support.stores import DAY, add_image

LONG_AGO = 30 * DAY


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Return the file of an image that was used a month ago."""
    image_id = add_image(tmp_path, "example.com/app", age=LONG_AGO)
    return Store.open(str(tmp_path)).image_path(image_id)


def age(path: str) -> float:
    return time.time() - os.stat(path.removesuffix(".aci") + ".json").st_mtime


def test_what_is_held_cannot_be_locked_for_removal_until_it_is_let_go(path: str) -> None:
    first, second = hold_image(path), hold_image(path)
    os.close(first)
    with pytest.raises(BusyError):
        open_locked(path)
    os.close(second)
    os.close(open_locked(path))


def test_what_is_held_was_used_now_and_its_file_is_not_touched(path: str) -> None:
    before = os.stat(path)
    os.close(hold_image(path))
    assert age(path) < LONG_AGO / 2
    assert os.stat(path).st_ctime_ns == before.st_ctime_ns, "notes of plans go by the times of the file"


def test_what_somebody_is_removing_cannot_be_held_and_can_be_read(path: str) -> None:
    remover = open_locked(path)
    with pytest.raises(BusyError):
        hold_image(path)
    assert age(path) > LONG_AGO / 2
    reader = open_held_image(path)
    assert age(path) < LONG_AGO / 2, "a collection that has only just begun sees that it is used"
    os.unlink(path)
    os.close(remover)
    assert len(os.read(reader, 512)) == 512
    os.close(reader)


def test_what_is_opened_to_be_read_is_held_where_nobody_is_in_the_way(path: str) -> None:
    reader = open_held_image(path)
    with pytest.raises(BusyError):
        open_locked(path)
    os.close(reader)


def test_what_is_gone_cannot_be_held(path: str) -> None:
    os.unlink(path)
    for hold in (hold_image, open_held_image):
        with pytest.raises(FileNotFoundError):
            hold(path)


def test_who_may_not_date_an_image_holds_it_all_the_same(path: str) -> None:
    place = Path(path).parents[1]
    for directory in (place, *place.parents):
        if directory.stat().st_uid == os.geteuid() and directory != Path("/"):
            directory.chmod(directory.stat().st_mode | 0o055)
    code = "import os, sys; from acspec.image_use import hold_image; print(hold_image(sys.argv[1]) > 2)"
    words = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    result = subprocess.run([*words, sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert result.stdout == "True\n"
    assert (age(path) > LONG_AGO / 2) is (os.geteuid() == 0)


def test_a_record_that_is_a_link_is_dated_itself_and_not_what_it_leads_to(path: str, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.touch()
    os.utime(target, (0, 0))
    record = Path(path.removesuffix(".aci") + ".json")
    record.unlink()
    record.symlink_to(target)
    date_image(path)
    assert target.stat().st_mtime == 0
