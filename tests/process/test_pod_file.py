"""`acrun --pod FILE`: a pod manifest in place of images, completed by the store and the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from acspec.schema import find_faults
from tests.support.desk import Desk, app_image, app_manifest, assert_refused, userland
from tests.support.images import image

SHELL = ["/bin/sh", "-c"]


@pytest.fixture
def stored(desk: Desk) -> Desk:
    """Return a desk whose store holds a shell with a mount point, in two versions, and a probe."""
    for version in ("1.0.0", "2.0.0"):
        labels = [*json.loads(app_manifest())["labels"], {"name": "version", "value": version}]
        app = {"mountPoints": [{"name": "data", "path": "/data"}], "environment": [{"name": "VERSION", "value": version}]}
        manifest = app_manifest("example.com/sh", [*SHELL, "echo $VERSION"], app=app, labels=labels)
        (desk.path / "sh.aci").write_bytes(image(userland("sh", "cat", "echo", "ls", "id"), manifest))
        assert desk.run("acfetch", "--quiet", "--insecure-options=image", "./sh.aci").code == 0
    (desk.path / "probe.aci").write_bytes(app_image("example.com/probe"))
    assert desk.run("acfetch", "--quiet", "--insecure-options=image", "./probe.aci").code == 0
    return desk


def image_id(desk: Desk, name: str) -> str:
    rows = [json.loads(line) for line in desk.run("acfetch", "images", "list", "--json").stdout.splitlines()]
    (found,) = {row["id"] for row in rows if row["name"] == name}
    assert isinstance(found, str)
    return found


def write(desk: Desk, *apps: dict[str, Any], **pod: Any) -> str:
    manifest = {"acKind": "PodManifest", "acVersion": "0.8.11", "apps": list(apps), **pod}
    (desk.path / "pod.json").write_text(json.dumps(manifest))
    return "pod.json"


def named(name: str, **labels: str) -> dict[str, Any]:
    return {"name": name, "labels": [{"name": key, "value": value} for key, value in labels.items()]}


def shell(name: str, script: str, **app: Any) -> dict[str, Any]:
    body = {"exec": [*SHELL, script], "user": "0", "group": "0", **app}
    return {"name": name, "image": named("example.com/sh", version="2.0.0"), "app": body}


def manifest_of(desk: Desk) -> dict[str, Any]:
    (place,) = (desk.store / "pods" / "run").iterdir()
    value: dict[str, Any] = json.loads((place / "pod").read_text())
    return value


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
def test_an_image_is_found_by_name_and_labels_and_runs_as_it_wants(stored: Desk, version: str) -> None:
    pod = write(stored, {"name": "one", "image": named("example.com/sh", version=version)})
    ended = stored.run("acrun", "--quiet", "--pod", pod)
    assert (ended.code, ended.stdout, ended.stderr) == (0, f"{version}\n", "")


def test_the_pod_that_runs_is_reified_and_keeps_what_the_file_says(stored: Desk) -> None:
    app = shell("one", "id -u; ls -d /data", user="7", mountPoints=[{"name": "data", "path": "/data"}])
    app |= {"readOnlyRootFS": True, "annotations": [{"name": "example.com/why", "value": "a test"}]}
    volumes = [{"name": "data", "kind": "empty", "mode": "0700", "uid": 7}]
    annotations = [{"name": "ip-address", "value": "10.1.2.3"}]
    pod = write(stored, app, volumes=volumes, annotations=annotations, userLabels={"a": "b"}, extra={"kept": 1})
    typed = ("--annotation", "ip-address=10.9.9.9", "--annotation", "example.com/owner=ann")
    ended = stored.run("acrun", *typed, "--pod", pod)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "7\n/data\n", "")
    found = manifest_of(stored)
    assert find_faults(found, "PodManifest", "pod") == []
    annotations = [{"name": "ip-address", "value": "10.9.9.9"}, {"name": "example.com/owner", "value": "ann"}]
    assert (found["annotations"], found["userLabels"], found["extra"]) == (annotations, {"a": "b"}, {"kept": 1})
    (reified,) = found["apps"]
    assert reified["image"]["id"].startswith("sha512-")
    assert (reified["readOnlyRootFS"], reified["annotations"]) == (True, app["annotations"])
    assert reified["mounts"] == [{"volume": "data", "path": "/data"}]


def test_several_apps_share_what_they_mount_and_an_app_s_own_volume_is_its_own(stored: Desk) -> None:
    own = {"name": "own", "kind": "empty"}
    first = shell("first", "ls -d /data /own; echo said > /data/x")
    first["mounts"] = [{"volume": "shared", "path": "/data"}, {"volume": "shared", "path": "/own", "appVolume": own}]
    # A file is there before anything is in it.
    second = shell("second", "while ! read -r line < /data/x; do :; done 2> /dev/null; echo $line; ls /data")
    second["mounts"] = [{"volume": "shared", "path": "/data"}]
    pod = write(stored, first, second, volumes=[{"name": "shared", "kind": "empty"}])
    ended = stored.run("acrun", "--pod", pod)
    assert (ended.code, ended.stderr) == (0, "")
    assert sorted(line.rpartition(" | ")[2] for line in ended.stdout.splitlines()) == ["/data", "/own", "said", "x"]
    assert [volume["name"] for volume in manifest_of(stored)["volumes"]] == ["shared", "first-shared"]


def test_the_command_line_completes_a_file_from_standard_input(stored: Desk) -> None:
    (stored.path / "here").mkdir()
    (stored.path / "here" / "file").touch()
    app = shell("one", "ls /data; ls /more", mountPoints=[{"name": "data", "path": "/data"}])
    pod = write(stored, app, volumes=[{"name": "data", "kind": "empty"}])
    options = "--volume data,source=here --volume more,source=here --mount volume=more,target=/more --name p --rm"
    ended = stored.shell(f"cat {pod} | acrun {options} --pod -")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "file\nfile\n", "")


def test_a_pod_from_a_file_can_be_prepared(stored: Desk) -> None:
    ended = stored.run("acrun", "prepare", "--pod", write(stored, shell("one", "echo now")))
    assert ended.code == 0
    assert stored.run("acrun", "run-prepared", ended.stdout.strip()).stdout == "now\n"


def test_a_missing_volume_is_told_as_on_the_command_line(stored: Desk) -> None:
    pod = write(stored, {"name": "one", "image": named("example.com/sh")})
    ended = stored.run("acrun", "--pod", pod)
    assert ended.stderr.startswith("acrun: one: mount point data (/data) gets an empty volume of its own")
    assert_refused(stored.run("acrun", "--strict", "--pod", pod), 125, "one: mount point data: no volume was given for it", "acrun")


def test_an_image_that_its_id_does_not_name_is_refused(stored: Desk) -> None:
    identifier = image_id(stored, "example.com/probe")
    pod = write(stored, {"name": "one", "image": {"id": identifier, "name": "example.com/sh"}})
    words = "app one: image.id is that of example.com/probe, not of example.com/sh"
    assert_refused(stored.run("acrun", "--pod", pod), 125, words, "acrun")
    assert stored.run("acrun", "--pod", write(stored, {"name": "one", "image": {"id": identifier}})).code == 0


BAD: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "pod.json:1:2: not JSON"),
    "an image manifest": ({"acKind": "ImageManifest", "acVersion": "0.8.11"}, "pod.json: acKind"),
    "no apps": ({"acKind": "PodManifest", "acVersion": "0.8.11", "apps": []}, "pod.json: apps: the pod has no app"),
    "an image that is not there": ([{"name": "a", "image": {"name": "example.com/none"}}], "example.com/none: "),
    "an image without name and ID": ([{"name": "a", "image": {}}], "pod.json: apps[0].image.id: is required"),
    "a name that is none": ([{"name": "a", "image": {"name": "Ex ample"}}], "pod.json: apps[0].image.name"),
    "two apps of one name": ([{"name": "a", "image": {"name": "example.com/sh"}}] * 2, "pod.json: apps[1]: a second"),
    "a mount of no volume": (
        [{"name": "a", "image": {"name": "example.com/sh"}, "mounts": [{"volume": "none", "path": "/x"}]}],
        "a: mount none: no volume has this name",
    ),
    "a nested list": ("[" * 100, "pod.json: "),
    "too much": (" " * (1 << 20) + "{}", "pod.json: "),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_in_one_line(stored: Desk, case: str) -> None:
    content, words = BAD[case]
    pod = {"acKind": "PodManifest", "acVersion": "0.8.11", "apps": content} if isinstance(content, list) else content
    (stored.path / "pod.json").write_text(pod if isinstance(pod, str) else json.dumps(pod))
    assert_refused(stored.run("acrun", "--pod", "pod.json"), 125, words, "acrun")
    assert not list((stored.store / "pods").glob("*/*"))


NONSENSE = {
    "an image beside it": (("--pod", "pod.json", "./probe.aci"), "./probe.aci: is one image too many"),
    "standard input twice": (("--pod", "-", "--interactive"), "standard input holds the pod manifest"),
    "nothing on standard input": (("--pod", "-"), "--pod -: nothing is on standard input"),
    "a file that is not there": (("--pod", "none.json"), "none.json: no such file"),
    "a directory": (("--pod", "."), ".: "),
}


@pytest.mark.parametrize("case", NONSENSE)
def test_what_makes_no_sense_with_a_file_is_refused(stored: Desk, case: str) -> None:
    words, said = NONSENSE[case]
    write(stored, shell("one", "echo"))
    assert_refused(stored.run("acrun", *words), 125, said, "acrun")
    assert not Path(stored.store / "pods" / "run").exists()
