"""One pass over an image: its bytes fetched, kept as served, unpacked, hashed, checked and written to the store's disk.

What comes out is whole and valid, but nobody has trusted it yet.

Source: aci.md, Image Archives; spec/store.md, Adding an image.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha512

from acfetch.errors import HTTPStatusError, MismatchError, UntrustedError
from acspec import limits
from acspec.archive.image import open_image, read_image
from acspec.errors import FormatError, ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acfetch.http import Body, Client
    from acfetch.progress import Progress
    from acfetch.sources import Place
    from acspec.archive.image import ScannedImage
    from acspec.store import NewImage


@dataclass(frozen=True, slots=True)
class Served:
    """An image as it was served: what is in it, the size in bytes and the digest (`sha512-…`) of what was served."""

    image: ScannedImage
    size: int
    digest: str


class _Tap:
    """What the archive reader reads from: every byte is counted, hashed, kept and shown on its way."""

    def __init__(self, source: Body | _File, what: str, keep: int | None, progress: Progress, expected: int | None) -> None:
        self._source = source
        self._what = what
        self._keep = keep
        self._progress = progress
        self._expected = expected
        self._hash = sha512()
        self.size = 0

    @property
    def digest(self) -> str:
        return f"sha512-{self._hash.hexdigest()}"

    def read(self, size: int) -> bytes:
        data = self._source.read(size)
        self.size += len(data)
        if self._expected is not None and self.size > self._expected:
            raise MismatchError(self._what, f"is larger than the {self._expected} bytes that the dependency's size says")
        if self.size > limits.IMAGE_SERVED_BYTES:
            raise ProtocolError(self._what, f"larger than the limit of {limits.IMAGE_SERVED_BYTES} bytes")
        self._hash.update(data)
        if self._keep is not None:
            view = memoryview(data)
            while view:
                view = view[os.write(self._keep, view) :]
        self._progress.advance(len(data))
        return data


class _File:
    """A local file, read like a body."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size

    def read(self, size: int) -> bytes:
        return os.read(self._descriptor, size)


def read_signature(place: Place, client: Client) -> bytes:
    """Return the signature of an image, at most 64 KiB. Raises: UntrustedError when there is none; what http raises."""
    if not place.is_local:
        try:
            return client.get(place.signature, limits.SIGNATURE_BYTES)
        except HTTPStatusError as error:
            if error.status in (404, 410):
                raise UntrustedError(place.signature, "there is no signature", "--insecure-options=image goes without") from None
            raise
    try:
        with open(place.signature, "rb") as file:
            return file.read(limits.SIGNATURE_BYTES + 1)
    except FileNotFoundError:
        raise UntrustedError(place.signature, "there is no signature", "--insecure-options=image goes without") from None


def download(place: Place, client: Client, new: NewImage, served: int, progress: Progress, size: int | None) -> Served:
    """Fetch and unpack the image at *place* in one pass into *new*; its bytes as served go to descriptor *served*.

    *size* is what it must be as served, when that is known.

    Raises: FormatError for a bad archive; MismatchError for another size; what http raises; OSError.
    Source: aci.md, Image Archives, dependencies: size.
    """
    if place.is_local:
        descriptor = open_image(place.image)
        try:
            return _read(_File(descriptor), place.image, new, served, progress, size)
        finally:
            os.close(descriptor)
    with client.open(place.image) as body:
        return _read(body, place.image, new, served, progress, size)


def _read(source: Body | _File, what: str, new: NewImage, served: int, progress: Progress, size: int | None) -> Served:
    progress.begin(what, source.size)
    tap = _Tap(source, what, served, progress, size)
    try:
        image = read_image(tap, what, on_tar=new.write)
    except FormatError as error:
        # A body that ends early is the connection's fault, not the image's.
        if source.size is not None and tap.size < source.size and not isinstance(source, _File):
            raise ProtocolError(what, f"the answer ended after {tap.size} of {source.size} bytes") from error
        raise
    if size is not None and tap.size != size:
        raise MismatchError(what, f"has {tap.size} bytes, the dependency's size says {size}")
    return Served(image, tap.size, tap.digest)
