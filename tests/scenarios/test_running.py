"""What people run first: programs, arguments, environments, users, and how it ends."""

from __future__ import annotations

import pytest

from tests.support.desk import Desk
from tests.support.scenarios import Scenario, play

SCENARIOS = {
    "a program of the image with an argument": Scenario("acrun ./sh.aci -- 'echo hello'", "hello\n"),
    "another program than the image's, with no arguments": Scenario("acrun ./sh.aci --exec /bin/pwd", "/\n"),
    "another program, sought in the image's PATH": Scenario("acrun ./sh.aci --exec printf -- '%s-' a b", "a-b-"),
    "arguments that look like options and separators": Scenario(
        "acrun ./sh.aci --exec /bin/echo -- --name x -- y", "--name x -- y\n"
    ),
    "a working directory": Scenario("acrun ./sh.aci --working-dir /srv -- 'cat kept'", "of the image\n"),
    "a working directory that is not there": Scenario("acrun ./sh.aci --working-dir /nowhere -- true", "", 125, "/nowhere"),
    "a variable from the command line": Scenario("acrun ./sh.aci -e COLOUR=red -- 'echo $COLOUR'", "red\n"),
    "a variable with spaces and an equals sign in it": Scenario("acrun ./sh.aci -e 'A=b = c' -- 'echo \"$A\"'", "b = c\n"),
    "nothing of the caller's environment": Scenario("SECRET=1 acrun ./sh.aci -- 'echo \"<$SECRET>\"'", "<>\n"),
    "the app's own name": Scenario("acrun ./sh.aci --name web -- 'echo $AC_APP_NAME $container'", "web appc-tools\n"),
    "a host name of one's own": Scenario("acrun --hostname box.example ./sh.aci -- hostname", "box.example\n"),
    "a host name from the pod's name": Scenario("acrun --name web ./sh.aci -- hostname", "web\n"),
    "root by default": Scenario("acrun ./sh.aci -- 'id -u; id -g; id -G'", "0\n0\n0\n"),
    "the image's user with its groups": Scenario("acrun ./user.aci -- 'id -un; id -gn; id -G'", "app\napp\n1000 2000\n"),
    "a user by number that the image does not know": Scenario(
        "acrun ./sh.aci --user 4711 --group 12 -- 'id -u; id -g'", "4711\n12\n"
    ),
    "a user by name": Scenario("acrun ./sh.aci --user app --group extra -- 'id -u; id -g'", "1000\n2000\n"),
    "a user and a group by the owner of a file": Scenario(
        "acrun ./user.aci --user /srv --group /srv/kept -- 'id -u; id -g'", "0\n0\n"
    ),
    "a user that the image does not have": Scenario("acrun ./sh.aci --user nobody-here -- true", "", 125, "nobody-here"),
    "a group that the image does not have": Scenario("acrun ./sh.aci --group nobody-here -- true", "", 125, "nobody-here"),
    "a user by a path that is not there": Scenario("acrun ./sh.aci --user /nowhere -- true", "", 125, "/nowhere"),
    "the exit code of the app": Scenario("acrun ./sh.aci -- 'exit 42'", "", 42),
    "an app that a signal killed": Scenario("acrun ./sh.aci -- 'kill -9 $$'", "", 137),
    "a program that is not there": Scenario("acrun ./sh.aci --exec /bin/nothing", "", 127, "/bin/nothing"),
    "a program that is not executable": Scenario("acrun ./sh.aci --exec /srv/kept", "", 126, "/srv/kept"),
    "a program that is a directory": Scenario("acrun ./sh.aci --exec /srv", "", 126, "/srv"),
    "output to both streams, apart": Scenario("acrun ./sh.aci -- 'echo out; echo err >&2' 2>err; cat err", "out\nerr\n"),
    "output that a full disk does not take": Scenario(
        "acrun ./sh.aci -- 'echo lost' > /dev/full",
        "",
        125,
        "acstage1: standard output: no space left on device (acrun logs has the rest)\n",
    ),
    "the same of an app that fails": Scenario("acrun ./sh.aci -- 'echo lost; exit 3' > /dev/full", "", 3, "standard output: no"),
    "errors that a full disk does not take": Scenario("acrun ./sh.aci -- 'echo kept; echo lost >&2' 2> /dev/full", "kept\n", 125),
    "what a full disk did not take, from the log": Scenario(
        "acrun --name dump ./sh.aci -- 'echo a; echo b' > /dev/full 2>&1; acrun logs dump", "a\nb\n"
    ),
    "no standard input unless asked for": Scenario("echo typed | acrun ./sh.aci -- cat", ""),
    "standard input when asked for": Scenario("echo typed | acrun -i ./sh.aci -- cat", "typed\n"),
    "handlers before and after": Scenario("acrun ./handlers.aci -- 'cat /state'", "before\nmade\nafter\n"),
    "two apps, the output of both": Scenario(
        "acrun ./sh.aci --name a -- 'echo 1' --- ./sh.aci --name b -- 'echo 2' | grep -o '[12]' | sort", "1\n2\n"
    ),
    "two apps with one name": Scenario("acrun ./sh.aci --- ./sh.aci", "", 125, "sh"),
    "an app that fails ends the other": Scenario(
        "acrun ./sh.aci --name a -- 'exec sleep 1000' --- ./sh.aci --name b -- 'exit 3'", "", 3
    ),
    "a file system that is a clean copy each time": Scenario(
        "acrun ./sh.aci -- 'echo x > /new; ls /new'; acrun ./sh.aci -- 'ls /new || echo gone' 2>/dev/null", "/new\ngone\n"
    ),
    "a root that is read-only": Scenario(
        "acrun ./sh.aci --readonly-rootfs -- 'echo x > /new || echo refused' 2>/dev/null", "refused\n"
    ),
    "an image from a pipe": Scenario("echo ./sh.aci | acrun - --exec /bin/echo -- piped", "piped\n"),
    "an image that is not there": Scenario("acrun ./nothing.aci", "", 125, "nothing.aci"),
    "a file that is no image": Scenario("echo text > bad.aci; acrun ./bad.aci", "", 125, "bad.aci"),
    "a name that the store does not have": Scenario("acrun example.com/absent", "", 125, "acfetch example.com/absent"),
    "no word at all": Scenario("acrun run < /dev/null", "", 125, "no image"),
    "an option that is mistyped": Scenario("acrun --hostnam x ./sh.aci", "", 125, "--hostnam"),
    "an option of an app before the image": Scenario("acrun --user 1 ./sh.aci", "", 125, "--user"),
}


@pytest.mark.parametrize("title", SCENARIOS)
def test_running(shelf: Desk, title: str) -> None:
    play(shelf, SCENARIOS[title])
