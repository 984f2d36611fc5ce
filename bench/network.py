"""Fetching: one image over HTTPS on loopback with its signature, beside curl, tee, sha512sum and then gpg.

The peer unpacks nothing, checks no archive and syncs nothing to the disk; ours does, in one pass, while gpg is fed. The web server
is a thread of the bench, a process of its own beside both.
"""

from __future__ import annotations

import http.server
import shlex
import shutil
import ssl
import subprocess
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from clock import Command, Sample, run_in_turn
from installed import Programs
from report import Table

PEERS = ("curl", "gpg", "openssl")


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


class Site:
    """A web server with TLS for the files of a directory, on a port of its own; used as a context manager."""

    def __init__(self, directory: Path, work: Path) -> None:
        """Make a certificate in *work*, `site.pem`, which is its own authority."""
        self.authority, key = work / "site.pem", work / "site.key"
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        words = ["openssl", "req", "-x509", *curve, "-keyout", str(key), "-out", str(self.authority), *names]
        subprocess.run(words, capture_output=True, check=True)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.authority, key)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(directory)))
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, name="site")

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """End."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"https://localhost:{self._server.server_address[1]}"


class Fetches:
    """A publisher's key, a customer who trusts it, and the commands that fetch."""

    def __init__(self, programs: Programs, work: Path, environment: Mapping[str, str]) -> None:
        """Make a key and a configuration below the empty directory *work*, and a directory `site` for what is published."""
        self._programs = programs
        self._work = work
        self._environment = {**environment, "APPC_CONFIG": str(work / "config")}
        self.site = work / "site"
        self._home = work / "gnupg"
        for directory in (self.site, self._home):
            directory.mkdir(mode=0o700)
        self._gpg("--passphrase", "", "--quick-generate-key", "bench", "ed25519", "sign", "never")
        listed = self._gpg("--with-colons", "--list-keys").decode().splitlines()
        fingerprint = next(line.split(":")[9] for line in listed if line.startswith("fpr:")).lower()
        trusted = work / "config" / "trustedkeys" / "root.d" / fingerprint
        trusted.parent.mkdir(parents=True)
        trusted.write_bytes(self._gpg("--armor", "--export"))

    def _gpg(self, *words: str) -> bytes:
        command = ["gpg", "--homedir", str(self._home), "--batch", "--quiet", "--no-tty", *words]
        return subprocess.run(command, capture_output=True, check=True).stdout

    def publish(self, layout: Path, name: str, compression: str) -> Path:
        """Build and sign an image; return it."""
        image = self.site / name
        words = [self._programs["actool"], "build", "--compression", compression, str(layout), str(image)]
        subprocess.run(words, env=dict(self._environment), check=True)
        self._gpg("--armor", "--output", f"{image}.asc", "--detach-sign", str(image))
        return image

    def commands(self, site: Site, image: Path) -> list[Command]:
        """Return ours and the peer."""
        data, file = self._work / "data", self._work / "file"
        url = f"{site.url}/{image.name}"
        words = [self._programs["acfetch"], "--quiet", "--dir", str(data), "--cafile", str(site.authority), url]
        curl = f"curl --silent --fail --cacert {shlex.quote(str(site.authority))}"
        verify = f"gpg --homedir {shlex.quote(str(self._home))} --batch --quiet --verify {shlex.quote(str(file))}.asc"
        pipe = (
            f"{curl} --output {shlex.quote(str(file))}.asc {url}.asc && {curl} {url} | tee {shlex.quote(str(file))} | sha512sum"
            f" && {verify} {shlex.quote(str(file))}"
        )

        def clean() -> None:
            shutil.rmtree(data, ignore_errors=True)
            file.unlink(missing_ok=True)
            # What the run before left to be written is not this one's.
            subprocess.run(["sync", "--file-system", str(self._work)], check=True)

        return [
            Command("acfetch", words, before=clean, after=clean, environment=self._environment),
            Command("peer", pipe, before=clean, after=clean, environment=self._environment),
        ]

    def close(self) -> None:
        """End the agent that gpg started."""
        subprocess.run(["gpgconf", "--homedir", str(self._home), "--kill", "all"], check=False)


def measure_fetches(
    programs: Programs, work: Path, environment: Mapping[str, str], layout: Path, rounds: int
) -> tuple[Table, dict[str, list[Sample]]]:
    """Return the table of the image of *layout* fetched as compressed and as it is, and the samples of ours."""
    table = Table(f"An image over HTTPS on loopback, with its signature, {rounds} rounds", "s")
    missing = [name for name in PEERS if shutil.which(name) is None]
    if missing:
        table.notes.append(f"left out: it takes {', '.join(missing)}")
        return table, {}
    work.mkdir()
    found: dict[str, list[Sample]] = {}
    fetches = Fetches(programs, work, environment)
    try:
        with Site(fetches.site, work) as site:
            for compression in ("gzip", "none"):
                image = fetches.publish(layout, f"{compression}.aci", compression)
                samples = run_in_turn(fetches.commands(site, image), rounds)
                size = image.stat().st_size / 1e6
                name = f"acfetch, {compression}, {size:,.0f} MB as served"
                table.add(name, "curl, tee, sha512sum; gpg", samples["acfetch"], samples["peer"])
                found[name] = samples["acfetch"]
                image.unlink()
    finally:
        fetches.close()
    return table, found
