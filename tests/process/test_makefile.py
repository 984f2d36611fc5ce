"""The example with a Makefile: built, validated and run by make, twice the same, and nothing left of what is not valid."""

from __future__ import annotations

import shutil

import pytest

from tests.support.desk import Desk
from tests.support.gpg import make_signer
from tests.support.machine import ROOT


def _copy(desk: Desk, name: str = "hello") -> None:
    shutil.copytree(ROOT / "examples" / "hello", desk.path / name, ignore=shutil.ignore_patterns("*.aci", "layout", ".gitignore"))


def test_make_builds_and_validates_and_then_has_nothing_to_do(plain_desk: Desk) -> None:
    _copy(plain_desk)
    first = plain_desk.shell("make -C hello --no-print-directory")
    assert first.code == 0, first.stderr
    assert first.stderr == ""
    assert plain_desk.shell("actool validate --strict hello/hello.aci").code == 0
    assert "Nothing to be done" in plain_desk.shell("make -C hello --no-print-directory").stdout


def test_the_same_sources_give_the_same_bytes_whatever_the_umask(plain_desk: Desk) -> None:
    _copy(plain_desk, "one")
    _copy(plain_desk, "two")
    assert plain_desk.shell("make -C one -s && touch two/* && umask 077 && make -C two -s").code == 0
    assert (plain_desk.path / "one" / "hello.aci").read_bytes() == (plain_desk.path / "two" / "hello.aci").read_bytes()


def test_a_change_of_a_source_gives_another_image(plain_desk: Desk) -> None:
    _copy(plain_desk)
    before = plain_desk.shell("make -s -C hello id").stdout
    assert before.startswith("sha512-")
    source = plain_desk.path / "hello" / "hello"
    source.write_text(source.read_text() + "exit 3\n")
    assert plain_desk.shell("make -s -C hello id").stdout not in (before, "")


def test_make_removes_an_image_that_is_not_valid(plain_desk: Desk) -> None:
    _copy(plain_desk)
    manifest = plain_desk.path / "hello" / "manifest"
    manifest.write_text(manifest.read_text().replace('"user": "root",', ""))
    ended = plain_desk.shell("make -s -C hello")
    assert ended.code == 2
    assert "app.user" in ended.stderr.splitlines()[0]
    assert not (plain_desk.path / "hello" / "hello.aci").exists()


@pytest.mark.privileged
def test_make_run_runs_it_and_knows_how_it_ended(plain_desk: Desk) -> None:
    _copy(plain_desk)
    ended = plain_desk.shell("make -s -C hello run ARGS='one two'")
    assert (ended.code, ended.stdout) == (0, "Hello from the pod hello, as root.\nArguments: one two\n")
    source = plain_desk.path / "hello" / "hello"
    source.write_text(source.read_text() + "exit 3\n")
    ended = plain_desk.shell("make -s -C hello run")
    assert ended.code == 2
    assert "Error 3" in ended.stderr


def test_make_sign_signs_it_once(key_desk: Desk) -> None:
    _copy(key_desk)
    signer = make_signer(key_desk.path / ".gnupg", "Maker <maker@example.com>")
    assert key_desk.shell("make -s -C hello sign").code == 0
    (key_desk.path / "maker.asc").write_bytes(signer.public)
    assert key_desk.shell("actool verify --key maker.asc hello/hello.aci").code == 0
    assert key_desk.shell("make -C hello sign --no-print-directory").stdout == "make: Nothing to be done for 'sign'.\n"
