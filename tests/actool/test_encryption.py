"""Images encrypted and decrypted."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from acspec.archive.compression import Compression
from acspec.errors import FormatError, MissingInputError, OutputError, ToolError, TrustError, UsageError
from actool.encryption import EncryptionRequest, decrypt, encrypt
from actool.passphrase import Passphrase
from tests.support import gpg, images
from tests.support.terminal import ACTOOL, alone
from tests.support.users import as_ordinary_user, place_of_everybody
from tests.support.waiting import wait_for

SECRET = "sesam"


@pytest.fixture
def passphrase(tmp_path: Path) -> Passphrase:
    (tmp_path / "secret").write_text(SECRET)
    return Passphrase(None, str(tmp_path / "secret"))


@pytest.mark.parametrize("compression", ["none", "gzip", "bzip2", "xz"])
def test_an_image_comes_back_byte_for_byte(compression: str, tmp_path: Path, passphrase: Passphrase) -> None:
    images.write_image(tmp_path / "x.aci", {"f": os.urandom(100_000)}, compression=compression)
    request = EncryptionRequest(str(tmp_path / "x.aci"), str(tmp_path / "e.aci"), False, passphrase)
    assert encrypt(request) is Compression(compression)
    decrypt(EncryptionRequest(str(tmp_path / "e.aci"), str(tmp_path / "y.aci"), False, passphrase))
    assert (tmp_path / "y.aci").read_bytes() == (tmp_path / "x.aci").read_bytes()
    assert (tmp_path / "e.aci").read_bytes() != (tmp_path / "x.aci").read_bytes()


def test_the_outputs_have_the_mode_that_the_umask_leaves(tmp_path: Path, passphrase: Passphrase) -> None:
    images.write_image(tmp_path / "x.aci")
    before = os.umask(0o027)
    try:
        encrypt(EncryptionRequest(str(tmp_path / "x.aci"), str(tmp_path / "e.aci"), False, passphrase))
        decrypt(EncryptionRequest(str(tmp_path / "e.aci"), str(tmp_path / "y.aci"), False, passphrase))
    finally:
        os.umask(before)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("e.aci", "y.aci")] == [0o640, 0o640]


def test_gpg_opens_what_was_encrypted_and_the_other_way_round(tmp_path: Path, passphrase: Passphrase) -> None:
    data = images.image({"f": b"data"})
    (tmp_path / "x.aci").write_bytes(data)
    encrypt(EncryptionRequest(str(tmp_path / "x.aci"), str(tmp_path / "e.aci"), False, passphrase))
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        command = ["gpg", "--homedir", home, "--no-autostart", "--batch", "--pinentry-mode", "loopback"]
        command += ["--passphrase", SECRET, "--decrypt", str(tmp_path / "e.aci")]
        assert subprocess.run(command, capture_output=True, check=True).stdout == data
    (tmp_path / "e.aci").write_bytes(gpg.encrypt(data, SECRET, "--armor"))
    decrypt(EncryptionRequest(str(tmp_path / "e.aci"), str(tmp_path / "y.aci"), False, passphrase))
    assert (tmp_path / "y.aci").read_bytes() == data


def test_an_ordinary_user_can_do_it() -> None:
    with place_of_everybody() as place:
        images.write_image(place / "x.aci", {"f": os.urandom(3_000_000)})
        (place / "secret").write_text(SECRET)

        def there_and_back() -> None:
            passphrase = Passphrase(None, str(place / "secret"))
            encrypt(EncryptionRequest(str(place / "x.aci"), str(place / "e.aci"), False, passphrase))
            decrypt(EncryptionRequest(str(place / "e.aci"), str(place / "y.aci"), False, passphrase))

        as_ordinary_user(there_and_back)
        assert (place / "y.aci").read_bytes() == (place / "x.aci").read_bytes()


def test_an_image_can_take_the_place_of_itself(tmp_path: Path, passphrase: Passphrase) -> None:
    path = str(tmp_path / "x.aci")
    images.write_image(path, {"f": os.urandom(300_000)})
    before = Path(path).read_bytes()
    encrypt(EncryptionRequest(path, path, True, passphrase))
    assert Path(path).read_bytes() != before
    decrypt(EncryptionRequest(path, path, True, passphrase))
    assert Path(path).read_bytes() == before


PLAIN = images.image({"f": bytes(5000)})
Refused = dict[str, tuple[Callable[[], bytes], type[ToolError], str]]
NOT_ENCRYPTED: Refused = {
    "encrypted already": (lambda: gpg.encrypt(PLAIN, SECRET), FormatError, "is encrypted already"),
    "in armour already": (lambda: gpg.encrypt(PLAIN, SECRET, "--armor"), FormatError, "is encrypted already"),
    "no image": (lambda: b"text", FormatError, "not an image archive"),
    "empty": (lambda: b"", FormatError, "an empty file"),
    "a manifest": (images.manifest_bytes, FormatError, "not an image archive"),
}
NOT_DECRYPTED: Refused = {
    "not encrypted": (lambda: PLAIN, FormatError, "is not encrypted"),
    "no image": (lambda: b"text", FormatError, "not an image archive"),
    "no image when decrypted": (lambda: gpg.encrypt(b"text", SECRET), FormatError, "not an image archive"),
    "cut short": (lambda: gpg.encrypt(PLAIN, SECRET)[:-1], FormatError, "the encrypted data is damaged, cut short"),
    "under another passphrase": (lambda: gpg.encrypt(PLAIN, "another"), TrustError, "the passphrase is wrong"),
    "encrypted with 3DES": (
        lambda: gpg.encrypt(PLAIN, SECRET, "--cipher-algo", "3DES"),
        FormatError,
        "encrypted, but not with AES",
    ),
}


@pytest.mark.parametrize("case", NOT_ENCRYPTED)
def test_nothing_is_encrypted_that_is(case: str, tmp_path: Path, passphrase: Passphrase) -> None:
    make, kind, why = NOT_ENCRYPTED[case]
    (tmp_path / "x.aci").write_bytes(make())
    with pytest.raises(kind, match=rf"x\.aci: {why}"):
        encrypt(EncryptionRequest(str(tmp_path / "x.aci"), str(tmp_path / "y.aci"), False, passphrase))
    assert sorted(os.listdir(tmp_path)) == ["secret", "x.aci"]


@pytest.mark.parametrize("case", NOT_DECRYPTED)
def test_nothing_is_decrypted_that_is(case: str, tmp_path: Path, passphrase: Passphrase) -> None:
    make, kind, why = NOT_DECRYPTED[case]
    (tmp_path / "x.aci").write_bytes(make())
    with pytest.raises(kind, match=rf"x\.aci: {why}"):
        decrypt(EncryptionRequest(str(tmp_path / "x.aci"), str(tmp_path / "y.aci"), False, passphrase))
    assert sorted(os.listdir(tmp_path)) == ["secret", "x.aci"]


@pytest.mark.parametrize("work", [encrypt, decrypt])
def test_outputs_are_refused_before_anything_is_read(work: object, tmp_path: Path, passphrase: Passphrase) -> None:
    def request(output: str, overwrite: bool = False) -> object:
        return work(EncryptionRequest(str(tmp_path / "nowhere.aci"), output, overwrite, passphrase))  # type: ignore[operator]

    with pytest.raises(UsageError, match=r"must end in \.aci"):
        request(str(tmp_path / "x.gpg"))
    (tmp_path / "taken.aci").write_text("mine")
    with pytest.raises(OutputError, match="already exists"):
        request(str(tmp_path / "taken.aci"))
    with pytest.raises(MissingInputError, match=r"nowhere\.aci"):
        request(str(tmp_path / "taken.aci"), True)
    assert (tmp_path / "taken.aci").read_text() == "mine"
    with pytest.raises(FormatError, match="a directory, not an image archive"):
        work(EncryptionRequest(str(tmp_path), str(tmp_path / "y.aci"), False, passphrase))  # type: ignore[operator]


def test_what_cannot_be_taken_back_is_not_written(tmp_path: Path, passphrase: Passphrase) -> None:
    with pytest.raises(UsageError, match="cannot take back"):
        decrypt(EncryptionRequest("x.aci", "-", False, passphrase))


def test_encrypting_warns_of_compression_unless_it_is_to_be_quiet(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    images.write_image(tmp_path / "x.aci")
    images.write_image(tmp_path / "plain.aci", compression="none")
    words = ["encrypt", "--passphrase-file", "secret", "--overwrite"]
    ended = alone(*words, "x.aci", "e.aci", place=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, b"")
    assert ended.stderr.startswith(b"actool: x.aci: warning: it is compressed (gzip), so that its size tells something")
    assert ended.stderr.count(b"\n") == 1
    for quiet in (["--quiet", "x.aci"], ["plain.aci"]):
        ended = alone(*words, *quiet, "e.aci", place=tmp_path)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_an_encrypted_image_goes_through_pipes(tmp_path: Path) -> None:
    identity = images.write_image(tmp_path / "x.aci", {"f": os.urandom(200_000)})
    (tmp_path / "secret").write_text(SECRET)
    option = ("--passphrase-file", "secret")
    encrypted = alone("encrypt", "-q", *option, "-", "-", place=tmp_path, data=(tmp_path / "x.aci").read_bytes())
    assert encrypted.returncode == 0
    assert alone("id", *option, "-", place=tmp_path, data=encrypted.stdout).stdout.decode() == f"{identity}\n"
    assert alone("decrypt", *option, "-", "y.aci", place=tmp_path, data=encrypted.stdout).returncode == 0
    assert (tmp_path / "y.aci").read_bytes() == (tmp_path / "x.aci").read_bytes()
    refused = alone("id", "--passphrase-fd", "0", "-", place=tmp_path, data=encrypted.stdout)
    assert refused.returncode == 2
    assert refused.stderr == b"actool: --passphrase-fd 0: the image is read from there (--passphrase-file FILE)\n"


def test_a_reader_that_goes_away_ends_the_program_quietly(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    images.write_image(tmp_path / "x.aci", {"f": os.urandom(3_000_000)})
    words = [*ACTOOL, "encrypt", "-q", "--passphrase-file", "secret", "x.aci", "-"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


def children(process: subprocess.Popen[bytes]) -> list[str]:
    """Return the processes that a process has started."""
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()


def is_running(process: str) -> bool:
    """Tell whether a process runs: one that has ended counts no more, reaped or not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("command", ["encrypt", "decrypt", "extract", "id"])
def test_a_signal_leaves_nothing_behind(command: str, number: int, tmp_path: Path) -> None:
    """Half of an image has come through the pipe, and no more will: no file, no gpg, no agent and no home may be left."""
    place, temporary = tmp_path / "place", tmp_path / "temporary"
    place.mkdir()
    temporary.mkdir()
    (tmp_path / "secret").write_text(SECRET)
    data = images.image({"f": os.urandom(2_000_000)}, compression="none")
    data = data if command == "encrypt" else gpg.encrypt(data, SECRET, "--compress-algo", "none")
    output = {"extract": ["y"], "id": []}.get(command, ["y.aci"])
    words = [*ACTOOL, command, "--passphrase-file", "../secret", "-", *output]
    known = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(words, cwd=place, env=known, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(data[:1_500_000])
        process.stdin.flush()
        wait_for(lambda: children(process) and (os.listdir(place) or not output), "gpg and the output")
        (child,) = children(process)
        process.send_signal(number)
        process.wait(60)
        process.stdin.close()
    assert os.listdir(temporary) == []
    wait_for(lambda: not is_running(child), "the end of gpg, which comes by itself without its feeder")
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        assert os.listdir(place) == []
