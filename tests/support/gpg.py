"""Throw-away OpenPGP keys, made by the real gpg in a home of their own."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_SPECIFICATION = """%no-protection
Key-Type: EDDSA
Key-Curve: ed25519
Key-Usage: sign,cert
Name-Real: {name}
Expire-Date: {expires}
%commit
"""


@dataclass(frozen=True)
class Signer:
    """A key pair; `public` is the armoured public key."""

    home: Path
    fingerprint: str

    def run(self, *words: str, data: bytes = b"", clock: str | None = None) -> bytes:
        """Run gpg in this home, at another time when *clock* (20260101T000000!) is given, and return its stdout."""
        time = ["--faked-system-time", clock] if clock else []
        command = ["gpg", "--batch", "--no-tty", "--quiet", "--homedir", str(self.home), *time, *words]
        return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout

    @property
    def public(self) -> bytes:
        """The public key in ASCII armour."""
        return self.run("--armor", "--export", self.fingerprint)

    def sign(self, data: bytes, *words: str, clock: str | None = None) -> bytes:
        """Return a detached armoured signature of *data*; *words* are further options of gpg."""
        options = words or ("--detach-sign",)
        return self.run("--armor", "--local-user", self.fingerprint, *options, data=data, clock=clock)

    def revoke(self) -> None:
        """Import the revocation certificate that gpg made with the key."""
        certificate = (self.home / "openpgp-revocs.d" / f"{self.fingerprint}.rev").read_text()
        self.run("--import", data=certificate.replace(":-----BEGIN", "-----BEGIN").encode())


def make_signer(home: Path, name: str = "Test Signer", expires: str = "0", clock: str | None = None) -> Signer:
    """Make a key in a new *home*; *expires* is a time of gpg's, such as `seconds=100`."""
    home.mkdir(mode=0o700)
    signer = Signer(home, "")
    signer.run("--gen-key", "-", data=_SPECIFICATION.format(name=name, expires=expires).encode(), clock=clock)
    listing = signer.run("--with-colons", "--list-keys").decode()
    fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))
    return Signer(home, fingerprint)


def stop_agent(home: Path) -> None:
    """End the agent that gpg started for *home*."""
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, env={**os.environ})
