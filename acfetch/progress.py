"""What a person sees meanwhile: a bar for each download on a terminal, elsewhere a line for each image; never on stdout."""

from __future__ import annotations

import sys

from acfetch.events import Downloading, Failed, Note, Received, Stored, Verified, Waiting
from acspec.escape import escape
from acspec.program import tell
from acspec.sizes import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from acfetch.events import Event
    from acspec.store import ImageRecord


class Progress:
    """The progress of one run of acfetch; rich is imported only for a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Any = None
        self._tasks: dict[str, Any] = {}
        self._interactive = not quiet and sys.stderr.isatty()

    def notify(self, event: Event) -> None:
        """Show what there is to see of an event."""
        match event:
            case Downloading(ref, place, size):
                self._begin(ref, place, size)
            case Received(ref, count):
                if ref in self._tasks:
                    self._bar.update(self._tasks[ref], advance=count)
            case Verified(ref) | Failed(ref):
                self._finish(ref)
            case Waiting(_, why, seconds, number, most):
                self.tell(_describe_waiting(why, seconds, number, most))
            case Stored(ref, record, _):
                self._finish(ref)
                if not self._tasks:
                    self.end()
                self.tell(_describe(record))
            case Note(text):
                self.tell(text)
            case _:
                pass

    def begin(self, what: str, size: int | None) -> None:
        """Begin to show *what*, which is one after another, *size* bytes when that is known."""
        self._begin("", what, size)

    def advance(self, count: int) -> None:
        """Show that *count* more bytes of it have come."""
        self.notify(Received("", count))

    def _begin(self, ref: str, what: str, size: int | None) -> None:
        """Begin to show the download of *what*, *size* bytes when that is known."""
        if not self._interactive:
            return
        if self._bar is None:
            self._bar = _make_bar()
            self._bar.start()
        self._finish(ref)  # that of another place, or of another try
        self._tasks[ref] = self._bar.add_task(escape(what, 60), total=size)

    def _finish(self, ref: str) -> None:
        if ref in self._tasks:
            self._bar.remove_task(self._tasks.pop(ref))

    def end(self) -> None:
        """Take the bars away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
            self._tasks.clear()

    def tell(self, text: str) -> None:
        """Tell people one line, above the bars, unless quiet."""
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.stop()
        tell("acfetch", text)
        if self._bar is not None:
            self._bar.start()


def tell_waiting(error: object, seconds: float, number: int, most: int) -> None:
    """Tell people which server has failed, and when it is asked again."""
    tell("acfetch", _describe_waiting(error, seconds, number, most))


def _describe_waiting(error: object, seconds: float, number: int, most: int) -> str:
    return f"{error}; asked again in {seconds:.1f} s ({number} of {most})"


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
