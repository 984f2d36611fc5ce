"""Armour without the optional checksum, as programs other than gpg write it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.openpgp.armour import add_checksums, checksum
from acspec.openpgp.keys import read_keys
from tests.acspec.openpgp.test_verification import worth
from tests.support.gpg import Signer

BARE = b"-----BEGIN PGP SIGNATURE-----\n\n%s-----END PGP SIGNATURE-----\n"
KEY = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: by another program\n\n%s-----END PGP PUBLIC KEY BLOCK-----\n"


def test_the_checksum_is_that_of_the_catalogue_of_crcs() -> None:
    assert checksum(b"123456789") == 0x21CF02


def _pad(packets: bytes, remainder: int) -> bytes:
    """Return *packets* with a trust packet, which no program minds, so long that the remainder by three is as asked."""
    size = next(size for size in range(3) if (len(packets) + 2 + size) % 3 == remainder)
    return packets + bytes([0xB0, size]) + bytes(size)


@pytest.mark.parametrize("remainder", range(3))
def test_a_signature_without_a_checksum_counts_whatever_its_length(alice: Signer, remainder: int) -> None:
    notation = next(
        packets
        for size in range(60)
        if len(packets := alice.run("--sig-notation", f"a@example.com={'x' * size}", "--detach-sign", data=b"image")) % 3
        == remainder
    )
    assert worth(b"image", BARE % base64.encodebytes(notation), alice).fingerprint == alice.fingerprint.lower()


@pytest.mark.parametrize("remainder", range(3))
def test_a_key_without_a_checksum_is_read_whatever_its_length(alice: Signer, remainder: int) -> None:
    packets = _pad(alice.run("--export", alice.fingerprint), remainder)
    assert [key.fingerprint for key in read_keys(KEY % base64.encodebytes(packets), "key")] == [alice.fingerprint.lower()]


def test_two_blocks_each_get_their_own(alice: Signer, mallory: Signer) -> None:
    both = b"".join(KEY % base64.encodebytes(_pad(signer.run("--export", signer.fingerprint), 0)) for signer in (alice, mallory))
    assert {key.fingerprint for key in read_keys(both, "keys")} == {alice.fingerprint.lower(), mallory.fingerprint.lower()}


def test_what_gpg_wrote_is_left_as_it_is_and_has_our_checksum(alice: Signer) -> None:
    armoured = alice.sign(b"image")
    assert add_checksums(armoured) == armoured
    *body, check = armoured.split(b"\n\n", 1)[1].split(b"-----END")[0].split()
    assert base64.b64decode(check[1:]) == checksum(base64.b64decode(b"".join(body))).to_bytes(3, "big")


def test_a_damaged_block_is_left_to_gpg() -> None:
    assert add_checksums(BARE % b"AAAA*\n") == BARE % b"AAAA*\n"


@given(st.binary(max_size=400))
def test_whatever_is_no_armour_goes_through(data: bytes) -> None:
    assert add_checksums(data) == data or b"-----BEGIN PGP " in data


@given(
    st.lists(
        st.sampled_from([b"-----BEGIN PGP X-----\n", b"\n", b"AAAA\n", b"AA==\n", b"=AAAA\n", b"-----END PGP X-----\n", b"\xff"])
    )
)
def test_nothing_is_taken_away(lines: list[bytes]) -> None:
    data = b"".join(lines)
    kept = iter(add_checksums(data).splitlines())
    assert all(line in kept for line in data.splitlines())
