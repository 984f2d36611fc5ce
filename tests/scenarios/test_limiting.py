"""Limits as people type them, before the image for the pod and behind it for one app, and what is seen of them."""

from __future__ import annotations

import pytest

from tests.support.desk import Desk
from tests.support.scenarios import Scenario, play

# A shell that doubles a text until it has more memory than there is.
STAY = "exec sleep 1000"
HOG = "x=0123456789; while :; do x=$x$x; done"
STATES = 'grep -o \'"name":"resource[^,]*","app":[^,]*,"state":"[a-z]*"\' pods/run/$(cat u)/isolators.json'

SCENARIOS = {
    "an app that eats more than it may": Scenario(
        f"acrun ./sh.aci --memory 32Mi -- '{HOG}'", "", 137, "acstage1: sh: killed, out of memory\n"
    ),
    "what is said of it later": Scenario(
        f"acrun --name hog ./sh.aci --memory 32Mi -- '{HOG}' 2>/dev/null; acrun status hog | grep -o 'signal 9.*'",
        "signal 9 (SIGKILL), out of memory\n",
    ),
    "a pod that does": Scenario(f"acrun --memory 48Mi ./sh.aci -- '{HOG}'", "", 137, "killed, out of memory"),
    "one that is content": Scenario("acrun --memory 64Mi --cpu 1.5 --pids-limit 10 ./sh.aci --memory 32Mi --cpu 500m -- true", ""),
    "megabytes as docker writes them": Scenario(
        "acrun ./sh.aci --memory 512m -- true",
        "",
        125,
        "acrun: --memory 512m: is less than 4096 bytes (512M or 512Mi; m is a thousandth)\n",
    ),
    "a number of processors that is none": Scenario(
        "acrun --cpu many ./sh.aci -- true", "", 125, 'acrun: --cpu: "many" is not a quantity (such as "250m", "1.5" or "2Gi")\n'
    ),
    "no processes at all": Scenario("acrun --pids-limit 0 ./sh.aci -- true", "", 125, "--pids-limit"),
    "fewer processes than it takes": Scenario(
        "acrun --pids-limit 3 ./sh.aci -- 'true | true | true | true' 2>&1 | grep -c fork", "1\n"
    ),
    "no room for the second app": Scenario(
        f"acrun -q --pids-limit 2 ./sh.aci -- '{STAY}' --- ./sh.aci --name two -- true",
        "",
        125,
        "acstage1: two: fork: no room for one more process: the pod may have 2 (--pids-limit)\n",
    ),
    "no room for a command in it": Scenario(
        f"acrun -d --name full --pids-limit 2 ./sh.aci -- '{STAY}' > /dev/null; acrun enter full true; echo $?; acrun stop full",
        "125\n",
        0,
        "acstage1: enter the root: no room for one more process: the pod may have 2 (--pids-limit)\n",
    ),
    "what became of them": Scenario(
        'export APPC_DIR="$PWD"; acrun --uuid-file-save u --memory 64Mi ./sh.aci --memory 32Mi --cpu 1 -- true && ' + STATES,
        '"name":"resource/memory","app":null,"state":"enforced"\n'
        '"name":"resource/memory","app":"sh","state":"enforced"\n'
        '"name":"resource/cpu","app":"sh","state":"enforced"\n',
    ),
    "an app that wants more than its pod has": Scenario(
        'export APPC_DIR="$PWD"; acrun --uuid-file-save u --memory 64Mi ./sh.aci --memory 1Gi -- true && acrun status $(cat u) | '
        "grep 'resource/memory.*modified' | tr -s ' '",
        "isolator resource/memory modified for sh (the pod's limit is 67108864)\n",
    ),
}


@pytest.mark.parametrize("case", SCENARIOS)
def test_a_limit_is_what_its_words_say(shelf: Desk, case: str) -> None:
    play(shelf, SCENARIOS[case])
