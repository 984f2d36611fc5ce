"""Descriptors across the fork of pod init: what each app gets as 0 to 2, our own ends of that, and what init may keep.

Source: spec/stage1.md, run.
"""

from __future__ import annotations

import os

from acstage1.input import Input
from acstage1.output import Log, Output, Sink, Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from acstage1.losses import Losses
    from acstage1.pod import App, PodDirectory
    from acstage1.relay import Relay
    from acstage1.terminal import CallersTerminal


class Streams:
    """Each app's descriptors 0 to 2 (None: init opens /dev/null), our ends of their pipes, and those for init (*inner*).

    For apps with a terminal: what makes it, to be called by the app's process; what copies; and the caller's, to be restored.
    """

    __slots__ = ("callers_terminal", "descriptors", "inner", "inputs", "outputs", "relays", "terminals")

    def __init__(self) -> None:
        self.descriptors: dict[str, tuple[int | None, int, int]] = {}
        self.outputs: list[Stream] = []
        self.inputs: list[Input] = []
        self.inner: list[int] = []
        self.relays: dict[str, Relay] = {}
        self.terminals: dict[str, Callable[[], int]] = {}
        self.callers_terminal: CallersTerminal | None = None

    def tell(self, say: Callable[[], None]) -> None:
        """Call *say*, which writes lines for people, so that they come out straight also while our terminal is raw."""
        if self.callers_terminal is None:
            say()
        else:
            self.callers_terminal.speak(say)

    def prepare_restart(self, app: str) -> bool:
        """Do what there is to do while an app waits for its next start; return False when its terminal was hung up for good."""
        return app not in self.relays or self.relays[app].prepare_restart()

    def restore_terminal(self) -> None:
        """Give the caller's terminal back as it was, for good. Raises: OSError."""
        if self.callers_terminal is not None:
            self.callers_terminal.release()


def open_streams(pod: PodDirectory, losses: Losses, *, interactive: bool, detached: bool) -> Streams:
    """Open the logs and pipes of every app; when *interactive*, our standard input is for the app that wants it.

    Our own descriptors are passed on only when nothing is to be logged, and for output alone. What several apps write is told
    apart by their names. When *detached*, nothing is copied through, and our descriptor 2 is for nobody but us. What cannot be
    written is for *losses* to tell.

    Raises: UsageError when a terminal is wanted that is none; OSError.
    Source: spec/stage1.md, run.
    """
    streams = Streams()
    sinks = (Sink(1, losses.of_stream(1)), Sink(2, losses.of_stream(2)))
    if any(app.tty for app in pod.apps):
        _find_callers_terminal(streams, interactive=interactive and any(app.tty and app.stdin for app in pod.apps))
    for app in pod.apps:
        log = None if pod.log == "none" else _open_log(pod, app.name, losses)
        if log is None:
            stdout, stderr = 1, 1 if detached else 2
        else:
            label = f"{app.name} | ".encode("ascii") if len(pod.apps) > 1 else b""
            stdout, stderr = (_open_output(streams, sink, log, label) for sink in sinks)
        stdin = 0 if app.stdin and interactive else None
        if app.tty:  # these descriptors are for its event handlers then
            _open_terminal(streams, app, sinks[0], log, interactive=stdin is not None)
        elif stdin is not None:
            stdin = _open_input(streams, stdin)
        streams.descriptors[app.name] = (stdin, stdout, stderr)
    if detached:
        for sink in sinks:
            sink.stop_copying()
    return streams


def _open_log(pod: PodDirectory, app: str, losses: Losses) -> Log:
    return Log(os.path.join(pod.path, "logs", f"{app}.log"), pod.log_size, losses.of_log(app))


def _find_callers_terminal(streams: Streams, *, interactive: bool) -> None:
    from acstage1.terminal import CallersTerminal

    streams.callers_terminal = CallersTerminal(interactive=interactive)


def _open_terminal(streams: Streams, app: App, sink: Sink, log: Log | None, *, interactive: bool) -> None:
    from acstage1.pseudoterminal import open_handover, open_terminal
    from acstage1.relay import Relay

    if streams.callers_terminal is None:
        raise AssertionError("there is one as soon as an app has a terminal")
    ours, theirs = open_handover()
    streams.inner.append(theirs)
    streams.terminals[app.name] = lambda: open_terminal(theirs)
    output = Output(sink, log, "stdout", ending=b"\r")
    streams.relays[app.name] = Relay(ours, streams.callers_terminal, output, interactive=interactive)


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


def close_all(descriptors: Iterable[int]) -> None:
    """Close *descriptors*. Raises: OSError."""
    for descriptor in descriptors:
        os.close(descriptor)
