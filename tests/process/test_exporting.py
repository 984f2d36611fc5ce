"""`acrun export`, as typed: what an app left becomes an image that can be validated, and run."""

from __future__ import annotations

import json
import os

import pytest

from tests.support.desk import Desk, app_image, assert_refused, snapshot, userland

APPLETS = ("sh", "echo", "rm", "ln", "cat", "ls", "sleep", "mkdir")


@pytest.fixture
def shelf(shelf: Desk) -> Desk:
    """Return the shelf with a file more in its shell, and a pod of that which has ended and kept its files: `kept`."""
    files = {**userland(*APPLETS), "etc": None, "etc/old": b"old\n"}
    (shelf.path / "sh.aci").write_bytes(app_image("example.com/sh", ["/bin/sh", "-c"], files))
    script = "rm /etc/old; echo new > /etc/new; mkdir /made; echo $0 > /made/argument"
    ended = shelf.run("acrun", "--keep", "--name", "kept", "./sh.aci", "--env", "WORD=x", "--", script, "argument")
    assert (ended.code, ended.stderr) == (0, "")
    return shelf


def test_what_an_app_left_is_an_image_that_runs(shelf: Desk) -> None:
    ended = shelf.run("acrun", "export", "--print-id", "kept", "new.aci")
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout == shelf.run("actool", "id", "new.aci").stdout
    assert shelf.run("actool", "validate", "new.aci").code == 0
    names = shelf.run("actool", "ls", "new.aci").stdout.split()
    assert {"rootfs/etc/new", "rootfs/made/argument", "rootfs/bin/busybox"} <= set(names)
    assert "rootfs/etc/old" not in names
    ran = shelf.run("acrun", "./new.aci", "--", "cat /etc/new; echo $WORD; ls /etc/old")
    assert ran.stdout == "new\n\n"
    assert ran.code == 1


def test_files_about_the_pod_s_own_name_stay_unless_the_app_has_changed_them(shelf: Desk) -> None:
    assert shelf.run("acrun", "export", "kept", "new.aci").code == 0
    assert not {"rootfs/etc/hosts", "rootfs/etc/hostname"} & set(shelf.run("actool", "ls", "new.aci").stdout.split())
    assert shelf.run("acrun", "--hostname", "other", "./new.aci", "--", "cat /etc/hostname").stdout == "other\n"
    script = "echo more >> /etc/hosts; ln /etc/hostname /etc/second"
    assert shelf.run("acrun", "--keep", "--name", "changed", "./new.aci", "--", script).code == 0
    assert shelf.run("acrun", "export", "changed", "changed.aci").code == 0
    assert {"rootfs/etc/hosts", "rootfs/etc/hostname"} <= set(shelf.run("actool", "ls", "changed.aci").stdout.split())
    assert shelf.run("actool", "validate", "changed.aci").code == 0


def test_the_manifest_is_the_image_s(shelf: Desk) -> None:
    assert shelf.run("acrun", "export", "kept", "new.aci").code == 0
    assert shelf.shell("for i in sh new; do actool cat-manifest $i.aci > $i; done; cmp sh new").code == 0


def test_the_app_is_as_it_ran_when_that_is_asked_for(shelf: Desk) -> None:
    assert shelf.run("acrun", "export", "--as-run", "kept", "new.aci").code == 0
    old, new = (json.loads(shelf.run("actool", "cat-manifest", name).stdout) for name in ("sh.aci", "new.aci"))
    assert {key: value for key, value in new.items() if key != "app"} == {key: value for key, value in old.items() if key != "app"}
    assert new["app"]["exec"][-1] == "argument"
    assert new["app"]["environment"] == [{"name": "WORD", "value": "x"}]


def test_the_same_files_are_the_same_bytes_whatever_the_backend_or_the_pipe(shelf: Desk) -> None:
    line = "acrun export kept a.aci && acrun export kept b.aci && acrun export kept - > c.aci && cmp a.aci b.aci && cmp a.aci c.aci"
    ended = shelf.shell(line)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
    plain = shelf.shell("acrun export --compression none --print-id kept plain.aci; actool id a.aci").stdout.split()
    assert plain[0] == plain[1]
    assert (shelf.path / "plain.aci").stat().st_size > (shelf.path / "a.aci").stat().st_size


def test_dependencies_are_part_of_what_is_exported(desk: Desk) -> None:
    desk.publish("example.com/base", app_image("example.com/base", files=userland(*APPLETS)))
    changes = {"dependencies": [{"imageName": "example.com/base"}], "pathWhitelist": ["/bin/sh", "/bin/busybox", "/f"]}
    desk.publish("example.com/top", app_image("example.com/top", ["/bin/sh", "-c", "exit 0"], {"f": b"x"}, **changes))
    assert desk.shell("acfetch --quiet example.com/top | acrun --keep --name kept -").code == 0
    assert desk.shell("acrun export kept new.aci").code == 0
    manifest = json.loads(desk.run("actool", "cat-manifest", "new.aci").stdout)
    assert not {"dependencies", "pathWhitelist"} & manifest.keys()
    names = desk.run("actool", "ls", "new.aci").stdout.split()
    assert "rootfs/bin/sh" in names
    assert "rootfs/bin/cat" not in names


def test_volumes_are_no_part_of_it(shelf: Desk) -> None:
    words = ("--keep", "--name", "v", "--volume", "v,kind=empty", "--mount", "volume=v,target=/v", "./sh.aci", "--")
    assert shelf.run("acrun", *words, "echo x > /v/file").code == 0
    assert shelf.run("acrun", "export", "v", "v.aci").code == 0
    names = shelf.run("actool", "ls", "v.aci").stdout.split()
    assert "rootfs/v" in names
    assert "rootfs/v/file" not in names


REFUSALS = {
    "a name that is not that of an image": ("kept new.tar", 2, "new.tar: the name of an image must end in .aci"),
    "an image that is there": ("kept sh.aci", 73, "sh.aci: already exists (--overwrite replaces it)"),
    "a pod that is not there": ("nobody new.aci", 66, "nobody: no such pod"),
    "an app that is not there": ("--app other kept new.aci", 66, "other: no such app in this pod (sh)"),
    "a directory that is not there": ("kept none/new.aci", 73, "none/new.aci: cannot be created"),
}


def test_what_cannot_be_exported_is_refused_and_nothing_is_left(shelf: Desk) -> None:
    before = snapshot(shelf.path)
    for words, code, said in REFUSALS.values():
        assert_refused(shelf.run("acrun", "export", *words.split()), code, said, "acrun")
    assert snapshot(shelf.path) == before


def test_files_that_went_with_the_pod_cannot_be_exported(shelf: Desk) -> None:
    assert shelf.run("acrun", "--name", "gone", "./sh.aci", "--", "echo").code == 0
    words = "gone: its files went when it ended (acrun run --keep keeps them)"
    assert_refused(shelf.run("acrun", "export", "gone", "new.aci"), 66, words, "acrun")
    assert not os.path.exists(shelf.path / "new.aci")


def test_an_app_that_runs_is_not_exported_and_one_that_has_ended_beside_it_is(shelf: Desk) -> None:
    runs = ("./sh.aci", "--name", "runs", "--", "echo up; exec sleep 1000")
    words = (*runs, "---", "./sh.aci", "--name", "over", "--", "echo x > /x")
    with shelf.start("acrun", "--name", "two", "--grace-period", "0", *words) as acrun:
        assert acrun.stdout is not None
        assert acrun.stdout.readline().endswith("up\n")
        try:
            refused = shelf.run("acrun", "export", "--app", "runs", "two", "runs.aci")
            assert_refused(refused, 75, "its app runs runs: its files may change (acrun stop ends it)", "acrun")
            while '"exit"' not in shelf.run("acrun", "status", "--json", "two").stdout:
                pass
            assert shelf.run("acrun", "export", "--app", "over", "two", "over.aci").code == 0
            assert "rootfs/x" in shelf.run("actool", "ls", "over.aci").stdout.split()
        finally:
            acrun.terminate()
            acrun.wait()


def test_an_image_is_replaced_only_when_that_is_asked_for(shelf: Desk) -> None:
    (shelf.path / "new.aci").write_text("old")
    assert shelf.run("acrun", "export", "--overwrite", "kept", "new.aci").code == 0
    assert shelf.run("actool", "validate", "new.aci").code == 0
