"""What a person sees meanwhile, and what a program does not."""

from __future__ import annotations

import pytest

from acfetch.progress import Progress


@pytest.mark.parametrize("quiet", [False, True])
def test_without_a_terminal_there_is_no_bar_and_nothing_on_stdout(quiet: bool, capfd: pytest.CaptureFixture[str]) -> None:
    progress = Progress(quiet=quiet)
    progress.begin("https://example.com/x.aci", None)
    progress.advance(10)
    progress.tell("a\x1bnote")
    progress.end()
    assert capfd.readouterr() == ("", "" if quiet else "acfetch: a\\x1bnote\n")
