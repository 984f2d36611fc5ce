"""Trusted keys on disk, read from every directory of CONFIG and written to the last."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from acfetch.keystore import add_key, parse_prefix, read_keystore, remove_key
from acfetch.trust import TrustedKey, keys_for
from acspec import limits
from acspec.errors import ConfigError, MissingInputError, UsageError
from acspec.openpgp.keys import Key
from tests.acfetch.customer import Customer, Ended

A, B = "a" * 40, "b" * 64
KEY = Key(A, ("Somebody",), b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n")


@pytest.fixture
def directories(tmp_path: Path) -> tuple[str, ...]:
    return tuple(str(tmp_path / name) for name in ("vendor", "system", "user"))


def put(directory: str, place: str, data: bytes = b"key\n") -> Path:
    path = Path(directory, "trustedkeys", place)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_there_need_not_be_anything(directories: tuple[str, ...]) -> None:
    assert read_keystore(directories) == []


def test_entries_come_in_the_order_of_directories_with_their_prefixes(directories: tuple[str, ...]) -> None:
    put(directories[2], f"root.d/{A}", b"")
    put(directories[0], f"prefix.d/example.com/team/{B}")
    put(directories[0], f"prefix.d/example.com/{A}")
    put(directories[0], "root.d/.hidden")
    put(directories[0], f"root.d/{A}")
    assert read_keystore(directories) == [
        TrustedKey("", A, b"key"),
        TrustedKey("example.com", A, b"key"),
        TrustedKey("example.com/team", B, b"key"),
        TrustedKey("", A, b""),
    ]


NAMES = {
    "no hex": "x" * 40,
    "too short": "a" * 39,
    "a long key ID": "a" * 16,
    "in capitals": "A" * 40,
    "with an ending": f"{A}.asc",
    "a note": "README",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_file_with_another_name_is_bad_configuration(name: str, directories: tuple[str, ...]) -> None:
    put(directories[1], f"prefix.d/example.com/{name}")
    with pytest.raises(ConfigError, match="its name is no fingerprint"):
        read_keystore(directories)


def test_an_endless_key_is_bad_configuration(directories: tuple[str, ...]) -> None:
    path = put(directories[1], f"root.d/{A}")
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(ConfigError, match=f"limit of {limits.KEY_FILE_BYTES} bytes"):
        read_keystore(directories)


def test_what_cannot_be_read_is_an_error_because_it_might_distrust(customer: Customer) -> None:
    file = customer.trust(customer.publisher, "example.com/team")
    assert customer.run_program("trust", "list", held_to_modes=True).code == 0
    file.parent.chmod(0)
    try:
        ended = customer.run_program("trust", "list", held_to_modes=True)
    finally:
        file.parent.chmod(0o755)
    assert ended == Ended(77, "", f"acfetch: {file.parent}: permission denied\n")


def test_a_key_is_written_to_the_last_directory_for_all_to_read(directories: tuple[str, ...]) -> None:
    path = add_key(directories[-1], "example.com/team", KEY)
    assert path == f"{directories[-1]}/trustedkeys/prefix.d/example.com/team/{A}"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644
    assert read_keystore(directories) == [TrustedKey("example.com/team", A, KEY.armoured.strip())]
    assert add_key(directories[-1], "", KEY) == f"{directories[-1]}/trustedkeys/root.d/{A}"


def test_nobody_else_can_add_keys_beside_it_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = Path(add_key(str(tmp_path / "config"), "example.com/team", KEY))
    finally:
        os.umask(before)
    closed = [parent.stat().st_mode & 0o022 == 0 for parent in path.parents if tmp_path in parent.parents]
    assert closed == [True] * 5  # team, example.com, prefix.d, trustedkeys, config


def test_a_key_of_the_last_directory_is_removed(directories: tuple[str, ...]) -> None:
    path = add_key(directories[-1], "example.com", KEY)
    assert remove_key(directories, "example.com", A) == path
    assert not os.path.exists(path)


def test_a_key_of_an_earlier_directory_is_hidden_and_comes_back_when_added(directories: tuple[str, ...]) -> None:
    earlier = put(directories[0], f"prefix.d/example.com/{A}")
    path = remove_key(directories, "example.com", A)
    assert Path(path).read_bytes() == b""
    assert earlier.exists()
    assert keys_for("example.com", read_keystore(directories)) == {}
    with pytest.raises(MissingInputError, match=r"is not trusted for example\.com"):
        remove_key(directories, "example.com", A)
    add_key(directories[-1], "example.com", KEY)
    assert set(keys_for("example.com", read_keystore(directories))) == {A}
    remove_key(directories, "example.com", A)
    assert keys_for("example.com", read_keystore(directories)) == {}


def test_a_key_that_an_earlier_directory_distrusts_needs_no_hiding(directories: tuple[str, ...]) -> None:
    put(directories[0], f"root.d/{A}")
    put(directories[1], f"root.d/{A}", b"\n")
    path = add_key(directories[2], "", KEY)
    remove_key(directories, "", A)
    assert not os.path.exists(path)
    assert keys_for("example.com", read_keystore(directories)) == {}


@pytest.mark.parametrize("prefix", ["", "example.com"])
def test_a_key_that_is_not_there_cannot_be_removed(prefix: str, directories: tuple[str, ...]) -> None:
    with pytest.raises(MissingInputError, match="is not trusted for"):
        remove_key(directories, prefix, A)


@pytest.mark.parametrize("text", ["../../../etc/passwd", "", "a" * 39, "A" * 40, "0x" + "a" * 38, f"{A}\n", f"../root.d/{A}"])
def test_what_is_no_fingerprint_is_no_path_either(text: str, directories: tuple[str, ...]) -> None:
    for prefix in ("", "example.com"):
        with pytest.raises(UsageError, match="is not a fingerprint"):
            remove_key(directories, prefix, text)


@pytest.mark.parametrize("text", ["..", "example.com/..", "/etc", "example.com/../root.d", "Example.com", "", "a//b", "a\n"])
def test_what_is_no_identifier_is_no_prefix(text: str, directories: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="is not an AC Identifier"):
        parse_prefix(text)
    if text:
        with pytest.raises(UsageError, match="is not an AC Identifier"):
            add_key(directories[-1], text, KEY)
