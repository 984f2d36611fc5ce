"""What a person sees meanwhile, and what a program does not."""

from __future__ import annotations

import pytest

from acfetch.progress import Progress, human_size

SIZES = {
    0: "0 bytes",
    1023: "1023 bytes",
    1024: "1.0 KiB",
    1536: "1.5 KiB",
    1024**2: "1.0 MiB",
    5 * 1024**3: "5.0 GiB",
    1024**4: "1024.0 GiB",
}


@pytest.mark.parametrize(("size", "text"), SIZES.items())
def test_sizes_are_for_people(size: int, text: str) -> None:
    assert human_size(size) == text


@pytest.mark.parametrize("quiet", [False, True])
def test_without_a_terminal_there_is_no_bar_and_nothing_on_stdout(quiet: bool, capfd: pytest.CaptureFixture[str]) -> None:
    progress = Progress(quiet=quiet)
    progress.begin("https://example.com/x.aci", None)
    progress.advance(10)
    progress.say("a\x1bnote")
    progress.end()
    assert capfd.readouterr() == ("", "" if quiet else "acfetch: a\\x1bnote\n")
