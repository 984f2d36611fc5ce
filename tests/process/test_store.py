"""One store between two programs: what acfetch removes and what acrun needs of it, as typed."""

from __future__ import annotations

import json
import os

import pytest

from tests.support.desk import Desk, app_image, assert_refused
from tests.support.stores import check_store, listed


@pytest.fixture
def aged(desk: Desk) -> Desk:
    """Return a desk whose store holds an image that needs another, both last used long ago."""
    desk.publish("example.com/base", app_image("example.com/base"))
    desk.publish("example.com/hello", app_image(dependencies=[{"imageName": "example.com/base"}]))
    assert desk.run("acfetch", "-q", "example.com/hello").code == 0
    grow_old(desk)
    return desk


def grow_old(desk: Desk) -> None:
    for record in (desk.store / "images").glob("*.json"):
        os.utime(record, (0, 0))


def test_what_a_pod_needs_stays_while_it_runs_and_until_it_is_removed(aged: Desk) -> None:
    both = listed(aged.store)
    with aged.start("acrun", "--name", "stay", "example.com/hello", "--", "trap", "0") as acrun:
        assert acrun.stdout is not None
        assert acrun.stdout.readline() == "waiting\n"
        grow_old(aged)
        assert aged.run("acfetch", "gc", "--keep-for", "0").stdout == ""
        assert_refused(aged.run("acfetch", "images", "rm", "example.com/hello"), 75, "is needed by pod ", "acfetch")
        assert aged.run("acrun", "stop", "stay").code == 0
        acrun.wait()
    assert aged.run("acfetch", "gc", "--keep-for", "0").stdout == ""
    assert check_store(aged.store) == both
    assert aged.run("acrun", "rm", "stay").code == 0
    assert aged.run("acfetch", "gc").stdout.count("\n") == 2
    assert listed(aged.store) == set()


def test_a_run_is_a_use_whether_it_is_the_first_or_from_notes(aged: Desk) -> None:
    both = listed(aged.store)
    while not (aged.store / "plans").exists():  # no note is made of files that are too young
        assert aged.run("acrun", "example.com/hello").code == 0
    for _ in ("from notes", "from notes again"):
        grow_old(aged)
        assert aged.run("acrun", "example.com/hello").code == 0
        assert aged.run("acrun", "gc", "--grace-period", "0").stdout.count("pod") >= 1
        assert aged.run("acfetch", "gc").stdout == ""
    assert check_store(aged.store) == both


def test_a_stage1_that_looks_finds_the_images_of_its_pod_kept(aged: Desk) -> None:
    """At the moment in which acrun becomes stage1 its locks are gone, and the pod names the images."""
    stage1 = aged.path / "stage1"
    stage1.write_text("#!/bin/sh\nacfetch gc --keep-for 0\nacfetch images rm example.com/hello 2>&1\necho ended $?\n")
    stage1.chmod(0o755)
    ended = aged.run("acrun", "--stage1", "./stage1", "example.com/hello")
    assert ended.stdout.splitlines()[-1] == "ended 75"
    assert "is needed by pod" in ended.stdout
    assert len(check_store(aged.store)) == 2


def image_id(aged: Desk, name: str) -> str:
    records = map(json.loads, aged.run("acfetch", "images", "--json").stdout.splitlines())
    (found,) = [record["id"] for record in records if record["name"] == name]
    return str(found)


def test_what_acfetch_prints_its_other_commands_take(aged: Desk) -> None:
    hello, base = image_id(aged, "example.com/hello"), image_id(aged, "example.com/base")
    ended = aged.shell("acfetch images rm $(acfetch -q example.com/hello)")
    assert (ended.code, ended.stdout.split()[1]) == (0, hello[:19])
    grow_old(aged)
    assert aged.run("acfetch", "gc").stdout.split()[1] == base[:19]


def test_an_image_travels_by_export_and_is_the_same(aged: Desk) -> None:
    hello = image_id(aged, "example.com/hello")
    ended = aged.shell("acfetch images export example.com/hello - | actool id -")
    assert (ended.code, ended.stdout) == (0, f"{hello}\n")
    assert aged.run("acfetch", "images", "export", "-q", "--compression", "xz", "example.com/hello", "out.aci").code == 0
    assert aged.run("actool", "id", "out.aci").stdout == f"{hello}\n"


def test_a_damaged_image_is_set_aside_and_comes_again(aged: Desk) -> None:
    path = aged.store / "images" / f"{image_id(aged, 'example.com/base')}.aci"
    os.truncate(path, path.stat().st_size - 512)
    assert aged.run("acfetch", "images", "verify").code == 1
    assert aged.run("acrun", "example.com/hello").code == 125
    assert aged.run("acfetch", "-q", "example.com/hello").code == 0
    assert aged.run("acfetch", "images", "verify").code == 0
    assert aged.run("acrun", "example.com/hello").code == 0
