"""What moves between pipes: byte for byte for one app, whole lines for several, and nobody held up by another's reader."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acstage1 import output
from acstage1.input import Input
from acstage1.multiplexer import Multiplexer
from acstage1.output import Log, Sink, Stream


def lose(error: OSError) -> None:
    """Be told that something is lost, which nothing is."""
    raise error


class Bench:
    """Two apps that write into pipes, and a reader of the one sink that both lead to."""

    def __init__(self, place: Path, labels: tuple[bytes, ...]) -> None:
        self.reader, self.end = os.pipe()
        os.set_blocking(self.reader, False)
        self.logs = [str(place / f"{number}.log") for number in range(len(labels))]
        self.writers: list[int] = []
        sink = Sink(self.end, lose)
        self.streams: list[Stream] = []
        for label, path in zip(labels, self.logs, strict=True):
            source, writer = os.pipe()
            self.writers.append(writer)
            self.streams.append(Stream(source, sink, Log(path, 1 << 20, lose), label))
        self.multiplexer = Multiplexer(self.streams, [])

    def turn(self) -> bool:
        """Let move what moves; return whether anything did."""
        poll = select.poll()
        for descriptor, event in self.multiplexer.wants().items():
            poll.register(descriptor, event)
        ready = {descriptor for descriptor, _ in poll.poll(0)}
        self.multiplexer.advance(ready)
        return bool(ready)

    def read(self) -> bytes:
        """Return all that comes out now."""
        data, moved = b"", True
        while moved:
            moved = self.turn()
            try:
                data += os.read(self.reader, 1 << 20)
                moved = True
            except BlockingIOError:
                continue
        return data

    def finish(self) -> bytes:
        """Close the writing ends and return the rest."""
        for writer in self.writers:
            os.close(writer)
        return self.read()


@pytest.fixture(autouse=True)
def every_descriptor_is_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "NAMES", dict.fromkeys(range(1000), "stdout"))


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, (b"a | ", b"b | "))
    yield bench
    os.close(bench.reader)
    os.close(bench.end)


def test_lines_of_several_come_whole_each_behind_its_name(two: Bench) -> None:
    os.write(two.writers[0], b"one\ntw")
    os.write(two.writers[1], b"first\n")
    assert two.read() == b"a | one\nb | first\n"
    os.write(two.writers[1], b"second\n")
    os.write(two.writers[0], b"o\nrest")
    assert sorted(two.read().splitlines()) == [b"a | two", b"b | second"]
    assert two.finish() == b"a | rest\n"


def test_a_line_without_end_comes_in_pieces_and_holds_up_nobody(two: Bench) -> None:
    os.write(two.writers[0], b"x" * 40_000)
    os.write(two.writers[1], b"short\n")
    lines = two.read().splitlines()
    assert b"b | short" in lines
    assert [len(line) for line in lines if line.startswith(b"a | x")] == [4 + 16384, 4 + 16384]
    assert two.finish() == b"a | " + b"x" * (40_000 - 2 * 16384) + b"\n"


def test_when_nobody_reads_any_more_every_app_is_told(two: Bench) -> None:
    os.close(two.reader)
    os.write(two.writers[0], b"one\n")
    while two.turn():
        pass
    for writer in two.writers:
        with pytest.raises(BrokenPipeError):
            os.write(writer, b"x")
    two.reader = os.open("/dev/null", os.O_RDONLY)


def test_a_reader_that_stalls_stops_the_reading_of_what_leads_to_it(two: Bench) -> None:
    os.write(two.writers[0], b"x\n" * 30_000)
    while two.turn():
        pass
    os.write(two.writers[1], b"more\n")
    assert not two.turn()
    assert b"b | more\n" in two.read()


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_of_a_single_app_every_byte_comes_as_it_was(tmp_path_factory: pytest.TempPathFactory, chunks: list[bytes]) -> None:
    bench = Bench(tmp_path_factory.mktemp("bytes"), (b"",))
    seen = b""
    for chunk in chunks:
        os.write(bench.writers[0], chunk)
        seen += bench.read()
    assert seen + bench.finish() == b"".join(chunks)
    os.close(bench.reader)
    os.close(bench.end)


@given(st.lists(st.tuples(st.integers(0, 1), st.binary(max_size=60)), max_size=20))
def test_of_two_apps_each_line_comes_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[tuple[int, bytes]]
) -> None:
    bench = Bench(tmp_path_factory.mktemp("lines"), (b"a | ", b"b | "))
    seen = b""
    for number, chunk in chunks:
        os.write(bench.writers[number], chunk)
        seen += bench.read()
    seen += bench.finish()
    for number, label in enumerate((b"a | ", b"b | ")):
        written = b"".join(chunk for which, chunk in chunks if which == number)
        lines = [line.removeprefix(label) for line in seen.split(b"\n")[:-1] if line.startswith(label)]
        assert lines == written.removesuffix(b"\n").split(b"\n") if written else lines == []
    os.close(bench.reader)
    os.close(bench.end)


def test_an_app_that_takes_back_what_it_wrote_holds_up_nobody(tmp_path: Path) -> None:
    """As root of a pod it can open the pipe that it writes to, through /proc, between our look at it and our reading."""
    bench = Bench(tmp_path, (b"",))
    (stream,) = bench.streams
    os.write(bench.writers[0], b"gone\n")
    assert not os.get_blocking(stream.source)
    assert os.read(stream.source, 100) == b"gone\n"
    bench.multiplexer.advance({stream.source})
    os.write(bench.writers[0], b"kept\n")
    assert bench.read() == b"kept\n"


def test_an_app_that_fills_what_it_reads_holds_up_nobody() -> None:
    source, typed = os.pipe()
    reader, target = os.pipe()
    flow = Input(source, target)
    os.write(typed, b"input")
    flow.advance()
    assert not os.get_blocking(target)
    while True:
        try:
            os.write(target, bytes(4096))
        except BlockingIOError:
            break
    flow.advance()
    assert (flow.pending, flow.is_done) == (b"input", False)
    os.read(reader, 1 << 20)
    flow.advance()
    assert os.read(reader, 100) == b"input"
    for descriptor in (source, typed, reader, target):
        os.close(descriptor)
