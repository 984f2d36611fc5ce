"""Pods of an ordinary user: what they have, what they do without and say so, and that nothing of them takes root."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from acspec.capabilities import ALL_CAPABILITIES, DEFAULT_CAPABILITIES
from tests.support.ann import Ann
from tests.support.desk import app_image, probe_files, userland
from tests.support.images import Node, directory
from tests.support.namespaces import user_namespace
from tests.support.poddirs import wait_for_end

EACCES, EPERM, EROFS, ENOENT, ECONNREFUSED = 13, 1, 30, 2, 111
APPLETS = ("sh", "cat", "id", "ls", "sleep", "true", "touch", "mkdir", "chmod", "rm", "echo", "kill", "ps", "stat", "grep")
PASSWD = b"root:x:0:0::/root:/bin/sh\npostgres:x:70:71::/var/db:/bin/sh\n"
FILES = {**userland(*APPLETS), **probe_files(), "etc": None, "etc/passwd": Node(PASSWD), "etc/group": Node(b"postgres:x:71:\n")}
FOURTEEN = sum(1 << ALL_CAPABILITIES.index(name) for name in DEFAULT_CAPABILITIES)


@pytest.fixture(autouse=True)
def images(ann: Ann) -> None:
    """Give Ann images: one that runs a line of shell, one of a database, which will not be root, and one of many owners."""
    ann.put("sh.aci", app_image("example.com/sh", ["/bin/sh", "-c"], FILES))
    ann.put("db.aci", app_image("example.com/db", ["/bin/probe"], FILES, app={"user": "postgres", "group": "postgres"}))
    others = {"srv": directory(uid=70, gid=71), "srv/sudo": Node(b"x", mode=0o4755), "srv/disk": Node(kind="4", major=8)}
    ann.put("others.aci", app_image("example.com/others", ["/bin/true"], {**FILES, **others}))


def probe(ann: Ann, line: str = "acrun ./sh.aci --exec /bin/probe") -> dict[str, Any]:
    """Return the probe's report."""
    ended = ann.shell(line)
    assert ended.code == 0, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


def status(seen: dict[str, Any], key: str) -> str:
    """Return a line of /proc/self/status."""
    return next(line.split(":", 1)[1].strip() for line in seen["status"] if line.startswith(f"{key}:"))


def isolators(ann: Ann) -> dict[str, dict[str, Any]]:
    """Return the isolators of Ann's only pod by name and app."""
    pod = json.loads(ann.shell("acrun list --json").stdout)["uuid"]
    rows = json.loads(ann.shell(f"acrun status --json {pod}").stdout)["isolators"]
    return {f"{row['name']} {row['app']}": row for row in rows}


def test_the_system_calls_of_her_apps_are_filtered(ann: Ann) -> None:
    assert status(probe(ann), "Seccomp") == "2"
    assert status(probe(ann), "NoNewPrivs") == "0"
    assert ann.shell("acrun ./sh.aci --exec /bin/probe -- syscall 250").stdout == f"-{EPERM}\n"


def pods(ann: Ann) -> list[str]:
    """Return the lines of her list of pods."""
    return ann.shell("acrun list").stdout.splitlines()[1:]


@contextmanager
def sleeping(ann: Ann) -> Iterator[dict[str, Any]]:
    """Start a pod named s that sleeps, and yield its file `pid` once its app runs; it ends with the test."""
    process = subprocess.Popen(
        ann.words("exec acrun --name s ./sh.aci -- 'sleep 1000 & echo sleeps; wait'"),
        stdout=subprocess.PIPE,
        env={"PATH": os.environ["PATH"]},
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"sleeps\n"
        path = json.loads(ann.shell("acrun status --json s").stdout)["directory"]
        yield json.loads(ann.desk.machine.inside(f"{path}/pid").read_text())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_every_namespace_is_the_pod_s_own_with_the_caller_as_its_root(ann: Ann) -> None:
    seen = probe(ann)
    for name in ("user", "pid", "mnt", "net", "ipc", "uts", "cgroup"):
        assert seen["namespaces"][name] != os.readlink(f"/proc/self/ns/{name}"), name
    assert (seen["uids"], seen["gids"], seen["pid"]) == ([0] * 3, [0] * 3, 2)
    assert ann.shell("acrun ./sh.aci -- 'cat /proc/self/uid_map'").stdout.split() == ["0", str(ann.desk.machine.uid), "1"]


def test_its_root_has_the_fourteen_capabilities_inside_and_no_other(ann: Ann) -> None:
    seen = probe(ann)
    assert [int(status(seen, key), 16) for key in ("CapPrm", "CapEff", "CapBnd")] == [FOURTEEN] * 3
    assert [int(status(seen, key), 16) for key in ("CapInh", "CapAmb")] == [0, 0]


def test_nothing_of_the_caller_s_environment_umask_or_descriptors_comes_in(ann: Ann) -> None:
    seen = probe(ann, "umask 077; SECRET=1; export SECRET; exec 7</; acrun ./sh.aci --exec /bin/probe")
    assert not [variable for variable in seen["environment"] if "ann" in variable or "SECRET" in variable]
    assert (seen["umask"], sorted(seen["fds"])) == (0o022, ["0", "1", "2"])
    ended = ann.shell("umask 077; acrun ./sh.aci -- 'stat -c %a /etc/hosts /proc /dev'")
    assert ended.stdout == "644\n555\n755\n"


def test_an_app_of_one_other_user_is_that_user(ann: Ann) -> None:
    seen = probe(ann, "acrun ./db.aci")
    assert (seen["uids"], seen["gids"]) == ([70] * 3, [71] * 3)
    assert [int(status(seen, key), 16) for key in ("CapPrm", "CapEff", "CapInh", "CapAmb")] == [0] * 4
    assert "HOME=/var/db" in seen["environment"]


def test_apps_of_several_users_run_as_one_told_and_without_its_powers(ann: Ann) -> None:
    line = "acrun ./db.aci --- ./sh.aci -- true"
    ended = ann.shell(line)
    seen = json.loads(ended.stdout.removeprefix("db | "))
    assert seen["uids"] == [0] * 3
    assert [int(status(seen, key), 16) for key in ("CapPrm", "CapEff", "CapInh", "CapAmb")] == [0] * 4
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("acstage1: without root: db: user 70 runs as 0, the only one of an ordinary user's pod, without")
    rows = isolators(ann)
    assert [rows[f"appc-tools/{name} db"]["state"] for name in ("user", "group")] == ["modified", "modified"]
    assert not {"appc-tools/user sh", "appc-tools/group sh"} & set(rows)


def test_further_groups_are_told_as_ignored_and_refused_when_strict(ann: Ann) -> None:
    ended = ann.shell("acrun ./sh.aci --supplementary-gid 7 -- true")
    assert (ended.code, ended.stderr.count("\n")) == (0, 1)
    assert "appc-tools/supplementary-groups" in ended.stderr
    ended = ann.shell("acrun --strict ./sh.aci --supplementary-gid 7 -- true")
    assert (ended.code, ended.stderr.count("\n")) == (125, 1)
    assert "--strict forbids" in ended.stderr


def test_groups_of_the_caller_that_stay_are_in_isolators_json(ann: Ann) -> None:
    ended = subprocess.run(ann.words("acrun ./sh.aci -- 'id -G'", groups="44"), capture_output=True, text=True, check=True)
    assert sorted(ended.stdout.split()) == ["0", "65534"]
    assert isolators(ann)["appc-tools/supplementary-groups None"]["why"] == "the caller's groups 44 stay: only root can drop them"


def test_what_the_tree_cannot_keep_is_told_once(ann: Ann) -> None:
    ended = ann.shell("acrun ./others.aci")
    lost = "1 owner, 1 set-user-ID or set-group-ID bit, 1 device node (root could keep them)"
    assert (ended.code, ended.stderr) == (0, f"acrun: ./others.aci: could not be kept in its tree: {lost}\n")
    assert ann.shell("acrun ./others.aci").stderr == ""


def test_devices_are_those_of_the_specification_and_no_other_can_be_made(ann: Ann) -> None:
    ended = ann.shell("acrun ./sh.aci -- 'echo x > /dev/null; ls /dev; ls /dev/pts'")
    names = "console fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero ptmx"
    assert (ended.stdout.split(), ended.stderr) == (names.split(), "")
    made, opened = ann.shell("acrun ./sh.aci --exec /bin/probe -- mknod /sda 8 0").stdout.split()
    assert int(made) == EPERM
    assert int(opened) != 0


def test_the_kernel_s_switches_are_closed_and_the_network_is_loopback(ann: Ann) -> None:
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper"):
        assert int(ann.shell(f"acrun ./sh.aci --exec /bin/probe -- write-to {path}").stdout) in (EROFS, EACCES, ENOENT), path
    for path in ("/proc/1/root", "/proc/1/exe", "/proc/1/mem", "/proc/1/environ"):
        assert int(ann.shell(f"acrun ./sh.aci --exec /bin/probe -- try {path}").stdout) in (EACCES, EPERM), path
    assert int(ann.shell("acrun ./sh.aci --exec /bin/probe -- connect 443").stdout) == ECONNREFUSED


def test_a_volume_is_shared_with_the_caller_s_files_alone(ann: Ann) -> None:
    ann.shell("mkdir own; echo given > own/file")
    line = "acrun --volume v,kind=host,source=own --mount volume=v,target=/deep/v ./sh.aci -- 'cat /deep/v/file; touch /deep/v/new'"
    assert ann.shell(line).stdout == "given\n"
    assert (ann.home / "own/new").stat().st_uid == ann.desk.machine.uid
    closed = ann.desk.path / "closed"  # below a directory of root's that Ann may not enter either
    ended = ann.shell(f"acrun --volume v,kind=host,source={closed} --mount volume=v,target=/v ./sh.aci -- true")
    assert (ended.code, ended.stderr) == (125, f"acrun: volume v: {closed}: permission denied\n")
    shut = ann.desk.machine.directory / "shut"
    shut.mkdir(mode=0o700, exist_ok=True)
    ended = ann.shell(f"acrun --volume v,kind=host,source={shut} --mount volume=v,target=/v ./sh.aci -- 'ls /v; touch /v/x'")
    assert (ended.code, ended.stdout) == (1, "")
    assert ended.stderr.count("Permission denied") == 2
    ended = ann.shell("acrun --volume v,kind=empty,uid=70 --mount volume=v,target=/v ./sh.aci -- true")
    assert ended.stderr == "acrun: volume v belongs to the pod's one user: another owner takes root\n"


@pytest.mark.parametrize("option", ["--overlay", "--no-overlay"])
def test_what_an_app_leaves_can_be_removed_by_its_user(ann: Ann, option: str) -> None:
    script = "mkdir /deep /deep/er; touch /deep/er/file; rm /etc/passwd; chmod 0 /deep/er /deep"
    assert ann.shell(f"acrun --name s --keep {option} ./sh.aci -- '{script}'").code == 0
    kept = ann.home / ".local/share/appc/pods/run"
    part = "upper" if option == "--overlay" else "rootfs"
    (left,) = kept.glob(f"*/apps/sh/{part}/deep")
    assert (left.stat().st_mode & 0o777, left.stat().st_uid) == (0, ann.desk.machine.uid)
    ended = ann.shell("acrun rm s")
    assert (ended.code, ended.stderr, list(kept.iterdir())) == (0, "", [])


def test_a_running_pod_is_shown_entered_and_stopped(ann: Ann) -> None:
    with sleeping(ann):
        assert "running" in pods(ann)[0]
        assert "enforced for pod (at most 4096 processes and threads" in ann.shell("acrun status s").stdout
        script = "id -u; grep -E 'CapEff|CapBnd' /proc/self/status; kill -0 2; grep processes /proc/self/limits"
        ended = ann.shell(f'acrun enter s -- /bin/sh -c "{script}"')
        assert ended.stdout.split()[:5] == ["0", "CapEff:", f"{FOURTEEN:016x}", "CapBnd:", f"{FOURTEEN:016x}"], ended.stderr
        assert "4096" in ended.stdout
        assert ann.shell("acrun stop s").code == 0
    assert ann.shell("acrun logs s").stdout == "sleeps\n"
    assert "signal 15" in pods(ann)[0]
    assert [ann.shell("acrun gc --grace-period 0").code, pods(ann)] == [0, []]


@pytest.mark.parametrize("victim", ["monitor", "init"])
def test_nothing_runs_on_when_one_of_ours_is_killed(ann: Ann, victim: str) -> None:
    with sleeping(ann) as pids:
        os.kill(pids[victim]["pid"], 9)
        for who in (pids["init"], pids["apps"]["sh"], pids["monitor"]):
            wait_for_end(who["pid"])
    assert [ann.shell("acrun gc --grace-period 0").code, pods(ann)] == [0, []]
    assert list((ann.home / ".local/share/appc/pods/run").iterdir()) == []


def test_processes_are_limited_without_a_cgroup(ann: Ann) -> None:
    ended = ann.shell("prlimit --nproc=60 acrun ./sh.aci -- 'n=0; while sleep 100 & do n=$((n+1)); [ $n -lt 100 ] || exit 9; done'")
    assert ended.code != 9, "a hundred processes where sixty are allowed"
    assert "can't fork" in ended.stderr
    assert "4096" in ann.shell("acrun ./sh.aci -- 'grep processes /proc/self/limits'").stdout


def test_a_cgroup_that_was_delegated_is_used(ann: Ann) -> None:
    memory = {"name": "resource/memory", "value": {"limit": "64M"}}
    ann.put("small.aci", app_image("example.com/small", ["/bin/true"], FILES, app={"isolators": [memory]}))
    assert ann.shell("acrun ./small.aci").stderr == "acstage1: isolators not enforced: resource/memory (acrun status says why)\n"
    assert ann.shell("acrun rm $(acrun list -q)").code == 0
    with _delegated("memory", ann.desk.machine.uid) as place:
        before = ["sh", "-c", f'echo $$ > {place}/cgroup.procs && exec "$@"', "sh"]
        ended = ann.shell("acrun ./small.aci", *before)
        assert (ended.code, ended.stderr) == (0, "")
        assert isolators(ann)["resource/memory small"]["state"] == "enforced"
        assert not list(place.glob("appc-*"))


@contextmanager
def _delegated(controller: str, uid: int) -> Iterator[Path]:
    """Make a cgroup of *controller* below our own, and give it to a user."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    own = next(line.split(":", 2)[2] for line in lines if controller in line.split(":")[1].split(","))
    place = Path(f"/sys/fs/cgroup/{controller}{own.rstrip('/')}/delegated-{os.getpid()}")
    place.mkdir()
    try:
        for path in (place, place / "cgroup.procs"):
            os.chown(path, uid, uid)
        yield place
    finally:
        place.rmdir()


def test_root_acts_on_its_own_pods_only(ann: Ann) -> None:
    with sleeping(ann):
        for command in ("stop s", "enter s -- /bin/sh", "rm s", "gc", "cp s:/bin x", "cp sh.aci s:/", "export s x.aci"):
            ended = ann.shell(f"sudo acrun {command.split()[0]} --dir .local/share/appc {command.partition(' ')[2]}")
            assert ended.code == (125 if command.startswith("enter") else 77), ended.stderr
            assert f"belongs to user {ann.desk.machine.uid}" in ended.stderr
        assert "running" in pods(ann)[0]


def test_where_user_namespaces_are_forbidden_one_line_names_the_switch(ann: Ann) -> None:
    with user_namespace("0 0 4000000000") as enter:
        shut = ann.desk.machine.run([*enter, "sh", "-c", "echo 0 > /proc/sys/user/max_user_namespaces"], "/", {})
        assert shut.code == 0, shut.stderr
        ended = ann.shell("acrun ./sh.aci -- true", *enter)
    why = "user.max_user_namespaces is 0 on this machine (sysctl user.max_user_namespaces=10000, or sudo acrun)"
    assert (ended.code, ended.stdout, ended.stderr) == (125, "", f"acstage1: user namespace: {why}\n")


def test_where_parts_of_proc_are_hidden_there_is_no_pod(ann: Ann) -> None:
    ended = ann.shell("acrun ./sh.aci -- true", "unshare", "--mount", "sh", "-c", 'mount -t tmpfs t /proc/bus && exec "$@"', "sh")
    assert (ended.code, ended.stdout, ended.stderr.count("\n")) == (125, "", 1)
    assert "parts of the one outside are hidden" in ended.stderr
