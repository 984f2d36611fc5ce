"""One run of a transport program: asked by one JSON object, read to its end, ended with everything it started.

The program is in a session of its own, with little of our environment and three descriptors beside its standard input: bytes on 1,
lines for people on 2, and on 3, at the end, the note that says how many bytes there were. All three are read at once, so that none
can keep the others waiting.

Source: spec/transports.md, The contract.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from contextlib import suppress

from acfetch.errors import AbsentError, UnreachableError
from acfetch.pace import Pace
from acspec import limits
from acspec.descriptors import list_descriptors
from acspec.errors import ConfigError, FormatError, ProtocolError, ToolError, TrustError
from acspec.jsontext import dump_json, parse_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES = ("https_proxy", "http_proxy", "ftp_proxy", "all_proxy", "no_proxy")
_OURS = "ACFETCH_TRANSPORT_"
_TERM_SECONDS = 1
_SHOWN = 500  # characters of what a program says
# What its exit codes mean to us; all others are nonsense.
_MEANINGS: dict[int, type[ToolError]] = {
    66: AbsentError,
    69: UnreachableError,
    75: UnreachableError,
    77: TrustError,
    78: ConfigError,
}
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What Python ignores and nobody else expects to be ignored.
_DEFAULT_SIGNALS = (signal.SIGPIPE, signal.SIGXFSZ)


def environment_for(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a program gets of *environment*. Source: spec/transports.md, The contract."""
    kept = {
        name: value for name, value in environment.items() if name in _KEPT or name.lower() in _PROXIES or name.startswith(_OURS)
    }
    return {**kept, "LC_ALL": "C.UTF-8"}


def _spawn(program: str, name: str, *descriptors: int) -> int:
    """Start *program* by *name* with *descriptors* as its 0, 1, 2 and 3, and no other; return its process ID."""
    actions: list[tuple[int, int] | tuple[int, int, int]] = [
        (os.POSIX_SPAWN_DUP2, source, target) for target, source in enumerate(descriptors)
    ]
    # What our caller left open for us; all that we open ourselves is closed on exec.
    others = (number for number in list_descriptors() if number >= len(descriptors))
    actions += [(os.POSIX_SPAWN_CLOSE, number) for number in others if _is_inheritable(number)]
    return os.posix_spawn(
        program,
        [name],
        environment_for(os.environ),
        file_actions=actions,
        setsid=True,
        setsigmask=(),
        setsigdef=_DEFAULT_SIGNALS,
    )


def _is_inheritable(descriptor: int) -> bool:
    try:
        return os.get_inheritable(descriptor)
    except OSError:  # that of the directory that was just listed
        return False


class Transfer:
    """The bytes that a program brings, read in pieces; used as a context manager. `size` is never known beforehand."""

    def __init__(self, program: str, name: str, url: str, limit: int, silence: int) -> None:
        """Start *program* by *name*; *silence* is for how many seconds nothing may come.

        Raises: ConfigError when it cannot be started; OSError.
        """
        self.url = url
        self.size: int | None = None
        self.received = 0
        self._name = name
        self._limit = limit
        self._silence = silence
        self._pace = Pace(silence)
        self._said: dict[int, bytes] = {}
        self._lock = threading.Lock()
        self._running = True
        self._ended = False
        # A signal that came between the start and the note of who was started would leave the program behind.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        try:
            self._start(program)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def __del__(self) -> None:
        """End the program also when a signal came before anybody had it in a `with`."""
        if hasattr(self, "_poll"):
            self.close()

    def _start(self, program: str) -> None:
        request = os.memfd_create("request")
        pipes = [os.pipe() for _ in range(3)]
        try:
            os.write(request, dump_json({"version": 1, "url": self.url, "limit": self._limit}))
            os.lseek(request, 0, os.SEEK_SET)
            self._pid = _spawn(program, self._name, request, *(pipe[1] for pipe in pipes))
        except OSError as error:
            for reading, _ in pipes:
                os.close(reading)
            raise ConfigError(program, f"cannot be started: {os.strerror(error.errno or 0).lower()}") from None
        finally:
            for descriptor in (request, *(pipe[1] for pipe in pipes)):
                os.close(descriptor)
        self._out, self._err, self._note = (pipe[0] for pipe in pipes)
        self._end = os.pidfd_open(self._pid)
        self._open = {self._out, self._err, self._note, self._end}
        self._poll = select.poll()
        for descriptor in self._open:
            self._poll.register(descriptor, select.POLLIN)
        for descriptor in (self._err, self._note):
            os.set_blocking(descriptor, False)
            self._said[descriptor] = b""

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """End the program, done or not."""
        self.close()

    def read(self, size: int) -> bytes:
        """Return up to *size* bytes, empty at the end, when the program has said that it is the end.

        Raises: AbsentError, UnreachableError, ProtocolError, TrustError or ConfigError, as the program says or behaves; OSError.
        Source: spec/transports.md, Exit codes.
        """
        if self._ended:
            return b""
        began = time.monotonic()
        while self._out not in self._wait(began, self._out):
            pass
        data = os.read(self._out, size)
        if not data:
            self._forget(self._out)
            self._finish()
            return b""
        self.received += len(data)
        if self.received > self._limit:
            raise ProtocolError(self.url, f"the answer is larger than the limit of {self._limit} bytes")
        if not self._pace.keeps(time.monotonic() - began, len(data)):
            raise UnreachableError(self.url, f"too slow, after {self.received} bytes")
        return data

    def _wait(self, began: float, *wanted: int) -> set[int]:
        """Return which of *wanted* has something; what is said meanwhile on the other descriptors is kept."""
        left = began + self._silence - time.monotonic()
        ready = {descriptor for descriptor, _ in self._poll.poll(max(left, 0) * 1000)}
        if not ready or (left <= 0 and ready.isdisjoint(wanted)):
            raise UnreachableError(self.url, f"timed out: nothing came for {self._silence} s")
        for descriptor in ready & self._said.keys():
            self._listen(descriptor)
        if self._end in ready and self._end not in wanted:
            self._forget(self._end, close=False)  # it has ended, and its bytes are still to be read
        return ready

    def _listen(self, descriptor: int) -> None:
        """Keep the end of what is said; a note that is too long is found out by that."""
        try:
            data = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return
        self._said[descriptor] = (self._said[descriptor] + data)[-limits.TRANSPORT_NOTE_BYTES - 1 :]
        if not data:
            self._forget(descriptor)

    def _forget(self, descriptor: int, *, close: bool = True) -> None:
        if descriptor in self._open:
            with suppress(KeyError):
                self._poll.unregister(descriptor)
            if close:
                self._open.discard(descriptor)
                os.close(descriptor)

    def _finish(self) -> None:
        """Wait until the program has ended, and take its word for how. Raises: as `read`."""
        self._poll.register(self._end, select.POLLIN)
        began = time.monotonic()
        while self._end not in self._wait(began, self._end):
            pass
        for descriptor in self._open & self._said.keys():
            self._listen(descriptor)
        self._ended = True
        self._judge(self._reap())

    def _judge(self, code: int) -> None:
        note = self._parse_note()
        if code != 0:
            raise _MEANINGS.get(code, ProtocolError)(self.url, self._explain(note, code))
        size = note.get("size")
        if not isinstance(size, int) or isinstance(size, bool):
            raise ProtocolError(self.url, f"{self._name} does not say how many bytes there were")
        if size != self.received:
            raise ProtocolError(self.url, f"{self._name} says that there were {size} bytes, and {self.received} came")

    def _parse_note(self) -> Mapping[str, object]:
        data = self._said[self._note]
        if not data.strip():
            return {}
        try:
            note = parse_json(data, self.url, limits.TRANSPORT_NOTE_BYTES)
        except FormatError as error:
            raise ProtocolError(self.url, f"the note of {self._name} is not JSON: {error.why}") from None
        if not isinstance(note, dict):
            raise ProtocolError(self.url, f"the note of {self._name} is no JSON object")
        return note

    def _explain(self, note: Mapping[str, object], code: int) -> str:
        """Return what the program says of its failure: in its note, else in its last line for people."""
        lines = self._said[self._err].decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        error = note.get("error")
        text = error if isinstance(error, str) and error else last
        ended = f"ended by signal {-code}" if code < 0 else f"ended with {code}"
        return f"{self._name} {ended}" + (f": {text[:_SHOWN]}" if text else "")

    def interrupt(self) -> None:
        """End a `read` that waits in another thread, and all that follow."""
        self._kill(signal.SIGKILL)

    def close(self) -> None:
        """End the program and all in its session's group. May be called again."""
        if self._running:
            self._kill(signal.SIGTERM)
            poll = select.poll()
            poll.register(self._end, select.POLLIN)
            poll.poll(_TERM_SECONDS * 1000)
            self._reap()
        self._ended = True
        for descriptor in list(self._open):
            self._open.discard(descriptor)
            os.close(descriptor)

    def _kill(self, number: int) -> None:
        with self._lock:
            if self._running:
                with suppress(ProcessLookupError):
                    os.killpg(self._pid, number)

    def _reap(self) -> int:
        """Return how the program ended; whatever it has started and left behind ends with it."""
        self._kill(signal.SIGKILL)
        with self._lock:
            self._running = False
            return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
