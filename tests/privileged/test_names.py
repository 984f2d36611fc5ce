"""Files in /etc by which apps find names: whose they are, and that no link of an image leads them elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.poddirs import AppSpec, Result, run, write_pod

GIVEN = {"/etc/resolv.conf": "nameserver 192.0.2.1\n", "/etc/hosts": "127.0.0.1 localhost\n"}


def shell(tmp_path: Path, rootfs: Path, script: str, **settings: Any) -> Result:
    return run(write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/sh", "-c", script])}, **settings))


def test_hosts_and_hostname_are_made_where_there_are_none(tmp_path: Path, rootfs: Path) -> None:
    result = shell(tmp_path, rootfs, "cat /etc/hostname; grep -c localhost /etc/hosts; ls /etc; stat -c '%a %u' /etc/hosts")
    assert result.stdout.split() == ["pod", "2", "group", "hostname", "hosts", "passwd", "644", "0"]


def test_an_image_s_own_stay_as_they_are(tmp_path: Path, own_rootfs: Path) -> None:
    for name in ("hosts", "hostname", "resolv.conf"):
        (own_rootfs / "etc" / name).write_text(f"{name} of the image\n")
    result = shell(tmp_path, own_rootfs, "cat /etc/hosts /etc/hostname /etc/resolv.conf")
    assert result.stdout == "hosts of the image\nhostname of the image\nresolv.conf of the image\n"


def test_without_an_etc_nothing_is_made_unasked(tmp_path: Path, own_rootfs: Path) -> None:
    shutil.rmtree(own_rootfs / "etc")
    assert shell(tmp_path, own_rootfs, "ls -d /etc").code == 1
    result = shell(tmp_path, own_rootfs, "cat /etc/resolv.conf; stat -c '%a %u' /etc", files=GIVEN)
    assert result.stdout == "nameserver 192.0.2.1\n755 0\n"


def test_what_was_asked_for_takes_the_place_of_a_file(tmp_path: Path, own_rootfs: Path) -> None:
    for name in ("hosts", "resolv.conf"):
        (own_rootfs / "etc" / name).write_text("of the image\n")
    runtime = {"readOnlyRootFS": True}
    app = AppSpec(["/bin/sh", "-c", "cat /etc/resolv.conf /etc/hosts"], runtime=runtime)
    assert run(write_pod(tmp_path, own_rootfs, {"app": app}, files=GIVEN)).stdout == "".join(GIVEN.values())
    assert (own_rootfs / "etc" / "hosts").read_text() == "of the image\n"


LINKS = {"a link to the host": "/canary", "a link upwards": "../../../../../canary", "a link to nothing": "/run/nowhere"}


@pytest.mark.parametrize("case", LINKS)
def test_a_link_in_its_place_is_replaced_and_not_followed(tmp_path: Path, own_rootfs: Path, case: str) -> None:
    (own_rootfs / "canary").write_text("untouched\n")
    (own_rootfs / "etc" / "resolv.conf").symlink_to(LINKS[case])
    result = shell(tmp_path, own_rootfs, "cat /etc/resolv.conf; cat /canary; [ -L /etc/resolv.conf ] || echo file", files=GIVEN)
    assert result.stdout == "nameserver 192.0.2.1\nuntouched\nfile\n"


def test_a_link_for_etc_stays_inside(tmp_path: Path, own_rootfs: Path) -> None:
    shutil.move(own_rootfs / "etc", own_rootfs / "real")
    (tmp_path / "outside").mkdir()
    (own_rootfs / "etc").symlink_to(f"../../../../../../../..{tmp_path}/outside")
    result = shell(tmp_path, own_rootfs, "true", files=GIVEN)
    assert result.code == 125
    assert list((tmp_path / "outside").iterdir()) == []
    (own_rootfs / "etc").unlink()
    (own_rootfs / "etc").symlink_to("/real")
    assert shell(tmp_path, own_rootfs, "cat /real/resolv.conf", files=GIVEN).stdout == "nameserver 192.0.2.1\n"


def test_a_directory_in_its_place_is_an_error(tmp_path: Path, own_rootfs: Path) -> None:
    (own_rootfs / "etc" / "resolv.conf").mkdir()
    result = shell(tmp_path, own_rootfs, "true", files=GIVEN)
    assert (result.code, result.stderr.count("\n")) == (125, 1)
    assert "/etc/resolv.conf" in result.stderr
