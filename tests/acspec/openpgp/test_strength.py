"""Keys that are not fit to sign, made by real gpg: refused when they are read, and when they have signed."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.openpgp.keys import read_keys
from acspec.openpgp.strength import faults_in, list_key, why_unfit
from acspec.openpgp.verification import Verification
from tests.support.gpg import Signer, add_subkey, make_signer, make_signer_like

LONG_AGO = "20200101T000000!"


def unfit(signer: Signer) -> str:
    [key] = read_keys(signer.public, "key")
    return key.unfit


def refusal(signer: Signer, trusted: Signer | None = None) -> tuple[str | None, str]:
    """Return who signed, as a verification says it, and else why it counts for nothing."""
    key = trusted or signer
    with Verification(signer.sign(b"image"), {key.fingerprint.lower(): key.public}) as verification:
        verification.write(b"image")
        verdict = verification.finish()
    return verdict.fingerprint, verdict.reason


FIT = {"RSA of 2048 bits": "rsa2048", "Ed25519": "ed25519", "P-256": "nistp256"}


@pytest.mark.parametrize("algorithm", FIT.values(), ids=FIT)
def test_a_key_is_fit_that_is(algorithm: str, key_home: Path) -> None:
    signer = make_signer_like(key_home, algorithm)
    assert unfit(signer) == ""
    assert refusal(signer) == (signer.fingerprint.lower(), "")


WEAK = {
    "RSA of 1024 bits": ("rsa1024", (), "is weak: RSA of 1024 bits, less than 2048"),
    "DSA of 1024 bits": ("dsa1024", (), "is weak: DSA of 1024 bits, less than 2048"),
    "one that vouches for itself by SHA-1": (
        "rsa2048",
        ("--cert-digest-algo", "SHA1"),
        "is weak: it vouches for itself by SHA-1, which is broken, only",
    ),
}


@pytest.mark.parametrize(("algorithm", "words", "why"), WEAK.values(), ids=WEAK)
def test_a_key_is_refused_that_is(algorithm: str, words: tuple[str, ...], why: str, key_home: Path) -> None:
    signer = make_signer_like(key_home, algorithm, *words)
    assert unfit(signer) == why
    # A DSA key of 1024 bits signs no more than 160: gpg takes SHA-1 for it, which is refused before the key is looked at.
    assert refusal(signer) in {(None, f"the key that made it {why}"), (None, "it is made with SHA-1, which is broken")}


def test_a_weak_subkey_does_not_sign_for_a_strong_key(key_home: Path) -> None:
    signer = make_signer_like(key_home, "rsa2048", usage="cert")
    assert unfit(signer) == "cannot be used to sign"
    add_subkey(signer, "rsa1024")
    assert unfit(signer) == "is weak: RSA of 1024 bits, less than 2048"
    assert refusal(signer) == (None, "the key that made it is weak: RSA of 1024 bits, less than 2048")


def test_a_key_is_fit_by_its_strong_subkey(key_home: Path) -> None:
    signer = make_signer_like(key_home, "rsa2048", usage="cert")
    add_subkey(signer, "rsa1024")
    add_subkey(signer, "ed25519")
    assert unfit(signer) == ""
    _, weak, strong = [
        line.split(":")[9] for line in signer.run("--with-colons", "--list-keys").decode().splitlines() if line[:3] == "fpr"
    ]
    assert refusal(Signer(signer.home, f"{strong}!"), signer) == (signer.fingerprint.lower(), "")
    assert refusal(Signer(signer.home, f"{weak}!"), signer)[0] is None


def test_a_strong_signature_of_the_key_on_itself_makes_up_for_a_weak_one(key_home: Path) -> None:
    signer = make_signer_like(key_home, "rsa2048", "--cert-digest-algo", "SHA1")
    signer.run("--passphrase", "", "--pinentry-mode", "loopback", "--quick-add-uid", signer.fingerprint, "Another")
    assert unfit(signer) == ""
    assert refusal(signer)[0] == signer.fingerprint.lower()


def test_an_expired_and_a_revoked_key_are_not_fit(key_home: Path) -> None:
    expired = make_signer(key_home, "Expired", expires="seconds=100", clock=LONG_AGO)
    assert unfit(expired) == "has expired"
    revoked = make_signer(key_home, "Revoked")
    revoked.revoke()
    assert unfit(revoked) == "is revoked"


def test_a_signature_by_a_part_that_gpg_does_not_list_counts_for_nothing(key_home: Path) -> None:
    signer = make_signer(key_home, "Somebody")
    listing = list_key(str(key_home), signer.fingerprint)
    assert why_unfit(listing, signer.fingerprint, signer.fingerprint) is None
    assert why_unfit(listing, signer.fingerprint, "0" * 40) == "is not what gpg lists"
    assert why_unfit(listing, "0" * 40, signer.fingerprint) == "is not what gpg lists"
    assert faults_in(listing, [signer.fingerprint.lower(), "0" * 40]) == {"0" * 40: "is not what gpg lists"}


LINES = st.lists(
    st.tuples(
        st.sampled_from(["pub", "sub", "fpr", "sig", "uid", ""]),
        st.lists(st.sampled_from(["", "e", "1", "17", "!", "13x", "s", "A"]), max_size=17),
    ),
    max_size=8,
)


@given(LINES)
def test_any_listing_can_be_read(lines: list[tuple[str, list[str]]]) -> None:
    listing = "\n".join(":".join([kind, *fields]) for kind, fields in lines).encode()
    assert set(faults_in(listing, ["a"])) <= {"a"}
    assert why_unfit(listing, "a", "a") is None or why_unfit(listing, "a", "a")
