"""Space on the disk: what does not fit is refused in one line before it is full, and nothing is left."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from acfetch.disk_space import MOST_LEFT, Disk, Reservation, measure_free_space
from acspec.errors import StorageError
from tests.acfetch.breaking import Breaking
from tests.acfetch.customer import PROGRAM, Customer, Ended, manifest
from tests.support import images

NAME = "example.com/app"
DISK = 24 << 20


def _free(place: Path) -> int:
    status = os.statvfs(place)
    return status.f_bavail * status.f_frsize


def test_a_part_of_the_disk_is_left_to_others(tmp_path: Path) -> None:
    before, measured, after = _free(tmp_path), measure_free_space(str(tmp_path)), _free(tmp_path)  # others write meanwhile
    assert min(before, after) - MOST_LEFT - (1 << 30) < measured < max(before, after) + (1 << 30)
    Reservation(Disk(str(tmp_path)), "x").check(0)
    with pytest.raises(StorageError, match=r"no room for x: .* and a reserve are more than is free"):
        Reservation(Disk(str(tmp_path)), "x").check(2**62)


def test_a_look_is_had_at_the_disk_while_it_is_written_to(tmp_path: Path) -> None:
    written: list[int] = []
    write = Reservation(Disk(str(tmp_path / "nowhere")), "x").guard(lambda data: written.append(len(data)))
    write(bytes(1 << 20))
    with pytest.raises(FileNotFoundError):
        write(bytes(8 << 20))
    assert written == [1 << 20]


def on_small_disk(customer: Customer, *words: str) -> Ended:
    """Run acfetch with a data directory on a disk of its own; the last line on stdout is what the disk holds then."""
    script = f'mount -t tmpfs -o size={DISK} none "$APPC_DIR" && {{ "$@"; code=$?; find "$APPC_DIR" -type f | wc -l; exit $code; }}'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", *PROGRAM, "-q", *words]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return Ended(result.returncode, result.stdout, result.stderr)


SIZES: dict[str, tuple[int, str, int]] = {
    "fits, with what is kept of it": (4 << 20, "none", 0),
    "fits, when nothing is kept of it": (15 << 20, "none", 0),
    "is announced as more than there is": (30 << 20, "none", 74),
    "grows to more than there is": (40 << 20, "gzip", 74),
}


@pytest.mark.privileged
@pytest.mark.parametrize(("size", "compression", "code"), SIZES.values(), ids=SIZES)
def test_an_image_on_a_small_disk_that(size: int, compression: str, code: int, customer: Customer) -> None:
    data = images.compress(images.tar({"file": bytes(size)}, manifest()), compression)
    url = customer.publish(NAME, data)
    customer.server.decisions[url] = Breaking(data)
    ended = on_small_disk(customer, NAME)
    assert ended.code == code, ended.err
    if code:
        assert ended.err.startswith(f"acfetch: {customer.store}: no room for {url}: "), ended.err
        assert ended.err.count("\n") == 1
        assert ended.out == "1\n", "something beside the version was left"
