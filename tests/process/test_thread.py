"""The sentence the suite exists for, as typed: from a name, over discovery, https and a signature, to a running app."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acspec.labels import host_architecture
from tests.support.desk import Desk, app_image, app_manifest, probe_files, snapshot, userland
from tests.support.images import image
from tests.support.machine import ROOT, programs_directory
from tests.support.publisher import write_page


@pytest.mark.privileged
def test_the_demo_ends_with_the_app_s_own_words_and_leaves_nothing(tmp_path: Path) -> None:
    tmp_path = tmp_path / ("long-" * 20)  # longer than the name of a socket may be
    tmp_path.mkdir()
    before = Path("/etc/hosts").read_bytes()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    demo = [sys.executable, str(ROOT / "examples" / "demo" / "demo.py")]
    ended = subprocess.run(demo, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == 0, ended.stderr
    said = ended.stdout.partition("$ acfetch example.com/hello | acrun\n")[2].splitlines()
    assert said[0] == "Hello from a pod named hello, as root, with PID 2."
    assert said[1].startswith("The root holds: bin ")
    assert said[2].split() == ["CapBnd:", "00000000a80425fb"]
    assert "Traceback" not in ended.stderr
    assert os.listdir(tmp_path) == []
    assert Path("/etc/hosts").read_bytes() == before
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def test_from_a_directory_to_a_running_app(desk: Desk) -> None:
    """Every step with the programs and gpg alone, and no step's result prepared by the tests."""
    assert desk.signer is not None
    layout = desk.path / "hello"
    (layout / "rootfs" / "bin").mkdir(parents=True)
    (layout / "rootfs" / "bin" / "probe").write_bytes(probe_files()["bin/probe"].data)
    (layout / "rootfs" / "bin" / "probe").chmod(0o755)
    (layout / "manifest").write_bytes(app_manifest(words=["/bin/probe", "write", "out\n", "err\n", "42"]))
    (desk.path / "key.asc").write_bytes(desk.signer.public)
    for path in (desk.path / "config").rglob("*.d/**/*"):
        if path.is_file():
            path.unlink()
    place = f"{desk.machine.site}/images/example.com/hello-latest-linux-{host_architecture()}.aci"
    steps = [
        "actool build hello hello.aci",
        "actool validate --strict hello.aci",
        f"gpg --homedir {desk.signer.home} --batch --quiet --armor --output hello.aci.asc --detach-sign hello.aci",
        f"mkdir {desk.machine.site}/images/example.com && cp hello.aci {place} && cp hello.aci.asc {place}.asc",
        "acfetch trust add --prefix example.com --yes key.asc",
    ]
    for step in steps:
        ended = desk.shell(step)
        assert ended.code == 0, f"{step}: {ended.stderr}"
    ended = desk.shell("acfetch example.com/hello | acrun")
    assert (ended.code, ended.stdout) == (42, "out\n")
    notes = ended.stderr.splitlines()
    assert len(notes) == 2
    assert f"signed by {desk.signer.fingerprint.lower()}" in notes[0]
    assert notes[1] == "err"
    shown = desk.shell("actool id hello.aci").stdout.strip()
    assert desk.shell("acfetch images").stdout.startswith(shown[:19])
    assert desk.shell("acfetch --quiet example.com/hello").stdout == f"{desk.store}/images/{shown}.aci\n"


def test_the_store_holds_the_tar_under_the_hash_that_is_its_name(desk: Desk) -> None:
    assert desk.signer is not None
    data = app_image()
    path = desk.publish("example.com/hello", data)
    stored = desk.shell("acfetch --quiet example.com/hello").stdout.strip()
    digest = desk.shell(f"sha512sum {stored}").stdout.split()[0]
    assert Path(stored).name == f"sha512-{digest}.aci"
    assert Path(stored).stat().st_mode & 0o777 == 0o444
    record = json.loads(Path(stored).with_suffix(".json").read_text())
    assert record["origin"] == f"https://example.com/{path}"
    assert record["servedSize"] == len(data)
    assert record["signer"] == desk.signer.fingerprint.lower()
    assert Path(stored).with_suffix(".asc").read_bytes() == (desk.machine.site / f"{path}.asc").read_bytes()


def test_paths_come_in_the_order_of_the_arguments(desk: Desk) -> None:
    for name in ("b", "a", "c"):
        desk.publish(f"example.com/{name}", app_image(f"example.com/{name}"))
    lines = desk.shell("acfetch --quiet --json example.com/b example.com/c example.com/a").stdout.splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["example.com/b", "example.com/c", "example.com/a"]


def test_discovery_walks_to_the_parent_and_takes_the_most_particular_page(desk: Desk) -> None:
    deep = desk.machine.site / "deep"
    write_page(deep, "example.com/deep", "https://example.com/other/{name}/{version}-{os}-{arch}.{ext}")
    data = app_image("example.com/deep/app/x", ["/bin/probe", "exit", "11"])
    path = desk.publish("example.com/deep/app/x", data)
    place = desk.machine.site / f"other/example.com/deep/app/x/latest-linux-{host_architecture()}.aci"
    place.parent.mkdir(parents=True)
    (desk.machine.site / path).rename(place)
    (desk.machine.site / f"{path}.asc").rename(f"{place}.asc")
    assert desk.shell("acfetch --quiet example.com/deep/app/x | acrun").code == 11
    pages = [line.partition("?")[0] for line in desk.machine.requests if "ac-discovery" in line]
    assert pages == ["example.com/deep/app/x", "example.com/deep/app", "example.com/deep"]


def test_a_version_and_labels_choose_the_image(desk: Desk) -> None:
    template = "https://example.com/images/{name}-{version}-{os}-{arch}.{ext}"
    write_page(desk.machine.site, "example.com", template)
    for version, code in (("1.0.0", "1"), ("2.0.0", "2")):
        labels = [{"name": "version", "value": version}, {"name": "os", "value": "linux"}]
        labels.append({"name": "arch", "value": host_architecture()})
        data = image(probe_files(), app_manifest(words=["/bin/probe", "exit", code], labels=labels))
        desk.publish("example.com/hello", data, version=version)
    assert desk.shell("acfetch --quiet example.com/hello:2.0.0 | acrun").code == 2
    assert desk.shell("acfetch --quiet example.com/hello,version=1.0.0 | acrun").code == 1
    assert desk.shell("acrun example.com/hello:2.0.0").code == 2
    assert desk.shell(f"acrun example.com/hello:1.0.0,arch={host_architecture()}").code == 1


def test_a_redirect_on_https_is_followed(desk: Desk) -> None:
    path = desk.publish("example.com/hello", app_image(words=["/bin/probe", "exit", "12"]))
    for ending in ("", ".asc"):
        (desk.machine.site / f"{path}{ending}").rename(desk.machine.site / f"moved.aci{ending}")
        desk.answer(f"{path}{ending}", location=f"https://www.example.com/moved.aci{ending}")
    assert desk.shell("acfetch --quiet example.com/hello | acrun").code == 12


BASE = {**userland("sh", "ls", "cat"), "srv": None, "srv/base": b"base\n", "srv/both": b"base\n", "srv/all": b"base\n"}
DATA = {"srv": None, "srv/data": b"data\n", "srv/both": b"data\n", "srv/all": b"data\n"}
OWN = {"srv": None, "srv/own": b"own\n", "srv/all": b"own\n"}
SHOW = ["/bin/sh", "-c", "ls /srv; cat /srv/both /srv/all"]


def _publish_layers(desk: Desk, **changes: Any) -> None:
    desk.publish("example.com/base", app_image("example.com/base", SHOW, BASE))
    desk.publish("example.com/data", app_image("example.com/data", SHOW, DATA))
    needed = [{"imageName": "example.com/base"}, {"imageName": "example.com/data"}]
    desk.publish("example.com/hello", app_image("example.com/hello", SHOW, OWN, dependencies=needed, **changes))


def test_dependencies_are_laid_over_each_other_in_order(desk: Desk) -> None:
    _publish_layers(desk)
    ended = desk.shell("acfetch --quiet example.com/hello | acrun")
    assert ended.stdout.split() == ["all", "base", "both", "data", "own", "data", "own"]
    assert len(desk.shell("acfetch images").stdout.splitlines()) == 3


def test_a_whitelist_leaves_nothing_else_of_the_image_and_what_it_depends_on(desk: Desk) -> None:
    _publish_layers(desk, pathWhitelist=["/bin/busybox", "/bin/sh", "/bin/ls", "/bin/cat", "/srv/both", "/srv/all", "/nope"])
    ended = desk.shell("acfetch --quiet example.com/hello | acrun")
    assert ended.stdout.split() == ["all", "both", "data", "own"]
    assert desk.shell("acrun example.com/hello --exec /bin/ls -- /bin").stdout.split() == ["busybox", "cat", "ls", "sh"]


def test_what_a_dependency_was_at_the_fetch_it_stays(desk: Desk) -> None:
    _publish_layers(desk)
    assert desk.shell("acfetch --quiet example.com/hello > images").code == 0
    newer = {**DATA, "srv/both": b"newer\n"}
    desk.publish("example.com/data", app_image("example.com/data", SHOW, newer))
    assert desk.shell("acfetch --quiet example.com/data").code == 0
    assert "newer" not in desk.shell("acrun < images").stdout
    assert desk.shell("acfetch --quiet example.com/hello | acrun").stdout.split()[-2:] == ["newer", "own"]


def test_running_changes_nothing_in_the_images(desk: Desk) -> None:
    _publish_layers(desk)
    assert desk.shell("acfetch --quiet example.com/hello > images").code == 0
    before = snapshot(desk.store / "images")
    assert desk.shell("acrun < images; acrun < images").code == 0
    assert snapshot(desk.store / "images") == before


def test_acfetch_copies_out_what_was_served(desk: Desk) -> None:
    data = app_image()
    path = desk.publish("example.com/hello", data)
    assert desk.shell("acfetch --quiet --output out.aci example.com/hello").code == 0
    assert (desk.path / "out.aci").read_bytes() == data
    assert (desk.path / "out.aci.asc").read_bytes() == (desk.machine.site / f"{path}.asc").read_bytes()


def test_the_programs_are_the_installed_ones() -> None:
    for name in ("actool", "acfetch", "acrun", "acstage1"):
        assert os.access(programs_directory() / name, os.X_OK)
