"""The life of pods as acrun's commands show it: several apps, volumes, signals, list, status, rm and gc."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.desk import Desk, app_image, app_manifest, assert_refused, snapshot, userland
from tests.support.images import image
from tests.support.poddirs import wait_for_end
from tests.support.running import PATIENT, list_pods, staying

SHELL = ["/bin/sh", "-c"]


def _pids(desk: Desk) -> dict[str, Any]:
    (path,) = (desk.store / "pods" / "run").glob("*/pid")
    value: dict[str, Any] = json.loads(path.read_text())
    return value


# Signals


def test_a_full_disk_is_told_by_the_directory_and_leaves_nothing(desk: Desk) -> None:
    (desk.path / "big.aci").write_bytes(app_image(files={"etc": None, "etc/big": bytes(range(256)) * 8192}))
    small = "mkdir small && mount -t tmpfs -o size=1m,mode=755 tmpfs small && APPC_DIR=small acrun ./big.aci"
    ended = desk.run("unshare", "--mount", "sh", "-c", f"{small}; code=$?; find small/t* -type f 1>&2; exit $code")
    assert_refused(ended, 125, "small: no space left on device (acrun gc and acfetch gc make room)", "acrun")


def test_sigterm_passes_through_the_pipe_and_the_app_s_answer_comes_back(desk: Desk) -> None:
    desk.publish("example.com/stay", app_image("example.com/stay", ["/bin/probe", "trap", "42"]))
    with desk.start("sh", "-c", "acfetch --quiet example.com/stay | acrun --grace-period 200; echo code $?") as shell:
        assert shell.stdout is not None
        assert shell.stdout.readline() == "waiting\n"
        os.kill(_pids(desk)["monitor"]["pid"], signal.SIGTERM)
        assert shell.communicate() == ("code 42\n", "")


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 9), ("SIGINT", 130), ("SIGHUP", 129), ("SIGQUIT", 131)])
def test_signals_reach_the_app(shelf: Desk, name: str, code: int) -> None:
    with shelf.start("acrun", *PATIENT, "./probe.aci", "--", "trap", "9") as acrun:
        assert acrun.stdout is not None
        assert acrun.stdout.readline() == "waiting\n"
        os.killpg(acrun.pid, getattr(signal, name))  # as a terminal does it: to the whole group
        assert acrun.communicate() == ("", "")
        assert acrun.returncode == code


def test_an_app_that_does_not_end_is_killed(shelf: Desk) -> None:
    with shelf.start("acrun", "--grace-period", "0", "./probe.aci", "--", "ignore") as acrun:
        assert acrun.stdout is not None
        assert acrun.stdout.readline() == "waiting\n"
        acrun.terminate()
        assert acrun.wait() == 128 + signal.SIGKILL


def test_acrun_killed_outright_takes_the_pod_with_it_and_gc_removes_the_rest(shelf: Desk) -> None:
    with shelf.start("acrun", "./probe.aci", "--", "ignore") as acrun:
        assert acrun.stdout is not None
        assert acrun.stdout.readline() == "waiting\n"
        pids = _pids(shelf)
        acrun.kill()
        acrun.wait()
    wait_for_end(pids["init"]["pid"])
    wait_for_end(pids["apps"]["probe"]["pid"])
    (pod,) = list_pods(shelf)
    assert pod["state"] == "exited"
    cgroups = [Path(line) for line in (shelf.store / "pods" / "run" / pod["uuid"] / "cgroups").read_text().splitlines()]
    assert shelf.shell("acrun gc --grace-period 0").stdout == f"pod {pod['uuid']}\n"
    assert not [path for path in cgroups if path.exists()]
    assert list_pods(shelf) == []


# Several apps


def test_several_apps_in_one_pod_each_with_its_own_options_and_arguments(shelf: Desk) -> None:
    script = "echo one $* in $AC_APP_NAME > /shared/one; id -u >> /shared/one"
    words = [
        "--volume",
        "shared,kind=empty",
        "--mount",
        "volume=shared,target=/shared",
        "./sh.aci",
        "--name",
        "first",
        "--user",
        "7",
    ]
    second = 'while ! read -r line < /shared/one; do :; done 2> /dev/null; echo "$line"; echo two $0 in $AC_APP_NAME'
    more = ["---", "./sh.aci", "--name", "second", "--", second, "b"]
    volume = [*words[:1], "shared,kind=empty,mode=0777", *words[2:]]
    ended = shelf.run("acrun", *volume, "--", "-c", script, "a", "x y", "--help", *more)
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout == "second | one x y --help in first\nsecond | two b in second\n"
    (pod,) = list_pods(shelf)
    assert [(app["name"], app["status"]["exit"]) for app in pod["apps"]] == [("first", 0), ("second", 0)]


def test_images_from_a_pipe_make_one_pod(desk: Desk) -> None:
    for name in ("one", "two"):
        words = [*SHELL, f"echo {name}; cat /proc/sys/kernel/hostname"]
        desk.publish(f"example.com/{name}", app_image(f"example.com/{name}", words, userland("sh", "cat", "echo")))
    ended = desk.shell("acfetch --quiet example.com/one example.com/two | acrun --hostname both")
    assert (ended.code, ended.stderr) == (0, "")
    assert sorted(ended.stdout.splitlines()) == ["one | both", "one | one", "two | both", "two | two"]
    (pod,) = list_pods(desk)
    assert [app["name"] for app in pod["apps"]] == ["one", "two"]


def test_an_app_that_ends_badly_ends_the_pod_and_gives_its_code(shelf: Desk) -> None:
    for _ in range(3):
        ended = shelf.run(
            "acrun", "./probe.aci", "--name", "a", "--", "trap", "0", "---", "./probe.aci", "--name", "b", "--", "exit", "7"
        )
        assert ended.code == 7
        assert ended.stderr == ""


def test_apps_that_end_at_once_end_the_pod_with_the_first_code_that_is_not_zero(shelf: Desk) -> None:
    words = [word for number in range(6) for word in ("---", "./probe.aci", "--name", f"app{number}", "--", "exit", "0")]
    ended = shelf.run("acrun", *words[1:])
    assert (ended.code, ended.stderr) == (0, "")
    (pod,) = list_pods(shelf)
    assert [app["status"].get("exit") for app in pod["apps"]] == [0] * 6


# Volumes


def test_a_host_volume_is_what_the_host_has_and_read_only_when_asked(shelf: Desk) -> None:
    (shelf.path / "data").mkdir(exist_ok=True)
    (shelf.path / "volume").mkdir()
    (shelf.path / "volume" / "in").write_text("from the host\n")
    script = "cat /v/in; echo from the app > /v/out"
    volume, mount = f"v,kind=host,source={shelf.path}/volume", "volume=v,target=/v"
    ended = shelf.run("acrun", "--volume", volume, "--mount", mount, "./sh.aci", "--", script)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "from the host\n", "")
    assert (shelf.path / "volume" / "out").read_text() == "from the app\n"
    before = snapshot(shelf.path / "volume")
    ended = shelf.run("acrun", "--volume", f"{volume},readOnly=true", "--mount", mount, "./sh.aci", "--", f"{script}2")
    assert ended.stdout == "from the host\n"
    assert "Read-only file system" in ended.stderr
    assert snapshot(shelf.path / "volume") == before


def test_a_mount_point_takes_the_volume_of_its_name_or_gets_an_empty_one_and_a_note(desk: Desk) -> None:
    point = {"mountPoints": [{"name": "work", "path": "/var/work"}]}
    manifest = app_manifest("example.com/sh", [*SHELL, "ls /var/work; echo x > /var/work/new"], app=point)
    (desk.path / "app.aci").write_bytes(image(userland("sh", "ls", "echo"), manifest))
    (desk.path / "volume").mkdir()
    (desk.path / "volume" / "old").touch()
    ended = desk.run("acrun", "--volume", f"work,kind=host,source={desk.path}/volume", "./app.aci")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "old\n", "")
    assert sorted(os.listdir(desk.path / "volume")) == ["new", "old"]
    ended = desk.run("acrun", "./app.aci")
    assert (ended.code, ended.stdout) == (0, "")
    assert ended.stderr.startswith("acrun: sh: mount point work (/var/work) gets an empty volume of its own")
    assert len(ended.stderr.splitlines()) == 1
    assert desk.run("acrun", "--quiet", "./app.aci").stderr == ""
    assert_refused(desk.run("acrun", "--strict", "./app.aci"), 125, "no volume was given for it", "acrun")


def test_a_source_that_is_a_link_or_missing_is_refused_and_nothing_is_made(shelf: Desk) -> None:
    (shelf.path / "link").symlink_to("/etc")
    for name, words in (("link", "is a symbolic link"), ("nothing", "no such file")):
        volume = f"v,kind=host,source={shelf.path}/{name}"
        assert_refused(shelf.run("acrun", "--volume", volume, "./probe.aci"), 125, words, "acrun")
    assert not (shelf.path / "nothing").exists()
    assert list_pods(shelf) == []


# list, status, rm, gc


def test_a_running_pod_is_shown_and_neither_removed_nor_collected(shelf: Desk) -> None:
    with staying(shelf, name="mine", code=5):
        (pod,) = list_pods(shelf)
        assert (pod["state"], pod["name"], pod["apps"][0]["status"]) == ("running", "mine", None)
        assert os.readlink(f"/proc/{_pids(shelf)['init']['pid']}/ns/pid") != os.readlink("/proc/self/ns/pid")
        shown = shelf.shell("acrun status mine").stdout
        assert [line.split()[-1] for line in shown.splitlines() if line.startswith(("state", "app probe"))] == ["running"] * 2
        for text in ("mine", pod["uuid"], pod["uuid"][:8]):
            assert json.loads(shelf.shell(f"acrun status --json {text}").stdout)["uuid"] == pod["uuid"]
        assert_refused(shelf.shell("acrun rm mine"), 75, "running", "acrun")
        assert_refused(shelf.shell("acrun --name mine ./probe.aci"), 125, "mine", "acrun")
        assert shelf.shell("acrun gc --grace-period 0").stdout == ""
        assert [item["uuid"] for item in list_pods(shelf)] == [pod["uuid"]]
    (pod,) = list_pods(shelf)
    assert (pod["state"], pod["pid"], pod["apps"][0]["status"]["exit"]) == ("exited", None, 5)


def test_status_waits_for_the_end(shelf: Desk) -> None:
    with staying(shelf, name="mine", code=5) as acrun, shelf.start("acrun", "status", "--wait", "--json", "mine") as status:
        acrun.terminate()
        text, errors = status.communicate()
        assert (status.returncode, errors) == (0, "")
        assert json.loads(text)["apps"][0]["status"]["exit"] == 5


def test_a_pod_that_has_ended_is_removed_with_its_name(shelf: Desk) -> None:
    ended = shelf.run("acrun", "--name", "mine", "--uuid-file-save", "uuid", "./probe.aci", "--", "exit", "4")
    assert ended.code == 4
    uuid = (shelf.path / "uuid").read_text().strip()
    shown = shelf.shell("acrun list").stdout.splitlines()
    assert shown[1].split()[:3] == [uuid[:8], "mine", "probe"]
    assert "exit 4" in shown[1]
    assert shelf.shell("acrun rm mine").code == 0
    assert list_pods(shelf) == []
    assert_refused(shelf.shell("acrun status mine"), 66, "no such pod", "acrun")
    assert shelf.run("acrun", "--name", "mine", "./probe.aci", "--", "exit", "0").code == 0


def test_gc_keeps_what_is_young_and_removes_what_is_not(shelf: Desk) -> None:
    assert shelf.run("acrun", "./probe.aci", "--", "exit", "0").code == 0
    assert shelf.shell("acrun gc").stdout == ""
    (pod,) = list_pods(shelf)
    assert json.loads(shelf.shell("acrun gc --grace-period 0 --json").stdout) == {"pods": [pod["uuid"]], "trees": []}
    left = [path for path in snapshot(shelf.store / "pods") if "/" in path]
    assert left == []
    assert shelf.shell("acrun gc --grace-period 0").stdout == ""
    (tree,) = (shelf.store / "trees").iterdir()
    os.utime(tree, (0, 0))
    assert shelf.shell("acrun gc").stdout == f"tree {tree.name}\n"
    assert os.listdir(shelf.store / "trees") == []


def test_what_the_app_wrote_is_in_the_log_and_its_files_are_gone(shelf: Desk) -> None:
    assert shelf.run("acrun", "./sh.aci", "--", "echo said; echo x > /left").stdout == "said\n"
    (pod,) = (shelf.store / "pods" / "run").iterdir()
    time, stream, kind, text = (pod / "logs" / "sh.log").read_text().rstrip("\n").split(" ", 3)
    assert (stream, kind, text) == ("stdout", "F", "said")
    assert time.endswith("Z")
    assert sorted(os.listdir(pod / "apps" / "sh")) == ["manifest", "seccomp.bpf", "tree"]
    assert shelf.run("acrun", "--keep", "./sh.aci", "--", "echo x > /left").code == 0
    assert len(list((shelf.store / "pods" / "run").glob("*/apps/sh/upper/left"))) == 1
