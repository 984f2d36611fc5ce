"""What a collection removes and what it leaves alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acrun.collection import UNUSED_SECONDS, collect, remove_pod
from acspec.errors import BusyError, KernelError
from acspec.locks import open_locked
from acspec.pods import Pod, Pods

LONG_AGO = 10 * UNUSED_SECONDS


def make_stage1(tmp_path: Path, code: int) -> str:
    """Return a stage1 whose gc verb ends with *code* and writes down for which pod it was called."""
    program = tmp_path / f"stage1-{code}"
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nexit {code}\n')
    program.chmod(0o755)
    return str(program)


def make_pod(run: Path, phase: str, *, tree: str | None = None, started: bool = False) -> Pod:
    pod = Pods(str(run)).create()
    if tree is not None:
        os.makedirs(os.path.join(pod.path, "apps", "app"))
        Path(pod.path, "apps", "app", "tree").write_text(f"{tree}\nsha512-0\n")
    if started:
        Path(pod.path, "cgroups").write_text("/sys/fs/cgroup/none\n")
    if phase != "prepare":
        pod.move(phase)
    return pod


def make_tree(run: Path, key: str, age: float) -> Path:
    path = run / "trees" / key
    (path / "rootfs" / "bin").mkdir(parents=True)
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_an_ended_pod_goes_after_its_grace_period_only(tmp_path: Path) -> None:
    pod = make_pod(tmp_path, "run")
    pod.unlock()
    assert collect(str(tmp_path), 3600, None).pods == []
    assert os.path.isdir(pod.path)
    assert collect(str(tmp_path), 0, None).pods == [pod.uuid]
    assert list(Pods(str(tmp_path)).all()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_pod_that_cannot_be_removed_does_not_keep_the_others(tmp_path: Path) -> None:
    for _ in range(3):
        make_pod(tmp_path, "garbage").unlock()
    first, *others = (pod.uuid for pod in Pods(str(tmp_path)).all())
    busy = tmp_path / "pods" / "garbage" / first / "busy"
    busy.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(busy)], check=True)
    try:
        with pytest.raises(OSError, match="busy") as caught:
            collect(str(tmp_path), 0, None)
        assert caught.value.filename == str(busy.parent)
        assert [pod.uuid for pod in Pods(str(tmp_path)).all()] == [first]
    finally:
        subprocess.run(["umount", str(busy)], check=True)
    assert collect(str(tmp_path), 0, None).pods == [first]
    assert others


@pytest.mark.parametrize("phase", ["prepare", "exited-garbage", "garbage"])
def test_what_nobody_holds_goes_at_once(tmp_path: Path, phase: str) -> None:
    pod = make_pod(tmp_path, phase)
    pod.unlock()
    assert collect(str(tmp_path), 3600, None).pods == [pod.uuid]


@pytest.mark.parametrize("phase", ["prepare", "prepared", "run", "garbage"])
def test_what_somebody_holds_is_left_alone(tmp_path: Path, phase: str) -> None:
    pod = make_pod(tmp_path, phase)
    assert collect(str(tmp_path), 0, None).pods == []
    assert os.path.isdir(pod.path)


def test_a_prepared_pod_waits_for_its_run(tmp_path: Path) -> None:
    pod = make_pod(tmp_path, "prepared")
    pod.unlock()
    assert collect(str(tmp_path), 0, None).pods == []


def test_a_prepared_pod_that_nobody_ran_goes_with_time_unless_somebody_is_at_it(tmp_path: Path) -> None:
    held, free = make_pod(tmp_path, "prepared"), make_pod(tmp_path, "prepared")
    free.unlock()
    assert collect(str(tmp_path), 0, None, expire_prepared=3600).pods == []
    assert collect(str(tmp_path), 0, None, expire_prepared=0).pods == [free.uuid]
    assert os.path.isdir(held.path)


def test_the_kernel_is_cleaned_before_the_files_go(tmp_path: Path) -> None:
    pod = make_pod(tmp_path / "run", "run", started=True)
    pod.unlock()
    stage1 = make_stage1(tmp_path, 0)
    assert collect(str(tmp_path / "run"), 0, stage1).pods == [pod.uuid]
    assert (tmp_path / "calls").read_text() == f"gc {tmp_path}/run/pods/run/{pod.uuid}\n"


def test_a_pod_that_cannot_be_killed_keeps_its_files(tmp_path: Path) -> None:
    pod = make_pod(tmp_path / "run", "run", started=True)
    pod.unlock()
    with pytest.raises(KernelError, match="could not collect it"):
        collect(str(tmp_path / "run"), 0, make_stage1(tmp_path, 71))
    assert os.path.isdir(pod.path)


def test_removing_a_running_pod_is_refused(tmp_path: Path) -> None:
    pod = make_pod(tmp_path, "run")
    with pytest.raises(BusyError, match="is running"):
        remove_pod(next(iter(Pods(str(tmp_path)).all())), None, "web")
    assert os.path.isdir(pod.path)


def test_a_removed_pod_gives_its_name_back(tmp_path: Path) -> None:
    pods = Pods(str(tmp_path))
    pod = make_pod(tmp_path, "run")
    pods.claim_name("web", pod.uuid)
    pod.unlock()
    remove_pod(pods.get("web"), None, "web")
    assert pods.find_name(pod.uuid) is None
    assert os.listdir(os.path.join(pods.path, "names")) == []


def test_trees_go_when_nobody_names_holds_or_has_lately_used_them(tmp_path: Path) -> None:
    pod = make_pod(tmp_path, "run", tree="named")
    for key in ("named", "held", "old"):
        make_tree(tmp_path, key, LONG_AGO)
    make_tree(tmp_path, "young", 60)
    lock = open_locked(str(tmp_path / "trees" / "held"), shared=True)
    assert collect(str(tmp_path), 0, None).trees == ["old"]
    assert sorted(os.listdir(tmp_path / "trees")) == ["held", "named", "young"]
    os.close(lock)
    pod.unlock()
    os.utime(tmp_path / "trees" / "named", (0, 0))
    assert collect(str(tmp_path), 0, None).trees == ["held", "named"]


def test_half_made_things_go_and_those_being_made_stay(tmp_path: Path) -> None:
    for name in ("dead", "alive"):
        (tmp_path / "tmp" / name / "rootfs").mkdir(parents=True)
    lock = open_locked(str(tmp_path / "tmp" / "alive"))
    collect(str(tmp_path), 0, None)
    assert os.listdir(tmp_path / "tmp") == ["alive"]
    os.close(lock)


def test_a_collection_where_nothing_ever_was_is_no_error(tmp_path: Path) -> None:
    removed = collect(str(tmp_path / "absent"), 0, None)
    assert (removed.pods, removed.trees) == ([], [])
    assert sys.exc_info()[0] is None


@pytest.mark.parametrize("kind", ["plans", "filters"])
def test_notes_go_after_a_day(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "run" / kind
    place.mkdir(parents=True)
    for name, age in (("old.json", LONG_AGO), ("young.json", 0)):
        (place / name).touch()
        os.utime(place / name, (time.time() - age,) * 2)
    collect(str(tmp_path / "run"), 0, make_stage1(tmp_path, 0))
    assert [path.name for path in place.iterdir()] == ["young.json"]
