"""Volumes and mounts as people type them."""

from __future__ import annotations

import pytest

from tests.support.desk import Desk
from tests.support.scenarios import Scenario, play

HOST = "mkdir host && echo of the host > host/file &&"
DATA = "--volume data,kind=host,source=$PWD/host"
FIXED = "--volume fixed,kind=empty"
AT_V = "--mount volume=v,target=/v"
EMPTY = "--volume v,kind=empty"
LINK = f"{HOST} ln -s host link;"
LINKED = "--volume v,kind=host,source=$PWD/link"
NESTED = "--volume a,kind=empty --volume b,kind=empty --mount volume=a,target=/m --mount volume=b,target=/m/n"
STAT = "'stat -c \"%a %u %g\" /v'"

SCENARIOS = {
    "a directory of the host at a mount point of the image": Scenario(
        f"{HOST} acrun {DATA} {FIXED} ./mounts.aci -- 'cat /data/file'", "of the host\n"
    ),
    "what the app writes is the host's": Scenario(
        f"{HOST} acrun {DATA} {FIXED} ./mounts.aci -- 'echo more >> /data/file' && cat host/file", "of the host\nmore\n"
    ),
    "a volume that is read-only": Scenario(
        f"{HOST} acrun {DATA},readOnly=true {FIXED} ./mounts.aci -- 'echo x > /data/file || echo refused' 2>/dev/null", "refused\n"
    ),
    "a mount point that is read-only": Scenario(
        f"{HOST} acrun --volume fixed,kind=host,source=$PWD/host --volume data,kind=empty ./mounts.aci"
        " -- 'cat /fixed/file; echo x > /fixed/file || echo refused' 2>/dev/null",
        "of the host\nrefused\n",
    ),
    "a mount that the image does not know": Scenario(
        f"{HOST} acrun {DATA} --mount volume=data,target=/opt/deep/here ./sh.aci -- 'cat /opt/deep/here/file'", "of the host\n"
    ),
    "a mount for one app of two": Scenario(
        f"{HOST} acrun {DATA} ./sh.aci --name a --mount volume=data,target=/in -- 'cat /in/file'"
        " --- ./sh.aci --name b -- 'ls /in || echo not here' 2>/dev/null | grep -o 'not here\\|of the host' | sort",
        "not here\nof the host\n",
    ),
    "a single file": Scenario(
        f"{HOST} acrun --volume one,kind=host,source=$PWD/host/file --mount volume=one,target=/etc/motd"
        " ./sh.aci -- 'cat /etc/motd'",
        "of the host\n",
    ),
    "an empty volume that two apps share": Scenario(
        f"acrun {EMPTY} {AT_V} ./sh.aci --name a -- 'until test -e /v/x; do :; done; echo seen'"
        " --- ./sh.aci --name b -- 'echo 1 > /v/x' | grep -o seen",
        "seen\n",
    ),
    "an empty volume with a mode and owners": Scenario(
        f"acrun {EMPTY},mode=0750,uid=7,gid=8 {AT_V} ./sh.aci -- {STAT}", "750 7 8\n"
    ),
    "an empty volume by default": Scenario(f"acrun {EMPTY} {AT_V} ./sh.aci -- {STAT}", "755 0 0\n"),
    "an empty volume is writable under a read-only root": Scenario(
        f"acrun {EMPTY} {AT_V} ./sh.aci --readonly-rootfs -- 'echo x > /v/x && cat /v/x'", "x\n"
    ),
    "an empty volume is new for each pod": Scenario(
        f"acrun {EMPTY} {AT_V} ./sh.aci -- 'echo x > /v/x'; acrun {EMPTY} {AT_V} ./sh.aci -- 'ls /v'", ""
    ),
    "a mount point without a volume gets one, and a word is said": Scenario(
        "acrun ./mounts.aci -- 'ls /data'", "", 0, "--volume data"
    ),
    "the same is refused when one is strict": Scenario("acrun --strict ./mounts.aci -- 'ls /data'", "", 125, "data"),
    "a mount of a volume that nobody named": Scenario(f"acrun {AT_V} ./sh.aci -- true", "", 125, "sh: mount v"),
    "a source that is not there": Scenario(
        f"acrun --volume v,kind=host,source=/nowhere {AT_V} ./sh.aci -- true; test -e /nowhere || echo not made",
        "not made\n",
        0,
        "/nowhere",
    ),
    "a source that is a link": Scenario(f"{LINK} acrun {LINKED} {AT_V} ./sh.aci -- true", "", 125, "link"),
    "a source that is a link, allowed": Scenario(
        f"{LINK} acrun --allow-symlink-volumes {LINKED} {AT_V} ./sh.aci -- 'cat /v/file'", "of the host\n"
    ),
    "two mounts, one inside the other": Scenario(f"acrun {NESTED} ./sh.aci -- true", "", 125, "/m/n"),
    "the same, allowed": Scenario(f"acrun --allow-nested-mounts {NESTED} ./sh.aci -- 'ls /m'", "n\n"),
    "a mount inside /proc": Scenario(f"acrun {EMPTY} --mount volume=v,target=/proc/self ./sh.aci", "", 125, "/proc/self"),
    "what a mount hides": Scenario(
        f"{HOST} acrun {DATA} --mount volume=data,target=/srv ./sh.aci -- 'ls /srv'", "file\n", 0, "/srv"
    ),
}


@pytest.mark.parametrize("title", SCENARIOS)
def test_mounting(shelf: Desk, title: str) -> None:
    play(shelf, SCENARIOS[title])
