"""The network as one image sees it: asked again when it fails, gone on with where it broke, and kept for the next run.

The one pass over an image sees none of this: the bytes come in their order, those kept from an earlier run first, and all of them
are verified. Where the rest cannot be had, or the whole turns out wrong though it came in parts, there is another pass from the
first byte.

Source: spec/store.md, Broken downloads; RFC 9110, section 14.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue

from acfetch.errors import HTTPStatusError, PolicyError, StartOverError, UnreachableError
from acfetch.ranges import Rest
from acfetch.retrying import is_transient
from acspec.errors import FormatError, TrustError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self, TypeVar

    from acfetch.connection import Connection
    from acfetch.http import Body
    from acfetch.partial import Partial
    from acfetch.ranges import Version
    from acfetch.retrying import Retrier

    T = TypeVar("T")


def fetch_whole(connection: Connection, retrier: Retrier, partial: Partial, fetch: Callable[[ResumingConnection], T]) -> T:
    """Return what *fetch* makes of an image, which it reads through what it is given; called again when that was in vain.

    Raises: what *fetch* raises.
    Source: spec/store.md, Broken downloads.
    """
    may_be_mixed = True
    while True:
        resumed = ResumingConnection(connection, retrier, partial)
        try:
            return fetch(resumed)
        except StartOverError as error:
            partial.clear()
            retrier.wait(error, connection.ended)
        except PolicyError:
            raise
        except (FormatError, TrustError):
            if resumed.began:
                partial.clear()
            if not (resumed.is_pieced and may_be_mixed):
                raise
            may_be_mixed = False  # one whole answer tells whether the image is wrong, or the parts did not belong together


class ResumingConnection:
    """A connection that is asked again; `began` when an image was opened, `is_pieced` when its bytes are of several answers.

    `head` are the headers of the first of these.
    """

    def __init__(self, connection: Connection, retrier: Retrier, partial: Partial) -> None:
        self._connection = connection
        self._retrier = retrier
        self._partial = partial
        self.began = False
        self.is_pieced = False
        self.head: Mapping[str, str] | None = None

    def get(self, url: str, limit: int) -> bytes:
        """Return the body at *url*, at most *limit* bytes. Raises: what `Connection.get` raises."""
        return self._retrier.call(lambda: self._connection.get(url, limit))

    def open(self, url: str) -> Stream:
        """Return the image at *url* to be read. Raises: what `Connection.open` raises."""
        self.began = True
        return Stream(self, url, self._connection, self._retrier, self._partial)


class Stream:
    """The bytes of one image as served; used as a context manager. `size` is that of the whole, if it is known."""

    def __init__(self, owner: ResumingConnection, url: str, connection: Connection, retrier: Retrier, partial: Partial) -> None:
        self._owner = owner
        self._url = url
        self._connection = connection
        self._retrier = retrier
        self._partial = partial
        self._stopped = threading.Event()
        self._answers: SimpleQueue[Body | BaseException] = SimpleQueue()
        self._position = 0
        self._body = self._open_first()
        self._kept = self._body.start
        self.size = self._body.size
        connection.watch(self)

    def _open_first(self) -> Body:
        version, kept = self._partial.version, self._partial.size
        if version is not None:
            # At least one byte is asked for, or there would be nothing that could be said to be that version's.
            start = min(kept, kept if version.size is None else max(version.size - 1, 0))
            try:
                body = self._retrier.call(lambda: self._connection.go_on(self._url, Rest(version, start)))
            except StartOverError:
                pass
            else:
                return self._take_first(body)
        return self._take_first(self._retrier.call(lambda: self._connection.go_on(self._url, None)))

    def _take_first(self, body: Body) -> Body:
        self._owner.head = body.head
        if body.start:
            self._owner.is_pieced = True
            self._partial.go_on(body.start)
        else:
            self._partial.begin(body)
        return body

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """End the answer, read or not."""
        self._stopped.set()
        self._body.__exit__(kind, value, trace)

    def read(self, size: int) -> bytes:
        """Return up to *size* bytes, empty at the end.

        Raises: what `Body.read` raises, when the retries are used up; StartOverError when the rest cannot be had.
        """
        if self._position < self._kept:
            data = self._partial.read(self._position, min(size, self._kept - self._position))
            if not data:
                raise StartOverError(self._url, "what was kept of it has gone")
        else:
            data = self._receive(size)
            self._partial.write(data)
            self._retrier.advance(len(data))
        self._position += len(data)
        return data

    def _receive(self, size: int) -> bytes:
        while True:
            try:
                data = self._body.read(size)
                if not data:
                    self._check_end()
                return data
            except UnreachableError as error:
                if not error.is_transient:
                    raise
                self._open_again(error)

    def _check_end(self) -> None:
        """Check that what has ended is whole: the answer with the rest may be shorter than the rest."""
        if self.size is not None and self._position < self.size:
            why = f"the connection ended early, after {self._position} of {self.size} bytes"
            raise UnreachableError(self._url, why, is_transient=True)

    def _open_again(self, broken: UnreachableError) -> None:
        """Go on with another answer for what is missing after *broken*."""
        body = self._insist(self._rest(broken), broken)
        self._body.__exit__(None, None, None)
        self._body = body
        if body.start != self._position:
            raise StartOverError(self._url, "it has changed on the server meanwhile")
        if self._position:
            self._owner.is_pieced = True
        else:
            self._take_first(body)
            self.size = body.size

    def _insist(self, rest: Rest | None, broken: UnreachableError) -> Body:
        error: UnreachableError | HTTPStatusError = broken
        while True:
            self._retrier.wait(error, self._stopped)
            try:
                return self._ask_for(rest, broken)
            except StartOverError:
                raise
            except UnreachableError as failure:  # it was there a moment ago: whatever the reason is, it may pass
                error = failure
            except HTTPStatusError as failure:
                if not is_transient(failure):
                    raise
                error = failure

    def _rest(self, broken: UnreachableError) -> Rest | None:
        version: Version | None = self._body.version
        if self._position == 0:
            return None
        if version is None:
            raise StartOverError(broken.what, broken.why)
        return Rest(version, self._position)

    def _ask_for(self, rest: Rest | None, broken: UnreachableError) -> Body:
        """Return the answer to a question that *interrupt* can end: while one connects, there is nothing to shut down."""
        answers = self._answers

        def ask() -> None:
            try:
                answers.put(self._connection.go_on(self._url, rest))
            except BaseException as error:  # whatever it is, it belongs to whoever waits
                answers.put(error)

        threading.Thread(target=ask, name="connect", daemon=True).start()
        answer = answers.get()
        if self._stopped.is_set():
            raise broken
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def interrupt(self) -> None:
        """End a `read` that waits in another thread, and all that follow."""
        self._stopped.set()
        self._answers.put(InterruptedError())
        self._body.interrupt()
