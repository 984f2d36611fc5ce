"""Apps that say when they are ready, and pods that pass it on to who started them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.poddirs import STAGE1, AppSpec, enter, read_line, run, start, write_pod

NOTIFY = {"annotations": [{"name": "appc.io/executor/supports-systemd-notify", "value": "true"}]}
HANG = "/bin/busybox sleep 100000 & wait"
SAY = "/bin/probe notify READY=1"


def shell(script: str, **app: Any) -> AppSpec:
    return AppSpec(["/bin/sh", "-c", script], app, runtime=NOTIFY)


def ready(pod: Path, word: str = "ready") -> Any:
    """Return what `pid` says of the app's readiness, or of another *word* of it."""
    return json.loads((pod / "pid").read_text())["apps"]["app"].get(word)


class Starter:
    """Who starts a pod and wants to hear when it is ready."""

    def __init__(self, own: socket.socket, path: str) -> None:
        self._socket = own
        self._path = path

    def run(self, pod: Path, *options: str) -> subprocess.Popen[str]:
        """Start a pod whose output is to be read."""
        environment = {**os.environ, "NOTIFY_SOCKET": self._path}
        command = [*STAGE1, "run", *options, str(pod)]
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def hear(self) -> list[str]:
        """Return the lines of what comes next."""
        return self._socket.recv(1000).decode().split("\n")


@pytest.fixture(params=["path", "abstract"])
def starter(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Starter]:
    """Return a starter that is named by a path, and one that is named by nothing in the file system."""
    path = str(tmp_path / "starter") if request.param == "path" else f"@{tmp_path}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
        own.bind(path.replace("@", "\0", 1))
        own.settimeout(60)
        yield Starter(own, path)


def test_an_app_says_that_it_is_ready(tmp_path: Path, rootfs: Path, starter: Starter) -> None:
    go = tmp_path / "go"
    go.mkdir()
    mounts = {"mounts": [{"volume": "go", "path": "/go"}]}
    app = shell(f"echo up; while ! test -e /go/now; do :; done; {SAY}; echo said; {HANG}")
    app.runtime = {**NOTIFY, **mounts}
    pod = write_pod(tmp_path, rootfs, {"app": app}, manifest={"volumes": [{"name": "go", "kind": "host", "source": str(go)}]})
    with starter.run(pod) as monitor:
        assert read_line(monitor) == "up\n"
        assert ready(pod) is False
        (go / "now").touch()
        assert starter.hear()[0] == "READY=1"
        assert ready(pod) is True
        monitor.terminate()


# What the app does, whether the pod is then asked to end, and what its starter hears of that.
ENDINGS = {
    "it was asked to": (f"{SAY}; {HANG}", True, "as was asked"),
    "an app failed": (f"{SAY}; exit 3", False, "app ended with 3"),
    "all apps have ended": (SAY, False, "all apps have ended"),
}


@pytest.mark.parametrize("sentence", ENDINGS)
def test_who_started_a_pod_hears_that_it_is_ready_and_why_it_ends(
    tmp_path: Path, rootfs: Path, starter: Starter, sentence: str
) -> None:
    script, asked, why = ENDINGS[sentence]
    pod = write_pod(tmp_path, rootfs, {"app": shell(script)})
    with starter.run(pod) as monitor:
        assert starter.hear() == ["READY=1", f"STATUS=pod {pod.name} runs: app"]
        if asked:
            monitor.terminate()
        assert starter.hear() == ["STOPPING=1", f"STATUS=pod {pod.name} is ending: {why}"]


def test_who_started_a_detached_pod_hears_first_of_all_which_process_it_is(tmp_path: Path, rootfs: Path, starter: Starter) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell(f"{SAY}; {HANG}")})
    with starter.run(pod, "--detached") as monitor:
        assert starter.hear() == [f"MAINPID={monitor.pid}"]
        assert starter.hear()[0] == "READY=1"
        monitor.terminate()
        assert starter.hear()[0] == "STOPPING=1"


def test_an_app_says_that_it_is_stopping_and_its_starter_hears_of_the_pod_s_end_alone(
    tmp_path: Path, rootfs: Path, starter: Starter
) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": shell(f"{SAY}; /bin/probe notify STOPPING=1; echo said; {HANG}")})
    with starter.run(pod) as monitor:
        assert starter.hear()[0] == "READY=1"
        assert read_line(monitor) == "said\n"
        while not ready(pod, "stopping"):
            assert monitor.poll() is None
        assert ready(pod) is True
        monitor.terminate()
        assert starter.hear()[0] == "STOPPING=1"


def test_an_app_that_does_not_say_so_is_ready_as_soon_as_it_runs(tmp_path: Path, rootfs: Path, starter: Starter) -> None:
    app = AppSpec(["/bin/sh", "-c", f'echo "<$NOTIFY_SOCKET>"; ls /dev/notify 2>&1; {HANG}'])
    pod = write_pod(tmp_path, rootfs, {"app": app})
    with starter.run(pod) as monitor:
        assert starter.hear()[0] == "READY=1"
        assert read_line(monitor) == "<>\n"
        assert "No such file" in read_line(monitor)
        assert ready(pod) is None
        monitor.terminate()


def test_a_pod_is_ready_when_all_its_apps_are_or_have_ended(tmp_path: Path, rootfs: Path, starter: Starter) -> None:
    apps = {"one": shell(f"{SAY}; {HANG}"), "two": AppSpec(["/bin/true"]), "three": AppSpec(["/bin/sh", "-c", HANG])}
    with starter.run(write_pod(tmp_path, rootfs, apps)) as monitor:
        assert starter.hear()[0] == "READY=1"
        monitor.terminate()


@pytest.mark.parametrize("user", ["0", "1234"])
def test_the_socket_can_be_used_by_any_user_of_the_app_and_in_a_read_only_root(tmp_path: Path, rootfs: Path, user: str) -> None:
    app = shell(f"{SAY} && rm -f $NOTIFY_SOCKET; chmod 0 $NOTIFY_SOCKET; {SAY}", user=user)
    app.runtime = {**NOTIFY, "readOnlyRootFS": True}
    result = run(write_pod(tmp_path, rootfs, {"app": app}))
    assert result.code == 0, result.stderr


def test_an_app_cannot_change_the_socket_of_the_pod_directory(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(
        tmp_path, rootfs, {"app": shell("chmod 0 $NOTIFY_SOCKET; /bin/busybox chown 5 $NOTIFY_SOCKET; ls -l /dev/notify")}
    )
    result = run(pod)
    assert result.stdout.startswith("srw-rw-rw-    1 root     root ")
    assert result.stderr.count("Read-only file system") == 2


def test_handlers_and_entered_commands_do_not_speak_for_the_app(tmp_path: Path, rootfs: Path) -> None:
    events = [{"name": "pre-start", "exec": ["/bin/sh", "-c", 'echo "pre <$NOTIFY_SOCKET>"']}]
    pod = write_pod(tmp_path, rootfs, {"app": shell(f"echo up; {HANG}", eventHandlers=events)})
    with start(pod) as monitor:
        assert [read_line(monitor), read_line(monitor)] == ["pre <>\n", "up\n"]
        assert enter(pod, "app", "/bin/sh", "-c", 'echo "<$NOTIFY_SOCKET>"').stdout == "<>\n"
        monitor.terminate()


def test_what_an_image_names_by_that_variable_does_not_count(tmp_path: Path, rootfs: Path) -> None:
    variable = [{"name": "NOTIFY_SOCKET", "value": "/elsewhere"}]
    pod = write_pod(tmp_path, rootfs, {"app": shell("echo $NOTIFY_SOCKET", environment=variable)})
    assert run(pod).stdout == "/dev/notify\n"


def test_each_attempt_is_ready_anew(tmp_path: Path, rootfs: Path) -> None:
    script = f"echo x >> /v/count; n=$(wc -l < /v/count); test $n = 1 && {{ {SAY}; exit 1; }}; echo second; {HANG}"
    app = shell(script)
    app.runtime = {**NOTIFY, "mounts": [{"volume": "v", "path": "/v"}]}
    pod = write_pod(tmp_path, rootfs, {"app": app}, manifest={"volumes": [{"name": "v", "kind": "empty"}]}, restart="on-failure")
    with start(pod) as monitor:
        assert read_line(monitor) == "second\n"
        assert ready(pod) is False
        assert enter(pod, "app", "/bin/sh", "-c", f"NOTIFY_SOCKET=/dev/notify {SAY}").code == 0
        while ready(pod) is not True:
            assert monitor.poll() is None
        monitor.terminate()


def test_nonsense_and_floods_are_heard_and_mean_nothing(tmp_path: Path, rootfs: Path) -> None:
    words = " ".join(f"/bin/probe notify '{word}';" for word in ("READY=0", "XREADY=1", "READY=1 ", "", "ready=1"))
    script = f"for n in 1 2 3 4 5 6 7 8 9; do {words} done; echo said; {HANG}"
    pod = write_pod(tmp_path, rootfs, {"app": shell(script)})
    with start(pod) as monitor:
        assert read_line(monitor) == "said\n"
        assert ready(pod) is False
        monitor.terminate()
