"""What stands on standard input: images from acfetch, and everything else that people and shells put there."""

from __future__ import annotations

import json
import os
import pty
import socket
from pathlib import Path

import pytest

from tests.support.desk import Desk, app_image, assert_refused

NO_IMAGE = "no image (acrun IMAGE, or acfetch NAME | acrun)"

# What is typed, and words of acrun's one line.
REFUSED = {
    "/dev/null": ("acrun < /dev/null", NO_IMAGE),
    "a closed descriptor": ("acrun <&-", NO_IMAGE),
    "another device": ("acrun < /dev/zero", NO_IMAGE),
    "nothing, behind the word run": ("acrun run < /dev/null", NO_IMAGE),
    "nothing, behind an option": ("acrun --name pod < /dev/null", NO_IMAGE),
    "an empty pipe": (": | acrun", "names no image (did the command before the pipe fail?)"),
    "an empty file": ("acrun < empty", "names no image"),
    "empty lines": ("printf '\\n \\n\\n' | acrun", "names no image"),
    "an empty pipe for a dash": (": | acrun - -- --verbose", "names no image"),
    "nothing for a dash": ("acrun - < /dev/null", NO_IMAGE),
    "an empty pipe among images": (": | acrun ./one.aci --- -", "names no image"),
    "a sentence": ("echo 'command not found: acfetch' | acrun", '"command not found"'),
    "a path to nothing": ("echo /nope/x.aci | acrun", "/nope/x.aci: no such file"),
    "a name that no store holds": ("echo example.com/hello | acrun", "not in the store"),
    "an URL": ("echo https://example.com/hello.aci | acrun", "acrun fetches nothing"),
    "a zero byte": ("printf 'a\\0b\\n' | acrun", "standard input, line 1: holds a zero byte"),
    "a line over 4 KiB": (
        "head -c 4097 /dev/zero | tr '\\0' a | acrun",
        "standard input, line 1: longer than the limit of 4096 bytes",
    ),
    "a second line over 4 KiB": (
        "{ echo example.com/a; head -c 5000 /dev/zero | tr '\\0' a; } | acrun",
        "standard input, line 2: longer than the limit of 4096 bytes",
    ),
    "1,025 lines": ("yes example.com/hello | head -n 1025 | acrun", "more than the limit of 1024 lines"),
    "lines without end": ("yes | acrun", "more than the limit of 4194304 bytes"),
    "zeros without end": ("cat /dev/zero | acrun", "more than the limit of 4194304 bytes"),
    "an object without a path": ('echo \'{"id": "sha512-00"}\' | acrun', 'the object has no "path"'),
    "an object whose path is a number": ("echo '{\"path\": 3}' | acrun", 'the object has no "path"'),
    "half an object": ("echo '{\"path\": ' | acrun", "standard input, line 1"),
    "an image itself": ("cat one.aci | acrun", "standard input"),
    "two dashes": ("echo x | acrun - --- -", "standard input can be read only once"),
    "images, where it is to be the app's": ("echo x | acrun --interactive", "cannot be the app's too"),
    "images for a dash, where it is to be the app's": ("echo x | acrun -i -", "cannot be the app's too"),
    "a dash behind two": ("echo x | acrun -- -", "no image"),
    "a bad second of two": ("printf './one.aci\\n./two.aci\\n' | acrun", "./two.aci: no such file"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_names_no_image_runs_nothing(plain_desk: Desk, case: str) -> None:
    line, words = REFUSED[case]
    (plain_desk.path / "empty").touch()
    (plain_desk.path / "one.aci").write_bytes(app_image())
    assert_refused(plain_desk.shell(line), 125, words, "acrun")
    assert not (plain_desk.store / "pods").exists()


def test_a_terminal_names_no_image_and_is_not_waited_for(plain_desk: Desk) -> None:
    main, side = pty.openpty()
    try:
        assert_refused(plain_desk.run("acrun", stdin=side), 125, NO_IMAGE, "acrun")
    finally:
        os.close(main)
        os.close(side)


@pytest.mark.parametrize("reference", ["example.com/nope", "other.example/app", "example.com/Nope", "https://example.com/nope.aci"])
def test_when_acfetch_fails_acrun_runs_nothing(desk: Desk, reference: str) -> None:
    ended = desk.shell(f"acfetch {reference} | acrun")
    assert (ended.code, ended.stdout) == (125, "")
    assert sorted(line.partition(":")[0] for line in ended.stderr.splitlines()) == ["acfetch", "acrun"]
    assert "acrun: standard input: names no image (did the command before the pipe fail?)" in ended.stderr
    assert not (desk.store / "pods").exists()


FORMS = {
    "paths": "acfetch --quiet example.com/hello | acrun",
    "objects": "acfetch --quiet --json example.com/hello | acrun",
    "a dash": "acfetch --quiet example.com/hello | acrun -",
    "a dash behind the word run": "acfetch --quiet example.com/hello | acrun run -",
    "an option": "acfetch --quiet example.com/hello | acrun --quiet",
    "a file": "acfetch --quiet example.com/hello > images && acrun < images",
    "an argument": "acrun $(acfetch --quiet example.com/hello)",
    "no newline at the end": "acfetch --quiet example.com/hello | tr -d '\\n' | acrun",
    "a line end of another system": "acfetch --quiet example.com/hello | sed 's/$/\\r/' | acrun",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_handing_over_runs_the_app_and_gives_its_code(desk: Desk, form: str) -> None:
    desk.publish("example.com/hello", app_image(words=["/bin/probe", "write", "out\n", "err\n", "7"]))
    ended = desk.shell(FORMS[form])
    assert (ended.code, ended.stdout, ended.stderr) == (7, "out\n", "err\n")


def test_arguments_behind_a_dash_go_to_the_program(desk: Desk) -> None:
    desk.publish("example.com/hello", app_image())
    ended = desk.shell("acfetch --quiet example.com/hello | acrun - -- --verbose -x 'two words' ---not ''")
    assert json.loads(ended.stdout)["argv"] == ["/bin/probe", "--verbose", "-x", "two words", "---not", ""]


def test_options_behind_a_dash_go_to_the_app(desk: Desk) -> None:
    desk.publish("example.com/hello", app_image())
    ended = desk.shell("acfetch --quiet example.com/hello | acrun - --name other --env A=b=c --user 12 -- x")
    seen = json.loads(ended.stdout)
    assert seen["argv"] == ["/bin/probe", "x"]
    assert {"A=b=c", "AC_APP_NAME=other"} <= set(seen["environment"])
    assert seen["uids"] == [12, 12, 12]


def test_a_socket_names_images(desk: Desk) -> None:
    desk.publish("example.com/hello", app_image(words=["/bin/probe", "exit", "9"]))
    path = desk.shell("acfetch --quiet example.com/hello").stdout
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(path.encode())
        ours.shutdown(socket.SHUT_WR)
        assert desk.run("acrun", stdin=theirs.fileno()).code == 9


def test_with_an_image_argument_standard_input_is_not_read(desk: Desk) -> None:
    desk.publish("example.com/cat", app_image("example.com/cat", ["/bin/probe", "exit", "3"]))
    assert desk.shell("acfetch --quiet example.com/cat > images").code == 0
    ended = desk.shell("printf 'one\\ntwo\\n' | { acrun $(cat images); echo $?; cat; }")
    assert ended.stdout == "3\none\ntwo\n"


def test_the_app_has_standard_input_only_when_asked_for(desk: Desk) -> None:
    from tests.support.desk import userland

    desk.publish("example.com/cat", app_image("example.com/cat", ["/bin/cat"], userland("cat")))
    assert desk.shell("acfetch --quiet example.com/cat > images").code == 0
    assert desk.shell("echo typed | acrun $(cat images)").stdout == ""
    assert desk.shell("echo typed | acrun -i $(cat images)").stdout == "typed\n"
    assert desk.shell("echo typed | acrun --interactive example.com/cat").stdout == "typed\n"


def test_closed_descriptors_are_nobody_s_stdout(desk: Desk) -> None:
    desk.publish("example.com/hello", app_image(words=["/bin/probe", "write", "out", "err", "4"]))
    assert desk.shell("acfetch --quiet example.com/hello > images").code == 0
    assert desk.shell("acrun $(cat images) <&- >&- 2>&-; echo $?").stdout == "4\n"
    files = [path for path in desk.store.rglob("*") if path.is_file() and path.name not in ("hello.log",)]
    assert not [path for path in files if path.read_bytes() in (b"out", b"err", b"outerr")]


def test_a_reader_that_leaves_ends_acfetch_quietly(desk: Desk) -> None:
    desk.publish("example.com/hello", app_image())
    ended = desk.shell("{ acfetch --quiet example.com/hello; echo $? >&2; } | true")
    assert ended.stderr in ("0\n", "141\n")
    ended = desk.shell("acfetch images --json | head -c 1; acrun list | head -c 1; acrun --help | head -c 1")
    assert (ended.stdout, ended.stderr) == ("{UU", "")


def test_a_file_never_shadows_a_name(desk: Desk) -> None:
    desk.publish("example.com/hello", app_image(words=["/bin/probe", "exit", "5"]))
    assert desk.shell("acfetch --quiet example.com/hello").code == 0
    (desk.path / "example.com").mkdir()
    (desk.path / "example.com" / "hello").write_bytes(app_image(words=["/bin/probe", "exit", "6"]))
    assert desk.shell("acrun example.com/hello").code == 5
    assert desk.shell("acrun ./example.com/hello").code == 6


def test_an_image_whose_name_is_a_subcommand(desk: Desk) -> None:
    Path(desk.path, "list.aci").write_bytes(app_image("list", ["/bin/probe", "exit", "8"]))
    assert desk.shell("acfetch --quiet --insecure-options=image ./list.aci").code == 0
    assert desk.shell("acrun run list").code == 8
    assert desk.shell("acrun list").stdout.splitlines()[0].split()[0] == "UUID"
    assert_refused(desk.shell("acfetch fetch list"), 69, "list", "acfetch")
