"""Signatures beside images."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from acspec.errors import FormatError, MissingInputError, OutputError, TrustError, UsageError
from acspec.openpgp.signing import Signer
from acspec.openpgp.verification import Verification
from actool.sign import SignRequest, sign_images
from tests.support import gpg, images
from tests.support.terminal import ACTOOL, alone, at_terminal


def sign(signer: gpg.Signer, *paths: Path, output: Path | None = None, overwrite: bool = False) -> list[str]:
    key = Signer(signer.fingerprint, str(signer.home))
    request = SignRequest([str(path) for path in paths], key, str(output) if output else None, overwrite)
    return [signed.path for signed in sign_images(request)]


def check(image: bytes, signature: bytes, signer: gpg.Signer) -> None:
    with Verification(signature, {signer.fingerprint.lower(): signer.public}) as verification:
        verification.write(image)
        assert verification.finish().fingerprint == signer.fingerprint.lower()


def test_a_signature_is_written_beside_each_image(tmp_path: Path, alice: gpg.Signer) -> None:
    plain, secret = tmp_path / "x.aci", tmp_path / "y.aci"
    images.write_image(plain, {"f": os.urandom(300_000)})
    secret.write_bytes(gpg.encrypt(images.image(), "sesam"))
    assert sign(alice, plain, secret) == [f"{plain}.asc", f"{secret}.asc"]
    for path in (plain, secret):
        check(path.read_bytes(), Path(f"{path}.asc").read_bytes(), alice)
        assert Path(f"{path}.asc").stat().st_mode & 0o777 == 0o644


def test_a_signature_may_go_elsewhere_and_replace_another(tmp_path: Path, alice: gpg.Signer, mallory: gpg.Signer) -> None:
    image, output = tmp_path / "x.aci", tmp_path / "there.aci.asc"
    images.write_image(image)
    sign(mallory, image, output=output)
    with pytest.raises(OutputError, match=r"there\.aci\.asc: already exists"):
        sign(alice, image, output=output)
    sign(alice, image, output=output, overwrite=True)
    check(image.read_bytes(), output.read_bytes(), alice)
    assert sorted(os.listdir(tmp_path)) == ["there.aci.asc", "x.aci"]


def test_no_image_is_signed_when_one_cannot_be(tmp_path: Path, alice: gpg.Signer) -> None:
    good = tmp_path / "x.aci"
    images.write_image(good)
    (tmp_path / "text.aci").write_text("text")
    (tmp_path / "dir.aci").mkdir()
    for bad, kind, why in (
        ("text.aci", FormatError, r"text\.aci: not an image archive"),
        ("dir.aci", FormatError, r"dir\.aci: a directory, not an image archive"),
        ("nowhere.aci", MissingInputError, r"nowhere\.aci: no such file"),
        ("text", UsageError, r"text\.asc: the name of a signature must end in \.aci\.asc"),
    ):
        with pytest.raises(kind, match=why):
            sign(alice, good, tmp_path / bad)
    assert sorted(os.listdir(tmp_path)) == ["dir.aci", "text.aci", "x.aci"]


def test_a_key_that_cannot_sign_leaves_nothing(tmp_path: Path, homes: Path) -> None:
    images.write_image(tmp_path / "x.aci")
    gone = gpg.make_signer(homes / "gone", "Gone")
    gone.revoke()
    with pytest.raises(TrustError, match="this key is revoked"):
        sign(gone, tmp_path / "x.aci")
    assert os.listdir(tmp_path) == ["x.aci"]


def test_one_output_is_for_one_image_and_standard_input_needs_one(tmp_path: Path, alice: gpg.Signer) -> None:
    with pytest.raises(UsageError, match="--output: is for the signature of one image"):
        sign(alice, Path("a.aci"), Path("b.aci"), output=tmp_path / "c.aci.asc")
    with pytest.raises(UsageError, match="standard input: has no name for its signature"):
        sign(alice, Path("-"))


def test_the_program_signs_what_comes_through_a_pipe_and_says_whose_key_it_was(tmp_path: Path, alice: gpg.Signer) -> None:
    data = images.image({"f": os.urandom(300_000)})
    words = ["sign", "--homedir", str(alice.home), "--output", "x.aci.asc", "-"]
    ended = alone(*words, place=tmp_path, data=data)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.decode() == f"{alice.fingerprint.lower()}  x.aci.asc\n"
    check(data, (tmp_path / "x.aci.asc").read_bytes(), alice)
    refused = alone(*words, "--overwrite", "--passphrase-fd", "0", place=tmp_path, data=data)
    assert (refused.returncode, refused.stdout) == (2, b"")
    assert refused.stderr.startswith(b"actool: --passphrase-fd 0: the image is read from there")


LOCKED = "sesam"


@pytest.fixture(scope="module")
def locked_key(homes: Path) -> gpg.Signer:
    return gpg.make_signer(homes / "locked", "Locked", passphrase=LOCKED)


@pytest.fixture
def locked(locked_key: gpg.Signer) -> gpg.Signer:
    """Return a key whose passphrase no agent knows any more."""
    gpg.stop_agent(locked_key.home)
    return locked_key


def test_the_program_unlocks_a_key_without_asking_and_asks_nobody_where_there_is_no_terminal(
    tmp_path: Path, locked: gpg.Signer
) -> None:
    images.write_image(tmp_path / "x.aci")
    (tmp_path / "secret").write_text(LOCKED)
    (tmp_path / "wrong").write_text("wrong")
    words = ["sign", "--homedir", str(locked.home), "x.aci"]
    ended = alone(*words, place=tmp_path)
    assert (ended.returncode, ended.stdout) == (77, b"")
    assert ended.stderr.decode() == (
        "actool: gpg's key: cannot sign x.aci: the key is locked, and nobody can be asked for its passphrase "
        "(--passphrase-file FILE unlocks it)\n"
    )
    assert alone(*words, "--passphrase-file", "wrong", place=tmp_path).returncode == 77
    assert not (tmp_path / "x.aci.asc").exists()
    assert alone(*words, "--passphrase-file", "secret", place=tmp_path).returncode == 0
    check((tmp_path / "x.aci").read_bytes(), (tmp_path / "x.aci.asc").read_bytes(), locked)


def test_a_person_at_a_terminal_is_asked_by_the_agent(tmp_path: Path, locked: gpg.Signer) -> None:
    images.write_image(tmp_path / "x.aci")
    words = [*ACTOOL, "sign", "--homedir", str(locked.home), "x.aci"]
    with at_terminal(words, tmp_path, {"TERM": "linux", "LANG": "C"}, stdout=subprocess.PIPE) as terminal:
        terminal.wait_for("Passphrase")
        terminal.press(LOCKED.encode() + b"\r")
        assert terminal.process.stdout is not None
        assert terminal.process.stdout.read().decode() == f"{locked.fingerprint.lower()}  x.aci.asc\n"
        assert terminal.process.wait() == 0
    check((tmp_path / "x.aci").read_bytes(), (tmp_path / "x.aci.asc").read_bytes(), locked)
