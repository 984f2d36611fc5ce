"""A pod that came over the network, seen from inside by the probe and from the host while it runs."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.desk import Desk, app_image, assert_refused, probe_files
from tests.support.images import Node

FOURTEEN = "00000000a80425fb"
OWN = ("pid", "mnt", "net", "ipc", "uts", "cgroup")


def _mounts(pid: int | str) -> list[str]:
    return Path(f"/proc/{pid}/mountinfo").read_text().splitlines()


def _devices(mounts: list[str]) -> set[str]:
    # A hierarchy of cgroups is one file system for all; what of it an app sees begins at its own.
    return {line.split(" ")[2] for line in mounts if " - cgroup" not in line}


def _pids(desk: Desk) -> dict[str, Any]:
    (path,) = (desk.store / "pods" / "run").glob("*/pid")
    pids: dict[str, Any] = json.loads(path.read_text())
    return pids


def test_the_host_never_sees_a_mount_of_a_pod_and_the_pod_none_of_the_host(desk: Desk) -> None:
    desk.publish("example.com/hello", app_image(words=["/bin/probe", "stay", "0"]))
    with desk.start("sh", "-c", "acfetch --quiet example.com/hello | acrun --grace-period 200") as shell:
        assert shell.stdout is not None
        seen: dict[str, Any] = json.loads(shell.stdout.readline())
        assert shell.stdout.readline() == "waiting\n"
        pids = _pids(desk)
        monitor, app = pids["monitor"]["pid"], pids["apps"]["hello"]["pid"]
        # As long as this is open, no other file system can have the number of one of the pod's.
        kept = os.open(f"/proc/{app}/ns/mnt", os.O_RDONLY)
        for pid in ("self", 1, desk.machine.pid, monitor):
            assert not _devices(seen["mounts"]) & _devices(_mounts(pid)), pid
            assert str(desk.path) not in "\n".join(_mounts(pid)), pid
        listed = subprocess.run(["findmnt", "--raw", "--noheadings"], capture_output=True, text=True, check=True).stdout
        assert str(desk.path) not in listed
        assert str(desk.path) not in "\n".join(seen["mounts"])
        os.kill(monitor, 15)
        assert shell.wait() == 0
    assert not _devices(seen["mounts"]) & _devices(_mounts("self"))
    os.close(kept)


def test_the_probe_sees_namespaces_of_its_own_and_the_fourteen_capabilities(desk: Desk) -> None:
    desk.publish("example.com/hello", app_image())
    seen = json.loads(desk.shell("acfetch --quiet example.com/hello | acrun").stdout)
    for name in OWN:
        for pid in ("self", str(desk.machine.pid)):
            assert seen["namespaces"][name] != os.readlink(f"/proc/{pid}/ns/{name}"), name
    status = dict(line.split(":\t", 1) for line in seen["status"] if ":\t" in line)
    assert [status[key] for key in ("CapBnd", "CapPrm", "CapEff")] == [FOURTEEN] * 3
    assert (status["CapInh"], status["CapAmb"]) == ("0" * 16, "0" * 16)
    assert seen["fds"].keys() == {"0", "1", "2"}
    assert (seen["pid"], seen["ppid"]) == (2, 1)
    assert not [variable for variable in seen["environment"] if "APPC" in variable or "SSL" in variable]


def test_two_pods_share_nothing_but_the_user_and_the_clock(desk: Desk) -> None:
    desk.publish("example.com/hello", app_image())
    assert desk.shell("acfetch --quiet example.com/hello > images").code == 0
    one, two = (json.loads(desk.shell("acrun < images").stdout)["namespaces"] for _ in range(2))
    with desk.start("acrun", "--grace-period", "200", "example.com/hello", "--", "stay", "0") as first:
        assert first.stdout is not None
        one = json.loads(first.stdout.readline())["namespaces"]
        two = json.loads(desk.shell("acrun < images").stdout)["namespaces"]
        first.terminate()
        assert first.wait() == 0
    assert {name for name in OWN if one[name] == two[name]} == set()


# The loader of the interpreter is the image's: were the interpreter executed there, the probe would run in its place.
LOADERS = ("lib64/ld-linux-x86-64.so.2", "lib/ld-linux-aarch64.so.1")
PROGRAMS: dict[str, tuple[str, dict[str, Any]]] = {
    "itself": ("/proc/self/exe", {}),
    "a link to itself": ("/bin/app", {"bin/app": "/proc/self/exe"}),
    "a script whose interpreter is itself": ("/bin/app", {"bin/app": Node(b"#!/proc/self/exe\n", mode=0o755)}),
    "the first process": ("/proc/1/exe", {}),
    "a script whose interpreter is the first process": ("/bin/app", {"bin/app": Node(b"#!/proc/1/exe\n", mode=0o755)}),
    "a descriptor": ("/proc/self/fd/3", {}),
    "a memory file": ("/proc/self/fd/64", {}),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_an_image_cannot_get_at_the_interpreter(desk: Desk, case: str) -> None:
    program, more = PROGRAMS[case]
    interpreter = Path(sys.executable).resolve()
    before = hashlib.sha512(interpreter.read_bytes()).digest()
    files = {**probe_files(), "lib64": None, "lib": None, **dict.fromkeys(LOADERS, probe_files()["bin/probe"]), **more}
    desk.publish("example.com/hello", app_image(words=[program], files=files))
    ended = desk.shell("acfetch --quiet example.com/hello | acrun")
    assert ended.code in (125, 126, 127)
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) <= 1
    assert hashlib.sha512(interpreter.read_bytes()).digest() == before


@pytest.mark.parametrize("path", ["/proc/1/exe", "/proc/1/root/", "/proc/1/fd/0", "/proc/1/mem", "/proc/sys/kernel/core_pattern"])
def test_an_app_cannot_write_where_the_host_would_feel_it(desk: Desk, path: str) -> None:
    (desk.path / "app.aci").write_bytes(app_image())
    assert int(desk.run("acrun", "./app.aci", "--", "write-to", path).stdout) != 0


def test_what_an_app_writes_is_gone_with_the_next_start(desk: Desk) -> None:
    from tests.support.desk import userland

    words = ["/bin/sh", "-c", "ls /; echo x > /left; ls /"]
    (desk.path / "app.aci").write_bytes(app_image(words=words, files=userland("sh", "ls")))
    first, second = (desk.run("acrun", "./app.aci").stdout for _ in range(2))
    assert first == second
    assert first.count("left") == 1


def test_an_image_that_is_no_program_for_this_machine_is_refused(desk: Desk) -> None:
    from tests.support.desk import app_manifest
    from tests.support.images import image

    labels = [{"name": "os", "value": "linux"}, {"name": "arch", "value": "s390x"}]
    (desk.path / "app.aci").write_bytes(image(probe_files(), app_manifest(labels=labels)))
    assert_refused(desk.run("acrun", "./app.aci"), 125, "is for linux/s390x", "acrun")
