"""Throw-away OpenPGP keys, made by the real gpg in a home of their own."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SPECIFICATION = """Key-Type: EDDSA
{protection}
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


def make_signer(
    home: Path, name: str = "Test Signer", expires: str = "0", clock: str | None = None, passphrase: str | None = None
) -> Signer:
    """Make a key in *home*, which may be new; *expires* is a time of gpg's, such as `seconds=100`."""
    home.mkdir(mode=0o700, exist_ok=True)
    signer = Signer(home, "")
    protection = "%no-protection" if passphrase is None else f"Passphrase: {passphrase}"
    made = _SPECIFICATION.format(protection=protection, name=name, expires=expires).encode()
    told = signer.run("--pinentry-mode", "loopback", "--status-fd", "1", "--gen-key", "-", data=made, clock=clock).decode()
    return Signer(home, next(line.split()[3] for line in told.splitlines() if line.startswith("[GNUPG:] KEY_CREATED")))


@contextmanager
def key_homes() -> Iterator[Path]:
    """Make a directory for homes of keys, and end the agents of all of them when they are needed no more."""
    # Sockets of the agent have short names only: not below pytest's own directory.
    with tempfile.TemporaryDirectory(prefix="gpg-", ignore_cleanup_errors=True) as directory:
        try:
            yield Path(directory)
        finally:
            for home in Path(directory).iterdir():
                stop_agent(home)


def encrypt(data: bytes, passphrase: str, *words: str) -> bytes:
    """Return *data* encrypted by gpg as a person would have it done; *words* are further options of gpg."""
    with tempfile.TemporaryDirectory(prefix="gpg-", ignore_cleanup_errors=True) as home:
        command = ["gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", passphrase]
        # The least count that gpg takes: for less, it starts an agent to be told how much the machine can do.
        command += ["--no-autostart", "--s2k-count", "65536", "--cipher-algo", "AES256", *words, "--symmetric"]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def stop_agent(home: Path) -> None:
    """End the agent that gpg started for *home*."""
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False, env={**os.environ})


def make_signer_like(home: Path, algorithm: str, *words: str, usage: str = "sign") -> Signer:
    """Make a key of an algorithm (rsa1024, dsa1024, nistp256) in *home*; *words* are further options of gpg."""
    home.mkdir(mode=0o700, exist_ok=True)
    plain = ("--passphrase", "", "--pinentry-mode", "loopback", "--status-fd", "1")
    told = Signer(home, "").run(*plain, *words, "--quick-gen-key", f"Made of {algorithm}", algorithm, usage, "never").decode()
    return Signer(home, next(line.split()[3] for line in told.splitlines() if line.startswith("[GNUPG:] KEY_CREATED")))


def add_subkey(signer: Signer, algorithm: str) -> None:
    """Add a subkey that signs to a key."""
    signer.run("--passphrase", "", "--pinentry-mode", "loopback", "--quick-add-key", signer.fingerprint, algorithm, "sign", "never")
