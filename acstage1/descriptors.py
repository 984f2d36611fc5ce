"""Descriptors across the fork of pod init: what each app gets as 0 to 2, our own ends of that, and what init may keep.

Source: spec/stage1.md, run; close_range(2).
"""

from __future__ import annotations

import os

from acstage1.input import Input
from acstage1.output import Log, Sink, Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from acstage1.pod import PodDirectory

_BEYOND_ALL = 2**31 - 1


class Streams:
    """Each app's descriptors 0 to 2 (None: init opens /dev/null), our ends of their pipes, and those for init (*inner*)."""

    __slots__ = ("descriptors", "inner", "inputs", "outputs")

    def __init__(self) -> None:
        self.descriptors: dict[str, tuple[int | None, int, int]] = {}
        self.outputs: list[Stream] = []
        self.inputs: list[Input] = []
        self.inner: list[int] = []


def open_streams(pod: PodDirectory, *, interactive: bool, detached: bool) -> Streams:
    """Open the logs and pipes of every app; when *interactive*, our standard input is for the app that wants it. Raises: OSError.

    A terminal is passed as it is, for output too, and so are our own descriptors when nothing is to be logged. What several apps
    write is told apart by their names. When *detached*, nothing is copied through, and our descriptor 2 is for nobody but us.

    Source: spec/stage1.md, run.
    """
    streams = Streams()
    sinks = (Sink(1), Sink(2))
    for app in pod.apps:
        stdin = 0 if app.stdin and interactive else None
        if pod.log == "none" or (stdin is not None and os.isatty(0)):
            stdout, stderr = 1, 1 if detached else 2
        else:
            log = Log(os.path.join(pod.path, "logs", f"{app.name}.log"), pod.log_size)
            label = f"{app.name} | ".encode("ascii") if len(pod.apps) > 1 else b""
            stdout, stderr = (_open_output(streams, sink, log, label) for sink in sinks)
        if stdin is not None and not os.isatty(stdin):
            stdin = _open_input(streams, stdin)
        streams.descriptors[app.name] = (stdin, stdout, stderr)
    if detached:
        for stream in streams.outputs:
            stream.sink.deafen()
    return streams


def _open_output(streams: Streams, sink: Sink, log: Log, label: bytes) -> int:
    source, end = os.pipe2(os.O_CLOEXEC)
    streams.outputs.append(Stream(source, sink, log, label))
    streams.inner.append(end)
    return end


def _open_input(streams: Streams, source: int) -> int:
    end, target = os.pipe2(os.O_CLOEXEC)
    streams.inputs.append(Input(source, target))
    streams.inner.append(end)
    return end


def keep_only(kept: Iterable[int]) -> None:
    """Close every descriptor but 0 to 2 and *kept*: whatever else is open leads to the host. Source: close_range(2)."""
    last = 2
    for descriptor in sorted(number for number in kept if number > 2):
        if descriptor > last + 1:  # an empty range, to os.closerange, may be everything
            os.closerange(last + 1, descriptor)
        last = descriptor
    os.closerange(last + 1, _BEYOND_ALL)


def close_all(descriptors: Iterable[int]) -> None:
    """Close *descriptors*. Raises: OSError."""
    for descriptor in descriptors:
        os.close(descriptor)
