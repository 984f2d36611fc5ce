"""How long the body of an answer may take: by its pace, whoever brings it."""

from __future__ import annotations

SLOWEST = 1024  # bytes in a second, over as long a waiting as a silence may last


class Pace:
    """How fast an answer comes, over spans of waiting; time in which nobody waits for the server is not counted."""

    def __init__(self, span: int) -> None:
        """Judge after each *span* of waiting, in seconds."""
        self._span = span
        self._seconds = 0.0
        self._bytes = 0

    def keeps(self, seconds: float, size: int) -> bool:
        """Tell whether it is fast enough, now that *size* bytes have come after *seconds* of waiting."""
        self._seconds += seconds
        self._bytes += size
        if self._seconds < self._span:
            return True
        enough = self._bytes >= self._seconds * SLOWEST
        self._seconds, self._bytes = 0.0, 0
        return enough
