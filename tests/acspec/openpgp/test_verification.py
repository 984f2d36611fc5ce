"""What a signature is worth, by real gpg and real keys."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from acspec import limits
from acspec.errors import ConfigError, FormatError, MissingInputError
from acspec.locks import is_locked
from acspec.openpgp.verification import Verdict, Verification, judge
from tests.support.gpg import Signer, make_signer

LONG_AGO = "20200101T000000!"
SOMEBODY = "0123456789abcdef" * 2 + "01234567"


def trust(*signers: Signer) -> dict[str, bytes]:
    return {signer.fingerprint.lower(): signer.public for signer in signers}


def worth(data: bytes, signature: bytes, *trusted: Signer) -> Verdict:
    with Verification(signature, trust(*trusted)) as verification:
        verification.write(data)
        return verification.finish()


def test_a_good_signature_by_a_trusted_key_is_accepted(alice: Signer, mallory: Signer) -> None:
    assert worth(b"image", alice.sign(b"image"), alice, mallory).fingerprint == alice.fingerprint.lower()


def test_a_signature_by_another_key_names_that_key(alice: Signer, mallory: Signer) -> None:
    verdict = worth(b"image", mallory.sign(b"image"), alice)
    assert verdict.fingerprint is None
    assert "not among the trusted" in verdict.reason
    assert mallory.fingerprint.lower().endswith(verdict.key)


def test_no_key_at_all_trusts_nobody(alice: Signer) -> None:
    assert worth(b"image", alice.sign(b"image")).fingerprint is None


@pytest.mark.parametrize("both", [False, True], ids=["another key", "another key besides"])
def test_a_key_filed_under_another_fingerprint_is_bad_configuration(alice: Signer, mallory: Signer, both: bool) -> None:
    filed = {alice.fingerprint.lower(): mallory.public + (alice.public if both else b"")}
    with pytest.raises(ConfigError, match="its file is named for another key"):
        Verification(mallory.sign(b"image"), filed)


def test_a_trusted_file_without_its_key_is_bad_configuration(alice: Signer) -> None:
    with pytest.raises(ConfigError, match="holds no such key"):
        Verification(alice.sign(b"image"), {alice.fingerprint.lower(): b"nothing"})


def test_the_home_of_gpg_may_be_anywhere_and_is_locked_as_long_as_it_is_there(alice: Signer, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 200)  # the path of an agent's socket in it would be too long
    deep.mkdir()
    with Verification(alice.sign(b"image"), trust(alice), scratch=str(deep)) as verification:
        (home,) = deep.iterdir()
        assert is_locked(str(home))
        verification.write(b"image")
        assert verification.finish().fingerprint == alice.fingerprint.lower()
    assert list(deep.iterdir()) == []


BAD: dict[str, tuple[Callable[[Signer], bytes], str]] = {
    "of another file": (lambda signer: signer.sign(b"other"), "of another file"),
    "of the data as text": (lambda signer: signer.sign(b"image", "--textmode", "--detach-sign"), "of a text"),
    "made with SHA-1": (lambda signer: signer.sign(b"image", "--digest-algo", "SHA1", "--detach-sign"), "SHA-1"),
    "cut in the middle": (lambda signer: signer.sign(b"image")[:120], ""),
    "an empty armour": (lambda _: b"-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n", ""),
}


@pytest.mark.parametrize(("make", "reason"), BAD.values(), ids=BAD)
def test_a_signature_is_refused_that_is(make: Callable[[Signer], bytes], reason: str, alice: Signer) -> None:
    verdict = worth(b"image", make(alice), alice)
    assert verdict.fingerprint is None
    assert verdict.reason
    assert reason in verdict.reason


NO_SIGNATURES: dict[str, Callable[[Signer], bytes]] = {
    "empty": lambda _: b"",
    "garbage": lambda _: b"\x00\xffgarbage" * 10,
    "a web page": lambda _: b"<!doctype html><p>not found",
    "without armour": lambda signer: signer.run("--detach-sign", data=b"image"),
    "a signed message that carries its own text": lambda signer: signer.sign(b"image", "--sign"),
    "a clear-signed text": lambda signer: signer.sign(b"image", "--clear-sign"),
    "a public key": lambda signer: signer.public,
}


@pytest.mark.parametrize("make", NO_SIGNATURES.values(), ids=NO_SIGNATURES)
def test_what_is_no_armoured_detached_signature_is_named(make: Callable[[Signer], bytes], alice: Signer) -> None:
    with pytest.raises(FormatError, match="is not an ascii-armoured detached signature"):
        worth(b"image", make(alice), alice)


def test_one_good_and_one_unknown_signature_together_are_refused(alice: Signer, mallory: Signer) -> None:
    packets = alice.run("--detach-sign", data=b"image") + mallory.run("--detach-sign", data=b"image")
    both = b"-----BEGIN PGP SIGNATURE-----\n\n" + base64.encodebytes(packets) + b"-----END PGP SIGNATURE-----\n"
    assert worth(b"image", both, alice).fingerprint is None
    assert worth(b"image", both, alice, mallory).fingerprint == alice.fingerprint.lower()


def test_an_expired_key_is_refused(homes: Path) -> None:
    signer = make_signer(homes / "expired", expires="seconds=1000", clock=LONG_AGO)
    assert worth(b"image", signer.sign(b"image", clock=LONG_AGO), signer).reason == "the key that made it has expired"


def test_an_expired_signature_is_refused(homes: Path) -> None:
    signer = make_signer(homes / "lasting", clock=LONG_AGO)
    signature = signer.sign(b"image", "--default-sig-expire", "seconds=100", "--detach-sign", clock=LONG_AGO)
    assert worth(b"image", signature, signer).reason == "the signature has expired"


def test_a_revoked_key_is_refused(homes: Path) -> None:
    signer = make_signer(homes / "revoked")
    signature = signer.sign(b"image")
    assert worth(b"image", signature, signer).fingerprint == signer.fingerprint.lower()
    signer.revoke()
    assert worth(b"image", signature, signer).reason == "the key that made it is revoked"


def test_a_signature_larger_than_the_limit_is_refused(alice: Signer) -> None:
    with pytest.raises(FormatError, match="limit of 65536 bytes"):
        worth(b"image", bytes(limits.SIGNATURE_BYTES + 1), alice)


def test_bytes_may_come_in_pieces(alice: Signer) -> None:
    data = bytes(range(256)) * 20_000
    with Verification(alice.sign(data), trust(alice)) as verification:
        for start in range(0, len(data), 70_000):
            verification.write(memoryview(data)[start : start + 70_000])
        assert verification.finish().fingerprint == alice.fingerprint.lower()


def test_a_verification_that_is_given_up_leaves_nothing(alice: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    signature = alice.sign(b"image")
    with Verification(signature, trust(alice)) as verification:
        verification.write(b"ima")
        assert len(os.listdir(tmp_path)) == 1
    assert os.listdir(tmp_path) == []


def test_without_gpg_the_message_says_so(alice: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signature, keys = alice.sign(b"image"), trust(alice)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingInputError, match="gpg: is not installed"):
        Verification(signature, keys)


WORDS = st.sampled_from(["GOODSIG", "VALIDSIG", "BADSIG", "ERRSIG", "NODATA", "00", "01", "8", "10", SOMEBODY])


@given(st.lists(st.lists(WORDS | st.text(max_size=5), max_size=14), max_size=5))
def test_whatever_gpg_says_a_verdict_is_a_trusted_key_or_a_reason(said: list[list[str]]) -> None:
    status = "".join(f"[GNUPG:] {' '.join(words)}\n" for words in said).encode("utf-8", "replace")
    verdict = judge(status, {SOMEBODY: None})
    assert verdict.fingerprint in (None, SOMEBODY)
    assert bool(verdict.reason) is (verdict.fingerprint is None)


@given(st.binary(max_size=300))
def test_any_bytes_are_no_signature(data: bytes) -> None:
    assume(not data.lstrip().startswith(b"-----BEGIN PGP SIGNATURE-----"))
    with pytest.raises(FormatError):
        Verification(data, {})


GOOD = b"[GNUPG:] GOODSIG F Alice\n[GNUPG:] VALIDSIG F 2026-01-01 1 0 4 0 22 10 00 " + b"a" * 40 + b"\n"


def test_a_line_that_only_ends_like_a_status_line_says_nothing() -> None:
    assert judge(GOOD, {"a" * 40: None}).fingerprint == "a" * 40
    assert judge(b"gpg: " + GOOD.replace(b"\n[", b"\ngpg: ["), {"a" * 40: None}).fingerprint is None
    assert judge(GOOD + b"[GNUPG:] REVKEYSIG F Alice\n", {"a" * 40: None}).reason == "the key that made it is revoked"
