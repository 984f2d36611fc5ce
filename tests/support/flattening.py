"""An image and what it depends on, for the tests of `actool render`, and what came of them."""

from __future__ import annotations

from typing import Any

from acspec.archive.image import ImageReader
from actool.render import Rendering, RenderRequest, render
from tests.support import images
from tests.support.images import Node, directory, hard_link
from tests.support.rendered import Holding, hold

BASE: images.Files = {
    "bin": directory(0o711, uid=1, gid=2, mtime=3),
    "bin/su": Node(b"su", mode=0o4755, uid=0, gid=7, mtime="5.000000001"),
    "bin/sh": Node(b"sh", mode=0o755, xattrs={"user.note": b"below"}),
    "etc/motd": b"below",
    "dev/null": Node(kind="3", mode=0o666, major=1, minor=3),
    "lib": "usr/lib",
}
APP: images.Files = {"bin/sh": Node(b"other sh", mode=0o700), "etc": None, "lib/app": b"app", "bin/app": hard_link("bin/sh")}


def depends(*names: str, **more: Any) -> list[dict[str, Any]]:
    """Return the dependencies of a manifest; a name may have a version behind a colon."""
    found = []
    for text in names:
        name, _, version = text.partition(":")
        labels = [{"name": "version", "value": version}] if version else []
        found.append({"imageName": name, "labels": labels, **more})
    return found


def manifest(name: str, version: str = "", **changes: Any) -> bytes:
    labels = [{"name": "version", "value": version}] if version else []
    return images.manifest_bytes(name=name, labels=labels, **changes)


def rendered(*words: str, output: str = "out.aci", **more: Any) -> Rendering:
    return render(RenderRequest(words, output, **more))


def held(path: str = "out.aci") -> Holding:
    with open(path, "rb") as file, ImageReader(file.fileno(), path) as reader:
        return hold(reader)


def names(path: str = "out.aci") -> set[str]:
    return {name.decode().removeprefix("rootfs/") for name in held(path).files} - {"manifest", "rootfs"}


def content(name: str, path: str = "out.aci") -> bytes:
    return held(path).files[f"rootfs/{name}".encode()][1]
