"""Somebody who fetches images: an empty store, an empty keystore, and the publishers' web server in reach."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from acfetch.cli import main
from acspec.labels import host_architecture
from tests.support import images
from tests.support.gpg import Signer
from tests.support.server import Answer, Server

ARCH = host_architecture()
TEMPLATE = "https://example.com/images/{name}-{version}-{os}-{arch}.{ext}"
PAGE = "https://example.com/?ac-discovery=1"

PROGRAM = (sys.executable, "-c", "import sys; from acfetch.cli import main; sys.exit(main())")
WITHOUT_PRIVILEGE = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Customer:
    """The person, the place where their files are, and the publisher's key."""

    path: Path
    server: Server
    publisher: Signer
    monkeypatch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]

    @property
    def store(self) -> Path:
        """The data directory."""
        return self.path / "data"

    @property
    def config(self) -> Path:
        """The only directory of the configuration."""
        return self.path / "config"

    def configure(self, name: str, value: Any, place: str = "config", mode: int = 0o600) -> Path:
        """Write a file of the configuration, the user's or one of the system's (`vendor`, `system`); return it."""
        file = self.path / place / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(value if isinstance(value, str) else json.dumps(value))
        file.chmod(mode)
        return file

    def trust(self, signer: Signer, prefix: str) -> Path:
        """Trust a key for a prefix, or for all names when that is empty; return the file."""
        place = f"prefix.d/{prefix}" if prefix else "root.d"
        file = self.config / "trustedkeys" / place / signer.fingerprint.lower()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(signer.public)
        return file

    def publish(self, name: str, data: bytes, *, version: str = "latest", by: Signer | None = None, base: str = "images") -> str:
        """Put an image and its signature where TEMPLATE leads to; return the image's URL."""
        url = f"https://example.com/{base}/{name}-{version}-linux-{ARCH}.aci"
        self.put(url, data, by)
        return url

    def put(self, url: str, data: bytes, by: Signer | None = None) -> None:
        """Put an image and its signature at a URL."""
        self.server.answers[url] = Answer(data)
        self.server.answers[f"{url}.asc"] = Answer((by or self.publisher).sign(data))

    def run(self, *words: str) -> Ended:
        """Run acfetch in this process, to its end; nothing temporary may be left."""
        self.monkeypatch.setattr(sys, "argv", ["acfetch", *words])
        self.capture.readouterr()
        code = main()
        written = self.capture.readouterr()
        assert os.listdir(tempfile.gettempdir()) == [], "something temporary was left"
        tmp = self.store / "tmp"
        assert not tmp.exists() or not os.listdir(tmp), "something temporary was left in the store"
        return Ended(code, written.out, written.err)

    def run_program(self, *words: str, held_to_modes: bool = False) -> Ended:
        """Run acfetch as a process of its own; *held_to_modes*: also root may write only where the modes of files say so."""
        command = [*(WITHOUT_PRIVILEGE if held_to_modes and os.geteuid() == 0 else ()), *PROGRAM, *words]
        result = subprocess.run(command, capture_output=True, check=False)
        return Ended(result.returncode, os.fsdecode(result.stdout), os.fsdecode(result.stderr))

    def fetch(self, *words: str) -> list[str]:
        """Fetch images that can be had, and return the lines that were printed."""
        ended = self.run(*words)
        assert ended.code == 0, ended.err
        return ended.out.splitlines()

    def refused(self, code: int, *words: str) -> str:
        """Run what must fail with *code*: one line of error, which is returned, no output, and the store as before."""
        before = self.images()
        ended = self.run(*words)
        assert ended.code == code, ended.err
        assert ended.out == ""
        assert self.images() == before
        lines = without_waits(ended.err)
        assert lines[-1].startswith("acfetch: ")
        assert len(lines) == 1, "more than one line"
        return lines[-1]

    def images(self) -> Mapping[str, str]:
        """Return the files in the store's images, each with the digest of its content."""
        files = sorted((self.store / "images").glob("*"))
        return {path.name: hashlib.sha512(path.read_bytes()).hexdigest() for path in files}

    def record(self, line: str) -> dict[str, Any]:
        """Return the record of an image, given the line that was printed for it."""
        record: dict[str, Any] = json.loads(Path(line.removesuffix(".aci") + ".json").read_bytes())
        return record


def without_waits(err: str) -> list[str]:
    """Return the lines without those that say when a server is asked again."""
    return [line for line in err.splitlines() if "; asked again in " not in line]


def page(*tags: tuple[str, str], kind: str = "ac-discovery") -> Answer:
    """Return a discovery page with tags of prefix and template."""
    lines = [f'<meta name="{kind}" content="{prefix} {template}">' for prefix, template in tags]
    return Answer("\n".join(["<!doctype html><html><head>", *lines, "</head><body></body></html>"]).encode())


def manifest(
    name: str = "example.com/app",
    labels: Mapping[str, str] | None = None,
    dependencies: Sequence[Mapping[str, Any]] = (),
    **more: Any,
) -> bytes:
    """Return the manifest of an image for this machine."""
    pairs = {"os": "linux", "arch": ARCH} if labels is None else labels
    listed = [{"name": key, "value": value} for key, value in pairs.items()]
    return images.manifest_bytes(name=name, labels=listed, dependencies=list(dependencies) or None, **more)


def app(
    name: str = "example.com/app",
    labels: Mapping[str, str] | None = None,
    dependencies: Sequence[Mapping[str, Any]] = (),
    **more: Any,
) -> bytes:
    """Return a small image for this machine."""
    return images.image({"file": b"content"}, manifest(name, labels, dependencies, **more))


def id_of(data: bytes) -> str:
    """Return the image ID of a gzip-compressed image."""
    import gzip

    return images.image_id(gzip.decompress(data))
