"""What an app executes: what will not start is found, and what will is passed in silence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from acspec.execution import DEFAULT_PATH
from acstage1 import environment
from actool.checks.validate import validate
from tests.support.elf import make_elf
from tests.support.images import Node, directory, hard_link, image, symlink
from tests.support.lints import BASE, Case, check, executable, in_bin, manifest, mount_points, search_path

ENV = {"usr": None, "usr/bin": None, "usr/bin/env": executable()}
SCRIPT = executable(b"#!/bin/sh\n")
FAR = make_elf()[:32] + (1 << 20).to_bytes(8, "little") + make_elf()[40:]
# user::rwx, user:33:rwx, group::--x, mask::rwx, other::---
ACL = {
    "system.posix_acl_access": bytes.fromhex(
        "02000000 01000700ffffffff 0200070021000000 04000100ffffffff 10000700ffffffff 20000000ffffffff"
    )
}

SILENT: dict[str, Case] = {
    "a static program from scratch": ({"a": executable()}, {"exec": ["/a"]}, []),
    "a tar without a single directory": ({"usr/bin/a": executable()}, {"exec": ["/usr/bin/a"]}, []),
    "a merged /usr": ({"bin": "usr/bin", "usr": None, "usr/bin": None, "usr/bin/a": executable()}, {}, []),
    "a merged /usr whose link comes last": ({"usr/bin/a": executable(), "bin": "usr/bin"}, {}, []),
    "a link to an absolute path": (in_bin(a=symlink("/bin/b"), b=executable()), {}, []),
    "a link that climbs above the root": (in_bin(a=symlink("../../../bin/b"), b=executable()), {}, []),
    "a link through a link": ({"x": "/bin", **in_bin(a=symlink("/x/./b"), b=executable())}, {}, []),
    "busybox and its links": (in_bin(busybox=executable(), a="sh", sh="busybox"), {}, []),
    "busybox and hard links": (in_bin(busybox=executable(), a=hard_link("bin/busybox")), {}, []),
    "a script, and busybox for a shell": (in_bin(busybox=executable(), sh="busybox", a=SCRIPT), {}, []),
    "a script with an argument and spaces": (in_bin(sh=executable(), a=executable(b"#! /bin/sh -e\n")), {}, []),
    "a script that env runs": ({**ENV, **in_bin(sh=executable(), a=executable(b"#!/usr/bin/env sh\n"))}, {}, []),
    "a script that env splits": ({**ENV, **in_bin(a=executable(b"#!/usr/bin/env -S x -y\n"))}, {}, []),
    "a script run by itself": (in_bin(a=executable(b"#!/bin/a\n")), {}, []),
    "a relative interpreter": (in_bin(a=executable(b"#!sh\n")), {}, []),
    "a loader behind a link": (
        {**in_bin(a=executable(make_elf(loader=b"/lib64/ld.so"))), "lib64": "usr/lib", "usr/lib/ld.so": executable()},
        {},
        [],
    ),
    "a table of segments beyond the first bytes": (in_bin(a=executable(FAR)), {}, []),
    "a program of some other format": (in_bin(a=executable(b"MZ\0\1")), {}, []),
    "a program by its name": (in_bin(a=executable()), {"exec": ["a"]}, []),
    "a program by its name in a PATH of its own": (
        {"opt/a": executable()},
        {"exec": ["a"], "environment": search_path("/x:/opt")},
        [],
    ),
    "a program by its name in the working directory": (
        {"opt/a": executable()},
        {"exec": ["a"], "environment": search_path(":/x"), "workingDirectory": "/opt"},
        [],
    ),
    "a relative program": ({"opt/x/a": executable()}, {"exec": ["x/a"], "workingDirectory": "/opt"}, []),
    "a program behind one of the same name that cannot be executed": (
        {**in_bin(a=b""), "opt/a": executable()},
        {"exec": ["a"], "environment": search_path("/bin:/opt")},
        [],
    ),
    "a program for its owner": (in_bin(a=executable(mode=0o700, uid=33)), {"user": "33"}, []),
    "a program for its group": (in_bin(a=executable(mode=0o750, gid=44)), {"user": "33", "supplementaryGIDs": [44]}, []),
    "a program for root, who may everything": (in_bin(a=executable(mode=0o100, uid=33)), {}, []),
    "a program that a dependency may bring": ({}, {"dependencies": BASE, "exec": ["a"]}, []),
    "a script whose shell a dependency may bring": (in_bin(a=SCRIPT), {"dependencies": BASE}, []),
    "a program on a volume": ({}, {"exec": ["/data/bin/a"], "mountPoints": mount_points("/data")}, []),
    "a program on a volume whose target is behind a link": (
        {"var": None, "var/run": "/run", "run": None},
        {"exec": ["/run/x/a"], "mountPoints": mount_points("/var/run/x")},
        [],
    ),
    "a program that the executor brings": ({}, {"exec": ["/proc/self/exe"]}, []),
    "whitelisted programs": (
        {"bin": "usr/bin", "usr/bin/a": executable(), "usr/bin/b": executable()},
        {"pathWhitelist": ["/bin", "/usr/bin/a"]},
        [],
    ),
    "no program at all, which the reader of manifests warns of": ({}, {"exec": []}, [("app.exec", "names no program to run")]),
}


@pytest.mark.parametrize("case", SILENT)
def test_nothing_is_said_of(case: str, tmp_path: Path) -> None:
    check(SILENT[case], tmp_path)


FOUND: dict[str, Case] = {
    "of a program for those in an access list, only what rkt makes of that": (
        in_bin(a=executable(mode=0o710, xattrs=ACL)),
        {"user": "33"},
        [("rootfs/bin/a", "is stripped by rkt")],
    ),
    "no program": ({}, {}, [("app.exec[0]", '"/bin/a" is not in the rootfs')]),
    "no program at the end of a link": (
        in_bin(a="/opt/b"),
        {},
        [("app.exec[0]", '"/bin/a" leads to "/opt/b", which is not in the rootfs')],
    ),
    "links in a circle": (
        {"bin": "nib", "nib": "bin"},
        {},
        [("app.exec[0]", '"/bin/a" cannot be reached: "/bin" is a symbolic link that leads in a circle')],
    ),
    "a file on the way": ({"bin": b""}, {}, [("app.exec[0]", '"/bin/a" cannot be reached: "/bin" is not a directory')]),
    "a program that the whitelist leaves out": (
        in_bin(a=executable()),
        {"pathWhitelist": ["/bin"]},
        [("app.exec[0]", '"/bin/a" is left out by pathWhitelist')],
    ),
    "no program in PATH": (in_bin(a=executable()), {"exec": ["b"]}, [("app.exec[0]", '"b" is in no directory of the app\'s PATH')]),
    "one in PATH that is a directory": (in_bin(b=None), {"exec": ["b"]}, [("app.exec[0]", '"/bin/b" is a directory')]),
    "no relative program": (
        {"srv": None},
        {"exec": ["./a"], "workingDirectory": "/srv"},
        [("app.exec[0]", '"/srv/a" is not in the rootfs')],
    ),
    "a FIFO": (in_bin(a=Node(kind="6", mode=0o755)), {}, [("app.exec[0]", "is no regular file")]),
    "a hard link to what nobody may execute": (
        in_bin(b=b"", a=hard_link("bin/b")),
        {},
        [("app.exec[0]", '"/bin/a" is not executable')],
    ),
    "a program for another user": (
        in_bin(a=executable(mode=0o750)),
        {"user": "33", "group": "33"},
        [("app.exec[0]", '"/bin/a" is not executable for user 33: mode 0750, owners 0 and 0')],
    ),
    "a program that its owner alone may not execute": (
        in_bin(a=executable(mode=0o655, uid=33)),
        {"user": "33"},
        [("app.exec[0]", "is not executable for user 33")],
    ),
    "a directory on the way for root alone": (
        {"bin": directory(0o700), "bin/a": executable()},
        {"user": "33"},
        [("app.exec[0]", '"/bin/a" cannot be reached by user 33: "/bin" has mode 0700, owners 0 and 0')],
    ),
    "event handlers": (
        in_bin(a=executable()),
        {"eventHandlers": [{"name": "post-stop", "exec": ["/bin/a"]}, {"name": "pre-start", "exec": ["/b"]}]},
        [("app.eventHandlers[1].exec[0]", '"/b" is not in the rootfs')],
    ),
    "an interpreter of an interpreter": (
        in_bin(a=executable(b"#!/bin/b\n"), b=SCRIPT),
        {},
        [("app.exec[0]", '"/bin/b" needs an interpreter, but "/bin/sh" is not in the rootfs')],
    ),
    "a line that ends in CR LF": (
        in_bin(sh=executable(), a=executable(b"#!/bin/sh\r\n")),
        {},
        [("app.exec[0]", '"/bin/sh\\x0d" is not in the rootfs')],
    ),
    "env that will find nothing": (
        {**ENV, **in_bin(a=executable(b"#!/usr/bin/env ruby\n"))},
        {},
        [("app.exec[0]", '"ruby" is in no directory of the app\'s PATH')],
    ),
    "no loader": (
        in_bin(a=executable(make_elf(loader=b"/lib/ld.so"))),
        {},
        [("app.exec[0]", '"/bin/a" needs a loader, but "/lib/ld.so" is not in the rootfs')],
    ),
    "an empty file": (in_bin(a=executable(b"")), {}, [("app.exec[0]", '"/bin/a" is empty, which')]),
    "text behind a byte order mark": (
        in_bin(a=executable(b"\xef\xbb\xbf#!/bin/sh\n")),
        {},
        [("app.exec[0]", "is text without a #! line")],
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_a_warning_is_given_of(case: str, tmp_path: Path) -> None:
    check(FOUND[case], tmp_path)


def test_programs_are_sought_where_the_executor_seeks_them() -> None:
    assert DEFAULT_PATH == environment.DEFAULT_PATH


# Finds a program as stage1 does, in the same rootfs and as the same user.
EXECUTOR = """
import json, os, sys
from acstage1.errors import NotExecutableError, NotFoundError
from acstage1.program import get_program
root, word, path, directory, uid, gid, groups = json.loads(sys.argv[1])
os.chroot(root)
os.chdir("/")
os.setgroups(groups)
os.setresgid(gid, gid, gid)
os.setresuid(uid, uid, uid)
try:
    print(os.access(os.path.join(directory, get_program(word, path, directory)), os.X_OK))
except (NotFoundError, NotExecutableError):
    print(False)
"""
OUT_OF_SIGHT = ("dependencies", "mountPoints", "pathWhitelist", "eventHandlers")
BOTH = {**SILENT, **FOUND}


@pytest.mark.privileged
@pytest.mark.parametrize("case", [name for name, case in BOTH.items() if case[1].get("exec") not in ([], ["/proc/self/exe"])])
def test_the_executor_finds_what_lints_find_and_misses_what_they_miss(case: str, tmp_path: Path) -> None:
    tree, changes, _ = BOTH[case]
    (tmp_path / "x.aci").write_bytes(image(tree, manifest(**changes)))
    if any(key in changes for key in OUT_OF_SIGHT):
        return
    subprocess.run(["tar", "-xpzf", "x.aci", "--xattrs", "--xattrs-include=*"], cwd=tmp_path, check=True)
    path = next((item["value"] for item in changes.get("environment", ())), DEFAULT_PATH)
    words = (f"{tmp_path}/rootfs", changes.get("exec", ["/bin/a"])[0], path, changes.get("workingDirectory", "/"))
    asked = json.dumps(
        [*words, int(changes.get("user", "0")), int(changes.get("group", "0")), changes.get("supplementaryGIDs", [])]
    )
    found = subprocess.run([sys.executable, "-c", EXECUTOR, asked], capture_output=True, text=True, check=True).stdout
    rules = {diagnostic.rule for diagnostic in validate(str(tmp_path / "x.aci")).diagnostics}
    assert found == f"{not rules & {'exec-missing', 'exec-not-executable'}}\n"
