"""The grammars of types.md, each with what they take and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec import SPEC_VERSION
from acspec.errors import FormatError
from acspec.names import (
    RELEASED_VERSIONS,
    parse_ac_identifier,
    parse_ac_kind,
    parse_ac_name,
    parse_ac_version,
    parse_image_id,
    sanitise_ac_name,
)

IDENTIFIER = re.compile(r"[a-z0-9]+([-._~/][a-z0-9]+)*")
NAME = re.compile(r"[a-z0-9]+([-][a-z0-9]+)*")
ANY = st.text() | st.text(alphabet="ab09-._~/\nA ", max_size=12)


def accepts(parse: Callable[[str, str], str], text: str) -> bool:
    try:
        return parse(text, "place") == text
    except FormatError as error:
        assert error.what == "place"
        return False


@given(ANY)
def test_identifiers_and_names_are_exactly_what_the_expressions_of_the_specification_match(text: str) -> None:
    assert accepts(parse_ac_identifier, text) == bool(IDENTIFIER.fullmatch(text))
    assert accepts(parse_ac_name, text) == bool(NAME.fullmatch(text))


GOOD_IDENTIFIERS = ["database", "example.com/database", "sub-domain.example.com/org/product/release", "a_b~c", "0"]
BAD_IDENTIFIERS = ["", "example.com/../../etc", "a//b", "a\n", "/a", "a/", "Upper", "a b", "é", "example.com/~user/app_v1"]


def test_the_examples_of_the_specification_but_one_are_identifiers() -> None:
    assert all(accepts(parse_ac_identifier, text) for text in GOOD_IDENTIFIERS)
    assert not any(accepts(parse_ac_identifier, text) for text in BAD_IDENTIFIERS)


def test_the_example_that_its_own_expression_refuses_gets_a_hint() -> None:
    with pytest.raises(FormatError, match="/~ is not allowed"):
        parse_ac_identifier("example.com/~user/app_v1", "name")


@given(st.text())
def test_any_text_can_be_made_a_legal_app_name(text: str) -> None:
    assert accepts(parse_ac_name, sanitise_ac_name(text))


def test_an_app_name_is_the_last_component_of_an_image_name() -> None:
    assert sanitise_ac_name("example.com/org/Hello_World.x") == "hello-world-x"
    assert sanitise_ac_name("///") == "app"


IDS = {
    "a whole one": ("sha512-" + "0a" * 64, True),
    "a beginning": ("sha512-" + "0a" * 32, False),
    "one digit more": ("sha512-" + "0a" * 64 + "0", False),
    "upper case": ("sha512-" + "0A" * 64, False),
    "another hash": ("sha256-" + "0a" * 64, False),
    "a path": ("sha512-../" + "0" * 125, False),
    "a line end": ("sha512-" + "0a" * 64 + "\n", False),
    "nothing": ("", False),
}


@pytest.mark.parametrize("case", IDS)
def test_an_image_id_is_accepted_in_its_whole_form_only(case: str) -> None:
    text, good = IDS[case]
    assert accepts(parse_image_id, text) == good


VERSIONS = {
    "this one": ("0.8.11", True),
    "an older one": ("0.5.1", True),
    "with a pre-release": ("0.8.0-alpha.1", True),
    "with build data": ("0.8.11+git.0af", True),
    "the first one": ("0.1.1", True),
    "one between two": ("0.7.99", True),
    "a newer one": ("0.8.12", False),
    "a newer one before its release": ("0.8.12-alpha", False),
    "no version yet": ("0.0.0", False),
    "four numbers": ("0.8.11.1", False),
    "a sign": ("-0.8.11", False),
    "another major version": ("1.0.0", False),
    "two numbers": ("0.8", False),
    "a leading zero": ("0.08.1", False),
    "a leading v": ("v0.8.11", False),
    "an empty pre-release": ("0.8.1-", False),
    "a pre-release with a leading zero": ("0.8.1-01", False),
    "a line end": ("0.8.11\n", False),
    "nothing": ("", False),
    "a number of many digits": ("0.8." + "1" * 5000, False),
}


def test_every_released_version_can_be_read_and_this_is_the_last() -> None:
    assert all(accepts(parse_ac_version, version) for version in RELEASED_VERSIONS)
    assert max(RELEASED_VERSIONS, key=lambda version: [int(number) for number in version.split(".")]) == SPEC_VERSION


KINDS = {
    "AppManifest": "an app manifest of a draft before",
    "FilesetManifest": "a fileset manifest of a draft before",
    "ContainerRuntimeManifest": "a container runtime manifest .* which pods have replaced",
    "imagemanifest": '"imagemanifest" is neither ImageManifest nor PodManifest',
    "": "is neither",
    "ImageManifest\n": "is neither",
}


@pytest.mark.parametrize("text", KINDS)
def test_other_kinds_are_refused_and_old_ones_named(text: str) -> None:
    with pytest.raises(FormatError, match=KINDS[text]):
        parse_ac_kind(text, "acKind")


def test_there_are_two_kinds() -> None:
    assert all(accepts(parse_ac_kind, text) for text in ("ImageManifest", "PodManifest"))


@pytest.mark.parametrize("case", VERSIONS)
def test_a_version_is_accepted_when_it_is_semver_and_not_newer_than_ours(case: str) -> None:
    text, good = VERSIONS[case]
    assert accepts(parse_ac_version, text) == good
