"""The command line of a run, cut apart."""

from __future__ import annotations

import pytest

from acrun.arguments import has_options, split_images
from acspec.errors import UsageError

CUT = {
    "nothing": ([], []),
    "one image": (["a"], [("a", (), ())]),
    "an image with arguments": (["a", "--", "-x", "y"], [("a", (), ("-x", "y"))]),
    "app options and arguments": (["a", "--name", "b", "--", "c"], [("a", ("--name", "b"), ("c",))]),
    "two images": (["a", "---", "b"], [("a", (), ()), ("b", (), ())]),
    "arguments hold a second double dash": (["a", "--", "sh", "--", "x"], [("a", (), ("sh", "--", "x"))]),
    "two images with everything": (
        ["a", "--user", "1", "--", "x", "---", "b", "--", "y"],
        [("a", ("--user", "1"), ("x",)), ("b", (), ("y",))],
    ),
    "images of standard input with arguments": (["-", "--", "-v"], [("-", (), ("-v",))]),
}


@pytest.mark.parametrize("case", CUT)
def test_words_are_cut_into_images(case: str) -> None:
    words, expected = CUT[case]
    assert [(piece.image, piece.options, piece.arguments) for piece in split_images(words)] == expected


@pytest.mark.parametrize("words", [["---"], ["a", "---"], ["---", "a"], ["a", "---", "---", "b"], ["--", "x"]])
def test_a_piece_without_an_image_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError, match="no image"):
        split_images(words)


def test_options_before_the_image_are_refused() -> None:
    with pytest.raises(UsageError, match="must come before"):
        split_images(["a", "---", "--name", "x", "b"])


def test_options_are_seen_only_where_they_are_ours() -> None:
    assert not has_options(["image", "--", "-v", "--long"])
    assert not has_options(["-"])
    assert has_options(["image", "--name", "x"])
    assert has_options(["image", "--", "-v", "---", "image", "--name", "x"]) is True
    assert not has_options(["image", "---", "image"])


SECOND_WORDS = {
    "./b.aci": "---", "b.aci": "---", "sha512-0123456789ab": "---", "example.com/b": "---", "example.com/b:1.0": "---",
    "sh": "--exec", "/bin/sh": "--exec", "./run.sh": "--exec", "../up/sh": "--exec", "bin/sh": "--exec", "run.sh": "--exec",
}  # fmt: skip


@pytest.mark.parametrize("word", SECOND_WORDS)
def test_a_word_too_many_is_told_where_it_may_belong(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        split_images(["a.aci", word])
    assert SECOND_WORDS[word] in (caught.value.hint or "").split()
