"""What an app sees of itself, of the pod and of the machine, by the probe's report."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acspec.capabilities import ALL_CAPABILITIES, DEFAULT_CAPABILITIES
from acspec.isolator_names import REMOVE_SET, RETAIN_SET
from tests.support.poddirs import AppSpec, Result, enter, handler, read_line, run, start, write_pod

EACCES, EPERM, EROFS, ENOENT, ECONNREFUSED = 13, 1, 30, 2, 111


def run_probe(tmp_path: Path, rootfs: Path, *words: str, app: dict[str, Any] | None = None, **spec: Any) -> Result:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", *words], app or {}, **spec)})
    return run(pod)


def report(tmp_path: Path, rootfs: Path, **app: Any) -> dict[str, Any]:
    result = run_probe(tmp_path, rootfs, app=app)
    assert result.code == 0, result.stderr
    return result.report


def status(seen: dict[str, Any], key: str) -> str:
    lines: list[str] = [line for line in seen["status"] if line.startswith(key + ":")]
    return lines[0].split(":", 1)[1].strip()


def mask(names: frozenset[str]) -> int:
    return sum(1 << ALL_CAPABILITIES.index(name) for name in names)


def test_every_namespace_but_user_and_time_is_the_pod_s_own(tmp_path: Path, rootfs: Path) -> None:
    seen = report(tmp_path, rootfs)["namespaces"]
    for name in ("pid", "mnt", "net", "ipc", "uts", "cgroup"):
        assert seen[name] != os.readlink(f"/proc/self/ns/{name}"), name
    assert seen["user"] == os.readlink("/proc/self/ns/user")


def test_the_capabilities_are_exactly_the_fourteen(tmp_path: Path, rootfs: Path) -> None:
    seen = report(tmp_path, rootfs)
    for key in ("CapPrm", "CapEff", "CapBnd"):
        assert int(status(seen, key), 16) == mask(DEFAULT_CAPABILITIES), key
    for key in ("CapInh", "CapAmb"):
        assert int(status(seen, key), 16) == 0, key


def test_another_user_has_the_bounding_set_and_nothing_in_hand(tmp_path: Path, rootfs: Path) -> None:
    seen = report(tmp_path, rootfs, user="1000", group="1000")
    assert int(status(seen, "CapBnd"), 16) == mask(DEFAULT_CAPABILITIES)
    for key in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
        assert int(status(seen, key), 16) == 0, key


SETS = {
    "a retain set": (RETAIN_SET, ["CAP_KILL", "CAP_NET_BIND_SERVICE"], frozenset({"CAP_KILL", "CAP_NET_BIND_SERVICE"})),
    "a remove set": (REMOVE_SET, ["CAP_MKNOD", "CAP_SYS_ADMIN"], DEFAULT_CAPABILITIES - {"CAP_MKNOD"}),
}


@pytest.mark.parametrize("case", SETS)
def test_capability_isolators_are_enforced(tmp_path: Path, rootfs: Path, case: str) -> None:
    name, listed, kept = SETS[case]
    seen = report(tmp_path, rootfs, isolators=[{"name": name, "value": {"set": listed}}])
    assert int(status(seen, "CapBnd"), 16) == mask(kept)
    assert int(status(seen, "CapEff"), 16) == mask(kept)


def test_no_new_privileges_only_when_asked_for(tmp_path: Path, rootfs: Path) -> None:
    assert status(report(tmp_path, rootfs), "NoNewPrivs") == "0"
    asked = report(tmp_path, rootfs, isolators=[{"name": "os/linux/no-new-privileges", "value": True}])
    assert status(asked, "NoNewPrivs") == "1"


def test_only_three_descriptors_are_there_however_many_the_caller_had(tmp_path: Path, rootfs: Path) -> None:
    extra = [os.open("/", os.O_RDONLY) for _ in range(50)]
    for descriptor in extra:
        os.set_inheritable(descriptor, True)
    try:
        pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe"])})
        import subprocess

        from tests.support.poddirs import STAGE1

        output = subprocess.run([*STAGE1, "run", str(pod)], capture_output=True, text=True, close_fds=False, check=True).stdout
    finally:
        for descriptor in extra:
            os.close(descriptor)
    import json

    assert sorted(json.loads(output)["fds"]) == ["0", "1", "2"]


def test_the_environment_holds_what_the_specification_says_and_nothing_of_the_host(
    tmp_path: Path, rootfs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "host")
    seen = report(tmp_path, rootfs, environment=[{"name": "MINE", "value": "a=b c"}, {"name": "AC_APP_NAME", "value": "forged"}])
    variables = dict(item.split("=", 1) for item in seen["environment"])
    assert variables == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "MINE": "a=b c",
        "AC_APP_NAME": "app",
        "container": "appc-tools",
    }


def test_the_image_s_own_path_wins(tmp_path: Path, rootfs: Path) -> None:
    seen = report(tmp_path, rootfs, environment=[{"name": "PATH", "value": "/bin"}])
    assert "PATH=/bin" in seen["environment"]


IDENTITIES = {
    "numbers": ("12", "34", [], [12, 34, [34]]),
    "names of the image": ("alice", "staff", [], [1234, 50, [50]]),
    "a user whose name is a number": ("42", "0", [], [777, 0, [0]]),
    "the owner of a file": ("/bin/owned", "/bin/owned", [], [1111, 2222, [2222]]),
    "further groups": ("0", "0", [400, 500], [0, 0, [0, 400, 500]]),
}


@pytest.mark.parametrize("case", IDENTITIES)
def test_users_and_groups_are_those_of_the_image(tmp_path: Path, rootfs: Path, case: str) -> None:
    user, group, gids, (uid, gid, groups) = IDENTITIES[case]
    owned = rootfs / "bin" / "owned"
    owned.touch()
    os.chown(owned, 1111, 2222)
    seen = report(tmp_path, rootfs, user=user, group=group, supplementaryGIDs=gids)
    assert (seen["uids"], seen["gids"]) == ([uid] * 3, [gid] * 3)
    assert sorted(seen["groups"]) == groups


def test_the_working_directory_and_the_host_name(tmp_path: Path, rootfs: Path) -> None:
    seen = report(tmp_path, rootfs, workingDirectory="/tmp")
    assert (seen["cwd"], seen["hostname"]) == ("/tmp", "pod")
    assert report(tmp_path, rootfs)["cwd"] == "/"


def test_no_mount_of_the_host_or_of_init_is_left(tmp_path: Path, rootfs: Path) -> None:
    seen = report(tmp_path, rootfs)
    points = [line.split(" ")[4] for line in seen["mounts"]]
    assert points[0] == "/"
    allowed = ("/proc", "/sys", "/dev")
    assert all(point == "/" or point.startswith(allowed) for point in points)
    assert str(tmp_path) not in "\n".join(seen["mounts"])


def test_the_app_s_own_cgroup_is_the_root_of_what_it_sees(tmp_path: Path, rootfs: Path) -> None:
    seen = report(tmp_path, rootfs)
    assert {line.split(":", 2)[2] for line in seen["cgroup"]} == {"/"}
    shown = [line.split(" ") for line in seen["mounts"] if line.split(" ")[4].startswith("/sys/fs/cgroup")]
    assert {fields[3] for fields in shown} == {"/"}
    assert all(fields[5].startswith("ro,nosuid,nodev,noexec") for fields in shown)


def test_an_app_and_its_handlers_and_who_enters_it_see_its_limits_and_themselves(tmp_path: Path, rootfs: Path) -> None:
    look = "cat $(ls /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null)"
    limit = {"name": "resource/memory", "value": {"limit": "64Mi"}}
    seen, other = "67108864\n", AppSpec(["/bin/probe", "trap", "0"])
    app = AppSpec(["/bin/sh", "-c", f"{look}; exec /bin/probe trap 0"], {"isolators": [limit]})
    app.app["eventHandlers"] = [handler("pre-start", look), handler("post-stop", look)]
    pod = write_pod(tmp_path, rootfs, {"app": app, "other": other})
    with start(pod) as monitor:
        shown = [f"app | {seen}", f"app | {seen}", "app | waiting\n", "other | waiting\n"]
        assert sorted(read_line(monitor) for _ in shown) == shown
        assert enter(pod, "app", "/bin/sh", "-c", look).stdout == seen
        listed = "cat $(ls /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/pids/cgroup.procs 2>/dev/null)"
        own = enter(pod, "app", "/bin/sh", "-c", f"echo $$; {listed}").stdout.split()
        assert own[0] in own[1:]
        monitor.terminate()
        monitor.wait()
        assert monitor.stdout is not None
        assert f"app | {seen}" in monitor.stdout.read()


def test_a_limit_of_the_pod_is_one_that_an_app_finds(tmp_path: Path, rootfs: Path) -> None:
    limits = [
        {"name": "resource/memory", "value": {"limit": "64Mi"}}, {"name": "resource/cpu", "value": {"limit": "500m"}},
    ]  # fmt: skip
    files = "memory.max memory/memory.limit_in_bytes cpu.max cpu/cpu.cfs_quota_us cpu,cpuacct/cpu.cfs_quota_us"
    app = AppSpec(["/bin/sh", "-c", f"cd /sys/fs/cgroup; cat $(ls {files} 2>/dev/null)"])
    result = run(write_pod(tmp_path, rootfs, {"app": app}, manifest={"isolators": limits}))
    assert {"67108864", "50000"} <= set(result.stdout.split()), result.stderr


DEVICES = ("null", "zero", "full", "random", "urandom", "tty", "console", "pts", "ptmx", "shm")


def test_every_device_of_the_specification_is_there(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/ls", "/dev"])})
    names = run(pod).stdout.split()
    assert set(DEVICES) <= set(names)
    assert set(names) - set(DEVICES) == {"fd", "stdin", "stdout", "stderr", "mqueue"}


def test_the_apps_of_a_pod_share_their_memory_in_dev_shm(tmp_path: Path, rootfs: Path) -> None:
    give = AppSpec(["/bin/sh", "-c", "echo given > /dev/shm/given.new; mv /dev/shm/given.new /dev/shm/given"])
    take = AppSpec(["/bin/sh", "-c", "while ! test -e /dev/shm/given; do :; done; cat /dev/shm/given; ls -ld /dev/shm"])
    first, second = run(write_pod(tmp_path, rootfs, {"give": give, "take": take})).stdout.splitlines()
    assert (first, second.split()[:2]) == ("take | given", ["take", "|"])
    assert second.split()[2] == "drwxrwxrwt"
    assert run(write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/ls", "/dev/shm"])})).stdout == ""


@pytest.mark.parametrize("path", ["/dev/sda", "/sda", "/tmp/sda", "/dev/shm/sda"])
def test_a_device_that_an_app_makes_cannot_be_opened(tmp_path: Path, rootfs: Path, path: str) -> None:
    made, opened = run_probe(tmp_path, rootfs, "mknod", path, "1", "1").stdout.split()
    assert int(made) in (0, EPERM)
    assert int(opened) in (EACCES, ENOENT)


@pytest.mark.parametrize("path", ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper", "/sys/new"])
def test_the_kernel_s_switches_cannot_be_written(tmp_path: Path, rootfs: Path, path: str) -> None:
    assert int(run_probe(tmp_path, rootfs, "write-to", path).stdout) in (EROFS, EACCES, ENOENT)


# Of what every pod finds there: who may do what with them, the kernel asks at each write.
_WRITABLE = {"/proc/mtrr", *(f"/proc/pressure/{resource}" for resource in ("cpu", "io", "irq", "memory"))}


def test_no_file_of_proc_can_be_written_but_those_of_processes_and_where_the_kernel_asks_for_more(
    tmp_path: Path, rootfs: Path
) -> None:
    find = "/bin/busybox find /proc -path '/proc/[0-9]*' -prune -o -type f -perm -200 -print"
    script = f'{find} | while read -r file; do if (: >> "$file") 2> /dev/null; then echo "$file"; fi; done'
    ended = run(write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/sh", "-c", script])}))
    assert ended.code == 0, ended.stderr
    assert set(ended.stdout.split()) <= _WRITABLE


def test_what_tells_about_the_host_is_empty(tmp_path: Path, rootfs: Path) -> None:
    for path in ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/kallsyms"):
        pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/head", "-c", "1", path])})
        assert run(pod).stdout == "", path
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/ls", "/sys/firmware", "/sys/module"])})
    assert run(pod).stdout.split() == ["/sys/firmware:", "/sys/module:"]


@pytest.mark.parametrize("path", ["/proc/1/root", "/proc/1/cwd", "/proc/1/exe", "/proc/1/mem", "/proc/1/environ", "/proc/1/maps"])
def test_nobody_looks_into_pod_init(tmp_path: Path, rootfs: Path, path: str) -> None:
    assert int(run_probe(tmp_path, rootfs, "try", path).stdout) in (EACCES, EPERM)


def test_pod_init_does_not_tell_where_on_the_host_the_pod_lies(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/cat", "/proc/1/cmdline"])})
    assert run(pod).stdout.rstrip("\0") == "acstage1 init"


def test_the_network_is_loopback_and_not_the_host_s(tmp_path: Path, rootfs: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert int(run_probe(tmp_path, rootfs, "connect", str(port)).stdout) == ECONNREFUSED


def test_a_read_only_root_cannot_be_written_but_its_volumes_can(tmp_path: Path, rootfs: Path) -> None:
    volume = {"name": "v", "kind": "empty"}
    runtime = {"readOnlyRootFS": True, "mounts": [{"volume": "v", "path": "/data"}]}
    script = "touch /new; echo root $?; touch /data/new; echo volume $?; touch /dev/shm/new; echo shm $?"
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/sh", "-c", script], runtime=runtime)}, manifest={"volumes": [volume]})
    result = run(pod)
    assert result.stdout.split("\n")[:3] == ["root 1", "volume 0", "shm 0"], result.stderr


def test_what_an_app_writes_stays_out_of_the_shared_tree(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/sh", "-c", "echo x > /new; rm /etc/passwd; ls /etc"])})
    assert run(pod).stdout.split() == ["group", "hostname", "hosts"]
    assert not (rootfs / "new").exists()
    assert (rootfs / "etc" / "passwd").exists()
    assert (pod / "apps" / "app" / "upper" / "new").read_text() == "x\n"


def test_a_copied_tree_serves_as_well(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/sh", "-c", "echo x > /new; cat /new"], copy=True)})
    assert run(pod).stdout == "x\n"
    assert not (rootfs / "new").exists()


def test_no_magic_link_of_proc_leads_an_app_out_of_its_root(tmp_path: Path, rootfs: Path) -> None:
    """The steps before the program still have all capabilities, to which /proc/1/root is open."""
    for path in ("/proc/1/root", "/proc/1/cwd", "/proc/self/root", "/proc/self/fd/3"):
        result = run(write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/true"], {"workingDirectory": path})}))
        assert (result.code, result.stdout) == (125, ""), path
    result = run(write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/true"], {"user": "/proc/1/root/apps"})}))
    assert result.code == 125


def test_init_s_own_root_is_of_no_use_to_who_reaches_it(tmp_path: Path, rootfs: Path) -> None:
    """With both capabilities an app does reach it: there is nothing but places, and nothing can be made there."""
    kept = ["CAP_SYS_PTRACE", "CAP_SYS_ADMIN", "CAP_MKNOD", "CAP_DAC_OVERRIDE"]
    retain = {"name": "os/linux/capabilities-retain-set", "value": {"set": kept}}
    script = "cd /proc/1/root && ls; ls dev proc; /bin/busybox mknod null c 1 3; /bin/touch file; /bin/cat dev/null"
    app = AppSpec(["/bin/sh", "-c", script], {"isolators": [retain]})
    result = run(write_pod(tmp_path, rootfs, {"app": app}))
    assert result.stdout == "apps\ndev\nproc\ndev:\n\nproc:\n"
    assert result.stderr.count("Read-only file system") == 2
    assert "dev/null': No such file" in result.stderr


HEAT = """
import os, sys
from acstage1.kernelfs import mask_heat
mask_heat(os.open(sys.argv[1], os.O_PATH | os.O_DIRECTORY))
"""


def test_how_hot_each_processor_was_is_hidden_where_the_kernel_says_it(tmp_path: Path) -> None:
    """Machines that are emulated have no such counters: a tree of files stands for the kernel's."""
    processors = tmp_path / "sys/devices/system/cpu"
    for name in ("cpu0", "cpu1", "cpu12"):
        (processors / name / "thermal_throttle").mkdir(parents=True)
        (processors / name / "thermal_throttle" / "core_throttle_count").write_text("7")
    for name in ("cpu13/topology", "cpuidle/thermal_throttle"):
        (processors / name).mkdir(parents=True)
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-e", "-c", '"$1" -c "$2" "$3"; cd "$3"; find . -type f', "sh"]
    result = subprocess.run([*words, sys.executable, HEAT, str(tmp_path)], capture_output=True, text=True, check=True)
    assert result.stdout == ""
    assert len(list(tmp_path.rglob("core_throttle_count"))) == 3
