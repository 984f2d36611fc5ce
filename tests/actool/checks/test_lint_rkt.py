"""What the last rkt refuses of manifests that the specification allows, and loses of files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from actool.checks.manifests import check_image_manifest, check_pod_manifest
from actool.checks.validate import validate
from tests.support import images
from tests.support.images import Node
from tests.support.lints import executable, in_bin, manifest, said


def _isolator(name: str, value: Any) -> bytes:
    return images.manifest_bytes(app={**images.MANIFEST["app"], "isolators": [{"name": name, "value": value}]})


def _created(value: str) -> bytes:
    return images.manifest_bytes(
        annotations=[{"name": "homepage", "value": "http://x.example/t"}, {"name": "created", "value": value}]
    )


REFUSED: dict[str, tuple[bytes, list[str]]] = {
    "a profile of AppArmor": (_isolator("os/linux/apparmor-profile", {"profile": "x"}), ["app.isolators[0].name"]),
    "the suffix K": (
        _isolator("resource/memory", {"request": "1K", "limit": "2K"}),
        [f"app.isolators[0].value.{key}" for key in ("request", "limit")],
    ),
    "other suffixes": (_isolator("resource/memory", {"request": "1k", "limit": "2Ki"}), []),
    "a number": (_isolator("resource/cpu", {"limit": 1}), []),
    "a time in lower case": (_created("2000-02-29t00:00:00Z"), ["annotations[1].value"]),
    "a leap second": (_created("2016-12-31T23:59:60Z"), ["annotations[1].value"]),
    "a time as most write it": (_created("2016-12-31T23:59:59.601+01:00"), []),
}


@pytest.mark.parametrize(("data", "places"), REFUSED.values(), ids=REFUSED)
def test_rkt_refuses_a_manifest_with(data: bytes, places: list[str]) -> None:
    _, found = check_image_manifest(data, "x")
    assert [diagnostic.place for diagnostic in found if diagnostic.rule == "rkt-refuses"] == places


def test_rkt_refuses_such_apps_of_pods_too() -> None:
    app = {
        "exec": ["/a"],
        "user": "0",
        "group": "0",
        "isolators": [{"name": "os/linux/apparmor-profile", "value": {"profile": "x"}}],
    }
    item = {"name": "a", "image": {"id": "sha512-" + "0" * 128}, "app": app}
    pod = {"acKind": "PodManifest", "acVersion": "0.8.11", "apps": [item]}
    _, found = check_pod_manifest(json.dumps(pod).encode(), "x")
    assert [diagnostic.place for diagnostic in found if diagnostic.rule == "rkt-refuses"] == ["apps[0].app.isolators[0].name"]


def test_rkt_loses_names_that_are_not_utf_8_and_attributes_that_it_does_not_know(tmp_path: Path) -> None:
    kept = {"user.x": b"1", "security.capability": bytes(20)}
    tree = {
        **in_bin(a=executable()),
        "\u00e9": b"",
        "\udce9": b"",
        "\udce9\udcff": b"",
        "kept": Node(xattrs=kept),
        "lost": Node(xattrs={"trusted.x": b"1"}),
    }
    (tmp_path / "x.aci").write_bytes(images.image(tree, manifest()))
    assert said(validate(str(tmp_path / "x.aci"))) == [
        ("rootfs/\udce9", r"is left out by rkt (its name is not UTF-8), as is rootfs/\xe9\xff"),
        ("rootfs/lost", "is stripped by rkt of attributes other than user.* and security.capability"),
    ]
