"""Keys out of files and out of a keyring, by real gpg."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec import limits
from acspec.errors import FormatError, MissingInputError, UsageError
from acspec.fingerprints import parse_fingerprint
from acspec.openpgp.keys import find_own_keys, get_public_key, read_keys
from tests.support.gpg import Signer, make_signer

LONG_AGO = "20200101T000000!"


def test_keys_are_read_with_their_identities(alice: Signer, mallory: Signer) -> None:
    keys = read_keys(alice.public + mallory.public, "keys")
    assert [key.fingerprint for key in keys] == [alice.fingerprint.lower(), mallory.fingerprint.lower()]
    assert keys[0].identities == ("Alice: [GNUPG:] GOODSIG 0 Good Key",)
    assert read_keys(keys[1].armoured, "again")[0].fingerprint == mallory.fingerprint.lower()


def test_a_key_without_armour_is_read(alice: Signer) -> None:
    assert read_keys(alice.run("--export"), "key")[0].fingerprint == alice.fingerprint.lower()


_EMPTY_ARMOUR = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"


@pytest.mark.parametrize("data", [b"", b"<html>", _EMPTY_ARMOUR])
def test_a_file_without_a_key_says_so(data: bytes) -> None:
    with pytest.raises(FormatError, match="holds no public key"):
        read_keys(data, "file")


def test_a_secret_key_is_refused(alice: Signer) -> None:
    with pytest.raises(FormatError, match="holds a secret key"):
        read_keys(alice.run("--armor", "--export-secret-keys"), "file")


def test_a_key_file_larger_than_the_limit_is_refused() -> None:
    with pytest.raises(FormatError, match="limit of 1048576 bytes"):
        read_keys(bytes(limits.KEY_FILE_BYTES + 1), "file")


SPELLINGS = {
    "in capitals": "0123 4567 89AB CDEF 0123  4567 89AB CDEF 0123 4567",
    "in small letters": "0123456789abcdef0123456789abcdef01234567",
    "of a key of version 5": "0123456789abcdef" * 4,
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=SPELLINGS)
def test_a_fingerprint_may_be_spelled(text: str) -> None:
    assert parse_fingerprint(text) == text.replace(" ", "").lower()


@given(st.text(max_size=70))
def test_any_other_text_is_no_fingerprint(text: str) -> None:
    try:
        fingerprint = parse_fingerprint(text)
    except UsageError as error:
        assert error.why == "is not a fingerprint"
    else:
        assert len(bytes.fromhex(fingerprint)) in (20, 32)


def test_a_key_of_a_keyring_is_taken_out_alone(homes: Path, alice: Signer, mallory: Signer) -> None:
    both = make_signer(homes / "both", "Carol")
    both.run("--import", data=alice.public + mallory.public)
    key = get_public_key(alice.fingerprint.lower(), str(both.home))
    assert read_keys(key.armoured, "key") == [key]
    with pytest.raises(MissingInputError, match="no such key in the keyring of gpg"):
        get_public_key("0" * 40, str(both.home))


def test_keys_that_can_sign_are_told_from_those_that_cannot(homes: Path) -> None:
    home = homes / "many"
    good = make_signer(home, "Dora good")
    old = make_signer(home, "Dora old", expires="seconds=1000", clock=LONG_AGO)
    gone = make_signer(home, "Dora gone")
    gone.revoke()
    found = {key.fingerprint: key.unusable for key in find_own_keys("Dora", str(home))}
    assert found == {good.fingerprint.lower(): "", old.fingerprint.lower(): "has expired", gone.fingerprint.lower(): "is revoked"}
    assert find_own_keys("Nobody", str(home)) == []


@pytest.mark.parametrize("name", ["", " ", "--version", "-"])
def test_what_gpg_would_not_take_for_a_name_is_refused(homes: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is not the name of a key"):
        find_own_keys(name, str(homes))


def test_a_home_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="nowhere: no such directory"):
        find_own_keys("alice", str(tmp_path / "nowhere"))
