"""The commands of a pod's life, killed and failed at their system calls one by one; another boot, and too few descriptors.

After every fault a collection removes all that is left, and what should go on does.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from acspec.durable import list_names
from acspec.locks import open_locked
from tests.faults.test_faults import ACFETCH, ANSWERS, check_message, fresh, left_overs, note_cgroups, program
from tests.support import images
from tests.support.faults import Call, every, find_calls, run_with_fault
from tests.support.userland import BUSYBOX

GC = program("acrun", "gc", "--grace-period", "0", "--expire-prepared", "0")
# What each leaves when nothing goes wrong: pods in these phases.
COMMANDS = {
    "prepare": (("prepare", "--name", "pod", "example.com/hello"), {"prepared"}),
    "detach": (("--detach", "--name", "pod", "example.com/hello"), {"run"}),
    "rm": (("--rm", "--name", "pod", "example.com/hello"), set()),
    "detach and rm": (("--detach", "--rm", "--name", "pod", "example.com/hello"), set()),
}
FAMILIES = ("rename", "mkdir", "openat", "unlink")
MOST = 3


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory that holds an image which ends at once, and its tree."""
    place = tmp_path_factory.mktemp("stored")
    files = {"bin": None, "bin/true": images.Node(BUSYBOX.read_bytes(), mode=0o755)}
    manifest = images.manifest_bytes(app={"exec": ["/bin/true"], "user": "0", "group": "0"})
    (place / "hello.aci").write_bytes(images.image(files, manifest))
    data = place / "data"
    subprocess.run([*ACFETCH, "--dir", str(data), str(place / "hello.aci")], capture_output=True, check=True)
    subprocess.run(program("acrun", "--rm", "--dir", str(data), "example.com/hello"), capture_output=True, check=True)
    return data


def acrun(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "APPC_DIR": str(data)}
    return subprocess.run(program("acrun", *words), capture_output=True, text=True, env=environment, check=False)


def selection(command: Sequence[str], family: str, data: Path) -> Iterator[tuple[Call, str]]:
    for call in every(find_calls(command, family, about=data, environment={"APPC_DIR": str(data)}), MOST):
        for fault in ("signal=KILL", *ANSWERS[family][:1]):
            yield call, fault


def collect(data: Path, what: str) -> None:
    """Collect, and check that nothing is left."""
    note_cgroups(data)
    swept = subprocess.run(GC, capture_output=True, text=True, env={**os.environ, "APPC_DIR": str(data)}, check=False)
    assert (swept.returncode, swept.stderr) == (0, ""), what
    assert left_overs(data) == [], what


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_fault_leaves_nothing_that_a_collection_does_not_find(tmp_path: Path, stored: Path, name: str, family: str) -> None:
    words, phases = COMMANDS[name]
    command = program("acrun", *words)
    for call, fault in selection(command, family, fresh(tmp_path, stored)):
        what = f"{fault} at {call}"
        data = fresh(tmp_path, stored)
        result = run_with_fault(command, call, fault, {"APPC_DIR": str(data)})
        if fault != "signal=KILL":
            check_message(result, what)
        if result.returncode == 0:
            wait_until_ended(data)
            half_removed = {"exited-garbage"} if "--rm" in words and fault != "signal=KILL" else set()
            assert {path.parent.name for path in (data / "pods").glob("*/*-*-*-*-*")} <= phases | half_removed, what
        collect(data, what)


def wait_until_ended(data: Path) -> None:
    """Wait until nobody holds a pod any more: a detached one may be on its way to its end, and then be removed by its monitor."""
    for phase in ("run", "exited-garbage"):  # in the order in which it comes through them
        for uuid in list_names(str(data / "pods" / phase)):
            try:
                os.close(open_locked(str(data / "pods" / phase / uuid), shared=True, wait=True))
            except FileNotFoundError:  # it has moved on, and who held it has let go
                continue


@pytest.mark.parametrize("family", ["rename", "unlink", "openat"])
def test_a_removal_that_breaks_off_is_gone_on_with(tmp_path: Path, stored: Path, family: str) -> None:
    template = fresh(tmp_path / "template", stored)
    assert acrun(template, "prepare", "--name", "pod", "example.com/hello").returncode == 0
    command = program("acrun", "rm", "pod")
    for call, fault in selection(command, family, fresh(tmp_path, template)):
        data = fresh(tmp_path, template)
        run_with_fault(command, call, fault, {"APPC_DIR": str(data)})
        collect(data, f"{fault} at {call}")


def test_a_prepared_pod_whose_run_is_killed_is_prepared_or_exited(tmp_path: Path, stored: Path) -> None:
    template = fresh(tmp_path / "template", stored)
    assert acrun(template, "prepare", "--name", "pod", "example.com/hello").returncode == 0
    command = program("acrun", "run-prepared", "pod")
    for call, fault in selection(command, "rename", fresh(tmp_path, template)):
        data = fresh(tmp_path, template)
        run_with_fault(command, call, fault, {"APPC_DIR": str(data)})
        (state,) = (json.loads(line)["state"] for line in acrun(data, "list", "--json").stdout.splitlines())
        assert state in ("prepared", "exited"), f"{fault} at {call}"
        if state == "prepared":
            assert acrun(data, "run-prepared", "pod").returncode == 0, f"{fault} at {call}"
        collect(data, f"{fault} at {call}")


def test_a_process_with_the_number_that_a_pod_had_before_the_boot_is_not_the_pod_s(tmp_path: Path, stored: Path) -> None:
    data = fresh(tmp_path, stored)
    assert acrun(data, "example.com/hello").returncode == 0
    (pod,) = (data / "pods" / "run").glob("*-*-*-*-*")
    with subprocess.Popen(["sleep", "1000"]) as bystander:
        start = int(Path(f"/proc/{bystander.pid}/stat").read_text().rpartition(")")[2].split()[19])
        who = {"pid": bystander.pid, "start": start}
        boot = "00000000-0000-4000-8000-000000000000"
        (pod / "pid").write_text(json.dumps({"init": who, "monitor": who, "apps": {"hello": who}, "boot": boot}))
        for words in (("stop", pod.name), ("stop", "--force", pod.name), ("enter", pod.name, "/bin/true"), ("rm", pod.name)):
            ended = acrun(data, *words)
            assert ended.returncode == (125 if words[0] == "enter" else 0), ended.stderr
        assert bystander.poll() is None
        bystander.kill()
    collect(data, "another boot")


@pytest.mark.parametrize("most", [4, 6, 8, 10, 12, 14, 16, 20, 24, 32, 48, 64, 66, 70])
def test_too_few_descriptors_are_told_and_leave_nothing(tmp_path: Path, stored: Path, most: int) -> None:
    data = fresh(tmp_path, stored)
    words = ["prlimit", f"--nofile={most}", *program("acrun", "--detach", "--rm", "example.com/hello")]
    ended = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "APPC_DIR": str(data)}, check=False)
    if most > 16:  # with fewer Python itself may not come up
        said = ended.stderr.splitlines()
        assert len(said) <= 2, ended.stderr  # two when there were too few to remove the pod as well
        assert ended.returncode == 0 or said
        assert "is a bug" not in ended.stderr
    if most == 64:
        assert "acstage1: descriptors: too few may be open (ulimit -n 1024)" in ended.stderr
    wait_until_ended(data)
    collect(data, f"{most} descriptors")
