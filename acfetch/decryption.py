"""An encrypted image, decrypted while it comes: its bytes as served go one way and what they hold another.

Source: aci.md, Image Archives (encryption); spec/store.md, Adding an image.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from threading import Thread

from acspec.archive.pgp import is_encrypted
from acspec.descriptors import write_all
from acspec.errors import FormatError, ToolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from acspec.archive.source import Readable
    from acspec.passphrase import Passphrase

_GLANCE = 512
_CHUNK = 1 << 18


@contextmanager
def decrypted(
    source: Readable, what: str, passphrase: Passphrase | None, interrupt: Callable[[], object]
) -> Iterator[tuple[Readable, bytes]]:
    """Give what an image is to be read from, and what has been read of that: *source*, or else what is encrypted in it.

    *interrupt* makes a read of *source* that waits in another thread end.

    Of an encrypted image nothing may be made known before the block has ended: only then is it certain that nobody changed it.

    Raises: FormatError when it is encrypted and damaged, or there is no passphrase; TrustError for a wrong one; what *source*
    raises; MissingInputError without gpg; OSError.
    """
    head = b""
    while len(head) < _GLANCE and (more := source.read(_GLANCE - len(head))):
        head += more
    if not is_encrypted(head):
        yield source, head
        return
    if passphrase is None:
        raise FormatError(what, "encrypted with PGP", "--passphrase-file FILE decrypts it")
    with Decrypting(source, what, passphrase.read(), head, interrupt) as stream:
        try:
            yield stream, b""
        except FormatError:  # what is wrong with the encryption goes before what is wrong with the image
            stream.finish()
            raise
        stream.finish()


class Decrypting:
    """What is encrypted in a source that has no descriptor, to be read; used as a context manager.

    A thread of its own carries the bytes to gpg. When gpg has made up its mind and reads no more, the rest is read all the same:
    whoever counts, hashes and verifies at the source gets all of it.
    """

    def __init__(self, source: Readable, what: str, passphrase: bytes, head: bytes, interrupt: Callable[[], object]) -> None:
        """Decrypt *head* and what follows in *source*, which errors call *what*; *interrupt* ends a read of it.

        Raises: MissingInputError without gpg; OSError.
        """
        from acspec.openpgp.symmetric import Decryption

        self._source = source
        self._interrupt = interrupt
        self._failure: BaseException | None = None
        self._given_up = False
        self._reading, self._writing = os.pipe()
        try:
            self._decryption = Decryption(self._reading, what, passphrase, head=head)
        except BaseException:
            os.close(self._reading)
            os.close(self._writing)
            raise
        self._carrier = Thread(target=self._carry, name="carrier")
        self._carrier.start()

    def _carry(self) -> None:
        try:
            while not self._given_up and (data := self._source.read(_CHUNK)):
                self._hand_on(data)
        except BaseException as failure:  # it is raised where somebody waits for it
            self._failure = failure
        finally:
            os.close(self._writing)

    def _hand_on(self, data: bytes) -> None:
        try:
            write_all(self._writing, data)
        except BrokenPipeError:
            pass

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """End gpg and the thread."""
        self._given_up = True
        if value is not None:
            self._interrupt()
        self._end()
        self._decryption.close()

    def _end(self) -> None:
        if self._reading >= 0:
            os.close(self._reading)
            self._reading = -1
        self._carrier.join()

    def read(self, size: int, /) -> bytes:
        """Return the next bytes of what is encrypted, at most *size*. Raises: what `Decryption.read` raises."""
        return self._decryption.read(size)

    def interrupt(self) -> None:
        """Make a read that waits in another thread fail, and all that follow until `finish`."""
        self._decryption.interrupt()

    def finish(self) -> None:
        """Read source and encryption to their ends. Raises: what the source raised, else what is wrong with the encryption."""
        fault: ToolError | None = None
        try:
            self._decryption.finish()
        except ToolError as error:  # for which an end that came too early may be the reason
            fault = error
        self._end()
        failure = self._failure or fault
        if failure is not None:
            raise failure
