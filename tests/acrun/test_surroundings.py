"""Files by which a pod finds names, and sizes of its volumes, from the words of the command line."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrun.surroundings import Surroundings, parse_surroundings
from acspec.errors import UsageError


def files(dns: tuple[str, ...] = (), hosts: tuple[str, ...] = ()) -> dict[str, str]:
    found = parse_surroundings(dns, hosts, ())
    assert isinstance(found, Surroundings)
    value = found.switches("box").get("files", {})
    assert isinstance(value, dict)
    return {path: str(text) for path, text in value.items()}


def test_nothing_said_is_nothing_written() -> None:
    assert parse_surroundings((), (), ()) is None
    assert files(dns=("none",)) == {}


def test_servers_become_lines_in_their_order() -> None:
    assert files(dns=("192.0.2.1,2001:db8::1",)) == files(dns=("192.0.2.1", "2001:db8::1"))
    assert files(dns=("192.0.2.1", "2001:db8::1")) == {"/etc/resolv.conf": "nameserver 192.0.2.1\nnameserver 2001:db8::1\n"}


def test_entries_come_behind_the_loopback() -> None:
    lines = files(hosts=("192.0.2.7=db,db.example", "2001:db8::7=web"))["/etc/hosts"].splitlines()
    assert lines[0] == "127.0.0.1\tlocalhost box"
    assert lines[2:] == ["192.0.2.7\tdb db.example", "2001:db8::7\tweb"]


def test_the_host_s_files_can_be_asked_for() -> None:
    found = files(dns=("host",), hosts=("host", "192.0.2.7=db"))
    assert found["/etc/resolv.conf"].rstrip("\n") == Path("/etc/resolv.conf").read_text().rstrip("\n")
    assert Path("/etc/hosts").read_text() in found["/etc/hosts"]
    assert found["/etc/hosts"].endswith("\n192.0.2.7\tdb\n")


def test_sizes_are_by_volume() -> None:
    found = parse_surroundings((), (), [("cache", 4096)])
    assert found is not None
    assert found.switches("box") == {"volumes": {"cache": {"size": 4096}}}


BAD_DNS = {
    "no address": ("example.com",),
    "nothing": ("",),
    "a second line": ("192.0.2.1\nsearch evil.example",),
    "a zone that is none": ("fe80::1%a b",),
    "host beside another": ("host", "192.0.2.1"),
    "none beside another": ("192.0.2.1", "none"),
}


@pytest.mark.parametrize("case", BAD_DNS)
def test_what_is_no_server_is_refused(case: str) -> None:
    with pytest.raises(UsageError, match="--dns"):
        parse_surroundings(BAD_DNS[case], (), ())


@pytest.mark.parametrize("entry", ["db", "=db", "192.0.2.7=", "192.0.2.7=a,,b", "192.0.2.7=a b", "192.0.2.7=a#b", "192.0.2.7=a\nb"])
def test_what_is_no_entry_is_refused(entry: str) -> None:
    with pytest.raises(UsageError, match="--hosts-entry"):
        parse_surroundings((), (entry,), ())


@given(st.text())
def test_whatever_is_typed_gives_a_line_for_each_or_a_refusal(text: str) -> None:
    for dns, hosts in (((text,), ()), ((), (text,)), ((), (f"192.0.2.1={text}",))):
        try:
            found = parse_surroundings(dns, hosts, ())
        except UsageError:
            continue
        assert found is not None
        if text in ("host", "none"):
            continue
        for content in files(dns, hosts).values():
            line = content.splitlines()[-1].replace("nameserver ", "")
            ipaddress.ip_address(line.split()[0].partition("%")[0])
            assert content.count("\n") == (len(text.split(",")) if dns else 3)
