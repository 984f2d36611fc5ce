"""`acrun prepare` and `run-prepared`: a pod made now and run later, by whoever has its name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from acspec.locks import open_locked
from tests.support.desk import Desk, assert_refused
from tests.support.running import list_pods


def prepared(desk: Desk, *words: str) -> Path:
    """Prepare a pod and return its directory."""
    ended = desk.run("acrun", "prepare", *words)
    assert (ended.code, ended.stderr) == (0, "")
    return desk.store / "pods" / "prepared" / ended.stdout.strip()


def test_a_prepared_pod_is_run_once_as_it_was_prepared(shelf: Desk) -> None:
    line = 'acrun prepare --name later --hostname h --volume v,kind=empty --mount volume=v,target=/data ./sh.aci --env A=b -- "$1"'
    script = "touch /data/x; echo $A $*; exit 4"
    ended = shelf.run("sh", "-c", line, "sh", script)
    (pod,) = list_pods(shelf)
    assert (ended.code, ended.stdout, ended.stderr) == (0, f"{pod['uuid']}\n", "")
    assert (pod["name"], pod["state"]) == ("later", "prepared")
    ended = shelf.run("acrun", "run-prepared", "later")
    assert (ended.code, ended.stdout, ended.stderr) == (4, "b\n", "")
    assert [pod["state"] for pod in list_pods(shelf)] == ["exited"]
    again = shelf.run("acrun", "run-prepared", "later")
    assert_refused(again, 125, "later: is exited, not prepared (acrun prepare makes such a pod)", "acrun")


def test_a_prepared_pod_needs_neither_the_image_nor_its_name_any_more(shelf: Desk) -> None:
    pod = prepared(shelf, "./sh.aci", "--", "echo here")
    (shelf.path / "sh.aci").unlink()
    assert shelf.run("acrun", "gc", "--grace-period", "0").stdout == ""
    assert shelf.run("acrun", "run-prepared", pod.name[:8]).stdout == "here\n"


def test_standard_input_belongs_to_the_run(shelf: Desk) -> None:
    pod = prepared(shelf, "./sh.aci", "--", "cat")
    assert shelf.shell(f"echo typed | acrun run-prepared --interactive {pod.name}").stdout == "typed\n"
    silent = prepared(shelf, "./sh.aci", "--", "cat; echo end")
    assert shelf.shell(f"echo typed | acrun run-prepared {silent.name}").stdout == "end\n"


def test_a_prepared_pod_can_be_detached_and_removed_at_its_end(shelf: Desk) -> None:
    pod = prepared(shelf, "./probe.aci", "--", "trap", "0")
    ended = shelf.run("acrun", "run-prepared", "--detach", "--rm", pod.name)
    assert (ended.code, ended.stdout, ended.stderr) == (0, f"{pod.name}\n", "")
    monitor = json.loads((shelf.store / "pods" / "run" / pod.name / "pid").read_text())["monitor"]["pid"]
    assert shelf.run("acrun", "stop", pod.name).code == 0
    subprocess.run(["tail", f"--pid={monitor}", "-f", "/dev/null"], check=True)
    assert list_pods(shelf) == []


def test_what_a_run_keeps_is_its_own_affair(shelf: Desk) -> None:
    pod = prepared(shelf, "./sh.aci", "--", "touch /made")
    assert shelf.run("acrun", "run-prepared", "--keep", pod.name).code == 0
    assert (shelf.store / "pods" / "run" / pod.name / "apps" / "sh" / "upper" / "made").exists()


def test_images_and_trees_of_a_prepared_pod_are_kept(stocked_desk: Desk) -> None:
    pod = prepared(stocked_desk, "example.com/good")
    refused = stocked_desk.run("acfetch", "images", "rm", "example.com/good")
    assert refused.code == 75
    assert pod.name in refused.stderr
    (tree,) = (stocked_desk.store / "trees").iterdir()
    subprocess.run(["touch", "-d", "2 days ago", tree], check=True)
    assert stocked_desk.run("acrun", "gc").stdout == ""
    assert stocked_desk.run("acrun", "run-prepared", pod.name).code == 0


def test_a_prepared_pod_is_removed_when_asked_or_when_its_time_is_over(shelf: Desk) -> None:
    first, second = prepared(shelf, "--name", "a", "./probe.aci"), prepared(shelf, "./probe.aci")
    assert shelf.run("acrun", "rm", "a").code == 0
    assert not first.exists()
    assert shelf.run("acrun", "gc").stdout == ""
    assert shelf.run("acrun", "gc", "--expire-prepared", "0").stdout == f"pod {second.name}\n"
    assert list_pods(shelf) == []


def test_a_pod_that_somebody_else_is_just_running_is_busy(shelf: Desk) -> None:
    pod = prepared(shelf, "./probe.aci")
    lock = open_locked(str(pod))
    assert_refused(shelf.run("acrun", "run-prepared", pod.name), 125, "another process works on it", "acrun")
    os.close(lock)


def test_preparing_what_is_not_there_leaves_nothing(shelf: Desk) -> None:
    assert_refused(shelf.run("acrun", "prepare", "./none.aci"), 66, "./none.aci: no such file", "acrun")
    assert shelf.run("acrun", "prepare", "--name", "a", "./probe.aci").code == 0
    assert_refused(shelf.run("acrun", "prepare", "--name", "a", "./probe.aci"), 73, "a: is the name of pod", "acrun")
    assert len(list_pods(shelf)) == 1


def test_a_prepared_pod_whose_tree_is_gone_does_not_run(shelf: Desk) -> None:
    pod = prepared(shelf, "./probe.aci")
    shutil.rmtree(shelf.store / "trees")
    ended = shelf.run("acrun", "run-prepared", "--rm", pod.name)
    assert ended.code == 125
    assert len(ended.stderr.splitlines()) == 1
    assert list_pods(shelf) == []


MISPLACED = {
    "the stage1 of the run": (("--stage1", "/x", "./probe.aci"), "--stage1: is an option of the run, not of its preparation"),
    "an option of the run": (
        ("-i", "./probe.aci"),
        "is an option of the run, not of its preparation (acrun run-prepared -i POD)",
    ),
    "an option of the run behind an image": (
        ("./probe.aci", "--rm"),
        "--rm: is an option of the run, not of its preparation (acrun run-prepared --rm POD)",
    ),
    "an option of an app before the image": (("--exec", "/x", "./probe.aci"), "--exec: is an option of an app"),
    "an option without its value": (("--name",), "--name: requires an argument"),
}


@pytest.mark.parametrize("case", MISPLACED)
def test_options_that_do_not_belong_to_a_preparation_are_refused(shelf: Desk, case: str) -> None:
    words, said = MISPLACED[case]
    assert_refused(shelf.run("acrun", "prepare", *words), 2, said, "acrun")
