"""What the operator allows: hosts, words, signatures and sizes, and how files tighten each other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acfetch.errors import HostRefusedError, PolicyError
from acfetch.insecure import FETCHING, WORDS
from acfetch.policy import Policy, make_policy, parse_policy
from acspec import limits
from acspec.configuration import merge, parse_config_files
from acspec.errors import FormatError
from tests.acfetch.configuration import config_file


def policy(*values: Any) -> Policy:
    """Return the policy of files, each of which stands beside the others."""
    files = [config_file(value, f"/{number}/policy.json") for number, value in enumerate(values)]
    return make_policy(merge([layer]) for layer in parse_config_files(files, parse_policy))


def test_what_nobody_mentions_is_allowed() -> None:
    for free in (Policy(), policy({}), policy({}, {"signed": None, "denyHosts": None, "servedBytes": None})):
        free.check_words(WORDS)
        free.check_unsigned("x", "example.com/app")
        free.check_url("https://127.1/x")
        free.served_cap("x").check(2**62)
        assert free.why_signed("example.com/app") is None


def test_every_word_there_is_can_be_allowed_or_not() -> None:
    assert set(FETCHING) <= set(WORDS)
    policy({"insecureOptions": list(WORDS)}).check_words(WORDS)
    with pytest.raises(PolicyError, match=r"--insecure-options=tls: is not allowed, says insecureOptions in /0/policy.json"):
        policy({"insecureOptions": ["image", "http"]}).check_words({"image", "tls"})
    with pytest.raises(PolicyError, match=r"=image: is not allowed, says insecureOptions in /1/"):
        policy({"insecureOptions": ["image"]}, {"insecureOptions": []}).check_words({"image"})
    policy({"insecureOptions": []}).check_words(())


SIGNED = {
    "the name itself": (["example.com/app"], True),
    "a prefix": (["example.org", "example.com"], True),
    "all names": (["*"], True),
    "a prefix of its text only": (["example.com/ap", "example.co"], False),
    "what is below it": (["example.com/app/x"], False),
    "nothing": ([], False),
}


@pytest.mark.parametrize(("prefixes", "wanted"), SIGNED.values(), ids=SIGNED)
def test_a_name_must_be_signed_when_the_list_has(prefixes: list[str], wanted: bool) -> None:
    for said in (policy({"signed": prefixes}), policy({"signed": ["elsewhere"]}, {"signed": prefixes})):
        assert (said.why_signed("example.com/app") is not None) is wanted
        if wanted:
            with pytest.raises(PolicyError, match=r"^./x: must be signed, says signed in /\d/policy.json$"):
                said.check_unsigned("./x", "example.com/app")


HOSTS = {
    "the host itself": ("cdn.example.com", ["cdn.example.com"], True),
    "a domain that it is in": ("cdn.example.com", ["x.y", "example.com"], True),
    "a domain of one word": ("cdn.example.com", ["com"], True),
    "everything": ("cdn.example.com", ["*"], True),
    "a text at its end only": ("cdn.badexample.com", ["example.com"], False),
    "a host below it": ("example.com", ["cdn.example.com"], False),
    "nothing": ("example.com", [], False),
    "the host in capitals with a dot at its end": ("CDN.Example.com.", ["example.com"], True),
    "the address": ("10.0.0.1", ["10.0.0.1"], True),
    "another address": ("110.0.0.1", ["10.0.0.1"], False),
    "the address in brackets": ("[2001:DB8:0::1]", ["2001:db8::1"], True),
    "the address that is mapped into IPv6": ("[::ffff:10.0.0.1]", ["10.0.0.1"], True),
}


@pytest.mark.parametrize(("host", "listed", "covered"), HOSTS.values(), ids=HOSTS)
def test_a_host_is_listed_by(host: str, listed: list[str], covered: bool) -> None:
    url = f"https://{host}:8443/x"
    allowing, denying = policy({"allowHosts": listed}), policy({"denyHosts": listed})
    refusing, letting = (denying, allowing) if covered else (allowing, denying)
    letting.check_url(url)
    with pytest.raises(HostRefusedError, match=r"says (allow|deny)Hosts in /0/policy.json"):
        refusing.check_url(url)


@pytest.mark.parametrize(
    "host", ["127.1", "2130706433", "0x7f.0.0.1", "0x7f000001", "0177.0.0.1", "127.0.0.01", "1.2.3.4.5", "[::1%25lo]"]
)
def test_an_address_in_disguise_is_refused_where_hosts_matter(host: str) -> None:
    for said in (policy({"denyHosts": ["127.0.0.1"]}), policy({"allowHosts": ["*"]})):
        with pytest.raises(HostRefusedError, match="unusual form of an address"):
            said.check_url(f"https://{host}/x")


def test_both_files_must_allow_a_host_and_either_can_deny_it() -> None:
    both = policy({"allowHosts": ["example.com"], "denyHosts": ["a.example.com"]}, {"allowHosts": ["b.example.com", "evil.org"]})
    both.check_url("https://b.example.com")
    for host, file in {"evil.org": 0, "c.example.com": 1, "a.example.com": 0}.items():
        with pytest.raises(HostRefusedError, match=f"/{file}/policy.json"):
            both.check_url(f"https://{host}/")


def test_the_smallest_size_counts() -> None:
    said = policy({"servedBytes": 10, "unpackedBytes": 5}, {"servedBytes": 7, "unpackedBytes": 50})
    said.served_cap("x").check(7)
    with pytest.raises(PolicyError, match=r"x: is larger than the 7 bytes of servedBytes in /1/policy.json"):
        said.served_cap("x").check(8)
    written: list[bytes] = []
    write = said.unpacked_cap("x").guard(written.append)
    write(b"123")
    write(b"45")
    with pytest.raises(PolicyError, match=r"x: is larger than the 5 bytes of unpackedBytes in /0/policy.json"):
        write(b"6")
    assert written == [b"123", b"45"]


def test_without_a_cap_nothing_is_in_the_way() -> None:
    written: list[bytes] = []
    write = Policy().unpacked_cap("x").guard(written.append)
    write(b"123")
    assert written == [b"123"]


BAD: dict[str, tuple[Any, str]] = {
    "a prefix that is no name": ({"signed": ["a.b", "A.b"]}, r'signed\[1\]: "A.b" is not an AC Identifier'),
    "a URL for a host": ({"denyHosts": ["https://a.b"]}, r"denyHosts\[0\]: is not the name of a host"),
    "a host with a port": ({"denyHosts": ["a.b:80"]}, r"denyHosts\[0\]: is not the name of a host"),
    "a host in capitals": ({"denyHosts": ["A.b"]}, r"denyHosts\[0\]: is not the name of a host"),
    "a host with a dot before it": ({"denyHosts": [".a.b"]}, r"denyHosts\[0\]: is not the name of a host"),
    "a host with a star": ({"denyHosts": ["*.a.b"]}, r"denyHosts\[0\]: is not the name of a host"),
    "an empty host": ({"allowHosts": [""]}, r"allowHosts\[0\]: is not the name of a host"),
    "an odd form of an address": ({"allowHosts": ["127.1"]}, r"allowHosts\[0\]: is not the name of a host"),
    "a network": ({"allowHosts": ["10.0.0.0/8"]}, r"allowHosts\[0\]: is not the name of a host"),
    "a long form of an address": ({"allowHosts": ["2001:db8:0:0::1"]}, r"allowHosts\[0\]: is not the name of a host"),
    "a word that is none": ({"insecureOptions": ["all"]}, r"insecureOptions\[0\]: is none of image, tls, http, pubkey"),
    "a size of nothing": ({"servedBytes": 0}, "servedBytes: 0 is not from 1 to"),
    "a size beyond the limit": ({"servedBytes": limits.IMAGE_SERVED_BYTES + 1}, "servedBytes: "),
    "a typo": ({"allowHost": []}, r'allowHost: is not known \("allowHosts" is\)'),
}


@pytest.mark.parametrize(("values", "message"), BAD.values(), ids=BAD)
def test_a_file_is_refused_with(values: Any, message: str) -> None:
    with pytest.raises(FormatError, match=f"/etc/appc/x.json: {message}"):
        parse_policy(config_file(values))


hosts = st.sampled_from(["a", "b", "a.b", "b.a", "c.a.b", "10.0.0.1", "::1"])
files = st.fixed_dictionaries({}, optional={"allowHosts": st.lists(hosts, max_size=3), "denyHosts": st.lists(hosts, max_size=2)})


@given(files, files, hosts)
def test_a_further_file_never_allows_what_was_forbidden(system: Any, own: Any, host: str) -> None:
    url = f"https://[{host}]/" if ":" in host else f"https://{host}/"

    def allows(*values: Any) -> bool:
        try:
            policy(*values).check_url(url)
        except HostRefusedError:
            return False
        return True

    assert allows(system, own) is (allows(system) and allows(own))
