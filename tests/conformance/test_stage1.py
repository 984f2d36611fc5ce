"""What spec/stage1.md asks of every stage1, one app in a copied root: STAGE1=/path pytest tests/conformance."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.poddirs import AppSpec, log, read_line, status, wait_for_end, write_pod
from tests.support.stage1s import Stage1


def shell(script: str, **app: Any) -> AppSpec:
    return AppSpec(["/bin/sh", "-c", script], app, copy=True)


def pod_of(tmp_path: Path, rootfs: Path, spec: AppSpec, **settings: Any) -> Path:
    return write_pod(tmp_path, rootfs, {"app": spec}, **settings)


WAIT = AppSpec(["/bin/probe", "trap", "42"], copy=True)

# run

ENDS = {
    "success": (["/bin/true"], 0, {"exit": 0}),
    "an exit code": (["/bin/probe", "exit", "7"], 7, {"exit": 7}),
    "an exit code that looks like a stage1's": (["/bin/probe", "exit", "126"], 126, {"exit": 126}),
    "a signal": (["/bin/sh", "-c", "kill -USR1 $$"], 128 + signal.SIGUSR1, {"signal": int(signal.SIGUSR1)}),
    "a program found on PATH": (["true"], 0, {"exit": 0}),
    "a program that is not there": (["/bin/nope"], 127, {"failed": ...}),
    "a program that cannot be executed": (["/etc/passwd"], 126, {"failed": ...}),
}


@pytest.mark.parametrize("case", ENDS)
def test_run_ends_as_the_app_does_and_records_it(tmp_path: Path, rootfs: Path, stage1: Stage1, case: str) -> None:
    words, code, recorded = ENDS[case]
    pod = pod_of(tmp_path, rootfs, AppSpec(words, copy=True))
    assert stage1.run("run", pod).code == code
    found = status(pod, "app")
    assert [key for key in ("exit", "signal", "failed") if key in found] == list(recorded)
    assert all(value is ... or found[key] == value for key, value in recorded.items())
    assert json.loads((pod / "end").read_text()) == {"exit": code}
    assert found["attempt"] == 1
    assert found["started"] <= found["ended"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", found["ended"])


UNKNOWN: dict[str, dict[str, Any]] = {
    "a later version": {"version": 99},
    "no version": {"version": None},
    "a network": {"network": "bridge"},
    "ids of others": {"idMap": {"uid": [[0, 100000, 65536]], "gid": [[0, 100000, 65536]]}},
    "a log": {"log": "elsewhere"},
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_a_stage1_does_not_know_it_refuses(tmp_path: Path, rootfs: Path, stage1: Stage1, case: str) -> None:
    pod = pod_of(tmp_path, rootfs, shell("echo never"), **UNKNOWN[case])
    check_refused(stage1, pod)


def check_refused(stage1: Stage1, pod: Path) -> None:
    ended = stage1.run("run", pod)
    assert (ended.code, ended.stdout) == (125, "")
    assert len(ended.stderr.splitlines()) == 1
    assert not list((pod / "status").iterdir())
    end = json.loads((pod / "end").read_text())
    assert (end["exit"], end["why"] in ended.stderr) == (125, True)


def test_an_unknown_backend_is_refused_and_an_unknown_key_is_not(tmp_path: Path, rootfs: Path, stage1: Stage1) -> None:
    pod = pod_of(tmp_path, rootfs, shell("echo fine"), futureKey={"of": "a later version"})
    assert stage1.run("run", pod).stdout == "fine\n"
    pod = pod_of(tmp_path, rootfs, shell("echo never"))
    document = json.loads((pod / "stage1.json").read_text())
    document["apps"]["app"]["rootfs"]["backend"] = "cloud"
    (pod / "stage1.json").write_text(json.dumps(document))
    check_refused(stage1, pod)


def test_isolators_are_told_and_strict_mode_refuses_what_would_be_ignored(tmp_path: Path, rootfs: Path, stage1: Stage1) -> None:
    isolators = [{"name": "example.com/odd", "value": {}}]
    pod = pod_of(tmp_path, rootfs, shell("echo fine", isolators=isolators))
    ended = stage1.run("run", pod)
    assert (ended.code, ended.stdout) == (0, "fine\n")
    assert "example.com/odd" in ended.stderr
    rows = json.loads((pod / "isolators.json").read_text())
    assert [(row["app"], row["state"]) for row in rows if row["name"] == "example.com/odd"] == [("app", "ignored")]
    assert all(row["state"] in ("enforced", "modified", "ignored") and "why" in row for row in rows)
    ended = stage1.run("run", pod_of(tmp_path, rootfs, shell("echo never", isolators=isolators), strict=True))
    assert (ended.code, ended.stdout) == (125, "")


def test_the_lock_is_held_while_the_pod_runs_and_nothing_inside_has_it(tmp_path: Path, rootfs: Path, stage1: Stage1) -> None:
    pod = pod_of(tmp_path, rootfs, shell("ls /proc/self/fd 2>/dev/null | grep -c -v '[0123]'; echo up; exec /bin/probe trap 42"))
    lock = os.open(pod, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with stage1.start("--lock-fd", str(lock), pod, pass_fds=[lock]) as monitor:
        os.close(lock)
        while read_line(monitor) != "waiting\n":
            pass
        assert stage1.run("run", pod).code == 125
        assert stage1.run("gc", pod).code == 75
        for link in Path(f"/proc/{pids(pod)['apps']['app']['pid']}/fd").iterdir():
            assert str(pod) not in os.readlink(link)
        monitor.terminate()
        assert monitor.wait() == 42
    assert stage1.run("gc", pod).code == 0


def pids(pod: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((pod / "pid").read_text())
    return value


def test_who_waits_hears_when_the_pod_is_ready_and_when_it_runs(tmp_path: Path, rootfs: Path, stage1: Stage1) -> None:
    pod = pod_of(tmp_path, rootfs, WAIT)
    reading, writing = os.pipe()
    with stage1.start("--ready-fd", str(writing), pod, pass_fds=[writing]) as monitor, open(reading) as heard:
        os.close(writing)
        assert heard.read() == "ready\nstarted\n"
        value = pids(pod)
        assert value["boot"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        assert value["monitor"]["pid"] == monitor.pid
        for entry in (value["init"], value["monitor"], value["apps"]["app"]):
            assert int(Path(f"/proc/{entry['pid']}/stat").read_text().rpartition(")")[2].split()[19]) == entry["start"]
        assert read_line(monitor) == "waiting\n"
        monitor.terminate()
        assert monitor.wait() == 42


@pytest.mark.parametrize("name", ["INT", "HUP", "QUIT", "USR1", "USR2"])
def test_signals_reach_the_app(tmp_path: Path, rootfs: Path, stage1: Stage1, name: str) -> None:
    script = f"trap 'echo {name}; exit 9' {name}; echo up; while :; do /bin/busybox usleep 1000; done"
    with stage1.start(pod_of(tmp_path, rootfs, shell(script))) as monitor:
        assert read_line(monitor) == "up\n"
        monitor.send_signal(getattr(signal, f"SIG{name}"))
        assert read_line(monitor) == f"{name}\n"
        assert monitor.wait() == 9


def test_what_does_not_end_when_it_is_asked_is_killed(tmp_path: Path, rootfs: Path, stage1: Stage1) -> None:
    script = "trap '' TERM; echo up; while :; do /bin/busybox usleep 1000; done"
    with stage1.start(pod_of(tmp_path, rootfs, shell(script), gracePeriod=0)) as monitor:
        assert read_line(monitor) == "up\n"
        monitor.terminate()
        assert monitor.wait() == 128 + signal.SIGKILL


def test_output_is_copied_and_recorded(tmp_path: Path, rootfs: Path, stage1: Stage1) -> None:
    script = "echo out; echo err >&2; printf %20000s | tr ' ' x; echo; printf rest"
    pod = pod_of(tmp_path, rootfs, shell(script.replace("tr ", "/bin/busybox tr ").replace("printf", "/bin/busybox printf")))
    ended = stage1.run("run", pod)
    assert ended.stdout == "out\n" + "x" * 20000 + "\nrest"
    assert "err\n" in ended.stderr
    records = [(stream, kind, text) for stream, kind, text in log(pod, "app") if stream == "stdout"]
    assert records[0] == ("stdout", "F", "out")
    assert "".join(text for _, _, text in records[1:-1]) == "x" * 20000
    assert records[-1] == ("stdout", "P", "rest")
    assert ("stderr", "F", "err") in log(pod, "app")


def test_of_a_detached_pod_only_the_log_has_the_output(tmp_path: Path, rootfs: Path, stage1: Stage1) -> None:
    pod = pod_of(tmp_path, rootfs, shell("echo out"))
    assert stage1.run("run", "--detached", pod).stdout == ""
    assert log(pod, "app") == [("stdout", "F", "out")]


def test_without_logs_the_app_has_the_caller_s_streams(tmp_path: Path, rootfs: Path, stage1: Stage1) -> None:
    pod = pod_of(tmp_path, rootfs, shell("echo out"), log="none")
    assert stage1.run("run", pod).stdout == "out\n"
    assert not (pod / "logs" / "app.log").exists()


def test_standard_input_is_for_the_app_that_is_to_have_it(tmp_path: Path, rootfs: Path, stage1: Stage1) -> None:
    for stdin, options, expected in ((True, ["--interactive"], "words"), (True, [], ""), (False, ["--interactive"], "")):
        spec = AppSpec(["/bin/cat"], stdin=stdin, copy=True)
        assert stage1.run("run", *options, pod_of(tmp_path, rootfs, spec), input="words").stdout == expected


def handler(name: str, script: str) -> dict[str, Any]:
    return {"name": name, "exec": ["/bin/sh", "-c", script]}


def test_handlers_run_before_and_after(tmp_path: Path, rootfs: Path, stage1: Stage1) -> None:
    events = [handler("pre-start", "echo before > /order"), handler("post-stop", "echo after >> /order; cat /order")]
    pod = pod_of(tmp_path, rootfs, shell("echo main >> /order; exit 3", eventHandlers=events))
    ended = stage1.run("run", pod)
    assert (ended.code, ended.stdout) == (3, "before\nmain\nafter\n")


def test_a_pre_start_that_fails_keeps_the_app_from_starting(tmp_path: Path, rootfs: Path, stage1: Stage1) -> None:
    events = [handler("pre-start", "exit 4"), handler("post-stop", "echo after")]
    pod = pod_of(tmp_path, rootfs, shell("echo main", eventHandlers=events))
    ended = stage1.run("run", pod)
    assert (ended.code, ended.stdout) == (125, "")
    assert status(pod, "app")["failed"] == "pre-start"


def test_an_app_has_its_own_identity_environment_and_directory(tmp_path: Path, rootfs: Path, stage1: Stage1) -> None:
    script = 'echo $(id -u) $(id -g) $(pwd) $AC_APP_NAME "$PATH" ${container:+contained} $OWN ${OTHER-none} $AC_OWN'
    variables = [{"name": "OWN", "value": "own"}, {"name": "AC_OWN", "value": "not"}]
    spec = shell(script, user="alice", group="50", workingDirectory="/home/alice", environment=variables)
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    ended = stage1.run("run", pod_of(tmp_path, rootfs, spec), env={**os.environ, "OTHER": "of the caller"})
    assert ended.stdout == f"1234 50 /home/alice app {path} contained own none\n"


@pytest.mark.parametrize("app", [{"user": "nobody"}, {"group": "nobody"}, {"workingDirectory": "/nowhere"}])
def test_an_app_that_cannot_be_what_it_shall_is_not_started(
    tmp_path: Path, rootfs: Path, stage1: Stage1, app: dict[str, str]
) -> None:
    pod = pod_of(tmp_path, rootfs, shell("echo never", **app))
    ended = stage1.run("run", pod)
    assert (ended.code, ended.stdout) == (125, "")
    assert "failed" in status(pod, "app")


@pytest.mark.parametrize("remove", [True, False])
def test_what_the_app_changed_goes_when_that_is_asked_for(tmp_path: Path, rootfs: Path, stage1: Stage1, remove: bool) -> None:
    pod = pod_of(tmp_path, rootfs, shell("echo x > /tmp/changed"), remove=remove)
    assert stage1.run("run", pod).code == 0
    assert (pod / "apps/app/rootfs/tmp/changed").exists() is not remove
    assert status(pod, "app")["exit"] == 0


# enter


def test_enter_runs_a_command_as_the_app_and_ends_as_it_does(tmp_path: Path, rootfs: Path, stage1: Stage1) -> None:
    pod = pod_of(tmp_path, rootfs, AppSpec(WAIT.exec, {"user": "alice"}, copy=True))
    with stage1.start(pod) as monitor:
        assert read_line(monitor) == "waiting\n"
        ended = stage1.run("enter", pod, "app", "--", "/bin/sh", "-c", "id -u; echo $AC_APP_NAME; exit 9")
        assert (ended.code, ended.stdout) == (9, "1234\napp\n")
        assert stage1.run("enter", pod, "app", "--", "/bin/nope").code == 127
        assert stage1.run("enter", pod, "other", "--", "/bin/true").code == 125
        assert stage1.run("enter", pod, "app", input="echo from a shell").stdout == "from a shell\n"
        monitor.terminate()
        assert monitor.wait() == 42
    assert stage1.run("enter", pod, "app", "--", "/bin/true").code == 125


# stop


@pytest.mark.parametrize(("force", "code"), [(False, 42), (True, 128 + signal.SIGKILL)])
def test_stop_returns_when_the_pod_has_ended(tmp_path: Path, rootfs: Path, stage1: Stage1, force: bool, code: int) -> None:
    pod = pod_of(tmp_path, rootfs, WAIT)
    options = ["--force"] if force else []
    with stage1.start(pod) as monitor:
        assert read_line(monitor) == "waiting\n"
        # The monitor is this test's child, and has ended for nobody before the test has heard of it.
        assert stage1.run("stop", *options, pod).code == 0
        assert monitor.wait() == code
    assert stage1.run("stop", *options, pod).code == 0
    assert stage1.run("stop", *options, tmp_path / "nowhere").code == 66


# gc


def test_gc_ends_what_a_killed_monitor_left(tmp_path: Path, rootfs: Path, stage1: Stage1) -> None:
    pod = pod_of(tmp_path, rootfs, WAIT)
    with stage1.start(pod) as monitor:
        assert read_line(monitor) == "waiting\n"
        app = pids(pod)["apps"]["app"]["pid"]
        monitor.kill()
        monitor.wait()
        for _ in range(2):
            assert stage1.run("gc", pod).code == 0
        wait_for_end(app)
    assert not [line for line in (pod / "cgroups").read_text().splitlines() if Path(line).exists()]
    assert stage1.run("gc", tmp_path / "nowhere").code == 66


def test_gc_of_a_pod_that_never_ran_has_nothing_to_do(tmp_path: Path, rootfs: Path, stage1: Stage1) -> None:
    assert stage1.run("gc", pod_of(tmp_path, rootfs, WAIT)).code == 0


# What may be lacking, and must be refused then

ECHO = shell("echo fine")
MOUNTED = AppSpec(ECHO.exec, {}, {"mounts": [{"volume": "v", "path": "/v"}]}, copy=True)
VOLUME = {"volumes": [{"name": "v", "kind": "empty"}]}
DEMANDS: dict[str, tuple[dict[str, AppSpec], dict[str, Any], dict[str, Any]]] = {
    "overlay": ({"app": AppSpec(ECHO.exec)}, {}, {}),
    "volumes": ({"app": MOUNTED}, VOLUME, {}),
    "several apps": ({"one": ECHO, "two": shell("exit 0")}, {}, {}),
    "terminals": ({"app": AppSpec(["/bin/sh", "-c", "test -t 1 && echo fine"], copy=True, tty=True)}, {}, {}),
    "isolation": ({"app": shell("test $$ -lt 100 && echo fine")}, {}, {"strict": True}),
    "removal of pods": ({"app": ECHO}, {}, {"removePod": True}),
}


@pytest.mark.parametrize("demand", DEMANDS)
def test_what_a_stage1_says_that_it_lacks_it_refuses_and_all_else_it_does(
    tmp_path: Path, rootfs: Path, stage1: Stage1, demand: str
) -> None:
    apps, manifest, settings = DEMANDS[demand]
    pod = write_pod(tmp_path, rootfs, apps, manifest=manifest, **settings)
    if demand in stage1.lacks:
        check_refused(stage1, pod)
        return
    ended = stage1.run("run", pod)
    assert ended.code == 0
    assert ended.stdout.strip().removeprefix("one | ") == "fine"


def test_a_stage1_lacks_nothing_that_is_not_tested(stage1: Stage1) -> None:
    assert stage1.lacks <= DEMANDS.keys()
