"""The pod directory as stage1 reads it: what stage0 has validated is checked again as far as stage1 relies on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from acspec.errors import FormatError
from acstage1.pod import PodDirectory
from tests.support.poddirs import AppSpec, write_pod

EMPTY = {"name": "data", "kind": "empty"}


def read(tmp_path: Path, app: AppSpec, own: tuple[dict[str, Any], ...] = (EMPTY,), **settings: Any) -> PodDirectory:
    return PodDirectory(str(write_pod(tmp_path, tmp_path, {"app": app}, manifest={"volumes": list(own)}, **settings)))


def mounts(*paths: str) -> dict[str, Any]:
    return {"mounts": [{"volume": "data", "path": path} for path in paths]}


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    pod = read(tmp_path, AppSpec(["/x"]), hostname=None, gracePeriod=None)
    assert (pod.hostname, pod.grace_period, pod.log, pod.remove, pod.strict) == ("appc", 10, "file", False, False)
    (app,) = pod.apps
    assert (app.working_directory, app.gids, app.read_only_rootfs, app.stdin, app.backend) == ("/", (), False, False, "overlay")


def test_no_grace_is_no_grace(tmp_path: Path) -> None:
    assert read(tmp_path, AppSpec(["/x"]), gracePeriod=0).grace_period == 0


def test_mounts_come_from_the_outside_in_and_are_read_only_when_the_volume_or_the_point_is(tmp_path: Path) -> None:
    point = {"name": "p", "path": "/a//b/", "readOnly": True}
    (app,) = read(tmp_path, AppSpec(["/x"], {"mountPoints": [point]}, mounts("/a/b", "/c"))).apps
    assert [(mount.path, mount.read_only) for mount in app.mounts] == [("/c", False), ("/a/b", True)]


REFUSED: dict[str, tuple[AppSpec, dict[str, Any], str]] = {
    "another version": (AppSpec(["/x"]), {"version": 3}, "stage1.json: version: this stage1 knows versions 1 and 2"),
    "a network it does not know": (AppSpec(["/x"]), {"network": "host"}, "stage1.json: network: "),
    "an id map": (AppSpec(["/x"]), {"idMap": [[0, 100000, 65536]]}, "stage1.json: idMap: "),
    "a file that is not in etc": (AppSpec(["/x"]), {"files": {"/etc/../root/x": ""}}, "stage1.json: files: has a path"),
    "a file of a directory in etc": (AppSpec(["/x"]), {"files": {"/etc/a/b": ""}}, "stage1.json: files: has a path"),
    "a file that is all of etc": (AppSpec(["/x"]), {"files": {"/etc/": ""}}, "stage1.json: files: has a path"),
    "a size for no name of a volume": (AppSpec(["/x"]), {"volumes": {"../v": {"size": 4096}}}, "volumes"),
    "a size of nothing": (AppSpec(["/x"]), {"volumes": {"v": {"size": 0}}}, "stage1.json: volumes.v.size: "),
    "a log it does not know": (AppSpec(["/x"]), {"log": "journal"}, "stage1.json: log: is neither file nor none"),
    "a cgroup outside of every hierarchy": (AppSpec(["/x"]), {"cgroupParent": "a/../../b"}, "stage1.json: cgroupParent: holds"),
    "no program": (AppSpec([]), {}, r"pod: apps\[0\].app.exec: names no program"),
    "a zero byte": (AppSpec(["/x\0y"]), {}, r"pod: apps\[0\].app.exec\[0\]: holds a zero byte"),
    "more groups than a process can have": (
        AppSpec(["/x"], {"supplementaryGIDs": list(range(65537))}), {}, "supplementaryGIDs: are more than the 65536 groups"
    ),
    "a group that is no number": (AppSpec(["/x"], {"supplementaryGIDs": ["0"]}), {}, r"supplementaryGIDs\[0\]: is not a whole"),
    "a volume that there is not": (
        AppSpec(["/x"], runtime={"mounts": [{"volume": "other", "path": "/a"}]}), {}, "is none of the pod's volumes",
    ),
    "two mounts in one place": (AppSpec(["/x"], runtime=mounts("/a", "/a/")), {}, r"pod: apps\[0\].mounts: two mounts"),
    "a mount on the root": (AppSpec(["/x"], runtime=mounts("//")), {}, "or one has the root's"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_stage1_could_not_do_as_asked_is_refused_with_its_place(tmp_path: Path, sentence: str) -> None:
    app, settings, words = REFUSED[sentence]
    with pytest.raises(FormatError, match=words):
        read(tmp_path, app, **settings)


def test_an_app_that_stage1_json_does_not_have_is_refused(tmp_path: Path) -> None:
    path = write_pod(tmp_path, tmp_path, {"app": AppSpec(["/x"])})
    (path / "stage1.json").write_text(json.dumps({"version": 1, "apps": {}}))
    with pytest.raises(FormatError, match=r"stage1.json: apps.app: is required"):
        PodDirectory(str(path))


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".", "A"])
def test_names_that_are_no_names_of_files_lead_nowhere(tmp_path: Path, name: str) -> None:
    path = write_pod(tmp_path, tmp_path, {"app": AppSpec(["/x"])})
    document = json.loads((path / "pod").read_text())
    document["apps"][0]["name"] = name
    (path / "pod").write_text(json.dumps(document))
    with pytest.raises(FormatError, match="not an AC Name"):
        PodDirectory(str(path))
