"""The life of pods as people type it: left alone, looked at, entered, stopped, removed."""

from __future__ import annotations

import pytest

from tests.support.desk import Desk
from tests.support.scenarios import Scenario, play

STAY = "'trap \"exit 0\" TERM; echo up; while :; do sleep 1000 & wait; done'"
DETACHED = f"id=$(acrun -d --name stay ./sh.aci -- {STAY}) && until acrun logs stay | grep -q up; do :; done &&"
FIELD = "| tr -d '\", ' | cut -d: -f2"

SCENARIOS = {
    "a pod that is left alone is there under its UUID and its name": Scenario(
        f'{DETACHED} test "$(acrun list --quiet)" = $id && acrun status ${{id%-*}} | grep -c running; acrun stop stay', "2\n"
    ),
    "what a detached pod wrote": Scenario(f"{DETACHED} acrun logs stay; acrun stop stay", "up\n"),
    "a detached pod whose program is not there": Scenario("acrun -d ./sh.aci --exec /bin/nothing", "", 127, "/bin/nothing"),
    "a detached pod cannot have the caller's input": Scenario("acrun -d -i ./sh.aci", "", 125, "--detach"),
    "a command in a running pod": Scenario(f"{DETACHED} acrun enter stay -- /bin/cat /srv/kept; acrun stop stay", "of the image\n"),
    "the exit code of a command in a pod": Scenario(
        f"{DETACHED} acrun enter stay -- /bin/sh -c 'exit 9'; echo $?; acrun stop stay", "9\n"
    ),
    "an option of enter that stands too late": Scenario(
        f"{DETACHED} acrun enter stay --app sh ls; echo $?; acrun stop stay", "125\n", 0, "acrun enter [OPTIONS] POD"
    ),
    "entering a pod that has ended": Scenario(
        "acrun --name done ./sh.aci -- true; acrun enter done", "", 125, "acrun: done: is exited"
    ),
    "a command in a pod sees the app's processes": Scenario(
        f"{DETACHED} acrun enter stay -- /bin/sh -c 'test -d /proc/2 && readlink /proc/1/exe || echo hidden'; acrun stop stay",
        "hidden\n",
    ),
    "a command with the options of other tools": Scenario(
        f"{DETACHED} echo 'cat /srv/kept' | acrun enter -i stay /bin/sh; acrun stop stay", "of the image\n"
    ),
    "a pod has started before its app's last attempt": Scenario(
        "acrun --name again --restart on-failure:1 ./sh.aci -- false;"
        " acrun status again | grep '^ *started ' | grep -o '20[0-9T:.-]*' | sort -c && echo in order",
        "in order\n",
    ),
    "waiting for a pod that is stopped": Scenario(
        f"{DETACHED} acrun stop stay && acrun status --wait stay | grep -o exited", "exited\n"
    ),
    "a pod that does not want to end": Scenario(
        "acrun -d --name deaf --grace-period 0 ./sh.aci -- 'trap \"\" TERM; echo up; while :; do :; done' > /dev/null"
        " && until acrun logs deaf | grep -q up; do :; done && acrun stop deaf && acrun status deaf | grep -o 'signal 9'",
        "signal 9\n",
    ),
    "a running pod is not removed": Scenario(f"{DETACHED} acrun rm stay; echo $?; acrun stop stay", "75\n", 0, "is running"),
    "a pod that has ended is removed": Scenario(f"{DETACHED} acrun stop stay && acrun rm stay && acrun list --quiet", ""),
    "a pod that removes itself": Scenario("acrun --rm ./sh.aci -- 'echo once' && acrun list --quiet", "once\n"),
    "a name that is taken": Scenario(
        f"{DETACHED} acrun --name stay ./sh.aci -- true; echo $?; acrun stop stay", "125\n", 0, "stay"
    ),
    "the UUID in a file": Scenario(
        "acrun --uuid-file-save id ./sh.aci -- true && test $(cat id) = $(acrun list -q) && echo same", "same\n"
    ),
    "logs after the end": Scenario(
        "acrun --name talk ./sh.aci -- 'echo 1; echo 2; echo 3' > /dev/null; acrun logs --tail 2 talk", "2\n3\n"
    ),
    "logs of a pod that nobody knows": Scenario("acrun logs nobody", "", 66, "nobody"),
    "the first end ends the pod": Scenario(
        f"acrun --exit-policy first ./sh.aci --name a -- {STAY} --- ./sh.aci --name b -- 'exit 0' > /dev/null; echo $?", "0\n"
    ),
    "the end of one app is the pod's": Scenario(
        f"acrun --exit-policy app=b ./sh.aci --name a -- {STAY} --- ./sh.aci --name b -- 'exit 4' > /dev/null; echo $?", "4\n"
    ),
    "a failure that leaves the others alone": Scenario(
        "acrun --exit-policy all ./sh.aci --name a -- 'until test -e /gone; do test -e /proc/9 && break; echo end; break; done'"
        " --- ./sh.aci --name b -- 'exit 4' | grep -o end; echo $?",
        "end\n0\n",
    ),
    "a pod after all have ended is collected": Scenario(
        "acrun ./sh.aci -- true; acrun gc --grace-period 0 > /dev/null && acrun list --quiet", ""
    ),
    "the manifest of a pod": Scenario(
        f"{DETACHED} acrun cat-manifest stay | grep -o PodManifest; acrun stop stay", "PodManifest\n"
    ),
}


@pytest.mark.parametrize("title", SCENARIOS)
def test_living(shelf: Desk, title: str) -> None:
    play(shelf, SCENARIOS[title])
