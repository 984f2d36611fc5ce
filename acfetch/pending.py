"""Images that are verified and wait for the rest of the run: on the store's disk already, in the store only when all are.

So a run that fails at its last image leaves the store as it was.

Source: spec/store.md, Adding an image.
"""

from __future__ import annotations

import os
from contextlib import ExitStack

from acspec.durable import NewFile, umasked
from acspec.errors import BusyError, OutputError
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from acfetch.partial import Partial
    from acspec.store import ImageRecord, NewImage, Store


class Output:
    """An image as served on its way to where --output says, its signature beside it; used as a context manager."""

    def __init__(self, path: str) -> None:
        """Begin to write. Raises: OutputError; OSError."""
        if os.path.isdir(path):
            raise OutputError(path, "is a directory")
        self.path = path
        self._mode = umasked(0o666)
        self._file = NewFile(path, mode=self._mode)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Remove what was not committed."""
        self.close()

    def close(self) -> None:
        """Remove what was not committed. May be called again."""
        self._file.close()

    def write(self, data: bytes) -> None:
        """Add bytes as served. Raises: OSError with the path."""
        self._file.write(data)

    def commit(self, signature: bytes | None) -> None:
        """Put the signature and then the image where they belong, each whole or not at all. Raises: OutputError; OSError."""
        if signature is not None:
            with NewFile(f"{self.path}.asc", mode=self._mode) as beside:
                beside.write(signature)
                beside.commit(overwrite=True)
        self._file.commit(overwrite=True)


class _Waiting(Value):
    new: NewImage
    record: ImageRecord
    signature: bytes | None
    output: Output | None


class Pending:
    """The images of one run, dependencies before those that need them; used as a context manager."""

    def __init__(self) -> None:
        self._images: list[_Waiting] = []
        self._partials: list[Partial] = []
        self._renewed: list[tuple[Store, ImageRecord]] = []
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Remove what was not published."""
        self._undo.close()

    def add(self, new: NewImage, record: ImageRecord, signature: bytes | None, output: Output | None) -> None:
        """Take over an image that is verified, as are all that it depends on."""
        self._undo.enter_context(new)
        if output is not None:
            self._undo.enter_context(output)
        self._images.append(_Waiting(new, record, signature, output))

    def find(self, image_id: str) -> ImageRecord | None:
        """Return the record of an image that waits, or None."""
        return next((image.record for image in self._images if image.record.id == image_id), None)

    def renew(self, store: Store, record: ImageRecord) -> None:
        """Take down, when the run has come to its end, that an image in *store* was found to be current."""
        self._renewed.append((store, record))

    def keep(self, partial: Partial) -> None:
        """Take over what is kept of a download that is whole, for the next run, until its image is in the store."""
        self._undo.enter_context(partial)
        self._partials.append(partial)

    def hold(self, store: Store, image_id: str) -> bool:
        """Keep an image that is in *store* already there until the run has ended; return False when it is not, or will not be.

        What it depends on is kept with it.

        Raises: OSError.
        Source: spec/store.md, Locks.
        """
        try:
            self._undo.callback(os.close, store.hold(image_id))
        except (FileNotFoundError, BusyError):  # gone, or just being removed
            return False
        return True

    def publish(self) -> Iterator[ImageRecord]:
        """Put each image into the store, then where --output says, and yield its record. Raises: OutputError; OSError."""
        for image in self._images:
            image.new.publish(image.record, image.signature)
            if image.output is not None:
                image.output.commit(image.signature)
            yield image.record
        for partial in self._partials:
            partial.discard()
        for store, record in self._renewed:
            store.renew(record)
