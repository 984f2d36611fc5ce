"""Apps of an ordinary user's pod that are started again: from a clean copy, without what they left behind, beside others."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.ann import Ann
from tests.support.desk import app_image, probe_files, userland
from tests.support.images import Node
from tests.support.poddirs import wait_for_end
from tests.support.userland import without_numbers
from tests.support.waiting import wait_for

APPLETS = ("sh", "cat", "echo", "false", "grep", "kill", "ls", "ps", "rm", "setsid", "sleep", "stat", "test", "touch", "true", "wc")
FILES = {**userland(*APPLETS), **probe_files(), "etc": None, "etc/passwd": Node(b"root:x:0:0::/root:/bin/sh\n")}
COUNT = "echo x >> /v/count; n=$(wc -l < /v/count)"
SHARED = "--volume v,kind=empty --mount volume=v,target=/v"


@pytest.fixture(autouse=True)
def images(ann: Ann) -> None:
    """Give Ann an image that runs a line of shell."""
    ann.put("sh.aci", app_image("example.com/sh", ["/bin/sh", "-c"], FILES))


ROOTS = {
    "an overlay and a directory": ("--overlay", "--volume v,kind=empty"),
    "a copy and a directory": ("--no-overlay", "--volume v,kind=empty"),
    "an overlay and a file system": ("--overlay", "--volume v,kind=empty,size=1M"),
    "a copy and a file system": ("--no-overlay", "--volume v,kind=empty,size=1M"),
}


@pytest.mark.parametrize(("root", "volume"), ROOTS.values(), ids=ROOTS)
def test_each_attempt_has_a_clean_copy_and_the_volume_as_it_was(ann: Ann, root: str, volume: str) -> None:
    script = f"{COUNT}; ls /mine /etc/passwd /tmp/new 2>/dev/null; touch /mine /dev/shm/new; rm /etc/passwd; test $n -ge 3"
    line = f"acrun --keep {root} {volume} --mount volume=v,target=/v --restart on-failure ./sh.aci -- '{script}'"
    ended = ann.shell(line)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "/etc/passwd\n" * 3, "")
    (app,) = (ann.home / ".local/share/appc/pods/run").glob("*/apps/sh")
    assert not list(app.glob("*.old"))
    assert ann.shell("acrun rm $(acrun list -q)").code == 0


def test_a_tree_made_anew_is_as_the_first_one_was(ann: Ann) -> None:
    line = f"acrun {SHARED} --restart on-failure:1 ./sh.aci --readonly-rootfs -- '{COUNT}; /bin/probe; exit 1'"
    first, second = (json.loads(line) for line in ann.shell(line).stdout.splitlines())
    for key in ("mounts", "environment", "uids", "gids", "groups", "cwd", "cgroup", "status", "fds"):
        assert without_numbers(first[key]) == without_numbers(second[key]), key
    for name in ("user", "pid", "net", "ipc", "uts"):
        assert first["namespaces"][name] == second["namespaces"][name], name


LOOK = 'case "$(cat /proc/[0-9]*/cmdline 2> /dev/null)" in *sleep$m*) echo there;; *) echo none;; esac'
LEAVE = "/bin/busybox setsid /bin/busybox sleep $m & while ! ps | grep -q [s]leep.$m; do :; done"


def test_the_memory_that_apps_share_outlasts_restarts(ann: Ann) -> None:
    again = f"{COUNT}; echo $n >> /dev/shm/counted; test $n -ge 2"
    other = "while ! grep -qs 2 /dev/shm/counted; do :; done; cat /dev/shm/counted"
    mount = "--mount volume=v,target=/v"
    line = (
        "acrun --volume v,kind=empty --restart on-failure"
        f" ./sh.aci --name again {mount} -- '{again}' --- ./sh.aci --name other -- '{other}'"
    )
    ended = ann.shell(line)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "other | 1\nother | 2\n", "")


def test_what_an_app_left_behind_is_gone_before_it_begins_again(ann: Ann) -> None:
    script = f"{COUNT}; m=$((4700 + 11)); {LOOK}; {LEAVE}; {LOOK}; test $n -ge 2"
    ended = ann.shell(f"acrun {SHARED} --restart on-failure ./sh.aci -- '{script}'")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "none\nthere\n" * 2, "")


def test_what_another_app_left_behind_stays(ann: Ann) -> None:
    """Both leave a process that has no parent but init: only the one's goes when the one begins again."""
    own = f"{COUNT}; m=$((4700 + 11)); {LOOK}; while ! test -e /v/ready; do :; done; {LEAVE}"
    one = f"{own}; test $n -ge 3 || exit 1; m=4812; {LOOK}"
    other = f"m=$((4800 + 12)); {LEAVE}; touch /v/ready; exec sleep 1000"
    mount = "--mount volume=v,target=/v"
    line = (
        "acrun --volume v,kind=empty --exit-policy app=one --restart on-failure"
        f" ./sh.aci --name one {mount} -- '{one}' --- ./sh.aci --name other {mount} -- '{other}'"
    )
    ended = ann.shell(line)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "one | none\n" * 3 + "one | there\n", "")


HIDING = {"forking and ending, over and over": "chain", "without the first of its threads": "headless"}


@pytest.mark.parametrize("how", HIDING.values(), ids=HIDING)
def test_what_hides_from_who_looks_for_it_is_gone_too(ann: Ann, how: str) -> None:
    """It keeps a file locked. What is looked for process by process gets away every other time when it forks and ends."""
    leave = f"setsid /bin/probe {how} /v/count & while test $(/bin/probe lock /v/count) = 0; do :; done; exit 1"
    one = f"{COUNT}; /bin/probe lock /v/count; test $n -ge 4 || {{ {leave}; }}"
    mount = "--mount volume=v,target=/v"
    pod = (
        "acrun --volume v,kind=empty --exit-policy app=one --restart on-failure"
        f" ./sh.aci --name one {mount} -- '{one}' --- ./sh.aci --name other -- 'exec sleep 1000'"
    )
    ended = ann.shell(" & ".join([pod] * 3) + " & wait")
    assert (ended.stdout, ended.stderr) == ("one | 0\n" * 12, "")


def test_the_processes_of_each_app_are_marked_and_see_no_difference(ann: Ann) -> None:
    show = "cat /proc/self/cgroup; ls -l /proc/self/ns/cgroup"
    ended = ann.shell(f"acrun --restart on-failure ./sh.aci --name a -- '{show}' --- ./sh.aci --name b -- '{show}'")
    seen = {name: [line for line in ended.stdout.splitlines() if line.startswith(name)] for name in ("a", "b")}
    marks = {re.findall(r"cgroup:\[(\d+)\]", "".join(lines))[0] for lines in seen.values()}
    assert len(marks) == 2, ended
    assert {line.partition(" | ")[2] for line in seen["a"][:-1]} == {line.partition(" | ")[2] for line in seen["b"][:-1]}


def test_handlers_limits_and_ends_are_those_of_any_restart(ann: Ann) -> None:
    events = [
        {"name": "pre-start", "exec": ["/bin/sh", "-c", "echo pre"]}, {"name": "post-stop", "exec": ["/bin/sh", "-c", "echo post"]},
    ]  # fmt: skip
    ann.put("events.aci", app_image("example.com/events", ["/bin/sh", "-c"], FILES, app={"eventHandlers": events}))
    ended = ann.shell("acrun --name e --restart on-failure:1 ./events.aci -- 'echo main; exit 7'")
    assert (ended.code, ended.stdout, ended.stderr) == (7, "pre\nmain\npost\n" * 2, "")
    status = json.loads(ann.shell("acrun status --json e").stdout)["apps"][0]["status"]
    assert (status["exit"], status["attempt"]) == (7, 2)


@pytest.mark.parametrize("attempt", range(3))
def test_who_is_killed_while_a_clean_copy_is_made_leaves_what_gc_finds(ann: Ann, attempt: int) -> None:
    """The old layer is put aside as long as the builders are at work: they die with the monitor, wherever they are."""
    line = f"exec acrun {SHARED} --restart on-failure ./sh.aci -- false"
    with subprocess.Popen(ann.words(line), stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]}) as monitor:
        run = ann.home / ".local/share/appc/pods/run"
        wait_for(lambda: list(run.glob("*/apps/sh/upper.old")), "a clean copy in the making")
        (pod,) = run.iterdir()
        for _ in range(attempt * 40):
            os.stat(pod)
        pids = json.loads((pod / "pid").read_text())
        os.kill(pids["monitor"]["pid"], signal.SIGKILL)
        monitor.wait()
    wait_for_end(pids["init"]["pid"])
    wait_for(lambda: _processes_of(ann) == [], "the end of the builders")
    assert ann.shell("acrun gc --grace-period 0").code == 0
    assert list(run.iterdir()) == []


def _processes_of(ann: Ann) -> list[str]:
    """Return the processes of Ann's, each as its directory in /proc."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == ann.desk.machine.uid or f"Uid:\t{ann.desk.machine.uid}" in (process / "status").read_text():
                found.append(str(process))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
