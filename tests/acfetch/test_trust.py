"""The decision, from values alone: which keys count, whose signature counts, whether an image is the one asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acfetch.errors import MismatchError, UntrustedError
from acfetch.trust import TrustedKey, check_any_key, check_identity, get_signer, is_prefix, keys_for
from acspec.image_manifest import ImageManifest, parse_image_manifest
from acspec.openpgp.verification import Verdict
from tests.acfetch.customer import ARCH, manifest

A, B, C = "a" * 40, "b" * 40, "c" * 40

PREFIXES = {
    "the name itself": ("example.com/app", "example.com/app", True),
    "a domain": ("example.com", "example.com/app", True),
    "the empty one, which is for all names": ("", "example.com/app", True),
    "text that ends inside a component": ("example.com/app", "example.com/apple", False),
    "text that ends inside the domain": ("example.com", "example.community", False),
    "something longer": ("example.com/app/x", "example.com/app", False),
    "another domain": ("example.org", "example.com/app", False),
    "the end of a domain": ("com", "example.com", False),
}


@pytest.mark.parametrize(("prefix", "name", "answer"), PREFIXES.values(), ids=PREFIXES)
def test_a_prefix_is_whole_components(prefix: str, name: str, answer: bool) -> None:
    assert is_prefix(prefix, name) is answer


COMPONENTS = st.lists(st.text("abc", min_size=1, max_size=2), min_size=1, max_size=4)


@given(COMPONENTS, COMPONENTS)
def test_prefixes_compare_as_lists_do(prefix: list[str], name: list[str]) -> None:
    assert is_prefix("/".join(prefix), "/".join(name)) is (name[: len(prefix)] == prefix)


def key(prefix: str, fingerprint: str, armoured: bytes = b"key") -> TrustedKey:
    return TrustedKey(prefix, fingerprint, armoured)


def test_keys_for_everything_and_for_prefixes_of_the_name_count() -> None:
    entries = [key("", A), key("example.com", B), key("example.com/apple", C), key("example.org", C)]
    assert keys_for("example.com/app", entries) == {A: b"key", B: b"key"}
    assert keys_for("other.example", entries) == {A: b"key"}
    assert set(keys_for(None, entries)) == {A, B, C}


def test_an_empty_entry_takes_back_an_earlier_one_of_its_own_prefix_only() -> None:
    entries = [key("", A), key("example.com", A), key("example.com", B), key("example.com", B, b"")]
    assert set(keys_for("example.com/app", entries)) == {A}
    assert set(keys_for("example.com/app", [*entries, key("", A, b"")])) == {A}
    assert set(keys_for("example.com/app", [*entries, key("", A, b""), key("example.com", A, b"")])) == set()
    assert set(keys_for("example.com/app", [*entries, key("example.com", B)])) == {A, B}


def test_a_verdict_counts_for_a_key_that_counts() -> None:
    assert get_signer("x.asc", "example.com/app", Verdict(A), [key("example.com", A)]) == A


def test_a_key_for_another_prefix_does_not_count_and_is_named() -> None:
    with pytest.raises(UntrustedError, match=f"trusted for other names only, {A}") as caught:
        get_signer("x.asc", "example.com/app", Verdict(A), [key("example.org", A), key("", B)])
    assert caught.value.hint == "acfetch trust add --prefix example.com FILE"


def test_a_refused_signature_names_reason_and_key() -> None:
    verdict = Verdict(None, "the key that made it is not among the trusted ones", "f00")
    with pytest.raises(UntrustedError, match=r"no trusted signature for example\.com/app: the key .* trusted ones, f00"):
        get_signer("x.asc", "example.com/app", verdict, [key("", A)])
    with pytest.raises(UntrustedError, match=r"of another file$"):
        get_signer("x.asc", "example.com/app", Verdict(None, "the signature is of another file"), [key("", A)])


def test_without_any_key_for_a_name_nothing_need_be_asked() -> None:
    check_any_key("x", "example.com/app", [key("", A)])
    with pytest.raises(UntrustedError, match="no key is trusted for this name"):
        check_any_key("x", "example.com/app", [key("example.org", A), key("example.com", B), key("example.com", B, b"")])


def found(labels: dict[str, str]) -> ImageManifest:
    return parse_image_manifest(manifest("example.com/app", labels), "manifest")


def test_another_name_is_a_mismatch() -> None:
    with pytest.raises(MismatchError, match=r"asked for example\.com/ap, the image says example\.com/app$"):
        check_identity("x", "example.com/ap", {}, found({}))
    check_identity("x", None, {}, found({}))


OS, MACHINE = {"os": "linux"}, {"os": "linux", "arch": ARCH}
LABELS: dict[str, tuple[dict[str, str], dict[str, str], str | None]] = {
    "labels that nobody asked for may be there": ({}, {**MACHINE, "channel": "beta", "version": "2"}, None),
    "os and arch may be absent": ({}, {}, None),
    "a label asked for has to be there": ({"version": "1"}, MACHINE, 'label version: asked for "1", the image has no such label'),
    "a label asked for has to be the same": (
        {"version": "1"},
        {"version": "1.0"},
        'label version: asked for "1", the image says "1.0"',
    ),
    "another os that nobody asked for": (
        {},
        {"os": "freebsd", "arch": "amd64"},
        'label os: asked for "linux", the image says "freebsd"',
    ),
    "another arch that nobody asked for": ({}, {**OS, "arch": "s390x"}, f'label arch: asked for "{ARCH}", the image says "s390x"'),
    "another arch that was asked for": ({"arch": "s390x"}, {**OS, "arch": "s390x"}, None),
    "an arch that was asked for and is not there": (
        {"arch": ARCH},
        OS,
        f'label arch: asked for "{ARCH}", the image has no such label',
    ),
}


@pytest.mark.parametrize(("asked", "labels", "message"), LABELS.values(), ids=LABELS)
def test_an_image_has_the_labels_that_were_asked_for_or_is_refused(
    asked: dict[str, str], labels: dict[str, str], message: str | None
) -> None:
    if message is None:
        check_identity("x", "example.com/app", asked, found(labels))
        return
    with pytest.raises(MismatchError) as caught:
        check_identity("x", "example.com/app", asked, found(labels))
    assert caught.value.why == message
