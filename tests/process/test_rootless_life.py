"""What an ordinary user does with pods: start and stop them, look at them, copy from them and into them, and type into them."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.ann import Ann
from tests.support.desk import app_image, userland
from tests.support.images import Node, directory
from tests.support.namespaces import user_namespace
from tests.support.scenarios import Scenario
from tests.support.terminal import Terminal, at_terminal

APPLETS = (
    "sh", "cat", "chmod", "echo", "id", "ln", "ls", "mkdir", "printf", "rm", "sleep", "stat", "stty", "test", "touch", "true",
    "tty",
)  # fmt: skip
PASSWD = Node(b"root:x:0:0::/root:/bin/sh\npostgres:x:70:71::/:/bin/sh\n")
FILES = {**userland(*APPLETS), "etc": None, "etc/passwd": PASSWD, "etc/group": Node(b"postgres:x:71:\n")}
# What an image may close to everybody, its owner included: root of a pod does not mind.
CLOSED = {
    "etc/shadow": Node(b"root:!\n", mode=0), "bin/sudo": Node(b"#!/bin/sh\necho ran\n", mode=0o111), "shut": directory(mode=0),
    "shut/file": Node(b"inside\n"),
}  # fmt: skip
SHELL = ["/bin/sh", "-c"]
STAYS = 'trap "echo down; exit 3" TERM; echo up; while :; do sleep 1000 & wait; done'
STAY = f"acrun -d --name stay --grace-period 200 ./sh.aci -- '{STAYS}'"
# An app runs as soon as its program does, which has said nothing then.
UP = "acrun logs -f stay | grep -q up"


@pytest.fixture(autouse=True)
def images(ann: Ann) -> None:
    """Give Ann images that run a line of shell: as root, as a user of a database, and with files that are closed."""
    ann.put("sh.aci", app_image("example.com/sh", SHELL, FILES))
    ann.put("db.aci", app_image("example.com/db", SHELL, FILES, app={"user": "postgres", "group": "postgres"}))
    ann.put("shut.aci", app_image("example.com/shut", SHELL, {**FILES, **CLOSED}))


DONE = {
    "a detached pod, its logs, its end": Scenario(
        f"{STAY} > id; {UP}; acrun logs stay; acrun stop stay; acrun status --wait --exit-code stay > s; echo $?; acrun logs stay",
        "up\n3\nup\ndown\n",
    ),
    "logs that are followed to the end": Scenario(
        f"{STAY} > id; acrun logs -f stay > followed & acrun status stay > /dev/null; "
        "while ! acrun logs stay | grep -q up; do :; done; acrun stop stay; wait; cat followed",
        "up\ndown\n",
    ),
    "what it uses": Scenario(
        f"{STAY} > id; acrun stats --json stay | head -n 1 | grep -o '\"app\":\"sh\"'; acrun stop stay", '"app":"sh"\n'
    ),
    "files into a pod that runs, and back": Scenario(
        f"{STAY} > id; mkdir -p d/e; echo deep > d/e/f; acrun cp d stay:/d; acrun enter stay -- cat /d/e/f;"
        " acrun cp stay:/d back; cat back/e/f; acrun stop stay; rm -r d back",
        "deep\ndeep\n",
    ),
    "files from one pod to another": Scenario(
        "acrun --keep --name a ./sh.aci -- 'echo given > /made'; acrun --keep --name b ./sh.aci -- true;"
        " acrun cp a:/made - | acrun cp - b:/; acrun cp b:/made - | tar xO",
        "given\n",
    ),
    "files that an app has closed to everybody": Scenario(
        "acrun --keep --name a ./sh.aci -- 'mkdir /c; echo shut > /c/f; chmod 0 /c/f /c'; acrun cp a:/c - | tar xO;"
        " echo new > new; acrun cp new a:/c/new; acrun cp a:/c/new - | tar xO; rm new",
        "shut\nnew\n",
    ),
    "files that an app which runs has closed to everybody": Scenario(
        f"{STAY} > id; acrun enter stay -- sh -c 'mkdir /c; echo shut > /c/f; chmod 0 /c/f /c'; acrun cp stay:/c - | tar xO;"
        " acrun cp stay:/c c; cat c/f 2>/dev/null; stat -c %a c; chmod 700 c; chmod 600 c/f; cat c/f; echo new > new;"
        " acrun cp new stay:/c/new; acrun enter stay -- cat /c/new; acrun stop stay; rm -r c new",
        "shut\n0\nshut\nnew\n",
    ),
    "a prepared pod": Scenario("acrun prepare --name p ./sh.aci -- 'id -u' > id; acrun run-prepared p", "0\n"),
    "a prepared pod that is detached": Scenario(
        f"U=$({STAY.replace('acrun -d', 'acrun prepare')}); acrun run-prepared -d $U > id; {UP}; acrun stop stay; acrun logs stay",
        "up\ndown\n",
    ),
    "a pod that removes itself": Scenario("acrun --rm ./sh.aci -- 'exit 4'; echo $?; acrun list -q", "4\n"),
    "input through a pipe": Scenario("echo words | acrun -i ./sh.aci -- cat", "words\n"),
    "a command in a pod without a terminal": Scenario(
        f"{STAY} > id; echo words | acrun enter stay -- cat; acrun enter stay -- sh -c 'exit 6'; echo $?; acrun stop stay",
        "words\n6\n",
    ),
    "an image whose files are closed": Scenario(
        "acrun ./shut.aci -- 'cat /etc/shadow /shut/file; stat -c %a /shut'", "root:!\ninside\n0\n"
    ),
    "an image whose files are closed, copied": Scenario(
        "acrun --no-overlay ./shut.aci -- 'cat /etc/shadow /shut/file; stat -c %a /shut'", "root:!\ninside\n0\n"
    ),
    "an image whose files are closed, copied once more": Scenario(
        "acrun --no-overlay --restart on-failure:1 ./shut.aci -- 'cat /etc/shadow /shut/file; exit 1'", "root:!\ninside\n" * 2, 1
    ),
    "a collection": Scenario("acrun ./sh.aci -- true; acrun gc --grace-period 0 | wc -l; acrun list -q", "1\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", DONE)
def test_an_ordinary_user_has(ann: Ann, case: str) -> None:
    ended = ann.shell(DONE[case].line)
    assert (ended.stdout, ended.code if DONE[case].code else 0, ended.stderr) == (DONE[case].out, DONE[case].code, "")
    left = ann.shell("for pod in $(acrun list -q); do acrun stop --force $pod; acrun rm $pod; done; acrun list -q")
    assert (left.stdout, left.stderr) == ("", "")


def test_a_pod_of_a_manifest(ann: Ann) -> None:
    ann.shell("acfetch --quiet --insecure-options=image ./sh.aci; mkdir -p vol; echo shared > vol/x")
    image = {"name": "example.com/sh", "id": ann.shell("actool id ./sh.aci").stdout.strip()}
    app = {"exec": ["/bin/sh", "-c", "cat /v/x"], "user": "0", "group": "0"}
    mounts = [{"volume": "v", "path": "/v"}]
    volumes = [{"name": "v", "kind": "host", "source": "/home/ann/vol"}]
    apps = [{"name": "a", "image": image, "app": app, "mounts": mounts}]
    pod = {"acKind": "PodManifest", "acVersion": "0.8.11", "apps": apps, "volumes": volumes}
    ann.put("pod.json", json.dumps(pod).encode())
    ended = ann.shell("acrun --pod pod.json")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "shared\n", "")


EXPORTED = {"as root": ("./sh.aci", 0, 0), "as another user": ("./db.aci", 70, 71)}


@pytest.mark.parametrize(("image", "uid", "gid"), EXPORTED.values(), ids=EXPORTED)
def test_an_exported_image_has_the_owners_of_the_pod_and_all_its_files(ann: Ann, image: str, uid: int, gid: int) -> None:
    script = "mkdir /tmp/c; echo x > /tmp/c/f; chmod 0 /tmp/c/f /tmp/c; rm /etc/passwd"
    ann.put("tmp.aci", app_image("example.com/tmp", SHELL, {**FILES, "tmp": directory(mode=0o1777)}))
    name = "./tmp.aci" if uid == 0 else image
    made = ann.shell(f"acrun --keep --name e {name} -- '{script if uid == 0 else 'touch /mine'}'")
    assert made.code == 0, made.stderr
    ended = ann.shell("acrun export e e.aci && actool validate e.aci")
    assert (ended.code, ended.stderr) == (0, "")
    with tarfile.open(ann.home / "e.aci") as archive:
        members = {member.name: member for member in archive if member.name.startswith("rootfs")}
    assert {(member.uid, member.gid) for member in members.values()} == {(uid, gid)}
    if uid == 0:
        assert members["rootfs/tmp/c/f"].size == 2
        assert "rootfs/etc/passwd" not in members
    assert ann.shell("acrun rm e; rm e.aci").code == 0


@contextmanager
def typing(ann: Ann, line: str) -> Iterator[Terminal]:
    """Have Ann type a line at a terminal of 33 lines and 101 columns."""
    words = ann.words(f"TERM=vt220; export TERM; {line}")
    with at_terminal(words, ann.desk.path, {"PATH": os.environ["PATH"]}, (33, 101)) as terminal:
        yield terminal


def test_a_shell_at_a_terminal(ann: Ann) -> None:
    with typing(ann, "acrun -it ./sh.aci --exec /bin/sh; echo code $?; stty -a") as terminal:
        terminal.answer("# ", "tty; stty size; echo $TERM; stat -c %U /dev/pts/0; exit 4")
        assert terminal.end() == 0
        assert terminal.settings() == terminal.before
    assert "/dev/pts/0\r\n33 101\r\nvt220\r\nroot\r\ncode 4\r\n" in terminal.shown
    assert " icanon" in terminal.shown


def test_a_shell_at_a_terminal_in_a_pod_that_runs(ann: Ann) -> None:
    with typing(ann, f"{STAY} > id; acrun enter stay; echo code $?; acrun stop stay; stty -a") as terminal:
        terminal.answer("# ", "tty; stty size; exit 4")
        assert terminal.end() == 0
    assert "/dev/pts/0\r\n33 101\r\ncode 4\r\n" in terminal.shown
    assert " icanon" in terminal.shown


def test_a_terminal_for_each_start_of_an_app(ann: Ann) -> None:
    line = "acrun -it --restart on-failure ./sh.aci -- 'tty; stty size; read line; echo got $line; test $line = end'"
    with typing(ann, line) as terminal:
        terminal.answer("33 101", "again")
        terminal.wait_for("got again")
        terminal.answer("33 101", "end")
        assert terminal.end() == 0


def test_root_of_a_user_namespace_is_an_ordinary_user(ann: Ann) -> None:
    """By whatever name: the same store, the same pods, and what only root of the machine has is not tried."""
    line = "acrun --name n --restart on-failure:1 ./sh.aci -- 'id -u; cat /proc/self/uid_map; exit 1'; acrun list -q | wc -l"
    ended = ann.shell(f'unshare --map-root-user sh -c "{line}"; acrun list -q | wc -l')
    assert ended.stderr == ""
    assert ended.stdout.split() == ["0", "0", "0", "1", "0", "0", "0", "1", "1", "1"]
    assert ann.shell("unshare --map-root-user acrun ./db.aci -- 'id -u; id -g'").stdout == "70\n71\n"


def test_root_of_a_container_is_an_ordinary_user_with_the_system_s_directories(ann: Ann) -> None:
    place = ann.desk.machine.inside("/var/lib/appc")
    place.mkdir(mode=0o755, exist_ok=True)
    os.chown(place, 100000, 100000)
    script = "id -u; cat /proc/self/uid_map; ls /dev"
    with user_namespace("0 100000 65536") as enter:
        environment = {"HOME": "/nowhere"}
        ended = ann.desk.machine.run([*enter, "acrun", "/home/ann/sh.aci", "--", script], "/", environment)
        listed = ann.desk.machine.run([*enter, "acrun", "list", "-q"], "/", environment)
    assert (ended.code, ended.stdout.split()[:4], ended.stderr) == (0, ["0", "0", "0", "1"], "")
    assert listed.stdout.count("\n") == 1
    assert len(list((place / "pods/run").iterdir())) == 1


def test_stage1_alone_says_what_host_s_ids_take(ann: Ann) -> None:
    made = ann.shell("unshare --map-root-user acrun prepare ./sh.aci -- true")
    pod = f"/home/ann/.local/share/appc/pods/prepared/{made.stdout.strip()}"
    path = ann.desk.machine.inside(f"{pod}/stage1.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "idMap": None}))
    ended = ann.shell(f"unshare --map-root-user acstage1 run {pod}")
    assert (ended.code, ended.stderr) == (125, "acstage1: clone: without an idMap, this takes root (sudo acrun)\n")
