"""Patterns of what a layout leaves out, those of gitignore(5)."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acspec import limits
from acspec.archive.ignore import Ignored, explain_unmatched, make_ignored, parse_pattern, parse_patterns
from acspec.errors import FormatError

FILES = [
    "a",
    "b.pyc",
    "tmp/a",
    "tmp/keep",
    "tmp/d/x",
    "usr/lib/b.pyc",
    "cache/a",
    "usr/cache/a",
    "#a",
    "with space",
    "é",
    "usr/lib/doc/x",
]


def _walk(ignored: Ignored | None) -> set[str]:
    """Return the files that stay, each asked about as a walk does: from the top, and no further than to what is left out."""
    kept = set()
    for file in FILES:
        parts = file.split("/")
        steps = [("/".join(parts[: depth + 1]), depth + 1 < len(parts)) for depth in range(len(parts))]
        if ignored is None or not any(ignored.covers(path.encode(), is_directory=directory) for path, directory in steps):
            kept.add(file)
    return kept


def _kept(patterns: str) -> set[str]:
    return _walk(make_ignored(parse_patterns(patterns.encode(), "file")))


def test_a_layout_keeps_what_the_pattern_does_not_fit() -> None:
    assert _kept("/tmp/*\n!/tmp/keep\n*.pyc\nusr/**/x") == {"a", "tmp/keep", "cache/a", "usr/cache/a", "#a", "with space", "é"}
    assert _kept("cache/\n\\#a") == set(FILES) - {"cache/a", "usr/cache/a", "#a"}
    assert _kept("/cache/") == set(FILES) - {"cache/a"}
    assert _kept("a/") == set(FILES)
    assert _kept("/tmp/\n!/tmp/keep") == set(FILES) - {"tmp/a", "tmp/keep", "tmp/d/x"}
    assert _kept("# a\n\n\r\n") == set(FILES)


UNMATCHED: dict[str, tuple[str, list[str]]] = {
    "none, when each fits": ("a\n*.pyc\n/tmp/*\n!/tmp/keep", []),
    "a name that is misspelt": ("a\n\n# b\ncahce/\n", ['file:4: pattern "cahce/" fits nothing']),
    "a file where a directory is asked for": ("b.pyc/", ['file:1: pattern "b.pyc/" fits nothing']),
    "a pattern that a later one overrules fits all the same": ("a\n*", []),
    "what is in a directory that is left out": (
        "/tmp/\n!/tmp/keep",
        ['file:2: pattern "!/tmp/keep" fits nothing (nothing comes back out of a directory that is left out)'],
    ),
    "a path that begins with rootfs": (
        "/rootfs/a",
        ['file:1: pattern "/rootfs/a" fits nothing (patterns count from the rootfs on)'],
    ),
}


@pytest.mark.parametrize(("patterns", "expected"), UNMATCHED.values(), ids=UNMATCHED)
def test_of_the_patterns_that_fit_nothing_it_is_known_where_they_stand(patterns: str, expected: list[str]) -> None:
    ignored = make_ignored(parse_patterns(patterns.encode(), "file"))
    assert ignored is not None
    _walk(ignored)
    assert [f"{pattern.place}: {explain_unmatched(pattern)}" for pattern in ignored.unmatched] == expected


def test_a_name_that_is_not_utf_8_is_a_name() -> None:
    ignored = make_ignored(parse_patterns(b"a\xff*\n", "file"))
    assert ignored is not None
    assert ignored.covers(b"x/a\xff\xfe", is_directory=False)
    assert not ignored.covers(b"x/a\xfe", is_directory=False)


REFUSED = {
    "an open bracket": b"a\n[",
    "a lone exclamation mark": b"a\n!",
    "a backslash at its end": b"a\nb\\",
    "the root itself": b"a\n/",
    "more stars than can be matched in time": b"a\n*a*a*a",
    "more components of any depth than can be matched in time": b"a\n**/a/**/b/**/c",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_a_pattern_is_refused_with_its_line_that_is(data: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        parse_patterns(data, "file")
    assert caught.value.what == "file:2"


@pytest.mark.parametrize("text", ["", " ", "# comment"])
def test_what_is_no_pattern_is_none_on_a_command_line(text: str) -> None:
    with pytest.raises(FormatError, match="is no pattern"):
        parse_pattern(text, "--exclude")


def test_a_file_beyond_the_limit_is_refused() -> None:
    with pytest.raises(FormatError, match="larger than the limit"):
        parse_patterns(b"#" * (limits.IGNORE_FILE_BYTES + 1), "file")


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=60) | st.text(alphabet="ab/*?[]!#\\- .\n", max_size=30).map(str.encode), st.binary(min_size=1, max_size=20)
)
@example(b"a**/b", b"a")
def test_any_file_of_patterns_is_taken_or_refused(data: bytes, path: bytes) -> None:
    try:
        ignored = make_ignored(parse_patterns(data, "file"))
    except FormatError:
        return
    if ignored is not None:
        assert ignored.covers(path, is_directory=True) in (True, False)


def test_more_patterns_than_can_be_tried_are_refused() -> None:
    with pytest.raises(FormatError, match="more than the limit of 1000 patterns"):
        parse_patterns(b"a\n" * (limits.IGNORE_PATTERNS + 1), "file")
