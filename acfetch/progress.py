"""What a person sees meanwhile: a bar on a terminal, one line per image elsewhere, nothing when quiet. Never on stdout."""

from __future__ import annotations

import sys

from acfetch.following import Began, Came, Note, Stored
from acspec.escape import escape
from acspec.program import tell
from acspec.sizes import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from acfetch.following import Event
    from acspec.store import ImageRecord


class Progress:
    """The progress of one run of acfetch; rich is imported only for a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Any = None
        self._task: Any = None
        self._interactive = not quiet and sys.stderr.isatty()

    def follow(self, event: Event) -> None:
        """Show what there is to see of an event."""
        match event:
            case Began(_, place, size):
                self.begin(place, size)
            case Came(_, count):
                self.advance(count)
            case Stored(_, record, _):
                self.end()
                self.tell(_describe(record))
            case Note(text):
                self.tell(text)
            case _:
                pass

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


def _describe(record: ImageRecord) -> str:
    by = f"signed by {record.signer}" if record.signer else "signature not asked for"
    return f"{record.name}: {record.id[:19]}, {human_size(record.served_size)}, {by}"


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
