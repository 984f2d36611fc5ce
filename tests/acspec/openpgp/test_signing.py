"""Signatures by a user's own gpg: real keys, a real agent."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.errors import KernelError, MissingInputError, ToolError, TrustError, UsageError
from acspec.openpgp import signing
from acspec.openpgp.signing import Signature, Signer, sign
from acspec.openpgp.verification import Verification
from tests.support import gpg

DATA = bytes(range(256)) * 4096
LONG_AGO = "20200101T000000!"
LOCKED = "sesam öffne dich"


@pytest.fixture(scope="module")
def home(homes: Path, alice: gpg.Signer) -> Path:
    """Return a home with the keys of Bob (locked), Carol (two of them), Dave (expired) and Eve (revoked)."""
    directory = homes / "users"
    gpg.make_signer(directory, "Bob", passphrase=LOCKED)
    gpg.make_signer(directory, "Carol one")
    gpg.make_signer(directory, "Carol two")
    gpg.make_signer(directory, "Dave", expires="seconds=1000", clock=LONG_AGO)
    gpg.make_signer(directory, "Eve").revoke()
    # The agent remembers the passphrase of a key that it has just made.
    gpg.stop_agent(directory)
    return directory


def signature(signer: Signer, data: bytes = DATA, head: bytes = b"") -> Signature:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        return sign(file.fileno(), "x.aci", signer, head=head)


def check(made: Signature, signer: gpg.Signer, data: bytes = DATA) -> None:
    with Verification(made.armoured, {signer.fingerprint.lower(): signer.public}) as verification:
        verification.write(data)
        assert verification.finish().fingerprint == signer.fingerprint.lower() == made.key.fingerprint


def test_a_signature_is_good_and_says_whose_it_is(alice: gpg.Signer) -> None:
    made = signature(Signer(alice.fingerprint, str(alice.home)))
    check(made, alice)
    assert made.key.identities == ("Alice: [GNUPG:] GOODSIG 0 Good Key",)


def test_without_a_name_it_is_the_key_that_gpg_takes(alice: gpg.Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNUPGHOME", str(alice.home))
    check(signature(Signer()), alice)


def test_a_name_may_be_an_identity_a_key_id_or_a_fingerprint(alice: gpg.Signer) -> None:
    for name in ("Alice", alice.fingerprint[-16:], f"0x{alice.fingerprint}", alice.fingerprint.lower(), f"{alice.fingerprint}!"):
        assert signature(Signer(name, str(alice.home))).key.fingerprint == alice.fingerprint.lower()


def test_a_subkey_can_be_named_and_counts_as_its_primary_key(homes: Path) -> None:
    signer = gpg.make_signer(homes / "subkeys", "Frank")
    quick = ["--pinentry-mode", "loopback", "--passphrase", ""]
    signer.run(*quick, "--quick-add-key", signer.fingerprint, "ed25519", "sign", "never")
    listing = signer.run("--with-colons", "--list-keys").decode().splitlines()
    primary, subkey = (line.split(":")[9] for line in listing if line.startswith("fpr:"))
    for name in (primary, f"{subkey}!", f"{primary}!"):
        made = signature(Signer(name, str(signer.home)))
        check(made, signer)
        assert made.key.subkeys == (subkey.lower(),)


def test_what_was_read_of_a_pipe_goes_before_the_rest(alice: gpg.Signer) -> None:
    check(signature(Signer("Alice", str(alice.home)), DATA[99:], head=DATA[:99]), alice)


def test_a_locked_key_opens_with_its_passphrase_only(home: Path) -> None:
    with pytest.raises(TrustError, match=r"Bob: cannot sign x\.aci: the key is locked, and nobody can be asked") as caught:
        signature(Signer("Bob", str(home)))
    assert caught.value.hint == "--passphrase-file FILE unlocks it"
    with pytest.raises(TrustError, match=r"Bob: cannot sign x\.aci: the passphrase is wrong$"):
        signature(Signer("Bob", str(home), b"wrong"))
    assert signature(Signer("Bob", str(home), LOCKED.encode())).key.identities == ("Bob",)


REFUSED: dict[str, tuple[str, type[ToolError], str]] = {
    "of nobody": ("Nobody", MissingInputError, "no such secret key in the keyring of gpg"),
    "of two keys": ("Carol", UsageError, "is the name of 2 keys"),
    "of an expired key": ("Dave", TrustError, "this key has expired"),
    "of a revoked key": ("Eve", TrustError, "this key is revoked"),
    "that is an option": ("--version", UsageError, "is not the name of a key"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_name_is_refused(case: str, home: Path) -> None:
    name, kind, why = REFUSED[case]
    with pytest.raises(kind, match=f"^{name}: {why}"):
        signature(Signer(name, str(home)))


def test_a_public_key_alone_cannot_sign(homes: Path, alice: gpg.Signer, mallory: gpg.Signer) -> None:
    other = gpg.make_signer(homes / "other", "Grace")
    other.run("--import", data=alice.public)
    with pytest.raises(MissingInputError, match="no such secret key"):
        signature(Signer("Alice", str(other.home)))


def test_a_keyring_without_a_secret_key_says_so(homes: Path) -> None:
    empty = homes / "empty"
    empty.mkdir(mode=0o700)
    with pytest.raises(MissingInputError, match=r"^gpg: has no secret key to sign with"):
        signature(Signer(None, str(empty)))


def test_a_home_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="nowhere: no such directory"):
        signature(Signer(None, str(tmp_path / "nowhere")))


CONFIGURED = {
    "a weak hash": ("digest-algo SHA1\npersonal-digest-preferences SHA1\ncert-digest-algo SHA1\n", ""),
    "signatures of texts": ("textmode\n", ""),
    "binary signatures": ("no-armor\n", ""),
    "another default key": ("default-key Hans\n", ""),
    "a second key": ("local-user Hans\n", "gpg signs it with 2 keys at once"),
}


@pytest.mark.parametrize("case", CONFIGURED)
def test_what_the_user_has_configured_makes_no_bad_signature(case: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    configuration, refused = CONFIGURED[case]
    with gpg.key_homes() as homes:
        signer = gpg.make_signer(homes / "home", "Ida")
        gpg.make_signer(homes / "home", "Hans")
        (homes / "home/gpg.conf").write_text(configuration)
        if refused:
            with pytest.raises(TrustError, match=refused):
                signature(Signer("Ida", str(signer.home)))
        else:
            check(signature(Signer("Ida", str(signer.home))), signer)


def test_without_gpg_the_message_says_so(alice: gpg.Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in (None, "Alice"):
        with pytest.raises(MissingInputError, match="gpg: is not installed"):
            signature(Signer(name, str(alice.home)))


def judge(said: list[list[str]]) -> str:
    """Return whose signature it is by what gpg says, without one being made."""
    judging = object.__new__(signing._Signing)
    judging.what, judging.made_by, judging._signer = "x.aci", "", Signer()
    judging.judge(said, 0)
    return judging.made_by


MADE = ["SIG_CREATED", "D", "22", "10", "00", "1795628633", "A" * 40]
OTHERS = {"a signed message": (1, "S"), "SHA-1": (3, "2"), "of a text": (4, "01")}


@pytest.mark.parametrize("case", OTHERS)
def test_another_kind_of_signature_is_refused(case: str) -> None:
    place, word = OTHERS[case]
    assert judge([["BEGIN_SIGNING", "H10"], MADE]) == "a" * 40
    with pytest.raises(TrustError, match="another kind of signature"):
        judge([[*MADE[:place], word, *MADE[place + 1 :]]])


WORDS = st.sampled_from([*MADE, "FAILURE", "sign", "17", "67108875", "85"]) | st.text(max_size=5)


@given(st.lists(st.just(MADE) | st.lists(WORDS, min_size=1, max_size=8), max_size=4))
def test_whatever_gpg_says_it_has_signed_or_it_is_an_error_of_ours(said: list[list[str]]) -> None:
    try:
        made_by = judge(said)
    except (TrustError, KernelError, MissingInputError):
        return
    (made,) = [words for words in said if words[0] == "SIG_CREATED" and len(words) > 6]
    assert [made[1], *made[3:5], made[6].lower()] == ["D", "10", "00", made_by]
    assert not [words for words in said if words[0] == "FAILURE" and len(words) > 2]
