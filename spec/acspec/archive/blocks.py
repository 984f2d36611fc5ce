"""A stream of bytes cut into blocks of 1 MiB: hashed in one thread, compressed in others, written in order by the caller.

What comes out does not depend on the pieces that go in, nor on the number of threads. At most a few blocks are under way at a time.

Source: spec/image-archive.md, Compression.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha512
from types import TracebackType

from isal.isal_zlib import crc32  # the same as zlib's, in a tenth of the time

from acspec.archive.buffers import keep_buffers
from acspec.archive.encoders import Encoder
from acspec.errors import KernelError
from acspec.names import ImageID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

BLOCK_BYTES = 1 << 20
_MOST_THREADS = 8
_AHEAD = 2

Output = Callable[[bytes | bytearray], object]


class BlockWriter:
    """Takes the bytes of a tar and hands what an image archive is made of to *output*; used as a context manager."""

    def __init__(self, output: Output, encoder: Encoder | None, threads: int | None = None) -> None:
        """Compress with *encoder* (None: not at all) in *threads* threads (None: as many as there are processors)."""
        self.size = 0
        keep_buffers()
        self._output = output
        self._encoder = encoder
        self._hash = sha512()
        self._checksum = 0
        self._block = bytearray(BLOCK_BYTES)
        self._used = 0
        workers = _workers(encoder, threads)
        self._most = workers + _AHEAD
        # What comes before the first block goes out with it, so that nothing does when the stream fails before.
        self._waiting: deque[tuple[Future[None] | None, Future[bytes] | bytes | bytearray, bytearray]] = deque()
        self._spare: list[bytearray] = []  # blocks that are done with: a new one would have to be filled with zeros
        if encoder is not None:
            self._waiting.append((None, encoder.start, bytearray()))
        self._hasher = ThreadPoolExecutor(1, "hash")
        self._pool = ThreadPoolExecutor(workers, "compress") if workers else None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """End all threads; what is under way is thrown away."""
        for pool in (self._hasher, self._pool):
            if pool is not None:
                pool.shutdown(cancel_futures=True)

    def write(self, data: bytes | memoryview) -> None:
        """Add *data* to the stream. Raises: what the output raises."""
        end = self._used + len(data)
        if end < BLOCK_BYTES:  # as nearly every header does
            self._block[self._used : end] = data
            self._advance(len(data))
            return
        view = memoryview(data)
        while view:
            part = view[: BLOCK_BYTES - self._used]
            self._block[self._used : self._used + len(part)] = part
            self._advance(len(part))
            view = view[len(part) :]

    def copy(self, descriptor: int, size: int) -> int:
        """Add *size* bytes read from *descriptor*; return how many are missing because it ended. Raises: OSError."""
        while size:
            with memoryview(self._block) as block, block[self._used : self._used + size] as room:
                count = os.readv(descriptor, [room])
            if count == 0:
                return size
            self._advance(count)
            size -= count
        return 0

    def finish(self) -> ImageID:
        """Write all that is left and return the image ID of the stream. Raises: what the output raises.

        Source: aci.md, Image ID.
        """
        if self._used:
            self._emit()
        while self._waiting:
            self._write_first()
        if self._encoder is not None:
            self._output(self._encoder.end(self._checksum, self.size))
        return ImageID(f"sha512-{self._hash.hexdigest()}")

    def _advance(self, count: int) -> None:
        self._used += count
        self.size += count
        if self._used == BLOCK_BYTES:
            self._emit()

    def _emit(self) -> None:
        block = self._block if self._used == BLOCK_BYTES else self._block[: self._used]
        self._block = self._spare.pop() if self._spare else bytearray(BLOCK_BYTES)
        self._used = 0
        try:
            hashed = self._hasher.submit(self._digest, block)
            if self._pool is None or self._encoder is None:
                self._waiting.append((hashed, block, block))
            else:
                self._waiting.append((hashed, self._pool.submit(self._encoder.encode, block), block))
        except RuntimeError as error:
            raise KernelError("thread", "the system allows no more of them", "ulimit -u shows the limit") from error
        if len(self._waiting) > self._most:
            self._write_first()

    def _write_first(self) -> None:
        hashed, encoded, block = self._waiting.popleft()
        if hashed is not None:
            hashed.result()
        self._output(encoded.result() if isinstance(encoded, Future) else encoded)
        if len(block) == BLOCK_BYTES and encoded is not block:  # one that has gone out itself may still be somebody's
            self._spare.append(block)

    def _digest(self, block: bytearray) -> None:
        self._hash.update(block)
        if self._encoder is not None and self._encoder.parallel:  # the others keep their own checksum
            self._checksum = crc32(block, self._checksum)


def _workers(encoder: Encoder | None, threads: int | None) -> int:
    if encoder is None:
        return 0
    if not encoder.parallel:
        return 1
    return threads or min(len(os.sched_getaffinity(0)), _MOST_THREADS)
