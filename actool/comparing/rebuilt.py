"""The image that `build` would make of a layout, as a stream to be read while it is made: nothing of it touches a disk.

A thread writes it into a pipe with the very writer of `build`, so whatever is found in it, a built image has.

Source: aci.md, Image Layout and Image Archives; pipe(7).
"""

from __future__ import annotations

import fcntl
import os
import threading
from types import TracebackType

from acspec.archive.walk import LayoutWalk
from acspec.archive.write import ImageSettings, write_walk
from acspec.descriptors import write_all
from acspec.errors import FormatError, KernelError
from acspec.names import ImageID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

_PIPE_BYTES = 1024 * 1024  # the most that anybody may ask for


class Rebuilt:
    """An image under way, read from `descriptor` inside `with`; `image_id` is there once it has been read to its end."""

    def __init__(self, walk: LayoutWalk, settings: ImageSettings) -> None:
        """Begin to build what *walk* comes to. Raises: KernelError when the system allows no thread or pipe."""
        self._walk = walk
        self._settings = settings
        self._image_id: ImageID | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="build", daemon=True)

    def __enter__(self) -> Self:
        """Start, and return itself."""
        self.descriptor, self._output = os.pipe()
        try:
            fcntl.fcntl(self._output, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        except OSError:
            pass  # a user with many pipes has to do with a small one
        try:
            self._thread.start()
        except RuntimeError as error:
            os.close(self.descriptor)
            os.close(self._output)
            raise KernelError("thread", "the system allows no more of them", "ulimit -u shows the limit") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """End the building, wherever it stands. Raises: what it failed with; its reader has only seen a truncated archive."""
        os.close(self.descriptor)
        self._thread.join()
        if self._failure is not None and (value is None or isinstance(value, FormatError)):
            raise self._failure from None

    def _run(self) -> None:
        try:
            self._image_id = write_walk(self._walk, self._write, self._settings).image_id
        except BrokenPipeError:
            pass  # nobody reads any more
        except BaseException as error:  # it belongs to whoever started the building
            self._failure = error
        finally:
            os.close(self._output)

    def _write(self, data: bytes | bytearray) -> None:
        write_all(self._output, data)

    @property
    def image_id(self) -> ImageID:
        """The image ID of the whole image."""
        if self._image_id is None:
            raise RuntimeError("the image ID is known once all of the image has been read")
        return self._image_id
