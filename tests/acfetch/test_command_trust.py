"""`acfetch trust`: keys shown, and trusted only when somebody said so."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.acfetch.customer import PROGRAM, Customer
from tests.support.gpg import Signer, make_signer


@pytest.fixture
def keys(customer: Customer, publisher: Signer, mallory: Signer) -> str:
    """Return a file with two keys."""
    (customer.path / "keys").write_bytes(publisher.public + mallory.public)
    return "keys"


def placed(customer: Customer, signer: Signer, place: str = "prefix.d/example.org") -> Path:
    return customer.config / "trustedkeys" / place / signer.fingerprint.lower()


def grouped(signer: Signer) -> str:
    text = signer.fingerprint.lower()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def test_all_keys_are_shown_and_trusted_by_yes(customer: Customer, publisher: Signer, mallory: Signer, keys: str) -> None:
    ended = customer.run("trust", "add", "--prefix", "example.org", "--yes", keys)
    assert ended.code == 0
    assert ended.out.splitlines() == [str(placed(customer, publisher)), str(placed(customer, mallory))]
    for signer, identity in ((publisher, "Publisher"), (mallory, "Mallory")):
        assert f"fingerprint: {grouped(signer)}\nidentity:    {identity}\n" in ended.err
    assert ended.err.count("prefix:      example.org\n") == 2


def test_only_the_key_that_is_named_is_trusted(customer: Customer, publisher: Signer, mallory: Signer, keys: str) -> None:
    ended = customer.run("trust", "add", "--root", "--fingerprint", grouped(mallory).upper(), keys)
    assert ended.out == f"{placed(customer, mallory, 'root.d')}\n"
    assert not placed(customer, publisher, "root.d").exists()


def test_a_key_that_is_named_and_not_there_trusts_nobody(customer: Customer, publisher: Signer, keys: str) -> None:
    words = ("--fingerprint", publisher.fingerprint, "--fingerprint", "0" * 40)
    assert (
        customer.refused(77, "trust", "add", "--prefix", "example.org", *words, keys) == f"acfetch: keys: holds no key {'0' * 40}"
    )
    assert not placed(customer, publisher).exists()


def test_without_a_terminal_nobody_is_asked_and_nothing_trusted(customer: Customer, publisher: Signer, keys: str) -> None:
    ended = customer.run("trust", "add", "--prefix", "example.org", keys)
    assert (ended.code, ended.out) == (77, "")
    assert ended.err.endswith("nobody is there to be asked (--fingerprint HEX or --yes trusts it)\n")
    assert not placed(customer, publisher).parent.exists()


def at_a_terminal(customer: Customer, answers: bytes, *words: str) -> tuple[int, bytes]:
    """Run acfetch with a terminal as stdin and stderr; return exit code and stdout."""
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen([*PROGRAM, *words], stdin=theirs, stdout=subprocess.PIPE, stderr=theirs) as process:
            os.write(ours, answers)
            assert process.stdout is not None
            out = process.stdout.read()
        return process.returncode, out
    finally:
        os.close(ours)
        os.close(theirs)


def test_at_a_terminal_each_key_is_asked_for(customer: Customer, publisher: Signer, mallory: Signer, keys: str) -> None:
    code, out = at_a_terminal(customer, b"n\nyes\n", "trust", "add", "--prefix", "example.org", keys)
    assert (code, out) == (0, f"{placed(customer, mallory)}\n".encode())
    assert not placed(customer, publisher).exists()


def test_who_agrees_to_nothing_is_told_by_the_exit_code(customer: Customer, keys: str) -> None:
    assert at_a_terminal(customer, b"\nno\n", "trust", "add", "--prefix", "example.org", keys) == (77, b"")
    assert not (customer.config / "trustedkeys/prefix.d/example.org").exists()


BAD = {
    "a page": (b"<!doctype html><p>404", "holds no public key"),
    "empty": (b"", "holds no public key"),
    "a signature": (b"-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n", "holds no public key"),
}


@pytest.mark.parametrize(("data", "message"), BAD.values(), ids=BAD)
def test_a_file_is_refused_that_is(data: bytes, message: str, customer: Customer) -> None:
    (customer.path / "file").write_bytes(data)
    assert customer.refused(65, "trust", "add", "--root", "--yes", "file") == f"acfetch: file: {message}"


def test_a_file_is_refused_that_is_endless_missing_or_a_directory(customer: Customer) -> None:
    add = ("trust", "add", "--root", "--yes")
    assert customer.refused(65, *add, "/dev/zero") == "acfetch: /dev/zero: larger than the limit of 1048576 bytes"
    assert customer.refused(66, *add, "nowhere") == "acfetch: nowhere: no such file"
    assert customer.refused(65, *add, "config") == "acfetch: config: a directory, not a file of keys"


def test_a_secret_key_is_refused(customer: Customer, publisher: Signer) -> None:
    (customer.path / "file").write_bytes(publisher.run("--armor", "--export-secret-keys"))
    assert "holds a secret key" in customer.refused(65, "trust", "add", "--root", "--yes", "file")


def test_an_identity_cannot_move_the_terminal(customer: Customer, homes: Path) -> None:
    signer = make_signer(homes / "eve", "Eve\u202e\u200b\u2028Trusted")
    (customer.path / "file").write_bytes(signer.public)
    ended = customer.run("trust", "add", "--root", "--yes", "file")
    assert [line.partition(":")[0] for line in ended.err.split("\n")] == ["prefix", "fingerprint", "identity", ""]
    assert all(line.isprintable() for line in ended.err.split("\n"))


def test_a_key_comes_from_standard_input(customer: Customer, publisher: Signer) -> None:
    words = [*PROGRAM, "trust", "add", "--root", "--yes", "-"]
    result = subprocess.run(words, input=publisher.run("--export"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    assert result.stdout == f"{placed(customer, publisher, 'root.d')}\n".encode()


def test_keys_are_listed_and_removed(customer: Customer, publisher: Signer, mallory: Signer) -> None:
    customer.trust(mallory, "")
    ours, theirs = publisher.fingerprint.lower(), mallory.fingerprint.lower()
    assert customer.run("trust", "list").out == f"*  {theirs}\nexample.com  {ours}\n"
    assert customer.run("trust", "remove", "--root", grouped(mallory).upper()).out == f"{placed(customer, mallory, 'root.d')}\n"
    assert customer.run("trust", "list").out == f"example.com  {ours}\n"
    assert customer.refused(66, "trust", "remove", "--root", theirs) == f"acfetch: {theirs}: is not trusted for all names"
    customer.run("trust", "remove", "--prefix", "example.com", ours)
    assert customer.run("trust", "list").out == ""


USAGE = {
    "neither a prefix nor --root": ("add", "--yes", "keys"),
    "both": ("add", "--yes", "--root", "--prefix", "example.org", "keys"),
    "a prefix that is none": ("add", "--yes", "--prefix", "../example.org", "keys"),
    "an empty prefix": ("add", "--yes", "--prefix", "", "keys"),
    "a prefix with a slash at its end": ("add", "--yes", "--prefix", "example.org/", "keys"),
    "a fingerprint that is a path": ("remove", "--root", "../../../etc/passwd"),
    "no file": ("add", "--root"),
}


@pytest.mark.parametrize("words", USAGE.values(), ids=USAGE)
def test_a_usage_error_is(words: tuple[str, ...], customer: Customer, keys: str) -> None:
    customer.refused(2, "trust", *words)
    assert os.listdir(customer.config / "trustedkeys") == ["prefix.d"]
