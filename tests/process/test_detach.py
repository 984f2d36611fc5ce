"""`acrun --detach` and `--rm`: pods that nobody sits at, and pods that leave nothing."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk import Desk, app_image, assert_refused
from tests.support.poddirs import wait_for_end
from tests.support.running import list_pods


@pytest.fixture
def shelf(shelf: Desk) -> Iterator[Desk]:
    """Yield the shelf with an image besides that waits before it starts; afterwards no pod runs on."""
    handlers = [{"name": "pre-start", "exec": ["/bin/probe", "trap", "0"]}]
    (shelf.path / "slow.aci").write_bytes(app_image("example.com/slow", app={"eventHandlers": handlers}))
    yield shelf
    running = [pod["uuid"] for pod in list_pods(shelf) if pod["state"] == "running"]
    assert not running or shelf.run("acrun", "stop", "--force", *running).code == 0


def left(desk: Desk) -> list[str]:
    return sorted(str(path.relative_to(desk.store)) for path in (desk.store / "pods").glob("*/*"))


def test_a_detached_pod_runs_on_and_its_uuid_is_all_that_is_printed(shelf: Desk) -> None:
    ended = shelf.shell('id=$(acrun --detach --name web --grace-period 200 ./probe.aci -- trap 7) && echo "got $id"')
    (pod,) = list_pods(shelf)
    assert (ended.code, ended.stdout, ended.stderr) == (0, f"got {pod['uuid']}\n", "")
    assert (pod["name"], pod["state"]) == ("web", "running")
    with shelf.start("acrun", "logs", "--follow", "web") as logs:
        assert logs.stdout is not None
        assert logs.stdout.readline() == "waiting\n"
        assert shelf.run("acrun", "stop", "web").code == 0
        assert logs.communicate() == ("", "")
    assert list_pods(shelf)[0]["apps"][0]["status"]["exit"] == 7


def test_nothing_of_the_caller_s_is_held_by_a_detached_pod(shelf: Desk) -> None:
    assert shelf.shell("acrun -d --name web ./probe.aci -- trap 0 7< ./probe.aci 8> ./open").code == 0
    (pod,) = list_pods(shelf)
    place = shelf.store / "pods" / "run" / pod["uuid"]
    monitor = Path("/proc") / str(json.loads((place / "pid").read_text())["monitor"]["pid"])
    descriptors = {path.name: os.readlink(path) for path in (monitor / "fd").iterdir()}
    assert (descriptors["0"], descriptors["1"], descriptors["2"]) == ("/dev/null", "/dev/null", str(place / "messages"))
    strange = [target for target in descriptors.values() if target.startswith("/") and not target.startswith((str(place), "/dev/"))]
    assert strange == []
    fields = (monitor / "stat").read_text().rpartition(")")[2].split()
    assert fields[3] == monitor.name  # a session of its own
    assert fields[4] == "0"  # which has no terminal
    assert os.readlink(monitor / "cwd") == "/"


FAILURES = {
    "a program that is not there": (("--exec", "/bin/nope"), 127, "acstage1: probe: /bin/nope: not found in the image\n"),
    "a user that is not there": (("--user", "nobody"), 125, "acstage1: probe: resolve user and group: user"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_detached_pod_that_cannot_start_is_told_with_its_code(shelf: Desk, case: str) -> None:
    words, code, said = FAILURES[case]
    ended = shelf.run("acrun", "--detach", "./probe.aci", *words)
    assert (ended.code, ended.stdout) == (code, "")
    assert ended.stderr.startswith(said)
    assert ended.stderr.count("\n") == 1
    assert [pod["state"] for pod in list_pods(shelf)] == ["exited"]


def test_an_app_that_ends_at_once_has_run_all_the_same(shelf: Desk) -> None:
    ended = shelf.run("acrun", "--detach", "./probe.aci", "--", "exit", "3")
    assert (ended.code, ended.stderr) == (0, "")
    status = json.loads(shelf.run("acrun", "status", "--wait", "--json", ended.stdout.strip()).stdout)
    assert status["apps"][0]["status"]["exit"] == 3


def test_several_apps_are_all_waited_for(shelf: Desk) -> None:
    words = ("./probe.aci", "--name", "a", "--", "trap", "0", "---", "./probe.aci", "--name", "b", "--exec", "/bin/nope")
    ended = shelf.run("acrun", "-d", *words)
    assert (ended.code, ended.stdout, ended.stderr) == (127, "", "acstage1: b: /bin/nope: not found in the image\n")


WHEN = {
    "for the apps": (),
    # As the process that would be acrun; its first call after the fork is held back.
    "and has not even looked who the monitor is": (
        "strace", "-D", "-o", "/dev/null", "-e", "trace=pidfd_open", "-e", "inject=pidfd_open:delay_enter=2000000",
    ),
}  # fmt: skip


@pytest.mark.parametrize("before", WHEN.values(), ids=WHEN)
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_a_signal_while_acrun_waits_ends_the_pod(shelf: Desk, before: tuple[str, ...], name: str, code: int) -> None:
    with shelf.start(*before, "acrun", "--detach", "--rm", "--grace-period", "0", "./slow.aci") as acrun:
        while not (log := list((shelf.store / "pods" / "run").glob("*/logs/slow.log"))) or not log[0].read_text():
            assert acrun.poll() is None
        acrun.send_signal(getattr(signal, name))
        stdout, _ = acrun.communicate()
        assert (acrun.returncode, stdout) == (code, "")
    assert left(shelf) == []


def test_a_uuid_that_cannot_be_printed_is_the_end_of_the_pod(shelf: Desk) -> None:
    ended = shelf.shell("acrun --detach ./probe.aci -- trap 0 > /dev/full")
    assert (ended.code, ended.stderr) == (125, "acrun: standard output: no space left on device\n")
    assert [pod["state"] for pod in list_pods(shelf)] == ["exited"]


def test_a_caller_that_ignores_its_children_gets_the_code_all_the_same(shelf: Desk) -> None:
    assert shelf.shell("trap '' CHLD; acrun -d ./probe.aci --exec /bin/nope").code == 127


def test_what_is_written_goes_into_the_log_alone(shelf: Desk) -> None:
    ended = shelf.run("acrun", "--detach", "./sh.aci", "--", "echo out; echo err >&2")
    pod = ended.stdout.strip()
    assert shelf.run("acrun", "status", "--wait", pod).code == 0
    logs = shelf.run("acrun", "logs", pod)
    assert (logs.stdout, logs.stderr) == ("out\n", "err\n")
    assert (shelf.store / "pods" / "run" / pod / "messages").read_text() == ""


def test_what_is_not_to_be_logged_goes_nowhere(shelf: Desk) -> None:
    pod = shelf.run("acrun", "--detach", "--log", "none", "./sh.aci", "--", "echo out; echo err >&2").stdout.strip()
    assert shelf.run("acrun", "status", "--wait", pod).code == 0
    place = shelf.store / "pods" / "run" / pod
    assert (place / "messages").read_text() == ""
    assert list((place / "logs").iterdir()) == []


REFUSED = {
    "a terminal for a pod that nobody sits at": (("--detach", "--interactive"), "--detach: nobody will be there to type"),
    "removed and kept": (("--rm", "--keep"), "--rm: removes what --keep is to keep"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_options_that_contradict_each_other_are_refused(shelf: Desk, case: str) -> None:
    options, words = REFUSED[case]
    assert_refused(shelf.run("acrun", *options, "./probe.aci"), 125, words, "acrun")
    assert left(shelf) == []


@pytest.mark.parametrize(("words", "code"), [(("--", "exit", "9"), 9), (("--exec", "/bin/nope"), 127), (("--user", "nobody"), 125)])
def test_a_pod_removed_at_its_end_leaves_nothing_but_its_code(shelf: Desk, words: tuple[str, ...], code: int) -> None:
    assert shelf.run("acrun", "--rm", "--name", "gone", "./probe.aci", *words).code == code
    assert left(shelf) == []
    assert shelf.run("acrun", "--rm", "--name", "gone", "./probe.aci", "--", "exit", "0").code == 0


def test_a_detached_pod_is_removed_without_acrun(shelf: Desk) -> None:
    assert shelf.run("acrun", "-d", "--rm", "--name", "gone", "./probe.aci", "--", "trap", "0").code == 0
    (pod,) = list_pods(shelf)
    monitor = json.loads((shelf.store / "pods" / "run" / pod["uuid"] / "pid").read_text())["monitor"]["pid"]
    assert shelf.run("acrun", "stop", "gone").code == 0
    wait_for_end(monitor)
    assert left(shelf) == []


def test_a_pod_that_strictness_refuses_is_removed_too(shelf: Desk) -> None:
    isolators = [{"name": "os/unix/sysctl", "value": {"kernel.never": "1"}}, {"name": "example.com/none", "value": {}}]
    (shelf.path / "odd.aci").write_bytes(app_image("example.com/odd", app={"isolators": isolators}))
    assert shelf.run("acrun", "--rm", "--strict", "./odd.aci").code == 125
    assert left(shelf) == []
