"""What a person sees meanwhile, and what a program does not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from acfetch.progress import Progress
from tests.support.terminal import at_terminal

TWO_AT_ONCE = """
from acfetch.events import Downloading, Received, Stored
from acfetch.progress import Progress
from acspec.names import ACIdentifier, ImageID
from acspec.store import ImageRecord
progress = Progress(quiet=False)
progress.notify(Downloading("a", "https://example.com/a.aci", 10))
progress.notify(Downloading("b", "https://example.com/b.aci", 10))
progress.notify(Stored("a", ImageRecord(ImageID("sha512-" + "0" * 128), ACIdentifier("example.com/a")), "/a"))
progress.notify(Received("b", 5))
progress.end()
"""


@pytest.mark.parametrize("quiet", [False, True])
def test_without_a_terminal_there_is_no_bar_and_nothing_on_stdout(quiet: bool, capfd: pytest.CaptureFixture[str]) -> None:
    progress = Progress(quiet=quiet)
    progress.begin("https://example.com/x.aci", None)
    progress.advance(10)
    progress.tell("a\x1bnote")
    progress.end()
    assert capfd.readouterr() == ("", "" if quiet else "acfetch: a\\x1bnote\n")


def test_on_a_terminal_the_bar_of_a_download_stays_when_another_is_done(tmp_path: Path) -> None:
    with at_terminal([sys.executable, "-c", TWO_AT_ONCE], tmp_path, {"TERM": "xterm", "COLUMNS": "120"}) as terminal:
        assert terminal.end() == 0
        shown = terminal.shown
    done = shown.index("acfetch: example.com/a: sha512-000000000000, ")
    assert "b.aci" in shown[done:]
    assert "a.aci" not in shown[done:]
