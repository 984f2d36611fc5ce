"""gpg between two streams: bytes of a descriptor in, gpg's bytes out, and no end before gpg's verdict is known to be good.

One loop over all descriptors, without a thread and without a file. Secrets go through a pipe, never into an argument or the
environment. What gpg is asked to do, and which verdict is good, is for those to say who derive from `Filter`.

Source: gpg(1), --status-fd and --passphrase-fd; poll(2), pipe(7).
"""

from __future__ import annotations

import fcntl
import os
import select
import stat
from abc import ABC, abstractmethod

from acspec import limits
from acspec.errors import FormatError, StorageError
from acspec.openpgp.process import PIPE_BYTES, parse_status, start_gpg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

_CHUNK = 256 * 1024


class Filter(ABC):
    """What gpg makes of an input, to be read like a file in any thread; used as a context manager."""

    def __init__(
        self,
        words: Sequence[str],
        descriptor: int,
        what: str,
        *,
        head: bytes = b"",
        secret: bytes | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start gpg with *words* on *head* and what follows in *descriptor*; *secret* is a passphrase, *what* is for errors.

        A file is read from where it stands, without moving it. Raises: MissingInputError without gpg; OSError.
        """
        self.what = what
        self._input = _Input(descriptor, head, what)
        self._given = 0
        self._said = b""
        self._is_over = False
        self._open: set[int] = set()
        try:
            self._wake, self._waker = self._pipe()
            self._start(words, secret, environment)
        except BaseException:
            self._close(*self._open)
            raise
        os.set_blocking(self._wake, False)
        os.set_blocking(self._stdin, False)

    def _start(self, words: Sequence[str], secret: bytes | None, environment: Mapping[str, str] | None) -> None:
        stdin, self._stdin = self._pipe(PIPE_BYTES)
        self._stdout, stdout = self._pipe(PIPE_BYTES)
        self._status, status = self._pipe()
        options, passed = ["--status-fd", str(status)], [status]
        if secret is not None:
            reading, writing = self._pipe()
            os.write(writing, secret + b"\n")  # a pipe has room for it
            self._close(writing)
            options += ["--pinentry-mode", "loopback", "--passphrase-fd", str(reading)]
            passed.append(reading)
        self._process = start_gpg((*options, *words), environment=environment, stdin=stdin, stdout=stdout, pass_fds=passed)
        self._close(stdin, stdout, *passed)

    def _pipe(self, size: int = 0) -> tuple[int, int]:
        reading, writing = os.pipe()
        self._open |= {reading, writing}
        try:
            if size:
                fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, size)
        except OSError:  # more than the user may have: it only goes a little slower
            pass
        return reading, writing

    def _close(self, *descriptors: int) -> None:
        for descriptor in descriptors:
            self._open.discard(descriptor)
            os.close(descriptor)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """End gpg, wherever it stands."""
        self.close()

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most *size*; `b""` at the end, when the verdict is known to be good.

        Raises: what the verdict says; FormatError beyond a limit; StorageError; InterruptedError after `interrupt`.
        """
        while not self._is_over:
            ready = self._wait()
            if self._wake in ready:
                raise InterruptedError
            if self._status in ready:
                self._listen()
            if not ready.isdisjoint((self._stdin, self._input.descriptor)):
                self._feed()
            if self._stdout in ready:
                if data := os.read(self._stdout, size):
                    return self._count(data)
                self._is_over = True
        self._end()
        return b""

    def _wait(self) -> set[int]:
        """Return the descriptors that have something to give, or room to take something."""
        poll = select.poll()
        for descriptor in {self._wake, self._stdout, self._status} & self._open:
            poll.register(descriptor, select.POLLIN)
        if self._stdin in self._open:
            if self._input.is_at_hand:
                poll.register(self._stdin, select.POLLOUT)
            else:
                poll.register(self._input.descriptor, select.POLLIN)
        return {descriptor for descriptor, _ in poll.poll()}

    def _feed(self) -> None:
        """Give gpg as much of the input as it takes now. When it has made up its mind and reads no more, the rest is dropped."""
        data = self._input.look()
        try:
            if data:
                self._input.take(os.write(self._stdin, data))
            else:
                self._close(self._stdin)
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._close(self._stdin)

    def _listen(self) -> None:
        said = os.read(self._status, limits.GPG_STATUS_BYTES)
        self._said += said
        if len(self._said) > limits.GPG_STATUS_BYTES:
            raise FormatError(self.what, f"gpg has more to say of it than the limit of {limits.GPG_STATUS_BYTES} bytes")
        if not said:
            self._close(self._status)

    def _count(self, data: bytes) -> bytes:
        self._given += len(data)
        if self._given > limits.IMAGE_SERVED_BYTES:
            raise FormatError(self.what, f"larger than the limit of {limits.IMAGE_SERVED_BYTES} bytes")
        return data

    def _end(self) -> None:
        while self._status in self._open:
            self._listen()
        self.judge(parse_status(self._said), self._process.wait())

    @abstractmethod
    def judge(self, said: list[list[str]], exit_code: int) -> None:
        """Raise an error unless the words of gpg's status lines, and for what they are worth its *exit_code*, are good."""

    def finish(self) -> None:
        """Read to the end, also after `interrupt`, and drop what comes. Raises: what `read` raises."""
        try:
            os.read(self._wake, _CHUNK)
        except BlockingIOError:
            pass
        while self.read(_CHUNK):
            pass

    def interrupt(self) -> None:
        """Make a read that waits in another thread fail, and all that follow until `finish`."""
        os.write(self._waker, b"\0")

    def close(self) -> None:
        """End gpg and give up all descriptors but the input's. No read may be under way; may be called again."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._close(*self._open)


class _Input:
    """The bytes for gpg: those read already, then those of a descriptor."""

    def __init__(self, descriptor: int, head: bytes, what: str) -> None:
        self.descriptor = descriptor
        self._pending = memoryview(head)
        self._what = what
        self._is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._offset = os.lseek(descriptor, 0, os.SEEK_CUR) if self._is_file else 0
        self._total = len(head)

    @property
    def is_at_hand(self) -> bool:
        """True when the next bytes can be had without waiting."""
        return self._is_file or bool(self._pending)

    def look(self) -> memoryview:
        """Return the next bytes and leave them; none at the end. Raises: FormatError beyond the limit; StorageError."""
        if not self._pending:
            self._pending = memoryview(self._read())
            self._total += len(self._pending)
        if self._total > limits.IMAGE_SERVED_BYTES:
            raise FormatError(self._what, f"larger than the limit of {limits.IMAGE_SERVED_BYTES} bytes as served")
        return self._pending

    def take(self, size: int) -> None:
        """Take *size* bytes of those that `look` showed."""
        self._pending = self._pending[size:]

    def _read(self) -> bytes:
        try:
            if not self._is_file:
                return os.read(self.descriptor, _CHUNK)
            data = os.pread(self.descriptor, _CHUNK, self._offset)
        except OSError as error:
            raise StorageError(self._what, f"cannot be read: {os.strerror(error.errno or 0).lower()}") from error
        self._offset += len(data)
        return data
