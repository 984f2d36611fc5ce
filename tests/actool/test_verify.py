"""Signatures beside images, and whose they must be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from acspec.errors import FormatError, MissingInputError, ToolError, UsageError
from actool.verify import Verified, VerifyRequest, format_json, verify_images
from tests.support import gpg, images
from tests.support.terminal import ACTOOL, alone
from tests.support.waiting import wait_for

LONG_AGO = "20200101T000000!"


@pytest.fixture
def place(tmp_path: Path, alice: gpg.Signer, mallory: gpg.Signer) -> Path:
    """Return a directory with an image that Alice has signed, and public keys."""
    images.write_image(tmp_path / "x.aci", {"f": os.urandom(300_000)})
    (tmp_path / "x.aci.asc").write_bytes(alice.sign((tmp_path / "x.aci").read_bytes()))
    (tmp_path / "alice").write_bytes(alice.public)
    (tmp_path / "mallory").write_bytes(mallory.public)
    (tmp_path / "both").write_bytes(alice.public + mallory.public)
    return tmp_path


def verify(place: Path, *names: str, **changes: Any) -> list[Verified | ToolError]:
    def inside(paths: Sequence[str]) -> list[str]:
        return [str(place / path) for path in paths]

    signature = str(place / changes["signature"]) if "signature" in changes else None
    files = inside(changes.get("keys", ["alice"]))
    request = VerifyRequest(inside(names or ["x.aci"]), signature, files, changes.get("fingerprints", ()), changes.get("home"))
    return list(verify_images(request))


def refusal(found: list[Verified | ToolError]) -> str:
    (verified,) = found
    assert isinstance(verified, Verified)
    assert not verified.is_good
    assert verified.identities == ()
    return verified.verdict.reason


def test_a_signature_is_good_when_its_key_was_named(place: Path, alice: gpg.Signer, mallory: gpg.Signer) -> None:
    named: list[dict[str, Any]] = [
        {},
        {"keys": ["both"]},
        {"keys": ["mallory", "alice"]},
        {"keys": ["both"], "fingerprints": [alice.fingerprint]},
        {"keys": [], "fingerprints": [alice.fingerprint], "home": str(alice.home)},
        {"keys": ["alice"], "fingerprints": [" ".join([alice.fingerprint[:20].lower(), alice.fingerprint[20:]])]},
    ]
    for keys in named:
        (verified,) = verify(place, **keys)
        assert isinstance(verified, Verified)
        assert (verified.verdict.fingerprint, verified.identities) == (alice.fingerprint.lower(), ("Alice",))


def test_a_key_that_was_not_named_does_not_count(place: Path, mallory: gpg.Signer) -> None:
    stranger = "the key that made it is not among the trusted ones"
    assert refusal(verify(place, keys=["mallory"])) == stranger
    assert refusal(verify(place, keys=["both"], fingerprints=[mallory.fingerprint])) == stranger
    assert refusal(verify(place, keys=[], fingerprints=[mallory.fingerprint], home=str(mallory.home))) == stranger


def test_an_image_that_was_changed_is_not_good(place: Path) -> None:
    data = bytearray((place / "x.aci").read_bytes())
    data[-1] ^= 1
    (place / "x.aci").write_bytes(data)
    assert refusal(verify(place)) == "the signature is of another file"


def test_keys_that_have_ended_and_weak_signatures_do_not_count(place: Path, homes: Path, alice: gpg.Signer) -> None:
    data = (place / "x.aci").read_bytes()
    old = gpg.make_signer(homes / "old", "Old", expires="seconds=1000", clock=LONG_AGO)
    gone = gpg.make_signer(homes / "gone", "Gone")
    (place / "old.asc").write_bytes(old.sign(data, clock=LONG_AGO))
    (place / "gone.asc").write_bytes(gone.sign(data))
    (place / "weak.asc").write_bytes(alice.sign(data, "--digest-algo", "SHA1", "--detach-sign"))
    gone.revoke()
    (place / "keys").write_bytes(old.public + gone.public + alice.public)
    reasons = {
        "old": "the key that made it has expired",
        "gone": "the key that made it is revoked",
        "weak": "it is made with SHA-1",
    }
    for name, reason in reasons.items():
        assert refusal(verify(place, keys=["keys"], signature=f"{name}.asc")).startswith(reason)


def test_an_encrypted_image_is_verified_as_served(place: Path, alice: gpg.Signer) -> None:
    data = gpg.encrypt(images.image(), "sesam")
    (place / "e.aci").write_bytes(data)
    (place / "e.aci.asc").write_bytes(alice.sign(data))
    assert all(isinstance(verified, Verified) and verified.is_good for verified in verify(place, "e.aci", "x.aci"))


def test_what_keeps_an_image_from_being_verified_keeps_no_other(place: Path) -> None:
    (place / "text.aci").write_text("text")
    (place / "text.aci.asc").write_text("text")
    images.write_image(place / "unsigned.aci")
    (place / "dir.aci").mkdir()
    (place / "dir.aci.asc").mkdir()
    found = verify(place, "nowhere.aci", "unsigned.aci", "text.aci", "dir.aci", "x.aci")
    assert [type(verified) for verified in found] == [MissingInputError, Verified, FormatError, FormatError, Verified]
    for verified, words in zip(found, ("nowhere.aci", "unsigned.aci.asc", "text.aci.asc: is not an", "dir.aci"), strict=False):
        assert words in str(verified)


REFUSED: dict[str, tuple[dict[str, Any], type[ToolError], str]] = {
    "no key": ({"keys": []}, UsageError, "nobody says whose signature counts"),
    "a home beside a file": ({"home": "home"}, UsageError, "--homedir: has no use beside --key"),
    "a home that is not there": (
        {"keys": [], "fingerprints": ["0" * 40], "home": "/nowhere"},
        MissingInputError,
        "/nowhere: no such dir",
    ),
    "a name for a fingerprint": ({"fingerprints": ["Alice"]}, UsageError, "Alice: is not a fingerprint"),
    "a fingerprint that no file has": ({"fingerprints": ["0" * 40]}, MissingInputError, "0000: no such key in the files"),
    "a key file that is not there": ({"keys": ["nowhere"]}, MissingInputError, "nowhere: no such file"),
    "a key file without a key": ({"keys": ["x.aci.asc"]}, FormatError, "holds no public key"),
    "a directory for a key file": ({"keys": ["."]}, FormatError, "a directory, not a file"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_nothing_is_verified_with(case: str, place: Path) -> None:
    changes, kind, why = REFUSED[case]
    with pytest.raises(kind, match=why):
        verify(place, **changes)


def test_a_fingerprint_that_the_keyring_has_not_is_refused(place: Path, alice: gpg.Signer) -> None:
    with pytest.raises(MissingInputError, match="no such key in the keyring of gpg"):
        verify(place, keys=[], fingerprints=["0" * 40], home=str(alice.home))


def test_one_signature_is_for_one_image_and_standard_input_needs_one(place: Path) -> None:
    with pytest.raises(UsageError, match="--signature: is for one image"):
        verify(place, "x.aci", "y.aci", signature="x.aci.asc")
    with pytest.raises(UsageError, match="standard input: has no signature beside it"):
        list(verify_images(VerifyRequest(["-"], None, [str(place / "alice")], (), None)))


def test_the_program_answers_by_its_exit_code(place: Path, alice: gpg.Signer, mallory: gpg.Signer) -> None:
    good = alone("verify", "--key", "alice", "x.aci", place=place)
    assert (good.returncode, good.stderr) == (0, b"")
    assert good.stdout.decode() == f"x.aci: good signature by {alice.fingerprint.lower()} (Alice)\n"
    bad = alone("verify", "--key", "mallory", "x.aci", place=place)
    assert (bad.returncode, bad.stdout) == (1, b"")
    reason = f"the key that made it is not among the trusted ones; it names the key {alice.fingerprint.lower()}"
    assert bad.stderr.decode() == f"actool: x.aci: no good signature: {reason}\n"
    assert alone("verify", "--key", "alice", "--signature", "alice", "x.aci", place=place).returncode == 65
    assert alone("verify", "--key", "mallory", "x.aci", "nowhere.aci", place=place).returncode == 66
    assert alone("verify", "x.aci", place=place).returncode == 2
    quiet = alone("verify", "-q", "--key", "alice", "x.aci", place=place)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, b"", b"")


def test_the_program_verifies_what_comes_through_a_pipe_and_tells_programs(place: Path, alice: gpg.Signer) -> None:
    data = (place / "x.aci").read_bytes()
    words = ["verify", "--json", "--key", "alice", "--signature", "x.aci.asc", "-"]
    good = json.loads(alone(*words, place=place, data=data).stdout)
    fingerprint = alice.fingerprint.lower()
    assert good == {"image": "-", "signature": "x.aci.asc", "good": True, "fingerprint": fingerprint, "identities": ["Alice"]}
    ended = alone(*words, place=place, data=data[:-1])
    assert (ended.returncode, ended.stderr) == (1, b"")
    bad = json.loads(ended.stdout)
    assert bad.pop("key") == fingerprint[-16:]
    assert bad == {"image": "-", "signature": "x.aci.asc", "good": False, "reason": "the signature is of another file"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_no_home_of_gpg_behind(number: int, place: Path) -> None:
    temporary = place / "temporary"
    temporary.mkdir()
    words = [*ACTOOL, "verify", "--key", "alice", "--signature", "x.aci.asc", "-"]
    known = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(words, cwd=place, env=known, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        wait_for(lambda: list(temporary.glob("*/status")), "gpg")
        process.send_signal(number)
        process.wait(60)
        process.stdin.close()
    assert process.returncode == 128 + number
    assert os.listdir(temporary) == []


def test_whoever_made_a_key_cannot_move_a_terminal(place: Path, homes: Path) -> None:
    evil = gpg.make_signer(homes / "evil", "Eve \u202e\u009b2J ü")
    (place / "x.aci.asc").write_bytes(evil.sign((place / "x.aci").read_bytes()))
    (place / "evil").write_bytes(evil.public)
    (verified,) = verify(place, keys=["evil"])
    assert isinstance(verified, Verified)
    assert format_json(verified).isascii()
    assert format_json(verified).isprintable()
    shown = alone("verify", "--key", "evil", "x.aci", place=place).stdout.decode()
    assert shown.rstrip("\n").isprintable()


def test_an_image_without_a_signature_is_one_whose_signature_is_not_good(place: Path) -> None:
    images.write_image(place / "unsigned.aci")
    (found,) = verify(place, "unsigned.aci")
    assert isinstance(found, Verified)
    assert not found.is_good
    assert json.loads(format_json(found))["reason"] == f"there is no {place}/unsigned.aci.asc"
