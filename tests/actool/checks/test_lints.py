"""What else bites at run time: working directories, mount points, and files that are odd in any image."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from actool.checks.validate import validate
from tests.support import images
from tests.support.images import Node, directory
from tests.support.lints import BASE, Case, Tree, check, executable, in_bin, labels, manifest, mount_points
from tests.support.userland import make_rootfs

A = in_bin(a=executable())

CASES: dict[str, Case] = {
    "a working directory on a volume": (A, {"workingDirectory": "/data/x", "mountPoints": mount_points("/data")}, []),
    "a working directory that a mount point makes": (A, {"workingDirectory": "/srv", "mountPoints": mount_points("/srv/x")}, []),
    "a working directory that is a link": ({**A, "srv": "bin"}, {"workingDirectory": "/srv/"}, []),
    "a working directory without an entry": ({**A, "srv/x": b""}, {"workingDirectory": "/srv"}, []),
    "a working directory that a dependency may bring": (A, {"workingDirectory": "/srv", "dependencies": BASE}, []),
    "a mount point that is an empty directory": (
        {**A, "data/x": None, "database": b""},
        {"mountPoints": mount_points("/data")},
        [],
    ),
    "mount points side by side": (A, {"mountPoints": mount_points("/a", "/a-b", "/ab", "/b/a")}, []),
    "a sticky directory for all, and a setgid one": ({**A, "tmp": directory(0o1777), "mail": directory(0o2775)}, {}, []),
    "no working directory": (
        A,
        {"workingDirectory": "/srv"},
        [("app.workingDirectory", '"/srv" is not in the rootfs, so')],
    ),
    "a file for a working directory": (
        A,
        {"workingDirectory": "/bin/a"},
        [("app.workingDirectory", '"/bin/a" is not a directory')],
    ),
    "files that volumes hide": (
        {**A, "data/x/y": b"", "file": b""},
        {"mountPoints": mount_points("/data/", "/file")},
        [("app.mountPoints[0].path", "such as rootfs/data/x/y"), ("app.mountPoints[1].path", '"/file" is a file')],
    ),
    "mount points that are in each other's way": (
        A,
        {"mountPoints": mount_points("/a/b/", "/a-b", "/a", "/", "/a/../b", "//a")},
        [
            ("app.mountPoints[3].path", "is the root of the app"),
            ("app.mountPoints[4].path", 'holds ".."'),
            ("app.mountPoints[5].path", '"/a" is the same as "/a" at app.mountPoints[2].path'),
            ("app.mountPoints[0].path", '"/a/b" lies inside "/a" at'),
        ],
    ),
    "setuid and setgid files": (
        {**A, **{f"s{number}": Node(mode=0o4755 if number % 2 else 0o2755) for number in range(8)}},
        {},
        [("rootfs/s0", "is setuid or setgid, as are rootfs/s1, rootfs/s2, rootfs/s3, rootfs/s4 and 3 more")],
    ),
    "what everybody can write": (
        {**A, "f": Node(mode=0o646), "d": directory(0o777), "l": "f", "p": Node(kind="6", mode=0o666)},
        {},
        [("rootfs/f", "can be written by everybody, as is rootfs/d")],
    ),
    "devices": (
        {**A, "null": Node(kind="3", mode=0o666, major=1, minor=3), "sda": Node(kind="4", major=8)},
        {},
        [("rootfs/null", "is a device, which executors bring themselves, as is rootfs/sda")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_of(case: str, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


def test_a_userland_is_passed_in_silence(tmp_path: Path) -> None:
    make_rootfs(tmp_path / "rootfs")
    (tmp_path / "rootfs/bin/hello").write_text("#!/bin/sh\necho hello\n")
    (tmp_path / "rootfs/bin/hello").chmod(0o755)
    machine = labels("linux", os.uname().machine.replace("x86_64", "amd64"))
    changes = {"exec": ["hello"], "user": "alice", "group": "staff", "workingDirectory": "/home/alice", "labels": machine}
    (tmp_path / "manifest").write_bytes(manifest(**changes))
    assert validate(str(tmp_path)).diagnostics == ()


def test_a_link_among_a_thousand_is_followed(tmp_path: Path) -> None:
    links: Tree = {f"l{number}": f"l{number + 1}" for number in range(1000)}
    (tmp_path / "x.aci").write_bytes(images.image({**links, "l1000": executable()}, manifest(exec=["/l970"])))
    assert validate(str(tmp_path / "x.aci")).diagnostics == ()


def test_what_lints_have_no_room_for_is_taken_for_well(tmp_path: Path) -> None:
    links: Tree = {f"l{number}": str(number) * 1000 for number in range(10_000, 15_000)}
    (tmp_path / "x.aci").write_bytes(images.image({**links, "b": "nowhere"}, manifest(exec=["/b"], workingDirectory="/l")))
    assert [found.rule for found in validate(str(tmp_path / "x.aci")).diagnostics] == ["working-directory"]


def test_an_image_without_an_app_is_not_asked_for_one(tmp_path: Path) -> None:
    value = {key: item for key, item in images.MANIFEST.items() if key != "app"}
    (tmp_path / "x.aci").write_bytes(images.image({}, json.dumps(value).encode()))
    assert validate(str(tmp_path / "x.aci")).diagnostics == ()
