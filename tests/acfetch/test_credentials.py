"""Files with secrets: whose they may be, who may read them, and where netrc lies."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from acfetch.credentials import Credentials, check_private, find_netrc
from acspec import limits
from acspec.errors import ConfigError

URL = "https://example.com/x"


def status(mode: int, owner: int) -> os.stat_result:
    return os.stat_result((0o100000 | mode, 0, 0, 1, owner, 0, 0, 0, 0, 0))


ME, OTHER = 1000, 1001
PRIVATE = [(0o600, ME), (0o400, ME), (0o600, 0), (0o640, 0), (0o440, 0)]
OPEN = [(0o604, ME), (0o640, ME), (0o620, ME), (0o601, ME), (0o644, 0), (0o660, 0), (0o604, 0), (0o666, 0)]


def test_who_may_read_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: ME)
    for mode, owner in PRIVATE:
        check_private("x", status(mode, owner))
    for mode, owner in OPEN:
        with pytest.raises(ConfigError, match=r"x: holds secrets and others may read it \(chmod 600 x\)"):
            check_private("x", status(mode, owner))
    with pytest.raises(ConfigError, match="x: holds secrets and belongs to another user"):
        check_private("x", status(0o600, OTHER))


def test_auth_json_may_be_read_by_all_unless_it_holds_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "auth.json"
    file.write_text(json.dumps({"example.com": {"basic": {"user": "me", "passwordFile": "word"}}}))
    file.chmod(0o644)
    (tmp_path / "word").write_text("word")
    (tmp_path / "word").chmod(0o644)
    credentials = Credentials([str(tmp_path)])
    with pytest.raises(ConfigError, match=r"/word: holds secrets and others may read it"):
        credentials.find(URL, ["basic"])
    (tmp_path / "word").chmod(0o600)
    assert credentials.find(URL, ["basic"]) is not None
    file.write_text(json.dumps({"example.com": {"basic": {"user": "me", "password": "word"}}}))
    with pytest.raises(ConfigError, match=r"auth\.json: holds secrets and others may read it"):
        Credentials([str(tmp_path)]).find(URL, ["basic"])


def test_credentials_of_others_are_none(tmp_path: Path) -> None:
    for name, mode in (("system", 0), ("own", 0o600)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "auth.json").write_text(json.dumps({f"{name}.com": {"bearer": {"token": name}}}))
        (tmp_path / name / "auth.json").chmod(mode)
    code = (
        "import sys; from acfetch.credentials import Credentials; c = Credentials(sys.argv[1:])\n"
        "print(*(getattr(c.find(f'https://{name}.com', ['bearer']), 'header', None) for name in ('system', 'own')), sep='|')"
    )
    held = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    command = [*held, sys.executable, "-c", code, str(tmp_path / "system"), str(tmp_path / "own")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "None|Bearer own\n"


SECRET_FILES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is not a token"),
    "an empty first line": (b"\ntoken", "is not a token"),
    "what is no token": (b"a token", "is not a token"),
    "bytes that are no text": (b"\xff", "is not UTF-8"),
    "more than the limit": (b"x" * (limits.CREDENTIAL_BYTES + 1), "larger than the limit of 16384 bytes"),
}


@pytest.mark.parametrize(("data", "message"), SECRET_FILES.values(), ids=SECRET_FILES)
def test_a_file_for_a_token_is_refused_with(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text(json.dumps({"example.com": {"bearer": {"tokenFile": str(tmp_path / "token")}}}))
    with pytest.raises(ConfigError, match="token: is not there"):
        Credentials([str(tmp_path)]).find(URL, ["bearer"])
    (tmp_path / "token").write_bytes(data)
    (tmp_path / "token").chmod(0o600)
    with pytest.raises(ConfigError, match=f"token: {message}"):
        Credentials([str(tmp_path)]).find(URL, ["bearer"])


def test_a_file_for_a_token_ends_with_its_first_line(tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text(json.dumps({"example.com": {"bearer": {"tokenFile": "token"}}}))
    (tmp_path / "token").write_bytes(b"abc==\r\nsecond\n")
    (tmp_path / "token").chmod(0o600)
    found = Credentials([str(tmp_path)]).find(URL, ["bearer"])
    assert found is not None
    assert (found.header, found.file) == ("Bearer abc==", str(tmp_path / "auth.json"))
    assert "abc" not in repr(found)


# netrc


def login(netrc: Path, text: str, mode: int = 0o600) -> str | None:
    netrc.write_text(text)
    netrc.chmod(mode)
    found = Credentials([]).find(URL, ["basic"])
    assert found is None or found.file == str(netrc)
    return None if found is None else found.header


def test_netrc_lies_in_the_home_or_where_the_variable_says(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_netrc() == f"{own_home}/.netrc"
    assert Credentials([]).find(URL, ["basic"]) is None
    assert login(own_home / ".netrc", "machine example.com login a password b") == "Basic YTpi"
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert Credentials([]).find(URL, ["basic"]) is None
    assert login(tmp_path / "netrc", "machine example.com login c password d") == "Basic Yzpk"
    monkeypatch.setenv("NETRC", "/dev/null")
    assert Credentials([]).find(URL, ["basic"]) is None


def test_netrc_with_the_password_must_be_private(own_home: Path) -> None:
    assert login(own_home / ".netrc", "machine example.org login a password b", 0o644) is None
    with pytest.raises(ConfigError, match=r"\.netrc: holds secrets and others may read it"):
        login(own_home / ".netrc", "machine example.com login a password b", 0o644)


BAD_NETRC = {
    "a colon in the login": ("machine example.com login a:b password c", "login for example.com: is not the name of a user"),
    "an empty password": ('machine example.com login a password ""', "password for example.com: is not a password"),
    "a control character": ("machine example.com login a password b\x01", "password for example.com: is not a password"),
    "more than the limit": ("#" * (limits.NETRC_BYTES + 1), "larger than the limit of 1048576 bytes"),
    "a word too many": ("machine example.com login a password b c", "neither machine"),
}


@pytest.mark.parametrize(("text", "message"), BAD_NETRC.values(), ids=BAD_NETRC)
def test_netrc_is_refused_with(text: str, message: str, own_home: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        login(own_home / ".netrc", text)


def test_a_directory_is_no_netrc(own_home: Path) -> None:
    (own_home / ".netrc").mkdir()
    with pytest.raises(ConfigError, match=r"\.netrc: is a directory"):
        Credentials([]).find(URL, ["basic"])


@pytest.mark.privileged
def test_the_home_of_whoever_called_sudo_is_not_root_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(tmp_path, 1000, 1000)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_netrc() == f"{pwd.getpwuid(0).pw_dir}/.netrc"


@pytest.mark.privileged
def test_a_netrc_of_another_user_is_refused(own_home: Path) -> None:
    (own_home / ".netrc").write_text("machine example.com login a password b")
    (own_home / ".netrc").chmod(0o600)
    os.chown(own_home / ".netrc", 1000, 1000)
    with pytest.raises(ConfigError, match="belongs to another user"):
        Credentials([]).find(URL, ["basic"])
