"""The user and the group of an app, as the executor will look them up."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acstage1 import identity
from actool.checks.lint_owners import Identity, find_id
from tests.support.lints import BASE, Case, check, executable, in_bin

ETC = {"etc": None, "etc/passwd": b"root:x:0:0::/:/x\nwww:x:33:33::/:/x\n", "etc/group": b"root:x:0:\nwww:x:33:\n"}
A = in_bin(a=executable())

CASES: dict[str, Case] = {
    "names that are in the files": ({**A, **ETC}, {"user": "www", "group": "www"}, []),
    "numbers": (A, {"user": "33", "group": "4294967294"}, []),
    "a number with zeros before it": (A, {"user": "00000000000033"}, []),
    "the owner of a file, and of a directory": ({**A, "f": b""}, {"user": "/f", "group": "/bin"}, []),
    "a name that a dependency may bring": (A, {"user": "www", "dependencies": BASE}, []),
    "a file that is a link": ({**A, "etc": None, "etc/passwd": "/lib/passwd", "lib/passwd": b""}, {"user": "www"}, []),
    "a name that is a number in the file": (
        {"bin": None, "bin/a": executable(mode=0o700, uid=7), "etc/passwd": b"42:x:7:7::/:/x\n"},
        {"user": "42"},
        [],
    ),
    "no passwd and no group file": (
        A,
        {"user": "root", "group": "www"},
        [
            ("app.user", 'there is no rootfs/etc/passwd to look up "root" in, so it counts as 0'),
            ("app.group", 'there is no rootfs/etc/group to look up "www" in, so the app cannot start'),
        ],
    ),
    "files without the name": (
        {**A, "etc": None, "etc/passwd": b"www:x:three::\nwwww:x:1:1\n", "etc/group": b"#\n"},
        {"user": "www", "group": "root"},
        [
            ("app.user", '"www" is not in rootfs/etc/passwd, so the app cannot start'),
            ("app.group", '"root" is not in rootfs/etc/group, so it counts as 0'),
        ],
    ),
    "the owner of a file that is not there": (A, {"user": "/x"}, [("app.user", '"/x" is not in the rootfs, so the app')]),
    "a number beyond all users": (A, {"user": "4294967295"}, [("app.user", "there is no rootfs/etc/passwd")]),
    "a number of five thousand digits": (A, {"user": "1" * 5000}, [("app.user", "there is no rootfs/etc/passwd")]),
    "a file that the whitelist leaves out": (
        {**A, **ETC},
        {"user": "www", "pathWhitelist": ["/bin/a"]},
        [("app.user", "there is no rootfs/etc/passwd")],
    ),
    "a file larger than the limit": ({**A, "etc": None, "etc/passwd": b"#" * (1 << 20) + b"\n"}, {"user": "www"}, []),
}


@pytest.mark.parametrize("case", CASES)
def test_names_are_looked_up(case: str, tmp_path: Path) -> None:
    check(CASES[case], tmp_path)


WORDS = st.sampled_from(["root", "www", "x", "", "0", "33", "4294967295", "9" * 11, "three", " 1"])


@given(st.lists(st.lists(WORDS, max_size=5).map(":".join), max_size=5).map("\n".join), WORDS)
def test_a_database_is_read_as_the_executor_reads_it(database: str, name: str) -> None:
    assert find_id(database.encode(), name) == identity.find_id(database.encode(), name)


PERMISSIONS = {
    "the owner, by the owner's bits alone": (Identity(33, 33), 0o077, 33, 33, False),
    "the group, by the group's bits alone": (Identity(33, 33), 0o707, 0, 33, False),
    "a supplementary group": (Identity(33, 33, (44,)), 0o010, 0, 44, True),
    "others": (Identity(33, 33), 0o001, 0, 0, True),
    "root": (Identity(0, 0), 0o000, 33, 33, True),
    "somebody who is not known": (Identity(None, 33), 0o000, 0, 0, True),
}


@pytest.mark.parametrize("case", PERMISSIONS)
def test_who_may_execute_a_file(case: str) -> None:
    who, mode, uid, gid, allowed = PERMISSIONS[case]
    assert who.may(mode, uid, gid) is allowed
