"""Copying between the apps' pipes and our own descriptors, all of it in one poll: what is waited for, what moves, what is left.

A sink that has no room yet holds up the streams that lead to it, and no others.

Source: poll(2); spec/stage1.md, run.
"""

from __future__ import annotations

import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Set

    from acstage1.input import Input
    from acstage1.output import Sink, Stream
    from acstage1.relay import Relay


class Multiplexer:
    """The streams of a pod's apps, the sinks that they lead to, what the apps read, and their terminals."""

    def __init__(self, streams: Sequence[Stream], inputs: Sequence[Input], relays: Sequence[Relay] = ()) -> None:
        self._streams = list(streams)
        self._relays = list(relays)
        self._sinks: list[Sink] = list(dict.fromkeys([*(stream.sink for stream in streams), *(relay.sink for relay in relays)]))
        self._inputs = list(inputs)

    def wants(self) -> dict[int, int]:
        """Return the descriptors to wait for, each with its event: room for what is pending comes before anything new is read."""
        return self._output_wants() | dict(flow.wants() for flow in self._inputs)

    def _output_wants(self) -> dict[int, int]:
        events = {sink.descriptor: select.POLLOUT for sink in self._sinks if sink.pending}
        for relay in self._relays:
            events |= relay.wants()
        return events | {stream.source: select.POLLIN for stream in self._streams if not stream.sink.pending}

    def advance(self, ready: Set[int]) -> None:
        """Move what moves without blocking: *ready* are those of the wanted descriptors that had their event. Raises: OSError."""
        full = [sink for sink in self._sinks if sink.pending]
        for stream in self._streams:
            if stream.source in ready and stream.sink not in full:
                stream.advance()
        for relay in self._relays:
            relay.advance(ready)
        for sink in full:
            if sink.descriptor in ready:
                sink.advance()
        for flow in self._inputs:
            if flow.wants()[0] in ready:
                flow.advance()
        self._drop_finished()

    def _drop_finished(self) -> None:
        for stream in self._streams:
            if not stream.at_end and not stream.sink.has_reader:
                stream.finish()
        for relay in self._relays:
            if not relay.sink.has_reader:
                relay.hang_up()
            relay.settle()
        self._streams = [stream for stream in self._streams if not stream.at_end]
        self._inputs = [flow for flow in self._inputs if not flow.is_done]

    def drain(self, init: int, wakeup: int, deadline: Callable[[bool], float | None]) -> None:
        """Move what is still in the pipes: their writing ends close with the last process of the pod, whose *init* is a pidfd.

        *deadline* tells until when a reader of ours is waited for; it is called with whether *wakeup* has delivered something.
        The logs get everything.

        Raises: OSError.
        """
        self._inputs = []
        gone, until = False, deadline(False)
        while self._streams or self._relays or any(sink.pending for sink in self._sinks):
            wanted = self._output_wants()
            reading = select.POLLIN in wanted.values() or bool(self._relays)
            poll = select.poll()
            for descriptor, event in {**wanted, wakeup: select.POLLIN, **({} if gone else {init: select.POLLIN})}.items():
                poll.register(descriptor, event)
            ready = {descriptor for descriptor, _ in poll.poll(0 if gone and reading else milliseconds_until(until))}
            if gone:
                self._finish_empty({descriptor for descriptor, event in wanted.items() if event == select.POLLIN} - ready)
            gone = gone or init in ready
            if wakeup in ready:
                until = deadline(True)
            if until is None or time.monotonic() < until:
                self.advance(ready)
            else:
                self._stop_copying()
                until = None

    def _finish_empty(self, empty: Set[int]) -> None:
        # Who wrote is dead. A pipe that is empty now is at its end, whoever outside the pod was handed its writing end.
        for stream in self._streams:
            if stream.source in empty:
                stream.finish()
        for relay in self._relays:
            relay.finish()
        self._relays = []
        self._drop_finished()

    def _stop_copying(self) -> None:
        for sink in self._sinks:
            sink.stop_copying()


def milliseconds_until(deadline: float | None) -> int | None:
    """Return how long poll may wait: until *deadline* on the monotonic clock, at least nothing; None without one."""
    return None if deadline is None else max(0, int((deadline - time.monotonic()) * 1000) + 1)
