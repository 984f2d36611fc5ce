"""Two sources of uncompressed bytes: read in this thread, or made in a thread of their own a few chunks ahead.

The thread ends when its work is done, when it fails (the failure comes out where the chunks are taken), and when it is
closed early: no exception and no thread is ever left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from acspec.archive.source import Source
from acspec.errors import KernelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from queue import SimpleQueue

_AHEAD = 4


class DirectFeed:
    """An uncompressed source, read where it is asked for; what is skipped in a file is not read at all."""

    __slots__ = ("_size", "_source", "_start")

    def __init__(self, source: Source, start: bytes, size: int) -> None:
        """Give *start*, then the rest of *source* in chunks of at most *size* bytes."""
        self._source = source
        self._start = start
        self._size = size

    def next_chunk(self) -> bytes:
        """Return the next chunk, `b""` at the end. Raises: Fault; StorageError."""
        start, self._start = self._start, b""
        return start or self._source.read(self._size)

    def skip(self, size: int) -> int:
        """Leave out up to *size* bytes and return how many."""
        return 0 if self._start else self._source.skip(size)

    def close(self) -> None:
        """Do nothing: there is no thread."""


class ThreadFeed:
    """Chunks that are made in another thread; `close` must be called."""

    __slots__ = ("_ended", "_free", "_interrupt", "_queue", "_stopped", "_thread")

    def __init__(self, chunks: Iterator[bytes], interrupt: Callable[[], None]) -> None:
        """Start making *chunks*, none of them empty; *interrupt* is called to end a wait of theirs when closed early.

        Raises: KernelError when the system allows no thread.
        """
        import threading
        from queue import SimpleQueue

        self._interrupt = interrupt
        # A queue of the interpreter's own: no signal can interrupt it half-way, as it can a semaphore, which is written in Python.
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(_AHEAD):
            self._free.put(None)
        self._queue: SimpleQueue[bytes | BaseException] = SimpleQueue()
        self._stopped = False
        self._ended = False
        self._thread = threading.Thread(target=self._run, args=(chunks,), name="decompress", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            raise KernelError("thread", "the system allows no more of them", "ulimit -u shows the limit") from error

    def _run(self, chunks: Iterator[bytes]) -> None:
        end: bytes | BaseException = b""
        try:
            for chunk in chunks:
                self._free.get()
                if self._stopped:
                    break
                self._queue.put(chunk)
        except BaseException as error:  # whatever it is, it belongs to whoever takes the chunks
            end = error
        self._queue.put(end)

    def next_chunk(self) -> bytes:
        """Return the next chunk, `b""` after the last. Raises: whatever making it raised."""
        if self._ended:
            return b""
        item = self._queue.get()
        if isinstance(item, BaseException):
            self._ended = True
            raise item
        self._free.put(None)
        self._ended = not item
        return item

    def skip(self, size: int) -> int:  # noqa: ARG002 - a file can be skipped in
        """Leave out nothing: every byte has to be made."""
        return 0

    def close(self) -> None:
        """End the thread and wait for it. May be called again."""
        self._stopped = True
        self._free.put(None)
        if self._thread.is_alive():
            self._interrupt()
        self._thread.join()
