"""What a person sees meanwhile: a bar on a terminal, one line per image elsewhere, nothing when quiet. Never on stdout."""

from __future__ import annotations

import sys

from acspec.escape import escape
from acspec.program import tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Progress:
    """The progress of one run of acfetch; rich is imported only for a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Any = None
        self._task: Any = None
        self._interactive = not quiet and sys.stderr.isatty()

    def begin(self, what: str, size: int | None) -> None:
        """Begin to show the download of *what*, *size* bytes when that is known."""
        if not self._interactive:
            return
        if self._bar is None:
            self._bar = _make_bar()
            self._bar.start()
        else:
            self._bar.remove_task(self._task)  # one line, however many images
        self._task = self._bar.add_task(escape(what, 60), total=size)

    def advance(self, count: int) -> None:
        """Show that *count* more bytes have come."""
        if self._bar is not None:
            self._bar.update(self._task, advance=count)

    def end(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def tell(self, text: str) -> None:
        """Tell people one line, unless quiet."""
        if not self._quiet:
            tell("acfetch", text)


def _make_bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    return Bar(*columns, console=Console(stderr=True), transient=True)
