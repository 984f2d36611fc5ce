"""Maps of ids: which are read, what is said of others, and what is said where user namespaces are refused."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from acspec.errors import FormatError
from acstage1.idmap import IdMap, refusal
from acstage1.pod import PodDirectory
from tests.support.poddirs import AppSpec, write_pod


def read(tmp_path: Path, **settings: Any) -> IdMap:
    return PodDirectory(str(write_pod(tmp_path, tmp_path, {"app": AppSpec(["/bin/true"])}, **settings))).ids


def test_without_a_map_every_id_is_the_host_s(tmp_path: Path) -> None:
    ids = read(tmp_path, idMap=None)
    assert (ids.is_host, ids.namespaces, ids.overlay_options, ids.terminal_options) == (True, 0, "", ",gid=5")
    assert (ids.uid(1000), ids.gid(7)) == (1000, 7)


def test_a_map_of_one_has_one_user_and_one_group(tmp_path: Path) -> None:
    ids = read(tmp_path, idMap={"uid": [[70, os.geteuid(), 1]], "gid": [[0, os.getegid(), 1]]})
    assert (ids.is_host, ids.namespaces, ids.overlay_options, ids.terminal_options) == (False, 0x10000000, ",userxattr", "")
    assert (ids.uid(0), ids.uid(70), ids.gid(71)) == (70, 70, 0)


OWN = [[0, os.geteuid(), 1]]
BAD = {
    "no users": {"gid": OWN},
    "no groups": {"uid": OWN},
    "a range": {"uid": [[0, os.geteuid(), 65536]], "gid": OWN},
    "two of them": {"uid": [*OWN, [1, 100000, 1]], "gid": OWN},
    "somebody else": {"uid": [[0, os.geteuid() + 1, 1]], "gid": OWN},
    "a number that is none": {"uid": [["0", os.geteuid(), 1]], "gid": OWN},
    "the number that means nobody": {"uid": [[2**32 - 1, os.geteuid(), 1]], "gid": OWN},
    "a row too short": {"uid": [[0, os.geteuid()]], "gid": OWN},
    "no list": {"uid": 0, "gid": OWN},
}


@pytest.mark.parametrize("case", BAD)
def test_another_map_is_refused(tmp_path: Path, case: str) -> None:
    with pytest.raises(FormatError, match="idMap"):
        read(tmp_path, idMap=BAD[case])


SWITCHES = {
    "Debian's": ("kernel/unprivileged_userns_clone", "0", errno.EPERM, "sysctl kernel.unprivileged_userns_clone=1"),
    "the kernel's": ("user/max_user_namespaces", "0", errno.ENOSPC, "sysctl user.max_user_namespaces=10000"),
    "Ubuntu's": ("kernel/apparmor_restrict_unprivileged_userns", "1", errno.EACCES, "sysctl kernel.apparmor_restrict"),
    "one that is open": ("kernel/unprivileged_userns_clone", "1", errno.EPERM, "seccomp filter"),
    "none at all": ("kernel/other", "0", errno.EPERM, "seccomp filter"),
}


@pytest.mark.parametrize("case", SWITCHES)
def test_a_refusal_names_the_switch_that_is_why(tmp_path: Path, case: str) -> None:
    name, value, code, hint = SWITCHES[case]
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(f"{value}\n")
    assert hint in str(refusal(OSError(code, os.strerror(code)), str(tmp_path)))
