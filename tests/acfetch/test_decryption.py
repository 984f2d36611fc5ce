"""Encrypted images: signed as served, kept decrypted, and nothing kept of one that anybody changed."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from acfetch.decryption import Decrypting, decrypted
from acspec.errors import TrustError
from tests.acfetch.customer import Customer, app, id_of, manifest
from tests.support import images
from tests.support.gpg import encrypt
from tests.support.server import Answer

NAME = "example.com/app"
WORD = "open sesame"


@pytest.fixture(scope="module")
def plain() -> bytes:
    """Return an image that is larger than every pipe on its way, and cannot be made smaller."""
    return images.image({"file": os.urandom(1 << 20)}, manifest(NAME))


@pytest.fixture(scope="module")
def secret(plain: bytes) -> bytes:
    return encrypt(plain, WORD)


@pytest.fixture
def file(customer: Customer) -> Path:
    """Give the customer a file with the passphrase."""
    file = customer.path / "passphrase"
    file.write_text(f"{WORD}\n")
    return file


def test_an_encrypted_image_is_kept_decrypted_and_was_signed_as_served(
    customer: Customer, file: Path, plain: bytes, secret: bytes
) -> None:
    customer.publish(NAME, secret)
    [line] = customer.fetch("--passphrase-file", str(file), "--output", "out.aci", NAME)
    assert line.endswith(f"/{id_of(plain)}.aci")
    record = customer.record(line)
    assert (record["servedSize"], record["servedDigest"]) == (len(secret), f"sha512-{hashlib.sha512(secret).hexdigest()}")
    assert record["signer"] == customer.publisher.fingerprint.lower()
    assert (customer.path / "out.aci").read_bytes() == secret


def test_the_passphrase_may_come_through_a_descriptor(customer: Customer, plain: bytes, secret: bytes) -> None:
    reading, writing = os.pipe()
    os.write(writing, f"{WORD}\n".encode())
    customer.publish(NAME, secret)
    [line] = customer.fetch("--passphrase-fd", str(reading), NAME)
    assert line.endswith(f"/{id_of(plain)}.aci")
    os.close(reading)
    os.close(writing)


def test_an_image_in_armour_and_one_on_this_machine_are_read_as_well(customer: Customer, file: Path, plain: bytes) -> None:
    (customer.path / "app.aci").write_bytes(encrypt(plain, WORD, "--armor"))
    [line] = customer.fetch("--insecure-options=image", "--passphrase-file", str(file), "./app.aci")
    assert line.endswith(f"/{id_of(plain)}.aci")


def test_an_image_that_is_not_encrypted_needs_no_passphrase_all_the_same(customer: Customer, file: Path) -> None:
    customer.publish(NAME, app())
    file.write_bytes(b"")  # which would not do
    customer.fetch("--passphrase-file", str(file), NAME)


def test_a_file_that_is_not_there_is_noticed_before_anything_is_fetched(customer: Customer, file: Path) -> None:
    file.unlink()
    assert customer.refused(66, "--passphrase-file", str(file), NAME) == f"acfetch: {file}: no such file"
    assert "is not open" in customer.refused(2, "--passphrase-fd", str(2**31 - 1), NAME)
    assert customer.server.asked == []


def test_without_a_passphrase_it_says_what_is_missing(customer: Customer, secret: bytes) -> None:
    customer.publish(NAME, secret)
    assert customer.refused(65, NAME).endswith("encrypted with PGP (--passphrase-file FILE decrypts it)")


def test_a_wrong_passphrase_is_said_to_be_wrong(customer: Customer, file: Path, secret: bytes) -> None:
    customer.publish(NAME, secret)
    file.write_text("open barley\n")
    assert "the passphrase is wrong" in customer.refused(77, "--passphrase-file", str(file), NAME)


def test_two_passphrases_are_one_too_many(customer: Customer, file: Path) -> None:
    assert "exclude each other" in customer.refused(2, "--passphrase-file", str(file), "--passphrase-fd", "0", NAME)


def test_a_signature_of_what_is_inside_does_not_count(customer: Customer, file: Path, plain: bytes, secret: bytes) -> None:
    url = customer.publish(NAME, secret)
    customer.server.answers[f"{url}.asc"] = Answer(customer.publisher.sign(plain))
    assert "the signature is of another file" in customer.refused(77, "--passphrase-file", str(file), NAME)


DAMAGE = {
    "cut in its middle": (lambda data: data[: len(data) // 2], 65, "the encrypted data is damaged, cut short or tampered with"),
    "cut at its end": (lambda data: data[:-1], 65, "the encrypted data is damaged, cut short or tampered with"),
    "changed in its middle": (lambda data: data[:500_000] + b"\0\1\2\3" + data[500_004:], 65, "the encrypted data is damaged"),
    "with something behind it": (lambda data: data + bytes(1 << 20), 65, ""),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_nothing_is_kept_of_an_image(case: str, customer: Customer, file: Path, secret: bytes) -> None:
    change, code, message = DAMAGE[case]
    customer.publish(NAME, change(secret))
    assert message in customer.refused(code, "--passphrase-file", str(file), NAME)


def test_a_connection_that_ends_early_is_what_is_said(customer: Customer, file: Path, secret: bytes) -> None:
    url = customer.publish(NAME, secret)
    customer.server.answers[url] = Answer(secret[:600_000], length=len(secret))
    message = customer.refused(69, "--passphrase-file", str(file), NAME)
    assert f"the connection ended early, after 600000 of {len(secret)} bytes" in message


def test_a_cap_counts_what_is_served(customer: Customer, file: Path, secret: bytes) -> None:
    url = customer.publish(NAME, secret)
    customer.server.answers[url] = Answer(secret, length=None)
    customer.configure("policy.json", {"servedBytes": 600_000})
    assert "larger than the 600000 bytes of servedBytes" in customer.refused(77, "--passphrase-file", str(file), NAME)


def test_a_cap_counts_what_is_unpacked(customer: Customer, file: Path, secret: bytes) -> None:
    customer.publish(NAME, secret)
    customer.configure("policy.json", {"unpackedBytes": 600_000})
    assert "larger than the 600000 bytes of unpackedBytes" in customer.refused(77, "--passphrase-file", str(file), NAME)


def test_a_bad_image_that_is_encrypted_well_is_a_bad_image(customer: Customer, file: Path, plain: bytes) -> None:
    customer.publish(NAME, encrypt(plain[:-9], WORD))
    assert "damaged, cut short" not in customer.refused(65, "--passphrase-file", str(file), NAME)


class _Silent:
    """A source that gives a little and then nothing, until it is interrupted."""

    def __init__(self, data: bytes) -> None:
        self._data = [data]
        self._reading, self._writing = os.pipe()

    def read(self, size: int, /) -> bytes:
        return self._data.pop() if self._data else os.read(self._reading, size)

    def interrupt(self) -> None:
        os.close(self._writing)


def test_who_gives_up_waits_for_nobody(secret: bytes) -> None:
    source = _Silent(secret[1000:2000])
    with pytest.raises(KeyboardInterrupt), Decrypting(source, "x", WORD.encode(), secret[:1000], source.interrupt):
        raise KeyboardInterrupt
    os.close(source._reading)


def test_what_is_not_encrypted_is_the_source_itself() -> None:
    source = io.BytesIO(b"x" * 1000)
    with decrypted(source, "x", None, source.close) as (stream, head):
        assert stream is source
        assert head + stream.read(1000) == b"x" * 1000


def test_all_of_a_source_is_read_when_gpg_reads_no_more(secret: bytes) -> None:
    source = io.BytesIO(secret[1000:])
    with Decrypting(source, "x", b"open barley", secret[:1000], source.close) as stream:
        with pytest.raises(TrustError):
            stream.finish()
        assert source.tell() == len(secret) - 1000
