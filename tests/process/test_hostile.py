"""Archives that are hostile or broken, each signed by a trusted key all the same: one line, one code, nothing left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.desk import Desk, assert_refused, snapshot
from tests.support.hostile import ALL, ESCAPES
from tests.support.images import Files, manifest_bytes, write_image


@pytest.mark.parametrize("case", ALL)
def test_what_acfetch_refuses_leaves_the_store_as_it_was(stocked_desk: Desk, case: str) -> None:
    desk = stocked_desk
    before = snapshot(desk.store)
    make, words = ALL[case]
    path = desk.publish("example.com/hello", make())
    ended = desk.shell("acfetch example.com/hello")
    assert_refused(ended, 65, words, "acfetch")
    assert f"https://example.com/{path}: " in ended.stderr
    assert snapshot(desk.store) == before


def test_actool_finds_each_at_fault_in_a_line_of_its_own(plain_desk: Desk) -> None:
    names = {f"{number}.aci": case for number, case in enumerate(ALL)}
    for name, case in names.items():
        (plain_desk.path / name).write_bytes(ALL[case][0]())
    ended = plain_desk.run("actool", "validate", *names)
    assert (ended.code, ended.stdout) == (1, "")
    lines = dict(zip(names, ended.stderr.splitlines(), strict=True))
    for name, line in lines.items():
        assert line.startswith(f"actool: {name}: "), names[name]
        assert ALL[names[name]][1] in line, names[name]


@pytest.mark.parametrize("case", ALL)
def test_what_reads_an_image_says_of_each_what_validate_says(plain_desk: Desk, case: str) -> None:
    make, words = ALL[case]
    (plain_desk.path / "bad.aci").write_bytes(make())
    assert_refused(plain_desk.shell("cat bad.aci | actool cat - manifest"), 65, words, "actool")
    assert_refused(plain_desk.shell("cat bad.aci | actool diff - bad.aci"), 65, words, "actool")
    assert [path.name for path in plain_desk.path.iterdir()] == ["bad.aci"]


@pytest.mark.parametrize("case", ESCAPES)
def test_unpacking_writes_nothing_outside_and_keeps_nothing(plain_desk: Desk, case: str) -> None:
    make, words = ESCAPES[case]
    work = plain_desk.path / "a" / "b"
    work.mkdir(parents=True)
    (work / "bad.aci").write_bytes(make())
    before = snapshot(plain_desk.path)
    links = Path("/etc/passwd").stat().st_nlink
    assert_refused(plain_desk.shell("cd a/b && actool extract bad.aci out"), 65, words, "actool")
    assert_refused(plain_desk.shell("cd a/b && actool render bad.aci out"), 65, words, "actool")
    assert_refused(plain_desk.shell("cd a/b && actool render bad.aci out.aci"), 65, words, "actool")
    assert_refused(plain_desk.shell("cd a/b && acrun ./bad.aci"), 125, words, "acrun")
    after = {path: value for path, value in snapshot(plain_desk.path).items() if not path.startswith("data")}
    assert after == before
    assert Path("/etc/passwd").stat().st_nlink == links
    assert not os.path.lexists("/tmp/escaped")


@pytest.mark.parametrize("output", ["out", "out.aci"])
def test_layers_that_lead_out_of_each_other_write_nothing_outside(plain_desk: Desk, output: str) -> None:
    """Each image is good by itself: what one of them links to, another one wants to write into."""
    outside = plain_desk.path / "outside"
    outside.mkdir()
    wants = [{"imageName": "example.com/base"}]
    layers: dict[str, Files] = {
        "base": {"up": "../..", "away": str(outside), "f": "/etc/passwd"},
        "app": {"up/x": b"", "away/x": b"", "f/x": b""},
    }
    for name, files in layers.items():
        content = manifest_bytes(name=f"example.com/{name}", labels=[], dependencies=wants if name == "app" else [])
        write_image(plain_desk.path / f"{name}.aci", files, content)
    before = snapshot(plain_desk.path)
    ended = plain_desk.shell(f"actool render app.aci base.aci {output} && actool ls {output} | sort")
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.split() == [
        "manifest", "rootfs", "rootfs/away", "rootfs/away/x", "rootfs/f", "rootfs/f/x", "rootfs/up", "rootfs/up/x",
    ]  # fmt: skip
    assert {path: value for path, value in snapshot(plain_desk.path).items() if path.split("/")[0] != output} == before


def test_acrun_renders_nothing_of_an_image_that_turns_bad_at_its_end(desk: Desk) -> None:
    make, words = ALL["a gzip stream with a wrong checksum"]
    (desk.path / "bad.aci").write_bytes(make())
    assert_refused(desk.shell("acrun ./bad.aci"), 125, words, "acrun")
    left = (
        [path for path in snapshot(desk.store) if path.startswith(("trees/", "pods/run/", "tmp/"))] if desk.store.exists() else []
    )
    assert left == []
    assert desk.shell("acrun list").stdout.count("\n") == 1
