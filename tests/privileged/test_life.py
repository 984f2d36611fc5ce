"""The life of a pod: exit codes, handlers, signals, several apps, logs, and what is left when something is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acspec.locks import is_locked
from tests.support.faults import without_strace
from tests.support.poddirs import (
    ROOT,
    STAGE1,
    AppSpec,
    cgroups_of,
    enter,
    handler,
    log,
    read_line,
    run,
    start,
    status,
    wait_for_end,
    write_pod,
)
from tests.support.waiting import wait_for


def shell(script: str, **app: Any) -> AppSpec:
    return AppSpec(["/bin/sh", "-c", script], app)


ENDS = {
    "success": (["/bin/true"], 0, {"exit": 0}),
    "an exit code": (["/bin/probe", "exit", "7"], 7, {"exit": 7}),
    "an exit code that looks like ours": (["/bin/probe", "exit", "125"], 125, {"exit": 125}),
    "a signal": (["/bin/sh", "-c", "kill -USR1 $$"], 128 + signal.SIGUSR1, {"signal": int(signal.SIGUSR1)}),
    "a program found on PATH": (["true"], 0, {"exit": 0}),
}


@pytest.mark.parametrize("case", ENDS)
def test_the_app_s_end_is_the_pod_s(tmp_path: Path, rootfs: Path, case: str) -> None:
    words, code, recorded = ENDS[case]
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(words)})
    assert run(pod).code == code
    assert recorded.items() <= status(pod, "app").items()
    assert cgroups_of(pod) == []


REFUSALS = {
    "a program that is not there": ({"exec": ["/bin/nope"]}, 127, "app: /bin/nope: not found in the image"),
    "a name that no directory has": ({"exec": ["nope"]}, 127, "app: nope: not found in the app's PATH"),
    "a file that is no program": ({"exec": ["/etc/passwd"]}, 126, "app: /etc/passwd: is not executable"),
    "a directory": ({"exec": ["/etc"]}, 126, "app: /etc: is a directory"),
    "a script without its interpreter": (
        {"exec": ["/bin/odd"]},
        126,
        "app: /bin/odd: its interpreter /no/such is not in the image",
    ),
    "a text that nothing executes": ({"exec": ["/bin/text"]}, 126, "is neither a program for this machine nor a script"),
    "an unknown user": ({"exec": ["/bin/true"], "user": "nobody"}, 125, 'user "nobody": is neither in the image\'s /etc/passwd'),
    "an unknown group": ({"exec": ["/bin/true"], "group": "wheel"}, 125, 'group "wheel"'),
    "a working directory that is not there": (
        {"exec": ["/bin/true"], "workingDirectory": "/no"},
        125,
        "working directory: /no: no such",
    ),
    "itself": ({"exec": ["/proc/self/exe"]}, 126, ""),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_started_has_one_line_and_its_code(tmp_path: Path, rootfs: Path, case: str) -> None:
    app, code, words = REFUSALS[case]
    for name, content in (("odd", "#!/no/such\n"), ("text", "just text\n")):
        (rootfs / "bin" / name).write_text(content)
        (rootfs / "bin" / name).chmod(0o755)
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(app["exec"], app)})
    result = run(pod)
    assert (result.code, result.stdout) == (code, "")
    assert words in result.stderr
    assert len(result.stderr.splitlines()) <= 1
    assert cgroups_of(pod) == []


def test_handlers_run_around_the_app_as_the_app_does(tmp_path: Path, rootfs: Path) -> None:
    events = [
        handler("pre-start", "id -u >> /tmp/order; echo pre"),
        handler("post-stop", "echo post >> /tmp/order; cat /tmp/order"),
    ]
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo main >> /tmp/order; exit 3", user="1000", eventHandlers=events)})
    result = run(pod)
    assert (result.code, result.stdout) == (3, "pre\n1000\nmain\npost\n")


def test_a_pre_start_that_fails_stops_the_app(tmp_path: Path, rootfs: Path) -> None:
    events = [handler("pre-start", "exit 4"), handler("post-stop", "echo post")]
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo main", eventHandlers=events)})
    result = run(pod)
    assert (result.code, result.stdout) == (125, "")
    assert result.stderr == "acstage1: app: pre-start ended with exit 4\n"
    assert {"failed": "pre-start", "why": "exit 4"}.items() <= status(pod, "app").items()


def test_an_app_that_ends_badly_ends_the_others_and_gives_its_code(tmp_path: Path, rootfs: Path) -> None:
    apps = {"waits": AppSpec(["/bin/probe", "trap", "0"]), "fails": shell("while ! test -e /tmp/go; do break; done; exit 9")}
    pod = write_pod(tmp_path, rootfs, apps)
    assert run(pod).code == 9
    assert status(pod, "fails")["exit"] == 9
    assert {"exit", "signal"} & set(status(pod, "waits"))


def test_an_app_that_ends_before_init_looks_again_has_its_own_status(tmp_path: Path, rootfs: Path) -> None:
    """Init, held up after a write, finds that the app was executed and that it has ended at one and the same time."""
    events = [handler("post-stop", "echo post")]
    pod = write_pod(tmp_path, rootfs, {"app": shell("exit 7", eventHandlers=events)})
    trace = ["strace", "-f", "-o", "/dev/null", "-e", "trace=write", "-e", "inject=write:delay_exit=30000"]
    result = subprocess.run([*trace, *STAGE1, "run", str(pod)], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, without_strace(result.stderr)) == (7, "post\n", "")


def test_two_apps_that_end_at_once_end_the_pod(tmp_path: Path, rootfs: Path) -> None:
    """One ends badly while the other, which is then to be told, has ended already."""
    for _ in range(5):
        pod = write_pod(tmp_path, rootfs, {"one": AppSpec(["/bin/probe", "exit", "7"]), "two": AppSpec(["/bin/true"])})
        assert run(pod).code == 7


def test_an_app_that_ends_well_leaves_the_others(tmp_path: Path, rootfs: Path) -> None:
    volume = {"name": "v", "kind": "empty"}
    mounts = {"mounts": [{"volume": "v", "path": "/v"}]}
    first = AppSpec(["/bin/touch", "/v/done"], runtime=mounts)
    second = AppSpec(["/bin/sh", "-c", "while ! test -e /v/done; do :; done; exit 0"], runtime=mounts)
    pod = write_pod(tmp_path, rootfs, {"first": first, "second": second}, manifest={"volumes": [volume]})
    assert run(pod).code == 0


def test_apps_share_processes_and_volumes_but_not_files(tmp_path: Path, rootfs: Path) -> None:
    mounts = {"mounts": [{"volume": "v", "path": "/v"}]}
    first = AppSpec(["/bin/sh", "-c", "touch /mine; : > /v/ready; while ! test -e /v/seen; do :; done"], runtime=mounts)
    script = "while ! test -e /v/ready; do :; done; ps | grep -c 'touch [/]mine'; ls /mine; touch /v/seen"
    second = AppSpec(["/bin/sh", "-c", script], runtime=mounts)
    pod = write_pod(tmp_path, rootfs, {"one": first, "two": second}, manifest={"volumes": [{"name": "v", "kind": "empty"}]})
    result = run(pod)
    assert (result.code, result.stdout) == (0, "two | 1\n")
    assert "/mine: No such file" in result.stderr


def test_sigterm_reaches_the_app_and_its_answer_comes_back(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "trap", "42"])})
    with start(pod) as monitor:
        assert read_line(monitor) == "waiting\n"
        monitor.terminate()
        assert monitor.wait() == 42


def test_an_app_that_ignores_sigterm_is_killed_after_the_grace_period(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "ignore"])}, gracePeriod=0)
    with start(pod) as monitor:
        assert read_line(monitor) == "waiting\n"
        monitor.terminate()
        assert monitor.wait() == 128 + signal.SIGKILL
    assert status(pod, "app")["signal"] == signal.SIGKILL


def test_orphans_are_reaped(tmp_path: Path, rootfs: Path) -> None:
    script = "/bin/probe orphans 50; while grep -q 'State:.Z' /proc/[0-9]*/status 2> /dev/null; do :; done; echo reaped"
    pod = write_pod(tmp_path, rootfs, {"app": shell(script)})
    assert run(pod).stdout == "reaped\n"


def test_output_goes_through_and_into_the_log(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "write", "one\ntwo", "oops\n", "0"])})
    result = run(pod)
    assert (result.stdout, result.stderr) == ("one\ntwo", "oops\n")
    assert sorted(log(pod, "app")) == [("stderr", "F", "oops"), ("stdout", "F", "one"), ("stdout", "P", "two")]


def test_much_output_arrives_whole(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell("head -c 3000000 /dev/zero")})
    assert len(run(pod).stdout) == 3_000_000


def test_of_a_reader_that_leaves_the_app_learns_as_without_us(tmp_path: Path, rootfs: Path) -> None:
    """As `yes | head -1` ends: else the app would write for ever."""
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/busybox", "yes"])})
    command = subprocess.Popen([*STAGE1, "run", str(pod)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert command.stdout is not None
    assert command.stdout.readline() == b"y\n"
    command.stdout.close()
    assert command.wait() == 128 + signal.SIGPIPE


def test_a_reader_that_stalls_holds_nobody_who_asks_for_the_end(tmp_path: Path, rootfs: Path) -> None:
    """The app has ended and its output is in the log, while our own stdout takes no more: SIGTERM ends the wait."""
    pod = write_pod(tmp_path, rootfs, {"app": shell("head -c 1000000 /dev/zero; echo; echo end; exit 5")}, gracePeriod=0)
    with start(pod) as monitor:
        assert monitor.stdout is not None
        assert monitor.stdout.read(1) == "\0"
        monitor.terminate()
        assert monitor.wait() in (5, 128 + signal.SIGTERM, 128 + signal.SIGKILL)


def test_standard_input_belongs_to_the_app_only_when_asked_for(tmp_path: Path, rootfs: Path) -> None:
    for interactive, expected in ((["--interactive"], "typed"), ([], "")):
        pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/cat"], stdin=True)})
        command = [*STAGE1, "run", *interactive, str(pod)]
        assert subprocess.run(command, input="typed", capture_output=True, text=True, check=True).stdout == expected


def test_isolators_that_are_not_enforced_are_told_and_strict_refuses_them(tmp_path: Path, rootfs: Path) -> None:
    bandwidth = {"name": "resource/network-bandwidth", "value": {"default": True, "limit": "1M"}}
    isolators = [bandwidth, {"name": "os/linux/no-new-privileges", "value": True}]
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/true"], {"isolators": isolators})})
    result = run(pod)
    assert result.code == 0
    assert result.stderr == "acstage1: isolators not enforced: resource/network-bandwidth (acrun status says why)\n"
    rows = {row["name"]: row["state"] for row in json.loads((pod / "isolators.json").read_text())}
    assert (rows["resource/network-bandwidth"], rows["os/linux/no-new-privileges"]) == ("ignored", "enforced")
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/true"], {"isolators": isolators})}, strict=True)
    assert run(pod).code == 125


def test_a_fork_bomb_meets_the_limit_and_the_pod_ends(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "trap", "0"])})
    with start(pod) as monitor:
        read_line(monitor)
        limits = [path / "pids.max" for path in cgroups_of(pod) if path.name.startswith("appc-") and (path / "pids.max").exists()]
        assert [limit.read_text() for limit in limits] == ["4096\n"]
        monitor.terminate()


def pids_of(pod: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((pod / "pid").read_text())
    return value


@pytest.mark.parametrize("victim", ["monitor", "init", "app"])
def test_whoever_is_killed_nothing_of_the_pod_is_left(tmp_path: Path, rootfs: Path, victim: str) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "ignore"])})
    with start(pod) as monitor:
        read_line(monitor)
        pids = pids_of(pod)
        app = pids["apps"]["app"]["pid"]
        os.kill(app if victim == "app" else pids[victim]["pid"], signal.SIGKILL)
        code = monitor.wait()
        wait_for_end(app)
        wait_for_end(pids["init"]["pid"])
    assert code == (-signal.SIGKILL if victim == "monitor" else 128 + signal.SIGKILL)
    if victim != "monitor":
        assert status(pod, "app")["signal"] == signal.SIGKILL
    assert run(pod, verb="gc").code == 0
    assert cgroups_of(pod) == []
    assert run(pod, verb="gc").code == 0
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()  # others mount elsewhere meanwhile


def test_killing_the_monitor_at_any_moment_leaves_nothing(tmp_path: Path, rootfs: Path) -> None:
    """The monitor is killed at its Nth system call of the kinds that change something, for N from 1 until it gets through."""
    calls = "mkdir,openat,clone,clone3,rename,write,sendto,pidfd_open"
    survived = False
    for number in range(1, 4000, 9):
        pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "exit", "3"])})
        trace = ["strace", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:signal=KILL:when={number}"]
        result = subprocess.run([*trace, *STAGE1, "run", str(pod)], capture_output=True, text=True, check=False)
        if (pod / "cgroups").exists():
            wait_for(lambda place=str(pod): not is_locked(place), "the lock of a child that was only just forked")
            assert run(pod, verb="gc").code == 0
            assert cgroups_of(pod) == []
        if result.returncode == 3:
            survived = True
            break
    assert survived
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


FAULTS = {
    "isolators.json cannot be written while init waits for its cgroups": ("rename", 2),
    "a cgroup cannot be made while init waits for it": ("mkdir", 1),
    "the pid file cannot be written when the pod is ready": ("rename", 3),
    "the pid file cannot be written when the app is forked": ("rename", 4),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_when_the_monitor_fails_the_pod_ends_with_one_line(tmp_path: Path, rootfs: Path, fault: str) -> None:
    call, number = FAULTS[fault]
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "ignore"])})
    trace = ["strace", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error=ENOSPC:when={number}"]
    result = subprocess.run([*trace, *STAGE1, "run", str(pod)], capture_output=True, text=True, check=False)
    assert result.returncode == 125
    [line] = without_strace(result.stderr).splitlines()
    assert "no space left" in line
    assert cgroups_of(pod) == []


def test_a_running_pod_is_neither_run_twice_nor_collected(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "trap", "0"])})
    with start(pod) as monitor:
        read_line(monitor)
        assert run(pod).code == 125
        assert run(pod, verb="gc").code == 75
        assert run(pod, verb="stop").code == 0
        assert monitor.wait() == 0
    assert run(pod, verb="stop").code == 0


def test_stop_by_force_kills(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "ignore"])})
    with start(pod) as monitor:
        read_line(monitor)
        assert run(pod, "--force", verb="stop").code == 0
        assert monitor.wait() == 128 + signal.SIGKILL


def test_output_of_an_entered_command_that_a_file_cannot_take_is_told(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "trap", "0"])})
    words = ["prlimit", "--fsize=4096", *STAGE1, "enter", str(pod), "app", "--", "/bin/busybox", "head", "-c", "5000", "/dev/zero"]
    with start(pod) as monitor, (tmp_path / "small").open("w") as small:
        read_line(monitor)
        result = subprocess.run(words, stdout=small, stderr=subprocess.PIPE, text=True, check=False)
        monitor.terminate()
    assert (result.returncode, result.stderr) == (125, "acstage1: standard output: file too large\n")


def test_an_entered_command_is_confined_as_the_app_is(tmp_path: Path, rootfs: Path) -> None:
    isolators = [{"name": "os/linux/capabilities-retain-set", "value": {"set": ["CAP_KILL"]}}]
    app = {"user": "alice", "group": "alice", "isolators": isolators, "workingDirectory": "/tmp"}
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "stay", "0"], app)})
    with start(pod) as monitor:
        first = json.loads(read_line(monitor))
        assert read_line(monitor) == "waiting\n"
        seen = enter(pod, "app", "/bin/probe").report
        assert enter(pod, "app", "/bin/probe", "exit", "6").code == 6
        missing = enter(pod, "app", "nope")
        assert (missing.code, missing.stderr.split(" (")[0]) == (127, "acstage1: nope: not found in the app's PATH")
        assert enter(pod, "other", "true").code == 125
        monitor.terminate()
    for key in ("namespaces", "environment", "uids", "gids", "groups", "cwd", "mounts", "cgroup", "fds"):
        assert seen[key].keys() == first[key].keys() if key == "fds" else seen[key] == first[key], key
    for key in ("CapBnd", "CapEff", "NoNewPrivs", "Seccomp"):
        assert [line for line in seen["status"] if line.startswith(key)] == [
            line for line in first["status"] if line.startswith(key)
        ]


def test_files_go_at_the_end_when_asked(tmp_path: Path, rootfs: Path) -> None:
    volume = {"name": "v", "kind": "empty"}
    spec = AppSpec(["/bin/sh", "-c", "echo x > /v/file; echo y > /new"], runtime={"mounts": [{"volume": "v", "path": "/v"}]})
    pod = write_pod(tmp_path, rootfs, {"app": spec}, manifest={"volumes": [volume]}, remove=True)
    assert run(pod).code == 0
    assert os.listdir(pod / "volumes") == []
    assert os.listdir(pod / "apps" / "app") == []
    assert status(pod, "app")["exit"] == 0


def test_stage1_starts_with_few_modules(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'spec')!r}];"
        "import acstage1.cli, acstage1.run; print(*sorted(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    heavy = {
        "json",
        "re",
        "argparse",
        "enum",
        "signal",
        "socket",
        "subprocess",
        "dataclasses",
        "typing",
        "pathlib",
        "shutil",
        "inspect",
    }
    assert heavy & set(result.stdout.split()) == set()


def test_a_cgroup_parent_that_is_not_there_is_refused(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/true"])}, cgroupParent="/no/such")
    result = run(pod)
    assert (result.code, result.stderr) == (125, "acstage1: cgroup /no/such: is in no hierarchy, or not ours to write\n")
