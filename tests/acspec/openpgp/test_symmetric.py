"""Messages under a passphrase, by real gpg on both sides."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec import limits
from acspec.errors import FormatError, KernelError, MissingInputError, StorageError, TrustError
from acspec.openpgp.filter import Filter
from acspec.openpgp.symmetric import Decryption, Encryption, find_fault
from tests.support.gpg import Signer, encrypt

DATA = bytes(range(256)) * 8
SECRET = "sesam öffne dich"
GOOD = ["BEGIN_DECRYPTION", "DECRYPTION_INFO 2 9", "PLAINTEXT 62 0", "DECRYPTION_OKAY", "GOODMDC", "END_DECRYPTION"]


def run(kind: type[Filter], data: bytes, secret: str = SECRET, head: bytes = b"") -> bytes:
    """Return what *kind* makes of *head* and a file with *data*."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        with kind(file.fileno(), "x.aci", secret.encode(), head=head) as stream:  # type: ignore[call-arg, arg-type]
            found = list(iter(lambda: stream.read(70_000), b""))
        assert file.tell() == 0, "a descriptor that others share stays where it is"
        return b"".join(found)


def decrypt(data: bytes, secret: str = SECRET, head: bytes = b"") -> bytes:
    return run(Decryption, data, secret, head)


def packets(data: bytes, secret: str = SECRET) -> str:
    """Return what gpg says of the packets of a message."""
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        command = ["gpg", "--homedir", home, "--no-autostart", "--batch", "--pinentry-mode", "loopback"]
        command += ["--passphrase", secret, "--list-packets"]
        return subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()


@pytest.mark.parametrize("size", [0, 1, 511, 8192, 3_000_000])
def test_what_is_encrypted_is_decrypted(size: int) -> None:
    data = os.urandom(size)
    assert decrypt(run(Encryption, data)) == data


def test_a_passphrase_may_be_as_long_as_the_limit_allows() -> None:
    secret = "x" * limits.PASSPHRASE_BYTES
    encrypted = run(Encryption, DATA, secret)
    assert decrypt(encrypted, secret) == DATA
    with pytest.raises(TrustError):
        decrypt(encrypted, secret[:-1])


def test_an_image_is_encrypted_as_the_specification_has_it_and_as_strongly_as_the_format_can() -> None:
    told = packets(run(Encryption, DATA))
    assert "symkey enc packet: version 4, cipher 9, aead 0,s2k 3, hash 10" in told
    assert "count 65011712 (255)" in told
    assert "mdc_method: 2" in told
    assert 'name=""' in told
    assert "compressed packet" not in told
    assert "pubkey" not in told


MADE_BY_GPG: dict[str, list[str]] = {
    "as the specification shows it": ["--digest-algo", "sha256", "--cipher-algo", "AES256"],
    "with AES of 128 bits": ["--cipher-algo", "AES"],
    "in ASCII armour": ["--armor"],
    "compressed once more": ["--compress-algo", "zlib"],
    "with a short key derivation": ["--s2k-mode", "0"],
}


@pytest.mark.parametrize("words", MADE_BY_GPG.values(), ids=MADE_BY_GPG)
def test_what_gpg_encrypts_is_decrypted(words: list[str]) -> None:
    assert decrypt(encrypt(DATA, SECRET, *words)) == DATA


def test_a_message_that_is_signed_or_for_a_key_as_well_opens_with_the_passphrase(alice: Signer) -> None:
    words = ["--pinentry-mode", "loopback", "--passphrase", SECRET, "--s2k-count", "65536", "--symmetric"]
    assert decrypt(alice.run(*words, "--sign", "--local-user", alice.fingerprint, data=DATA)) == DATA


def test_what_was_read_of_a_pipe_goes_before_the_rest() -> None:
    encrypted = encrypt(DATA, SECRET)
    assert decrypt(encrypted[77:], head=encrypted[:77]) == DATA
    assert decrypt(b"", head=encrypted) == DATA


def test_a_wrong_passphrase_is_called_wrong() -> None:
    with pytest.raises(TrustError, match=r"x\.aci: the passphrase is wrong"):
        decrypt(encrypt(DATA, "another"))


def for_a_key() -> bytes:
    return b"\x85\x01\x0c\x03" + bytes(8) + b"\x01\x08\x00\x80" + bytes(256) + b"\xd2\x32\x01" + bytes(49)


def plain(*words: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        command = ["gpg", "--homedir", home, "--quiet", "--compress-algo", "none", *words, "--store"]
        return subprocess.run(command, input=DATA, capture_output=True).stdout


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "damaged"),
    "no PGP at all": (lambda: DATA, "damaged"),
    "cut before its data": (lambda: encrypt(DATA, SECRET)[:15], "damaged, cut short or tampered with"),
    "cut in the middle": (lambda: encrypt(os.urandom(900), SECRET)[:500], "damaged, cut short or tampered with"),
    "without its last byte": (lambda: encrypt(DATA, SECRET)[:-1], "damaged, cut short or tampered with"),
    "followed by garbage": (lambda: encrypt(DATA, SECRET) + b"garbage", "damaged"),
    "followed by zeros": (lambda: encrypt(DATA, SECRET) + bytes(600), "damaged"),
    "followed by another of its kind": (lambda: encrypt(DATA, SECRET) * 2, "damaged"),
    "followed by plain text": (lambda: encrypt(DATA, SECRET) + plain(), "damaged"),
    "followed by plain text and very short": (lambda: encrypt(b"", SECRET) + plain(), "damaged"),
    "preceded by plain text": (lambda: plain() + encrypt(DATA, SECRET), "damaged"),
    "encrypted with 3DES": (lambda: encrypt(DATA, SECRET, "--cipher-algo", "3DES"), "encrypted, but not with AES"),
    "without protection": (lambda: encrypt(DATA, SECRET, "--rfc2440"), "encrypted without protection against tampering"),
    "not encrypted": (plain, "a PGP message that is not encrypted"),
    "not encrypted, in armour": (lambda: plain("--armor"), "a PGP message that is not encrypted"),
    "for a key alone": (for_a_key, "encrypted to a public key, not with a passphrase"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_message_is_refused_that_is(case: str) -> None:
    make, why = REFUSED[case]
    with pytest.raises(FormatError, match=why):
        decrypt(make())


def test_no_byte_can_be_changed() -> None:
    encrypted = encrypt(DATA[:300], SECRET, "--compress-algo", "none")
    places = [*range(64), *range(64, len(encrypted) - 24, 23), *range(len(encrypted) - 24, len(encrypted))]
    for place in places:
        changed = bytearray(encrypted)
        changed[place] ^= 1 << place % 8
        with pytest.raises((FormatError, TrustError), match=r"^x\.aci: "):
            decrypt(bytes(changed))


def test_no_tail_can_be_cut_off() -> None:
    encrypted = encrypt(DATA[:300], SECRET)
    for size in [*range(40), *range(40, len(encrypted), 17)]:
        with pytest.raises((FormatError, TrustError), match=r"^x\.aci: "):
            decrypt(encrypted[:size])


def test_the_end_is_not_reported_twice_where_it_is_bad() -> None:
    damaged = encrypt(DATA, SECRET)[:-1]
    with tempfile.TemporaryFile() as file:
        file.write(damaged)
        file.seek(0)
        with Decryption(file.fileno(), "x.aci", SECRET.encode()) as stream:
            for _ in range(2):
                with pytest.raises(FormatError):
                    stream.finish()
            with pytest.raises(FormatError):
                stream.read(1)


def test_an_image_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = encrypt(bytes(3_000_000), SECRET, "--compress-algo", "zlib")
    monkeypatch.setattr(limits, "IMAGE_SERVED_BYTES", 1_000_000)
    assert len(bomb) < 10_000
    with pytest.raises(FormatError, match="larger than the limit of 1000000 bytes"):
        decrypt(bomb)
    with pytest.raises(FormatError, match="larger than the limit of 1000000 bytes as served"):
        run(Encryption, bytes(1_000_001))


def test_gpg_may_not_say_more_than_the_limit() -> None:
    header = for_a_key()[:271]
    with pytest.raises(FormatError, match="gpg has more to say of it than the limit of 4096 bytes"):
        decrypt(header * 500 + encrypt(DATA, SECRET))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        with (
            Decryption(directory, "x.aci", b"secret") as stream,
            pytest.raises(StorageError, match=r"x\.aci: cannot be read: is a dir"),
        ):
            stream.read(1)
    finally:
        os.close(directory)


def test_without_gpg_the_message_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    before = os.listdir("/proc/self/fd")
    with pytest.raises(MissingInputError, match="gpg: is not installed"):
        run(Encryption, DATA)
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("kind", [Encryption, Decryption])
def test_gpg_that_is_killed_is_no_end(kind: type[Filter]) -> None:
    data = os.urandom(3_000_000) if kind is Encryption else encrypt(os.urandom(3_000_000), SECRET)
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        with kind(file.fileno(), "x.aci", SECRET.encode()) as stream:  # type: ignore[call-arg, arg-type]
            assert stream.read(10)
            os.kill(stream._process.pid, signal.SIGKILL)
            with pytest.raises((KernelError, FormatError), match=r"^x\.aci: "):
                stream.finish()


def test_a_reading_that_is_given_up_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    encrypted, before = encrypt(os.urandom(3_000_000), SECRET), os.listdir("/proc/self/fd")
    path = tmp_path / "x.aci"
    path.write_bytes(encrypted)
    with path.open("rb") as file:
        with Decryption(file.fileno(), "x.aci", SECRET.encode()) as stream:
            stream.read(1)
            process = stream._process
            with open(f"/proc/{process.pid}/cmdline", "rb") as line, open(f"/proc/{process.pid}/environ", "rb") as environ:
                assert SECRET.encode() not in line.read() + environ.read()
            assert os.listdir(tmp_path) == ["x.aci"]
        assert process.returncode == -signal.SIGKILL
        stream.close()
    assert os.listdir(tmp_path) == ["x.aci"]
    assert os.listdir("/proc/self/fd") == before


def test_a_read_that_waits_for_a_silent_pipe_can_be_interrupted_and_gone_on_with() -> None:
    encrypted = encrypt(DATA, SECRET)
    reading, writing = os.pipe()
    ended: list[BaseException] = []
    try:
        os.write(writing, encrypted[:100])
        with Decryption(reading, "x.aci", SECRET.encode()) as stream:

            def wait() -> None:
                try:
                    while stream.read(1000):
                        pass
                except BaseException as error:
                    ended.append(error)

            thread = threading.Thread(target=wait)
            thread.start()
            stream.interrupt()
            thread.join()
            assert [type(error) for error in ended] == [InterruptedError]
            with pytest.raises(InterruptedError):
                stream.read(1)
            os.write(writing, encrypted[100:])
            os.close(writing)
            writing = -1
            stream.finish()
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)


def said(*lines: str) -> list[list[str]]:
    return [line.split(" ") for line in lines]


def test_only_one_whole_message_under_a_passphrase_is_good() -> None:
    assert find_fault(said(*GOOD), "x.aci") is None
    assert find_fault(said("NEED_PASSPHRASE_SYM 9 3 10", *GOOD[:3], "PLAINTEXT_LENGTH 3", *GOOD[3:]), "x.aci") is None
    for number in range(len(GOOD)):
        assert find_fault(said(*GOOD[:number], *GOOD[number + 1 :]), "x.aci") is not None
        assert find_fault(said(*GOOD[:number], GOOD[number], *GOOD[number:]), "x.aci") is not None
        for bad in ("BADMDC", "DECRYPTION_FAILED", "NODATA 3", "UNEXPECTED 0", "FAILURE gpg-exit 1", ANOTHER):
            assert find_fault(said(*GOOD[:number], bad, *GOOD[number:]), "x.aci") is not None


ANOTHER = "ERROR proc_pkt.plaintext 89_BAD_DATA"
WORDS = st.sampled_from([*GOOD, "BADMDC", "DECRYPTION_FAILED", "NODATA 3", "ENC_TO 0 1 0", "NEED_PASSPHRASE_SYM 9 3 10"]) | st.text(
    max_size=9
)


@given(st.lists(WORDS, max_size=9))
def test_whatever_gpg_says_it_is_good_in_one_order_only(lines: list[str]) -> None:
    fault = find_fault(said(*lines), "x.aci")
    if fault is None:
        assert [line for line in lines if line in GOOD] == GOOD
    else:
        assert isinstance(fault, FormatError | TrustError)
