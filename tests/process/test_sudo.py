"""`acfetch x | sudo acrun`: two users, two stores; what an ordinary user owns is hashed while it is rendered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.ann import Ann
from tests.support.desk import Desk, app_image, userland
from tests.support.machine import programs_directory

BASE = {**userland("sh", "cat"), "etc": None, "etc/word": b"of-the-base\n"}


def _publish(desk: Desk) -> None:
    desk.publish("example.com/base", app_image("example.com/base", ["/bin/true"], BASE))
    words = ["/bin/sh", "-c", "cat /etc/word /etc/own; exit 6"]
    desk.publish("example.com/hello", app_image(words=words, files={"etc": None, "etc/own": b"own\n"}, dependencies=[
        {"imageName": "example.com/base"},
    ]))  # fmt: skip


def _tamper(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert data.count(old) == 1
    path.chmod(0o644)
    path.write_bytes(data.replace(old, new))


def test_the_programs_are_typed_as_they_are(ann: Ann) -> None:
    assert ann.shell("id -u; sudo id -u").stdout == f"{ann.desk.machine.uid}\n0\n"


def test_root_runs_what_the_user_fetched_with_what_it_depends_on(ann: Ann) -> None:
    _publish(ann.desk)
    ended = ann.shell("acfetch --quiet example.com/hello | sudo acrun")
    assert (ended.code, ended.stdout, ended.stderr) == (6, "of-the-base\nown\n", "")
    assert sorted(path.suffix for path in ann.images.iterdir()) == [".aci", ".aci", ".asc", ".asc", ".json", ".json"]
    assert {path.stat().st_uid for path in ann.images.iterdir()} == {ann.desk.machine.uid}
    assert not (ann.home / ".local/share/appc/pods").exists()


def test_each_has_a_store_and_pods_of_their_own(ann: Ann) -> None:
    _publish(ann.desk)
    assert ann.shell("acfetch --quiet example.com/hello | sudo acrun").code == 6
    assert len(ann.shell("acfetch images").stdout.splitlines()) == 2
    assert ann.shell("sudo acfetch images").stdout == ""
    rows = [json.loads(line) for line in ann.shell("sudo acrun list --json").stdout.splitlines()]
    assert [row["state"] for row in rows] == ["exited"]
    assert ann.shell("acrun list --json").stdout == ""
    assert ann.shell(f"acrun status {rows[0]['uuid']}").code == 66
    assert ann.shell("sudo acrun gc --grace-period 0").stdout == f"pod {rows[0]['uuid']}\n"


def test_root_does_not_look_into_the_user_s_store_for_a_name(ann: Ann) -> None:
    _publish(ann.desk)
    assert ann.shell("acfetch --quiet example.com/hello").code == 0
    ended = ann.shell("sudo acrun example.com/hello")
    assert (ended.code, ended.stdout) == (125, "")
    assert "not in the store /var/lib/appc" in ended.stderr


@pytest.mark.parametrize("victim", ["the image", "its dependency"])
def test_what_the_user_changed_in_the_store_is_not_run(ann: Ann, victim: str) -> None:
    _publish(ann.desk)
    fetched = ann.shell("acfetch --quiet example.com/hello").stdout.strip()
    image = ann.images / Path(fetched).name
    base = next(path for path in ann.images.glob("*.aci") if path.name != image.name)
    if victim == "the image":
        _tamper(image, b"own\n", b"bad\n")
    else:
        _tamper(base, b"of-the-base\n", b"of-somebody\n")
    ended = ann.shell(f"echo {fetched} | sudo acrun")
    assert (ended.code, ended.stdout) == (125, "")
    assert "its content is not that of sha512-" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("victim", ["the image", "its dependency"])
def test_what_the_user_changes_after_a_run_is_not_run_either(ann: Ann, victim: str) -> None:
    _publish(ann.desk)
    line = "acfetch --quiet example.com/hello > fetched; sudo acrun < fetched"
    assert ann.shell(line).stdout == "of-the-base\nown\n"
    image = ann.images / Path((ann.home / "fetched").read_text().strip()).name
    base = next(path for path in ann.images.glob("*.aci") if path.name != image.name)
    if victim == "the image":
        _tamper(image, b'"/bin/sh"', b'"/bin/no"')
    else:
        _tamper(base, b"of-the-base\n", b"of-somebody\n")
    again = ann.shell("sudo acrun < fetched")
    assert (again.code, again.stdout) in ((6, "of-the-base\nown\n"), (125, ""))
    assert len(again.stderr.splitlines()) == (again.code == 125)
    (ann.home / "fetched").unlink()


def test_the_same_user_runs_it_without_sudo_as_well(ann: Ann) -> None:
    _publish(ann.desk)
    ended = ann.shell("acfetch --quiet example.com/hello | acrun")
    assert (ended.code, ended.stdout, ended.stderr) == (6, "of-the-base\nown\n", "")


def test_the_demo_tells_an_ordinary_user_what_to_type(ann: Ann) -> None:
    from tests.support.machine import ROOT

    ended = ann.shell(f"{programs_directory()}/python {ROOT}/examples/demo/demo.py")
    assert (ended.code, ended.stdout) == (1, "")
    assert ended.stderr.startswith("demo: a machine of its own takes root; type:  sudo ")
