"""Logins in netrc files: what is read as others read it, and what is refused."""

from __future__ import annotations

import netrc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acfetch.netrc import Login, parse_netrc
from acspec.errors import FormatError

READ: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "nothing": ("", {}),
    "one line": ("machine a.b login me password word", {"a.b": ("me", "word")}),
    "lines and tabs": ("machine\ta.b\r\n\tlogin me\r\n\tpassword word\r\n", {"a.b": ("me", "word")}),
    "the password first": ("machine a.b password word account x login me", {"a.b": ("me", "word")}),
    "two machines": ("machine a login x password 1 machine b login y password 2", {"a": ("x", "1"), "b": ("y", "2")}),
    "a machine in capitals": ("machine A.B login Me password Word", {"a.b": ("Me", "Word")}),
    "a machine twice": ("machine a login x password 1\nmachine a login y password 2", {"a": ("x", "1")}),
    "a machine with a port": ("machine a.b:8443 login me password word", {"a.b:8443": ("me", "word")}),
    "a machine without a password": ("machine a login me\nmachine b login me password word", {"b": ("me", "word")}),
    "a password without a login": ("machine a password word", {}),
    "a default": ("default login any password any\nmachine a login me password word", {"a": ("me", "word")}),
    "a default at the end": ("machine a login me password word default login any password any", {"a": ("me", "word")}),
    "a default behind half a machine": ("machine a account x default login any password any", {}),
    "comments": ("# machine x\nmachine a # mine\nlogin me #login you\n#\npassword word\n", {"a": ("me", "word")}),
    "hashes in values": ("machine a login #me password #word#", {"a": ("#me", "#word#")}),
    "keywords for values": ("machine machine login password password login", {"machine": ("password", "login")}),
    "quotation marks": ('machine a login "me too" password "wo\\"r\\\\d #"', {"a": ("me too", 'wo"r\\d #')}),
    "an empty password": ('machine a login me password ""', {"a": ("me", "")}),
    "a macro": ("machine a login me password word\nmacdef init\nmachine x\nlogin y\n\nmachine b login z password 1", {
        "a": ("me", "word"), "b": ("z", "1")}),
    "a macro at the end": ("macdef init\nmachine x login y password z", {}),
    "letters beyond ASCII": ("machine a login mé password wörd", {"a": ("mé", "wörd")}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "logins"), READ.values(), ids=READ)
def test_a_file_with(text: str, logins: dict[str, tuple[str, str]]) -> None:
    assert parse_netrc(text.encode(), "netrc") == {name: Login(*login) for name, login in logins.items()}


REFUSED = {
    "a word that is no keyword": ("machine a\nlogin me secret\n", 2, "neither machine"),
    "a value too many": ("machine a login me password my secret", 1, "neither machine"),
    "a keyword in capitals": ("MACHINE a", 1, "neither machine"),
    "nothing after a keyword": ("machine a\nlogin", 2, "nothing comes after login"),
    "an open quotation mark": ('machine a login me\npassword "secret', 2, "are not closed"),
    "a quotation over lines": ('machine a login me\npassword "sec\nret"', 2, "are not closed"),
    "something after a quotation": ('machine a login me password "secret"secret', 1, "something follows"),
    "a quotation mark in the middle": ('machine a login me password sec"ret', 1, "between quotation marks"),
    "a backslash outside of quotation marks": ("machine a login me password sec\\ret", 1, "between quotation marks"),
    "an escape that programs read differently": ('machine a login me password "sec\\nret"', 1, 'stands neither " nor'),
    "a backslash at the end": ('machine a login me password "secret\\', 1, 'stands neither " nor'),
}


@pytest.mark.parametrize(("text", "line", "why"), REFUSED.values(), ids=REFUSED)
def test_a_file_is_refused_with(text: str, line: int, why: str) -> None:
    with pytest.raises(FormatError, match=why) as caught:
        parse_netrc(text.encode(), "netrc")
    assert caught.value.what == f"netrc:{line}"
    assert "sec" not in str(caught.value), "what is in the file is nobody's business"


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(FormatError, match="netrc: not UTF-8 at byte 8"):
        parse_netrc(b"machine \xff", "netrc")


def test_a_password_is_not_shown_by_accident() -> None:
    assert "word" not in repr(Login("me", "word"))


words = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=8)


def quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(st.dictionaries(words.map(str.lower).filter(bool), st.tuples(words, words), max_size=4))
def test_what_is_written_is_read_back(logins: dict[str, tuple[str, str]]) -> None:
    text = "\n".join(f"machine {quoted(name)} login {quoted(one)} password {quoted(two)}" for name, (one, two) in logins.items())
    assert parse_netrc(text.encode(), "x") == {name.lower(): Login(*login) for name, login in reversed(logins.items())}


@given(st.text(st.sampled_from('machine login password default macdef # "\\ a\n\t'), max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_netrc(text.encode(), "x")
    except FormatError as error:
        assert error.what.startswith("x")


KEYWORDS = ["machine", "login", "password", "account", "a", "b", "c", "#d", "\n"]


@given(st.lists(st.sampled_from(KEYWORDS), max_size=14))
def test_what_both_take_the_standard_library_reads_alike(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    text = " ".join(parts)
    path = tmp_path_factory.mktemp("netrc") / "netrc"
    path.write_text(text)
    try:
        ours = parse_netrc(text.encode(), "x")
        theirs = netrc.netrc(str(path)).hosts
    except (FormatError, netrc.NetrcParseError):
        return
    machines = [parts[number + 1] for number, part in enumerate(parts[:-1]) if part == "machine"]
    if len(set(machines)) == len(machines):  # of two entries it takes the last, as nobody else does
        for name, login in ours.items():
            assert theirs[name][::2] == (login.user, login.password)


def test_a_long_file_takes_no_longer_than_it_is_long() -> None:
    text = "machine a login b password c\n" * 30_000
    assert len(parse_netrc(text.encode(), "x")) == 1
