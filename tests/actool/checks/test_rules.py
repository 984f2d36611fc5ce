"""Every rule finds something, and the documentation explains every rule."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acspec.errors import ToolError, UsageError
from actool.checks.reports import Diagnostic, failed
from actool.checks.rules import RULES, parse_ignored
from actool.checks.validate import validate
from tests.support import images
from tests.support.elf import make_elf
from tests.support.images import Node, directory
from tests.support.sources import ROOT

PROGRAM = Node(make_elf(), mode=0o755)
HELLO = {"bin": None, "bin/hello": PROGRAM}
APP: dict[str, Any] = images.MANIFEST["app"]
ID = "sha512-" + "0" * 128
POD: dict[str, Any] = {"acKind": "PodManifest", "acVersion": "0.8.11", "apps": [{"name": "a", "image": {"id": ID}}]}


def _app(**changes: Any) -> bytes:
    return images.manifest_bytes(app={**APP, **changes})


def _isolator(name: str, value: object) -> bytes:
    return _app(isolators=[{"name": name, "value": value}])


def _pod(**changes: Any) -> bytes:
    return json.dumps({**POD, **changes}).encode()


def _pod_app(name: str, **app: Any) -> dict[str, Any]:
    return {"name": name, "image": {"id": ID}, "app": {**APP, **app}}


def _image(files: dict[str, Any], **app: Any) -> bytes:
    return images.image(files, _app(**app))


HTTP = {"name": "http", "protocol": "tcp", "port": 80}
# A file that breaks each rule, and none of the others.
BROKEN: dict[str, bytes] = {
    "archive": images.image({"a": b"", "./a": b""}),
    "manifest-json": b"{",
    "manifest-kind": b'{"acKind": "FileManifest", "acVersion": "0.8.11"}',
    "manifest-schema": images.manifest_bytes(name="A"),
    "archive-end": images.tar(HELLO)[:-512],
    "arch-without-os": images.manifest_bytes(labels=[{"name": "arch", "value": "amd64"}]),
    "capability-unknown": _isolator("os/linux/capabilities-remove-set", {"set": ["CAP_X"]}),
    "cpu-unit": images.manifest_bytes(
        acVersion="0.6.1", app={**APP, "isolators": [{"name": "resource/cpu", "value": {"limit": "50"}}]}
    ),
    "errno-unknown": _isolator("os/linux/seccomp-remove-set", {"set": ["x"], "errno": "EX"}),
    "exec-empty": _app(exec=[""]),
    "isolator-scope": _isolator("os/unix/sysctl", {}),
    "isolator-unknown": _isolator("x/y", None),
    "pod-empty": _pod(apps=[]),
    "port-count": _app(ports=[{**HTTP, "count": 0}]),
    "port-name": _pod(apps=[_pod_app("a", ports=[HTTP]), _pod_app("b", ports=[HTTP])]),
    "quantity-inexact": _isolator("resource/memory", {"limit": "0.5"}),
    "resource-empty": _isolator("resource/memory", {}),
    "resource-request": _isolator("resource/memory", {"request": "2", "limit": "1"}),
    "unknown-key": images.manifest_bytes(Labels=[]),
    "unreleased-version": images.manifest_bytes(acVersion="0.7.9"),
    "volume-key": _pod(volumes=[{"name": "v", "kind": "empty", "recursive": True}]),
    "image-name": images.manifest_bytes(name="hello"),
    "mount-hides-files": _image({**HELLO, "data": None, "data/x": b""}, mountPoints=[{"name": "data", "path": "/data"}]),
    "mount-overlap": _app(mountPoints=[{"name": "a", "path": "/a"}, {"name": "b", "path": "/a/b"}]),
    "port-protocol": _app(ports=[{**HTTP, "protocol": "http"}]),
    "rkt-refuses": images.manifest_bytes(annotations=[{"name": "created", "value": "2016-12-31T23:59:60Z"}]),
    "rkt-loses": images.image({**HELLO, "\udcff": b""}),
    "device-node": images.image({**HELLO, "null": Node(kind="3", major=1, minor=3)}),
    "whiteout": images.image({**HELLO, "gone": Node(kind="3", major=0, minor=0)}),
    "exec-format": images.image({"bin": None, "bin/hello": Node(b"echo hello\n", mode=0o755)}),
    "exec-missing": images.image({"bin": None}),
    "exec-not-executable": images.image({"bin": None, "bin/hello": b""}),
    "interpreter-missing": images.image({"bin": None, "bin/hello": Node(b"#!/bin/sh\n", mode=0o755)}),
    "loader-missing": images.image({"bin": None, "bin/hello": Node(make_elf(loader=b"/lib/ld.so"), mode=0o755)}),
    "owner-unresolved": _image(HELLO, user="www"),
    "platform-mismatch": images.image(
        HELLO, images.manifest_bytes(labels=[{"name": "os", "value": "linux"}, {"name": "arch", "value": "aarch64"}])
    ),
    "platform-unlabelled": images.image(HELLO, images.manifest_bytes(labels=[])),
    "setuid-file": images.image({**HELLO, "su": Node(mode=0o2750)}),
    "working-directory": _image(HELLO, workingDirectory="/srv"),
    "world-writable": images.image({**HELLO, "tmp": directory(0o777)}),
}


def _find_layout_fault(path: Path) -> tuple[Diagnostic, ...]:
    (path / "rootfs").mkdir()
    (path / "manifest").write_bytes(images.manifest_bytes())
    (path / "other").touch()
    return validate(str(path)).diagnostics


def _find_unmatched(path: Path) -> tuple[Diagnostic, ...]:
    (path / "rootfs/bin").mkdir(parents=True)
    (path / "rootfs/bin/hello").write_bytes(make_elf())
    (path / "rootfs/bin/hello").chmod(0o755)
    (path / "manifest").write_bytes(images.manifest_bytes())
    (path / ".aciignore").write_text("*.o\n")
    return validate(str(path)).diagnostics


def _find_many(path: Path) -> tuple[Diagnostic, ...]:
    isolators = [{"name": "x", "value": 0}] * 101
    (path / "manifest").write_bytes(_app(isolators=isolators))
    return validate(str(path / "manifest")).diagnostics[100:]


ELSEWHERE: dict[str, Callable[[Path], tuple[Diagnostic, ...]]] = {
    "input": lambda path: failed("x", ToolError("x", "is broken")).diagnostics,
    "layout": _find_layout_fault,
    "more-warnings": _find_many,
    "pattern-unmatched": _find_unmatched,
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_rule_finds_what_breaks_it_and_no_other_does(rule: Any, tmp_path: Path) -> None:
    if rule.id in ELSEWHERE:
        found = ELSEWHERE[rule.id](tmp_path)
    else:
        (tmp_path / "file").write_bytes(BROKEN[rule.id])
        found = validate(str(tmp_path / "file")).diagnostics
    assert {(diagnostic.rule, diagnostic.severity) for diagnostic in found} == {(rule.id, rule.severity)}


def test_no_rule_has_two_names_and_each_is_written_as_all_are() -> None:
    names = [rule.id for rule in RULES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in names)


def test_the_documentation_says_what_to_do_as_the_rules_do() -> None:
    table = re.findall(r"^\| `([a-z-]+)` \| .* \| ([^|]*) ?\|$", (ROOT / "docs/validation.md").read_text(), re.MULTILINE)
    remedies = {rule.id: rule.remedy for rule in RULES}
    assert {name: text.strip() for name, text in table if name in remedies} == remedies


IGNORED: dict[str, tuple[list[str], str]] = {
    "a slip of the pen": (["setuid-files"], "did you mean setuid-file?"),
    "nothing like a rule": (["setuid-file,xyzzy"], "--format json names"),
    "an error": (["archive"], "those count always"),
}


@pytest.mark.parametrize(("words", "why"), IGNORED.values(), ids=IGNORED)
def test_no_rule_is_left_out_that_is(words: list[str], why: str) -> None:
    with pytest.raises(UsageError, match=re.escape(why)):
        parse_ignored(words)


def test_rules_are_left_out_by_their_names() -> None:
    assert parse_ignored(["setuid-file,rkt-loses", "image-name"]) == {"setuid-file", "rkt-loses", "image-name"}


def test_the_documentation_explains_every_rule_in_the_same_order_and_no_other() -> None:
    table = re.findall(r"^\| `([a-z-]+)` \| (error|warning) \| ", (ROOT / "docs/validation.md").read_text(), re.MULTILINE)
    assert table == [(rule.id, rule.severity.value) for rule in RULES]
