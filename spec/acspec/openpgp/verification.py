"""Detached signatures, verified while the signed bytes come: one verdict for all tools.

A signature counts only by the full fingerprint of a key that the caller named. Every verification has a home directory of its
own, which holds these keys and nothing else.

Source: aci.md, Image Archives ("ascii-armored detached signature mode"); GnuPG doc/DETAILS, Format of the --status-fd output.
"""

from __future__ import annotations

import fcntl
import os
import subprocess

from acspec import limits
from acspec.errors import ConfigError, FormatError
from acspec.openpgp.armour import add_checksums
from acspec.openpgp.home import Home
from acspec.openpgp.keys import import_keys
from acspec.openpgp.process import OPTIONS, PIPE_BYTES, parse_status, start_gpg
from acspec.openpgp.strength import WEAK_HASHES, list_key, why_unfit
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

_ARMOUR = b"-----BEGIN PGP SIGNATURE-----"

# What gpg says of a signature or its key, and what that means for us.
_REASONS = {
    "BADSIG": "the signature is of another file",
    "EXPSIG": "the signature has expired",
    "EXPKEYSIG": "the key that made it has expired",
    "REVKEYSIG": "the key that made it is revoked",
    "ERRSIG": "the key that made it is not among the trusted ones",
    "NODATA": "there is no signature in it",
    "FAILURE": "it is not a detached signature that gpg can read",
}
_BINARY_DOCUMENT = "00"  # a signature of a text (01) would not notice changed line ends


class Verdict(Value):
    """What a signature is worth: the fingerprint of the trusted key that made it, or why there is none.

    *key* is the fingerprint or key ID that a refused signature names, when it names one.
    """

    fingerprint: str | None
    reason: str = ""
    key: str = ""


class Verification:
    """A detached signature being verified while the signed bytes come; used as a context manager."""

    def __init__(self, signature: bytes, keys: Mapping[str, bytes], *, scratch: str | None = None) -> None:
        """Start gpg with *signature*, ascii-armoured, and *keys*, the trusted ones: ascii-armoured, by lower-case fingerprint.

        Its home lies in the directory *scratch*, or where programs have their temporary files.

        Raises: FormatError when it is no such signature; ConfigError for a bad key; MissingInputError without gpg; OSError.
        """
        _check_armour(signature)
        self._keys = keys
        self._process: subprocess.Popen[bytes] | None = None
        self._home = Home(scratch)
        try:
            if keys:
                _import_trusted(self._home, keys)
                self._process = self._start(signature)
        except BaseException:
            self._home.close()
            raise

    def _start(self, signature: bytes) -> subprocess.Popen[bytes]:
        path = os.path.join(self._home.path, "signature.asc")
        with open(path, "wb") as file:
            file.write(add_checksums(signature))
        # Two files always: with one, gpg accepts a signature that carries its own, other, text.
        status = ("--status-file", os.path.join(self._home.path, "status"))
        words = (*OPTIONS, "--homedir", self._home.path, *status, "--verify", "--", path, "-")
        process = start_gpg(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        if process.stdin is not None:
            try:
                fcntl.fcntl(process.stdin, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
            except OSError:  # more than the user may have: it only goes a little slower
                pass
        return process

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """End gpg, wherever it stands, and remove its home."""
        self.close()

    def write(self, data: bytes | memoryview) -> None:
        """Add signed bytes. When gpg has made up its mind and reads no more, they are dropped."""
        stdin = self._process.stdin if self._process is not None else None
        view = memoryview(data)
        try:
            while stdin is not None and not stdin.closed and view:
                view = view[stdin.write(view) or 0 :]
        except BrokenPipeError:
            self._end_input()

    def finish(self) -> Verdict:
        """Return the verdict: no more bytes come. Source: GnuPG doc/DETAILS."""
        if self._process is None:
            return Verdict(None, "no key is trusted for this name")
        self._end_input()
        self._process.wait()
        try:
            with open(os.path.join(self._home.path, "status"), "rb") as file:
                status = file.read()
        except FileNotFoundError:
            return Verdict(None, "gpg said nothing of it")
        verdict = judge(status, self._keys)
        return verdict if verdict.fingerprint is None else self._judge_keys(verdict, status)

    def _judge_keys(self, verdict: Verdict, status: bytes) -> Verdict:
        """Return *verdict* when every key that made a signature is fit to: of weak ones gpg says nothing."""
        for words in parse_status(status):
            if words[0] == "VALIDSIG":
                signer, primary = words[1], words[10]
                why = why_unfit(list_key(self._home.path, primary), primary, signer)
                if why is not None:
                    return Verdict(None, f"the key that made it {why}", primary.lower())
        return verdict

    def _end_input(self) -> None:
        try:
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()
        except BrokenPipeError:
            pass

    def close(self) -> None:
        """End gpg and remove its home. May be called again."""
        self._end_input()
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._home.close()


def _check_armour(signature: bytes) -> None:
    if len(signature) > limits.SIGNATURE_BYTES:
        raise FormatError("signature", f"larger than the limit of {limits.SIGNATURE_BYTES} bytes")
    if not signature.lstrip().startswith(_ARMOUR):
        raise FormatError("signature", "is not an ascii-armoured detached signature")


def judge(status: bytes, trusted: Mapping[str, object]) -> Verdict:
    """Return the verdict that the lines of gpg's status file amount to.

    Accepted is only: a GOODSIG, and of every VALIDSIG that it is over a file, made with a hash that is not broken, by a key whose
    primary key is trusted; and not one line that speaks against any signature.

    Source: GnuPG doc/DETAILS: GOODSIG, VALIDSIG, BADSIG, EXPSIG, EXPKEYSIG, REVKEYSIG, ERRSIG, NODATA, FAILURE.
    """
    said = parse_status(status)
    for words in said:
        if words[0] in _REASONS:
            return Verdict(None, _REASONS[words[0]], _named_key(words))
    primaries = []
    for words in said:
        if words[0] == "VALIDSIG":
            refusal = _refusal(words)
            if refusal is not None:
                return Verdict(None, refusal)
            primaries.append(words[10].lower())
    if not primaries or not any(words[0] == "GOODSIG" for words in said):
        return Verdict(None, "it is not a detached signature that gpg can read")
    stranger = next((primary for primary in primaries if primary not in trusted), None)
    if stranger is not None:
        return Verdict(None, _REASONS["ERRSIG"], stranger)
    return Verdict(primaries[0])


def _refusal(words: list[str]) -> str | None:
    """Return why a VALIDSIG line is not enough: fields 8 and 9 are hash and class, 10 is the primary key's fingerprint."""
    if len(words) < 11:
        return "gpg does not say which key made it"
    if words[8] in WEAK_HASHES:
        return f"it is made with {WEAK_HASHES[words[8]]}, which is broken"
    return None if words[9] == _BINARY_DOCUMENT else "it is of a text or a key, not of a file"


def _named_key(words: list[str]) -> str:
    if words[0] in ("NODATA", "FAILURE"):
        return ""
    # ERRSIG ends with the fingerprint when gpg knows it, and with "-" when it does not; all begin with the key ID.
    last = words[-1]
    return (last if words[0] == "ERRSIG" and len(last) >= 40 else "".join(words[1:2])).lower()


def _import_trusted(home: Home, keys: Mapping[str, bytes]) -> None:
    found = import_keys(home.path, b"\n".join(keys.values()))
    stranger = next((fingerprint for fingerprint in found if fingerprint not in keys), None)
    if stranger is not None:
        raise ConfigError(f"key {stranger}", "its file is named for another key")
    missing = next((fingerprint for fingerprint in keys if fingerprint not in found), None)
    if missing is not None:
        home.check_room()
        raise ConfigError(f"key {missing}", "its file holds no such key")
