"""What the specification's own validator looks at, from inside a pod of two apps with handlers and a shared volume.

Point by point as its list has them, but for the metadata service, which there is not yet. Each mode says every point that fails.
"""

from __future__ import annotations

import pytest

from tests.support.desk import Desk, app_image, userland
from tests.support.images import Node

VALIDATOR = b"""#!/bin/sh
faults=0
check() { text=$1; shift; "$@" || { echo "$mode: $text"; faults=1; }; }
absent() { ! test -e "$1"; }
make() { check "$1 is there already" absent "$1"; check "$1 cannot be made" touch "$1"; }
# The last mount on a path counts; its options are the sixth field.
mounted_for() { test "$(grep " $1 " /proc/self/mountinfo | cut -d' ' -f6 | cut -d, -f1)" = "$2"; }
mode=$1
case $mode in
prestart)
    make /prestart
    check "main was before it" absent /main
    check "post-stop was before it" absent /poststop ;;
main)
    check "pre-start was not before it" test -e /prestart
    make /main
    check "post-stop was before it" absent /poststop
    check "PATH is $PATH" test "$PATH" = /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    check "the working directory is $(pwd)" test "$(pwd)" = /opt/acvalidator
    check "IN_ACE_VALIDATOR is $IN_ACE_VALIDATOR" test "$IN_ACE_VALIDATOR" = correct
    check "AC_APP_NAME is $AC_APP_NAME" test "$AC_APP_NAME" = ace-validator-main
    check "/db is not mounted for writing" mounted_for /db rw
    until test -e /db/sidekick; do :; done
    make /db/main ;;
sidekick)
    make /db/sidekick
    until test -e /db/main; do :; done ;;
poststop)
    check "pre-start was not before it" test -e /prestart
    check "main was not before it" test -e /main
    make /poststop ;;
esac
test $faults = 0 && echo "$mode: fine"
exit $faults
"""
HANDLERS = [{"name": "pre-start", "exec": ["/validator", "prestart"]}, {"name": "post-stop", "exec": ["/validator", "poststop"]}]
POINTS = {"mountPoints": [{"name": "database", "path": "/db", "readOnly": False}]}
MAIN = {
    **POINTS,
    "eventHandlers": HANDLERS,
    "workingDirectory": "/opt/acvalidator",
    "environment": [{"name": "IN_ACE_VALIDATOR", "value": "correct"}],
    "ports": [{"name": "www", "protocol": "tcp", "port": 80}],
    "isolators": [{"name": "resource/memory", "value": {"limit": "1G"}}],
}
RUN = "acrun --volume database,kind=empty ./main.aci --- ./sidekick.aci"


@pytest.fixture
def validators(shelf: Desk) -> Desk:
    """Put the validator's two images into the working directory."""
    files = userland("sh", "cut", "grep", "touch", "test", "pwd")
    files |= {"opt": None, "opt/acvalidator": None, "validator": Node(VALIDATOR, mode=0o755)}
    main = app_image("example.com/ace-validator-main", ["/validator", "main"], files, app=MAIN)
    sidekick = app_image("example.com/ace-validator-sidekick", ["/validator", "sidekick"], files, app=POINTS)
    (shelf.path / "main.aci").write_bytes(main)
    (shelf.path / "sidekick.aci").write_bytes(sidekick)
    return shelf


def test_a_pod_is_as_the_validator_of_the_specification_expects_it(validators: Desk) -> None:
    ended = validators.shell(RUN)
    lines = [line.partition(" | ")[2] for line in ended.stdout.splitlines()]
    assert (ended.code, ended.stderr) == (0, ""), ended.stdout
    assert sorted(lines) == ["main: fine", "poststop: fine", "prestart: fine", "sidekick: fine"]
    assert lines.index("prestart: fine") < lines.index("main: fine") < lines.index("poststop: fine")


BROKEN = {
    "another name": ("acrun --volume database,kind=empty ./main.aci --name other --- ./sidekick.aci", "main: AC_APP_NAME is other"),
    "another directory": (
        "acrun --volume database,kind=empty ./main.aci --working-dir / --- ./sidekick.aci",
        "main: the working directory is /",
    ),
    "another PATH": (
        "acrun --volume database,kind=empty ./main.aci --env PATH=/bin --- ./sidekick.aci",
        "main: PATH is /bin",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_the_validator_sees_what_is_not_as_it_should_be(validators: Desk, case: str) -> None:
    line, fault = BROKEN[case]
    ended = validators.shell(line)
    assert ended.code == 1
    assert fault in [line.partition(" | ")[2] for line in ended.stdout.splitlines()]
