"""Images for lints: what is in a rootfs, and what is then said of it, as an image and as a layout directory."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from actool.checks.reports import Report
from actool.checks.validate import validate
from tests.support import images
from tests.support.elf import make_elf
from tests.support.images import Node

OF_THE_IMAGE = ("labels", "dependencies", "pathWhitelist")
BASE = [{"imageName": "example.com/base"}]

Tree = Mapping[str, Any]
# What is in the rootfs, what is else in the manifest, and places or entries with words that are said of them.
Case = tuple[Tree, Mapping[str, Any], list[tuple[str, str]]]


def executable(data: bytes = make_elf(), mode: int = 0o755, **more: Any) -> Node:
    """Return a file that can be executed, without *data* a static program."""
    return Node(data, mode=mode, **more)


def in_bin(**files: Any) -> dict[str, Any]:
    """Return the directory `bin` with *files*."""
    return {"bin": None, **{f"bin/{name}": node for name, node in files.items()}}


def manifest(**changes: Any) -> bytes:
    """Return a manifest that executes /bin/a; *changes* go to its app, but for what is the image's."""
    app = {key: value for key, value in changes.items() if key not in OF_THE_IMAGE}
    own = {key: value for key, value in changes.items() if key in OF_THE_IMAGE}
    return images.manifest_bytes(app={"exec": ["/bin/a"], "user": "0", "group": "0", **app}, **own)


def labels(system: str | None, machine: str | None) -> list[dict[str, str]]:
    """Return the labels version, os and arch."""
    pairs = {"version": "1", "os": system, "arch": machine}
    return [{"name": name, "value": value} for name, value in pairs.items() if value]


def search_path(value: str) -> list[dict[str, str]]:
    """Return an environment with a PATH."""
    return [{"name": "PATH", "value": value}]


def mount_points(*paths: str) -> list[dict[str, str]]:
    """Return mount points at *paths*."""
    return [{"name": f"p{number}", "path": path} for number, path in enumerate(paths)]


def said(report: Report) -> list[tuple[str, str]]:
    """Return what is said in *report*, each with its place or entry."""
    return [(found.place or found.entry, found.message) for found in report.diagnostics]


def check(case: Case, directory: Path) -> None:
    """Check that what is said of an image is what *case* says, and that of the same tree as a layout the same is said."""
    tree, changes, expected = case
    (directory / "x.aci").write_bytes(images.image(tree, manifest(**changes)))
    report = validate(str(directory / "x.aci"))
    found = said(report)
    assert [place for place, _ in found] == [place for place, _ in expected], found
    for (_, message), (_, words) in zip(found, expected, strict=True):
        assert words in message
    assert report.exit_code == 0
    if os.geteuid():
        return  # owners and devices take root
    layout = directory / "layout"
    layout.mkdir()
    subprocess.run(["tar", "-xpzf", "../x.aci", "--xattrs", "--xattrs-include=*"], cwd=layout, check=True)
    # Which file of a sort comes first, is the order of names in a layout.
    same = {(diagnostic.rule, diagnostic.place) for diagnostic in report.diagnostics}
    assert {(diagnostic.rule, diagnostic.place) for diagnostic in validate(str(layout)).diagnostics} == same
