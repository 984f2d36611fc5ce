"""Options as people have learnt to type them, and several pods at once."""

from __future__ import annotations

import pytest

from tests.support.desk import Desk
from tests.support.scenarios import Scenario, play

HOST = "mkdir host && echo of the host > host/file &&"
FILE = "printf 'A=of the file\\nB=2\\n' > vars &&"
STAY = "'exec sleep 1000'"

SCENARIOS = {
    "a directory and where it goes": Scenario(f"{HOST} acrun -v $PWD/host:/data ./sh.aci -- 'cat /data/file'", "of the host\n"),
    "a directory beside the caller, read-only": Scenario(
        f"{HOST} acrun -v ./host:/data:ro ./sh.aci -- 'cat /data/file; echo x > /data/file || echo refused' 2>/dev/null",
        "of the host\nrefused\n",
    ),
    "a directory for a mount point of the image": Scenario(
        f"{HOST} acrun -v ./host:/data --volume fixed,kind=empty ./mounts.aci -- 'cat /data/file'", "of the host\n"
    ),
    "a volume that has a name": Scenario("acrun -v v,kind=empty -v v:/v ./sh.aci -- 'test -d /v && echo there'", "there\n"),
    "a volume of a name that nothing has": Scenario(
        "acrun -v v:/v ./sh.aci -- true", "", 125, "sh: mount v: no volume has this name"
    ),
    "a source that is not there": Scenario("acrun -v ./none:/v ./sh.aci -- true", "", 125, "none: no such file"),
    "a variable for every app": Scenario(
        "acrun -e A=1 ./sh.aci --name a -- 'echo $A' --- ./sh.aci --name b -e A=2 -- 'echo $A' | sort", "a | 1\nb | 2\n"
    ),
    "a file of variables, and one that was typed": Scenario(
        f"{FILE} acrun ./sh.aci --env-file vars -e A=typed -- 'echo $A $B'", "typed 2\n"
    ),
    "a file of variables for every app": Scenario(f"{FILE} acrun --env-file vars ./sh.aci -- 'echo $A'", "of the file\n"),
    "a file of variables that is not there": Scenario("acrun --env-file none ./sh.aci -- true", "", 125, "none: no such file"),
    "a file of variables with a fault": Scenario(
        "echo x > vars; acrun --env-file vars ./sh.aci -- true", "", 125, "vars:1: not of"
    ),
    "groups in a list": Scenario("acrun ./sh.aci --supplementary-gids 5,6 -- 'id -G'", "0 5 6\n"),
    "an annotation": Scenario(
        "acrun --name p ./sh.aci --annotation example.com/why=a=b -- true; acrun cat-manifest p | grep -c '\"a=b\"'", "1\n"
    ),
    "annotations of a pod, which a list can be asked for": Scenario(
        "acrun -q --name p --annotation example.com/owner=ann --annotation example.com/why= ./sh.aci --annotation of=app -- true;"
        " acrun --name other ./sh.aci -- true; acrun status p | grep -c '^annotation example.com/owner *ann$';"
        " acrun list -q --annotation example.com/owner=ann --annotation example.com/why | wc -l;"
        " acrun list -q --annotation of | wc -l; acrun list -q | wc -l",
        "1\n1\n0\n2\n",
    ),
    "an annotation of a pod without a value": Scenario(
        "acrun --annotation owner ./sh.aci -- true", "", 125, "--annotation owner: "
    ),
    "several pods stopped at once": Scenario(
        f"for n in a b c; do acrun -d --rm --name $n ./sh.aci -- {STAY} > /dev/null; done; acrun stop a b c && acrun list --quiet",
        "",
    ),
    "several pods removed, but for the one that runs": Scenario(
        f"acrun --name a ./sh.aci -- true; acrun -d --rm --name b ./sh.aci -- {STAY} > /dev/null; acrun --name c ./sh.aci -- true;"
        " acrun rm a b nope a c 2>&1; acrun list --json | wc -l; acrun stop b",
        "acrun: nope: no such pod (acrun list shows them)\nacrun: b: is running (acrun stop ends it)\n1\n",
    ),
    "the exited ones removed by a list": Scenario(
        "acrun ./sh.aci -- true; acrun ./sh.aci -- true; acrun rm $(acrun list --quiet --state exited); acrun list --quiet", ""
    ),
}


@pytest.mark.parametrize("title", SCENARIOS)
def test_typing(shelf: Desk, title: str) -> None:
    play(shelf, SCENARIOS[title])


def test_a_beginning_that_several_uuids_have_is_told_with_those(shelf: Desk) -> None:
    uuids = ["6f1c9a52-63d5-4cf6-9a0e-2f6d9d2f3c11", "6f1c9a52-63d5-4cf6-9a0e-2f6d9d2f3c12"]
    for uuid in uuids:
        (shelf.store / "pods" / "run" / uuid).mkdir(parents=True)
    (shelf.store / "pods" / "names").mkdir()
    (shelf.store / "pods" / "names" / "web").write_text(f"{uuids[1]}\n")
    for command in ("status", "rm", "stop", "logs", "enter", "run-prepared"):
        ended = shelf.run("acrun", command, "6f1c")
        assert ended.code == (125 if command in ("enter", "run-prepared") else 66)
        assert ended.stderr == f"acrun: 6f1c: means 2 pods ({uuids[0]}, {uuids[1]} (web))\n"
