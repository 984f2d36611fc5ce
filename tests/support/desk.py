"""A desk on a machine: a person's working directory with a store and a configuration, and images to publish.

What the person types runs the installed programs; nothing of the project's code makes the images.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

from acspec.labels import host_architecture
from tests.support.gpg import Signer
from tests.support.images import Files, Node, image, manifest_bytes
from tests.support.machine import Ended, Machine
from tests.support.userland import BUSYBOX, probe


@dataclass(frozen=True)
class Desk:
    """Where a person sits: a working directory with a store and a configuration beside it."""

    machine: Machine
    path: Path
    signer: Signer | None = None

    @property
    def store(self) -> Path:
        """The data directory."""
        return self.path / "data"

    @property
    def environment(self) -> dict[str, str]:
        """What the programs get to know."""
        return {"HOME": str(self.path), "APPC_DIR": str(self.store), "APPC_CONFIG": str(self.path / "config")}

    def shell(self, line: str) -> Ended:
        """Run a line as typed into sh."""
        return self.run("sh", "-c", line)

    def run(self, *words: str, stdin: int | None = None) -> Ended:
        """Run a command to its end."""
        return self.machine.run(words, self.path, self.environment, stdin)

    def start(self, *words: str) -> AbstractContextManager[Popen[str]]:
        """Start a command."""
        return self.machine.start(words, self.path, self.environment)

    def publish(
        self, name: str, data: bytes, *, version: str = "latest", signature: bytes | None = None, by: Signer | None = None
    ) -> str:
        """Put an image and its signature where the site's template says; return the image's path there."""
        path = f"images/{name}-{version}-linux-{host_architecture()}.aci"
        place = self.machine.site / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        if signature is None:
            signer = by or self.signer
            assert signer is not None
            signature = signer.sign(data)
        Path(f"{place}.asc").write_bytes(signature)
        return path

    def answer(self, path: str, **fields: Any) -> None:
        """Say how the web server is to answer for a path."""
        place = self.machine.site / f"{path}.answer"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(fields))

    def trust(self, signer: Signer, prefix: str) -> None:
        """Trust a key for a prefix."""
        place = self.path / "config" / "trustedkeys" / "prefix.d" / prefix / signer.fingerprint.lower()
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(signer.public)


def app_manifest(name: str = "example.com/hello", words: Sequence[str] = ("/bin/probe",), **changes: Any) -> bytes:
    """Return the manifest of an image for this machine whose app executes *words*; *changes* are at its top, but for `app`."""
    labels = [{"name": "os", "value": "linux"}, {"name": "arch", "value": host_architecture()}]
    app = {"exec": list(words), "user": "0", "group": "0", **changes.pop("app", {})}
    return manifest_bytes(**{"name": name, "labels": labels, "app": app, **changes})


def userland(*applets: str) -> dict[str, Any]:
    """Return files for an image: busybox with *applets*."""
    return {"bin": None, "bin/busybox": Node(BUSYBOX.read_bytes(), mode=0o755), **{f"bin/{name}": "busybox" for name in applets}}


def probe_files() -> dict[str, Any]:
    """Return files for an image: the probe alone."""
    return {"bin": None, "bin/probe": Node(probe().read_bytes(), mode=0o755)}


def app_image(
    name: str = "example.com/hello", words: Sequence[str] = ("/bin/probe",), files: Files | None = None, **changes: Any
) -> bytes:
    """Return an image whose app executes *words*; without *files*, it holds the probe."""
    return image(probe_files() if files is None else files, app_manifest(name, words, **changes))


def snapshot(directory: Path) -> Mapping[str, tuple[str, int, str]]:
    """Return everything below a directory: type and mode, size, and digest of the content (or the link's target)."""
    found = {}
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        content, size = "", 0
        if stat.S_ISREG(status.st_mode):
            content, size = hashlib.sha512(path.read_bytes()).hexdigest(), status.st_size
        elif stat.S_ISLNK(status.st_mode):
            content = os.readlink(path)
        found[str(path.relative_to(directory))] = (oct(status.st_mode), size, content)
    return found


def assert_refused(ended: Ended, code: int, words: str, tool: str) -> None:
    """Check that a command ended with *code*, printed nothing, and said in one line of *tool* what *words* say, too."""
    said = f"{ended.code} {ended.stdout[:200]!r} {ended.stderr[:1000]!r}"
    assert (ended.code, ended.stdout) == (code, ""), said
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, said
    assert lines[0].startswith(f"{tool}: "), said
    assert words in lines[0], said
    assert lines[0].isprintable(), said
