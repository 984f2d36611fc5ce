"""Limits of resources on this machine's own kernel: the control files of pods that run, and processes that meet a limit."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from acstage1.hierarchies import find_own_hierarchies
from tests.support.poddirs import STAGE1, AppSpec, cgroups_of, enter, handler, read_line, run, start, status, write_pod
from tests.support.waiting import wait_for

MIB = 1 << 20
V1 = any("memory" in hierarchy.controllers for hierarchy in find_own_hierarchies())
NO_MEMORY = "there is no memory controller for it"
FILES = {"memory.limit_in_bytes": "memory.max", "memory.soft_limit_in_bytes": "memory.low", "cpu.shares": "cpu.weight"}


def isolator(name: str, **value: Any) -> dict[str, Any]:
    return {"name": f"resource/{name}", "value": value}


def make(tmp_path: Path, rootfs: Path, *words: str, app: Any = (), pod: Any = (), **settings: Any) -> Path:
    spec = AppSpec(words or ["/bin/probe", "trap", "0"], {"isolators": list(app)})
    return write_pod(tmp_path, rootfs, {"app": spec}, manifest={"isolators": list(pod)}, **settings)


def rows(pod: Path) -> dict[tuple[str | None, str], tuple[str, str | None]]:
    return {(row["app"], row["name"]): (row["state"], row["why"]) for row in json.loads((pod / "isolators.json").read_text())}


def control(pod: Path, directory: str, name: str) -> str:
    """Return what is in a control file of the pod's directory ("appc-") or of an app's."""
    name = name if V1 else FILES.get(name, name)
    places = [path for path in cgroups_of(pod) if path.name.startswith(directory)]
    # A hierarchy of v2 without controllers still has its cpu.stat.
    found = [path / name for path in places if (path / name).exists() and (path / "cgroup.controllers").exists() != V1]
    assert len(found) == 1, found
    return found[0].read_text().strip()


def test_the_limits_of_an_app_and_of_its_pod_are_set(tmp_path: Path, rootfs: Path) -> None:
    memory = isolator("memory", request="16Mi", limit="32Mi")
    pod = make(
        tmp_path, rootfs, app=[memory, isolator("cpu", request="250m", limit="1500m")], pod=[isolator("memory", limit="64Mi")]
    )
    with start(pod) as monitor:
        read_line(monitor)
        assert control(pod, "app-app", "memory.limit_in_bytes") == str(32 * MIB)
        assert control(pod, "app-app", "memory.soft_limit_in_bytes") == str(16 * MIB)
        assert control(pod, "appc-", "memory.limit_in_bytes") == str(64 * MIB)
        assert control(pod, "app-app", "cpu.shares") == ("256" if V1 else "25")
        assert control(pod, "appc-", "cpu.shares") == ("256" if V1 else "25"), "among pods it counts as its apps do"
        if V1:
            assert control(pod, "app-app", "cpu.cfs_quota_us") == "150000"
        else:
            assert control(pod, "app-app", "cpu.max") == "150000 100000"
        monitor.terminate()
        monitor.wait()
    for name in ("resource/memory", "resource/cpu"):
        assert rows(pod)["app", name] == ("enforced", None)
    assert rows(pod)[None, "resource/memory"] == ("enforced", None)


def test_what_is_more_than_the_pod_has_is_bounded_by_it(tmp_path: Path, rootfs: Path) -> None:
    pod = make(tmp_path, rootfs, "/bin/true", app=[isolator("cpu", limit="2")], pod=[isolator("cpu", limit="500m")])
    assert run(pod).code == 0
    assert rows(pod)["app", "resource/cpu"] == ("modified", "the pod's limit is 500m")
    assert rows(pod)[None, "resource/cpu"] == ("enforced", None)


HUNGRY = {
    "an app beyond its own limit": {"app": [isolator("memory", limit="24Mi")]},
    "an app beyond the limit of its pod": {"pod": [isolator("memory", limit="48Mi")]},
}


@pytest.mark.parametrize("case", HUNGRY)
def test_a_process_out_of_memory_is_killed_and_the_status_names_it(tmp_path: Path, rootfs: Path, case: str) -> None:
    pod = make(tmp_path, rootfs, "/bin/probe", "eat", str(256 * MIB), **HUNGRY[case])
    result = run(pod)
    assert (result.code, result.stdout) == (137, "")
    assert result.stderr == "acstage1: app: killed, out of memory\n"
    assert status(pod, "app").items() >= {"signal": 9, "oom": True}.items()
    assert cgroups_of(pod) == []


def test_a_child_out_of_memory_is_told_apart_from_the_app(tmp_path: Path, rootfs: Path) -> None:
    script = f"/bin/probe eat {256 * MIB}; exit 3"
    pod = make(tmp_path, rootfs, "/bin/sh", "-c", script, app=[isolator("memory", limit="24Mi")])
    result = run(pod)
    assert result.code == 3
    assert "acstage1: app: out of memory, 1 of its processes killed\n" in result.stderr
    assert status(pod, "app").items() >= {"exit": 3, "oom": True}.items()


def test_a_post_stop_out_of_memory_is_told_apart_from_its_app(tmp_path: Path, rootfs: Path) -> None:
    spec = AppSpec(["/bin/sh", "-c", "exit 3"], {"isolators": [isolator("memory", limit="24Mi")]})
    spec.app["eventHandlers"] = [handler("post-stop", f"exec /bin/probe eat {256 * MIB}")]
    pod = write_pod(tmp_path, rootfs, {"app": spec}, restart="on-failure", restartLimit=1)
    result = run(pod)
    why = "ended with signal 9, out of memory"
    assert (result.code, result.stderr) == (3, f"acstage1: app: post-stop {why}\n" * 2)
    assert status(pod, "app").items() >= {"exit": 3, "attempt": 2, "post-stop": why}.items()
    assert "oom" not in status(pod, "app")


def test_a_child_of_a_post_stop_out_of_memory_is_named_though_the_handler_ended_well(tmp_path: Path, rootfs: Path) -> None:
    post = handler("post-stop", f"/bin/probe eat {256 * MIB}; exit 0")
    pod = write_pod(
        tmp_path,
        rootfs,
        {"app": AppSpec(["/bin/sh", "-c", "exit 0"], {"isolators": [isolator("memory", limit="24Mi")], "eventHandlers": [post]})},
    )
    result = run(pod)
    assert result.code == 0
    assert "acstage1: app: post-stop ended with exit 0, out of memory\n" in result.stderr
    assert "oom" not in status(pod, "app")


def test_a_real_time_policy_is_taken_along_or_the_line_says_why_not(tmp_path: Path, rootfs: Path) -> None:
    """A cgroup of v1 has no time for such processes, where the kernel keeps account of it, unless somebody gives it some."""
    pod = make(tmp_path, rootfs, "/bin/true")
    command = ["chrt", "--fifo", "1", *STAGE1, "run", str(pod)]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    (parent,) = [hierarchy.own for hierarchy in find_own_hierarchies() if "cpu" in hierarchy.controllers] or [""]
    if result.stderr.startswith("chrt:"):
        assert "Operation not permitted" in result.stderr  # this machine lets nobody have one
    elif (Path(parent) / "cpu.rt_runtime_us").exists() and parent:
        why = "has no time for a real-time process (chrt --reset-on-fork keeps the policy from what it starts)"
        assert (result.returncode, result.stderr) == (125, f"acstage1: cgroup {parent}/appc-{pod.name}: {why}\n")
        assert cgroups_of(pod) == []
        command.insert(1, "--reset-on-fork")
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert (result.returncode, result.stderr) == (0, "")
    else:
        assert (result.returncode, result.stderr) == (0, "")


def test_who_keeps_within_the_limit_is_left_alone(tmp_path: Path, rootfs: Path) -> None:
    pod = make(tmp_path, rootfs, "/bin/probe", "eat", str(8 * MIB), app=[isolator("memory", limit="48Mi")])
    result = run(pod)
    assert (result.code, result.stdout, result.stderr) == (0, "eaten\n", "")
    assert "oom" not in status(pod, "app")


def test_a_pod_too_small_for_its_first_process_ends_with_a_word(tmp_path: Path, rootfs: Path) -> None:
    pod = make(tmp_path, rootfs, "/bin/true", pod=[isolator("memory", limit="64Ki")])
    result = run(pod)
    assert result.code == 137
    assert result.stderr == "acstage1: app: killed, out of memory\n"
    assert status(pod, "app")["oom"] is True
    assert cgroups_of(pod) == []


def test_a_processor_s_limit_throttles(tmp_path: Path, rootfs: Path) -> None:
    pod = make(tmp_path, rootfs, "/bin/sh", "-c", "echo on; while :; do :; done", app=[isolator("cpu", limit="20m")])
    with start(pod) as monitor:
        read_line(monitor)
        wait_for(lambda: count_throttled(pod) > 1, "times without the processor")
        monitor.kill()
    assert run(pod, verb="gc").code == 0


def count_throttled(pod: Path) -> int:
    return int(dict(line.split() for line in control(pod, "app-app", "cpu.stat").splitlines())["nr_throttled"])


def test_block_devices_are_throttled_where_the_pod_s_files_are(tmp_path: Path, rootfs: Path) -> None:
    device = os.stat(tmp_path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    asked = [isolator("block-bandwidth", default=True, limit="2M"), isolator("block-iops", default=True, limit="1000")]
    pod = make(tmp_path, rootfs, app=asked, pod=[isolator("block-iops", default=True, limit="500")])
    with start(pod) as monitor:
        read_line(monitor)
        if V1:
            for way in ("read", "write"):
                assert control(pod, "app-app", f"blkio.throttle.{way}_bps_device") == f"{number} 2000000"
                assert control(pod, "app-app", f"blkio.throttle.{way}_iops_device") == f"{number} 500"
                assert control(pod, "appc-", f"blkio.throttle.{way}_iops_device") == f"{number} 500"
        else:
            assert control(pod, "app-app", "io.max") == f"{number} rbps=2000000 wbps=2000000 riops=500 wiops=500"
        monitor.terminate()
        monitor.wait()
    state, why = rows(pod)["app", "resource/block-iops"]
    assert state == "modified"
    assert why is not None
    assert why.startswith("the pod's limit is 500; it holds for ")


def test_the_limit_of_processes_can_be_given(tmp_path: Path, rootfs: Path) -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9 10; do /bin/sleep 60 & done; echo never"
    pod = make(tmp_path, rootfs, "/bin/sh", "-c", script, pidsLimit=6)
    result = run(pod)
    assert result.code != 0
    assert "can't fork" in result.stderr
    assert rows(pod)[None, "appc-tools/pids"] == ("enforced", "at most 6 processes and threads")


def test_a_share_of_the_processors_by_the_reference_s_name(tmp_path: Path, rootfs: Path) -> None:
    shares = {"name": "os/linux/cpu-shares", "value": 512}
    pod = make(tmp_path, rootfs, app=[shares, isolator("cpu", request="2")])
    with start(pod) as monitor:
        read_line(monitor)
        assert control(pod, "app-app", "cpu.shares") == ("512" if V1 else "50")
        monitor.terminate()
        monitor.wait()
    assert rows(pod)["app", "os/linux/cpu-shares"] == ("enforced", None)
    assert rows(pod)["app", "resource/cpu"] == ("modified", "os/linux/cpu-shares says what is requested")


def test_an_app_can_be_chosen_first_when_memory_is_short(tmp_path: Path, rootfs: Path) -> None:
    pod = make(tmp_path, rootfs, app=[{"name": "os/linux/oom-score-adj", "value": 321}])
    with start(pod) as monitor:
        read_line(monitor)
        pid = json.loads((pod / "pid").read_text())["apps"]["app"]["pid"]
        assert Path(f"/proc/{pid}/oom_score_adj").read_text() == "321\n"
        assert enter(pod, "app", "/bin/cat", "/proc/self/oom_score_adj").stdout == "321\n"
        monitor.terminate()
        monitor.wait()
    assert rows(pod)["app", "os/linux/oom-score-adj"] == ("enforced", None)


PARAMETERS = {
    "net.ipv4.tcp_mtu_probing": "1",
    "net/ipv4/ip_default_ttl": "77",
    "kernel.shmmax": "1048576",
    "kernel.sem": "250\t32000\t32\t64",
    "fs.mqueue.msg_max": "12",
}


def test_parameters_of_the_kernel_are_the_pod_s_own(tmp_path: Path, rootfs: Path) -> None:
    paths = ["/proc/sys/" + name.replace(".", "/") for name in PARAMETERS]
    before = [Path(path).read_text() for path in paths]
    pod = make(tmp_path, rootfs, "/bin/cat", *paths, pod=[{"name": "os/unix/sysctl", "value": PARAMETERS}])
    assert run(pod).stdout.splitlines() == list(PARAMETERS.values())
    assert [Path(path).read_text() for path in paths] == before
    assert rows(pod)[None, "os/unix/sysctl"] == ("enforced", None)


def test_a_parameter_of_the_whole_machine_is_refused_before_anything_is_made(tmp_path: Path, rootfs: Path) -> None:
    pod = make(tmp_path, rootfs, "/bin/true", pod=[{"name": "os/unix/sysctl", "value": {"kernel.core_pattern": "|/x"}}])
    result = run(pod)
    assert result.code == 125
    assert result.stderr == "acstage1: os/unix/sysctl: kernel.core_pattern: is not a parameter of the pod's own namespaces\n"
    assert not (pod / "cgroups").exists()


def test_a_parameter_that_the_kernel_does_not_have_ends_the_pod(tmp_path: Path, rootfs: Path) -> None:
    pod = make(tmp_path, rootfs, "/bin/true", pod=[{"name": "os/unix/sysctl", "value": {"net.ipv4.no_such": "1"}}])
    result = run(pod)
    assert result.code == 125
    assert result.stderr == "acstage1: set net.ipv4.no_such: /proc/sys/net/ipv4/no_such: no such file or directory\n"


def test_no_device_but_those_of_the_specification_can_be_opened(tmp_path: Path, rootfs: Path) -> None:
    pod = make(tmp_path, rootfs)
    with start(pod) as monitor:
        read_line(monitor)
        if V1:
            allowed = control(pod, "app-app", "devices.list").splitlines()
            assert sorted(allowed) == sorted(
                [
                    "b *:* m",
                    "c *:* m",
                    "c 1:3 rw",
                    "c 1:5 rw",
                    "c 1:7 rw",
                    "c 1:8 rw",
                    "c 1:9 rw",
                    "c 5:0 rw",
                    "c 5:2 rw",
                    "c 136:* rw",
                ]
            )
        monitor.terminate()
        monitor.wait()
    assert rows(pod)[None, "appc-tools/devices"][0] == "enforced"


@contextmanager
def parent_in(controller: str) -> Iterator[Path]:
    """Make a cgroup below our own in the hierarchy of *controller*, and there only."""
    base = next(hierarchy for hierarchy in find_own_hierarchies() if controller in hierarchy.controllers or not V1)
    above = Path(base.own) / f"test-{os.getpid()}"
    above.mkdir()
    try:
        yield above
    finally:
        above.rmdir()


def parent_of(above: Path) -> str:
    mount_point = next(hierarchy.mount_point for hierarchy in find_own_hierarchies() if above.is_relative_to(hierarchy.own))
    return "/" + str(above.relative_to(mount_point))


def test_strict_refuses_a_limit_that_has_no_controller_and_nothing_is_left(tmp_path: Path, rootfs: Path) -> None:
    asked = [isolator("cpu", limit="1"), isolator("memory", limit="64M")]
    with parent_in("memory") as above:
        parent = parent_of(above)
        pod = make(tmp_path, rootfs, "/bin/true", app=asked, cgroupParent=parent)
        result = run(pod)
        assert result.code == 0
        assert result.stderr.startswith("acstage1: isolators not enforced: resource/cpu, ")
        assert rows(pod)["app", "resource/cpu"] == ("ignored", "there is no cpu controller for it")
        assert rows(pod)["app", "resource/memory"] == ("enforced" if V1 else "ignored", None if V1 else NO_MEMORY)
        assert rows(pod)[None, "appc-tools/pids"][0] == "ignored"
        pod = make(tmp_path, rootfs, "/bin/echo", "ran", app=asked, cgroupParent=parent, strict=True)
        result = run(pod)
        assert (result.code, result.stdout) == (125, "")
        assert result.stderr == (
            "acstage1: resource/cpu: would be ignored, which --strict forbids: there is no cpu controller for it\n"
        )
        assert cgroups_of(pod) == []


def test_a_processor_s_limit_is_within_what_is_above_the_pod(tmp_path: Path, rootfs: Path) -> None:
    with parent_in("cpu") as above:
        if V1:
            (above / "cpu.cfs_quota_us").write_text("50000")
        pod = make(tmp_path, rootfs, "/bin/true", app=[isolator("cpu", limit="2")], cgroupParent=parent_of(above))
        assert run(pod).code == 0
    if V1:
        assert rows(pod)["app", "resource/cpu"] == ("modified", "a cgroup above the pod's has less")


@pytest.mark.parametrize("value", [{"limit": "many"}, {"limit": -1}, None, 5, {"request": [1]}])
def test_a_value_that_is_no_quantity_is_refused_before_anything_is_made(tmp_path: Path, rootfs: Path, value: Any) -> None:
    pod = make(tmp_path, rootfs, "/bin/true", app=[{"name": "resource/memory", "value": value}])
    result = run(pod)
    assert result.code == 125
    assert result.stderr.startswith("acstage1: app app: resource/memory: ")
    assert len(result.stderr.splitlines()) == 1
    assert not (pod / "cgroups").exists()


def test_a_limit_that_the_kernel_cannot_set_is_never_told_as_set(tmp_path: Path, rootfs: Path) -> None:
    """A page is less than v1 itself needs for the directories of a pod; v2 takes it, and kills."""
    asked = [isolator("memory", limit="4Ki")]
    pod = make(tmp_path, rootfs, "/bin/echo", "ran", pod=asked)
    result = run(pod)
    if result.code == 0:
        assert rows(pod)[None, "resource/memory"] == ("ignored", "the limit is less than what the cgroup itself takes")
        assert "isolators not enforced: resource/memory" in result.stderr
    else:
        assert (result.code, status(pod, "app")["oom"]) == (137, True)
    strict = run(make(tmp_path, rootfs, "/bin/echo", "ran", pod=asked, strict=True))
    assert strict.code != 0
    assert "ran" not in strict.stdout
