"""The operator's sources: what the file may say, and which count for a name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acfetch.mirrors import Mirror, mirrors_for, parse_mirrors
from acfetch.templates import why_no_path, why_unusable
from acspec.configuration import Said
from acspec.errors import FormatError
from tests.acfetch.configuration import config_file

T = "https://mirror.example/{name}.{ext}"
VALUES = {"name": "a.b/c", "version": "1", "os": "linux", "arch": "amd64"}


def parse(templates: Any, **more: Any) -> Mirror:
    found = parse_mirrors(config_file({"example.com": {"templates": templates, **more}}))["example.com"]
    assert found is not None
    return found


TEMPLATES = {
    "of URLs": (T, T),
    "of URLs with a port and capitals": ("HTTPS://Mirror:8443/{name}.{ext}", "HTTPS://Mirror:8443/{name}.{ext}"),
    "of plain http": ("http://mirror/{name}.{ext}", "http://mirror/{name}.{ext}"),
    "of another scheme": ("s3://bucket/{name}.{ext}", "s3://bucket/{name}.{ext}"),
    "with a label in the host": ("https://{channel}.example/{name}.{ext}", "https://{channel}.example/{name}.{ext}"),
    "of paths": ("/srv/{name}/{version}.{ext}", "/srv/{name}/{version}.{ext}"),
    "of paths as URLs": ("file:///srv/a b/{name}.{ext}", "/srv/a b/{name}.{ext}"),
    "that is a directory": ("/srv/images", "/srv/images/{name}-{version}-{os}-{arch}.{ext}"),
    "that is a directory with a slash": ("/srv/images/", "/srv/images/{name}-{version}-{os}-{arch}.{ext}"),
    "that is a directory as a URL": ("file:///srv", "/srv/{name}-{version}-{os}-{arch}.{ext}"),
    "that is the root directory": ("/", "/{name}-{version}-{os}-{arch}.{ext}"),
}


@pytest.mark.parametrize(("text", "template"), TEMPLATES.values(), ids=TEMPLATES)
def test_a_template(text: str, template: str) -> None:
    assert parse([text]).templates == (template,)
    assert parse([T, text]).templates == (T, template)


def test_nothing_else_needs_to_be_said() -> None:
    assert parse([T]) == Mirror((T,), only=False)
    assert parse([], only=True) == Mirror((), only=True)
    assert parse_mirrors(config_file({"*": {"templates": [T]}, "a.b": None})) == {"*": Mirror((T,)), "a.b": None}


BAD: dict[str, tuple[Any, str]] = {
    "templates that are not there": ({"example.com": {}}, "example.com.templates: is required"),
    "templates that are null": ({"example.com": {"templates": None}}, "example.com.templates: is required"),
    "a text for a list": ({"example.com": {"templates": T}}, "example.com.templates: is not a list"),
    "a list for an object": ({"example.com": [T]}, "example.com: not a JSON object"),
    "another key": ({"example.com": {"templates": [], "onyl": True}}, r'example.com.onyl: is not known \("only" is\)'),
    "a prefix that is no name": ({"Example.com": {"templates": []}}, '"Example.com" is not an AC Identifier'),
    "a prefix with a slash at its end": ({"example.com/": {"templates": []}}, "is not an AC Identifier"),
    "an empty prefix": ({"": {"templates": []}}, "is not an AC Identifier"),
}
BAD_TEMPLATES = {
    "that has no {ext}": ("https://mirror.example/{name}", r"has no \{ext\}"),
    "of paths that has no {ext}": ("/srv/{name}", r"has no \{ext\}"),
    "that is relative": ("images/{name}.{ext}", "is neither a URL nor an absolute path"),
    "that is empty": ("", "is neither a URL nor an absolute path"),
    "without a scheme": ("://mirror/{ext}", "is neither a URL nor an absolute path"),
    "with an odd scheme": ("https;x://mirror/{ext}", "is neither a URL nor an absolute path"),
    "with an open brace": ("https://mirror.example/{ext}/{name", "is not a template"),
    "with control characters": ("/srv/\n{ext}", "is not a template"),
    "with a backslash": ("https://mirror.example\\{ext}", "is not a template"),
    "with a password": ("https://me:word@mirror.example/{ext}", r"holds user information \(auth.json is for credentials\)"),
    "with a password for another scheme": ("ftp://me:word@mirror.example/{ext}", "holds user information"),
    "with two dots": ("https://mirror.example/../{ext}", r"its path has \. or \.\. in it"),
    "without a host": ("https:///{ext}", "names no host that can be asked"),
    "of another machine's files": ("file://mirror/srv/{ext}", "is not the URL of plain files on this machine"),
    "of files in a URL's disguise": ("file:///srv/%7Bname%7D.{ext}", "is not the URL of plain files on this machine"),
}


@pytest.mark.parametrize(("values", "message"), BAD.values(), ids=BAD)
def test_a_file_is_refused_with(values: Any, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        parse_mirrors(config_file(values))
    assert caught.value.what.startswith("/etc/appc/x.json")


@pytest.mark.parametrize(("text", "message"), BAD_TEMPLATES.values(), ids=BAD_TEMPLATES)
def test_a_template_is_refused(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=f"example.com.templates\\[1\\]: {message}") as caught:
        parse([T, text])
    assert "word" not in str(caught.value)


@given(
    st.text(st.sampled_from("{}ext/:.@nameh%\\ é\n"), max_size=30), st.sampled_from(["", "/", "https://a.b/", "file:///", "s3://"])
)
def test_any_template_is_one_that_can_be_rendered_or_is_refused(text: str, start: str) -> None:
    try:
        template = parse([start + text]).templates[0]
    except FormatError:
        return
    reason = why_no_path(template, VALUES) if template.startswith("/") else why_unusable(template, VALUES)
    assert reason is None or "unknown variable" in reason or "." in text


def said(**only: bool) -> dict[str, Said[Mirror]]:
    return {key.replace("__", "/").replace("_", "."): Said(Mirror((key,), value), "x") for key, value in only.items()}


MIRRORS = {**said(a_b=False, a_b__c=False, a_b__c__d=False, a_bc=False), "*": Said(Mirror(("all",)), "x")}
CHOSEN = {
    "a.b": ["a_b", "all"],
    "a.b/c": ["a_b__c", "a_b", "all"],
    "a.b/c/d/e": ["a_b__c__d", "a_b__c", "a_b", "all"],
    "a.b/cc": ["a_b", "all"],
    "a.bcd": ["all"],
    "a": ["all"],
}


@pytest.mark.parametrize(("name", "chosen"), CHOSEN.items())
def test_prefixes_are_whole_components_and_the_longest_comes_first(name: str, chosen: list[str]) -> None:
    assert [one.value.templates[0] for one in mirrors_for(name, MIRRORS)] == chosen


def test_nothing_comes_after_the_only_source() -> None:
    found = mirrors_for("a.b/c/d", {**MIRRORS, **said(a_b__c=True)})
    assert [one.value.templates[0] for one in found] == ["a_b__c__d", "a_b__c"]
    assert mirrors_for("a.b", {**MIRRORS, **said(a_b__c=True)})[-1].value.templates == ("all",)
