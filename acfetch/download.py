"""One pass over an image: its bytes fetched, given to the verifier, unpacked, hashed, checked and written to the store's disk.

What comes out is whole and valid, but nobody has trusted it yet.

Source: aci.md, Image Archives; spec/store.md, Adding an image.
"""

from __future__ import annotations

import os
import stat
from hashlib import sha512

from acfetch.decryption import decrypted
from acfetch.errors import AbsentError, HTTPStatusError, MismatchError, MissingSignatureError
from acfetch.transports import is_foreign
from acspec import limits
from acspec.archive.compression import Compression
from acspec.archive.image import ImageReader, open_image
from acspec.errors import FormatError, ProtocolError, StorageError
from acspec.image_manifest import parse_image_manifest
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from acfetch.connection import Connection
    from acfetch.disk_space import Reservation
    from acfetch.events import Meter
    from acfetch.http import Body
    from acfetch.policy import Cap
    from acfetch.request import Place
    from acfetch.resuming import ResumingConnection, Stream
    from acfetch.transfer import Transfer
    from acspec.image_manifest import ImageManifest
    from acspec.names import ImageID
    from acspec.passphrase import Passphrase

    Sink = Callable[[bytes], object]
    Network = Connection | ResumingConnection
    Readable: TypeAlias = "Body | Stream | Transfer | _File"


class DownloadRequest(Value):
    """A download to be made: each of *sinks* gets the bytes as served, *on_tar* those of the tar, *progress* hears how many come.

    *size* is what it must be as served, when that is known, *cap* how much it may be, and *reservation* the disk space for it;
    *passphrase* is for an encrypted one.
    """

    place: Place
    on_tar: Sink
    sinks: Sequence[Sink]
    progress: Meter
    size: int | None = None
    cap: Cap | None = None
    reservation: Reservation | None = None
    passphrase: Passphrase | None = None


class Served(Value):
    """An image as it was served: its ID and manifest, the size in bytes and the digest (`sha512-…`) of what was served."""

    image_id: ImageID
    manifest: ImageManifest
    size: int
    digest: str


class _Tap:
    """What the archive reader reads from: every byte is counted, hashed, handed on and shown on its way."""

    def __init__(self, source: Readable, request: DownloadRequest) -> None:
        self._source = source
        self._request = request
        self._hash = sha512()
        self.is_hashed = True
        self.size = 0
        self._check(source.size or 0)

    @property
    def digest(self) -> str:
        return f"sha512-{self._hash.hexdigest()}"

    def read(self, size: int) -> bytes:
        data = self._source.read(size)
        self.size += len(data)
        self._check(self.size)
        if self.is_hashed:
            self._hash.update(data)
        for sink in self._request.sinks:
            sink(data)
        self._request.progress.advance(len(data))
        return data

    def _check(self, size: int) -> None:
        what, expected, cap = self._request.place.image, self._request.size, self._request.cap
        if expected is not None and size > expected:
            raise MismatchError(what, f"is larger than the {expected} bytes that the dependency's size says")
        if size > limits.IMAGE_SERVED_BYTES:
            raise ProtocolError(what, f"larger than the limit of {limits.IMAGE_SERVED_BYTES} bytes")
        if cap is not None:
            cap.check(size)


class _File:
    """A local file, read like a body."""

    def __init__(self, descriptor: int, path: str) -> None:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise FormatError(path, "a directory, not an image archive")
        self._descriptor = descriptor
        self._path = path
        self.size = status.st_size if stat.S_ISREG(status.st_mode) else None

    def read(self, size: int) -> bytes:
        try:
            return os.read(self._descriptor, size)
        except OSError as error:
            raise StorageError(self._path, f"cannot be read: {os.strerror(error.errno or 0).lower()}") from error

    def interrupt(self) -> None:
        """Do nothing: a file does not keep anybody waiting."""


def read_signature(place: Place, connection: Network) -> bytes:
    """Return the signature of an image, at most 64 KiB.

    Raises: MissingSignatureError when only the image is there; FormatError when it is too large; what http raises when neither is,
    MissingInputError for files; OSError.
    """
    if place.is_local:
        return _read_local(place)
    try:
        return connection.get(place.signature, limits.SIGNATURE_BYTES)
    except AbsentError:
        pass
    except HTTPStatusError as error:
        if error.status not in (404, 410):
            raise
    with connection.open(place.image) as body:  # without the image, it is the image that is missing
        if is_foreign(place.image):
            body.read(1)  # a program says so only when it is asked for bytes
        raise _missing(place)


def _read_local(place: Place) -> bytes:
    try:
        with open(place.signature, "rb") as file:
            return file.read(limits.SIGNATURE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        os.close(open_image(place.image))
        raise _missing(place) from None
    except IsADirectoryError:
        raise FormatError(place.signature, "a directory, not a signature") from None


def _missing(place: Place) -> MissingSignatureError:
    return MissingSignatureError(place.signature, "there is no signature", "--insecure-options=image goes without")


def download(request: DownloadRequest, connection: Network) -> Served:
    """Fetch and unpack an image in one pass, and return what it turned out to be.

    Raises: FormatError for a bad archive; TrustError for a wrong passphrase; MismatchError for another size; PolicyError beyond
    the cap; StorageError beyond the reservation; what http and the sinks raise; OSError.
    Source: aci.md, Image Archives, dependencies: size.
    """
    path = request.place.image
    if request.place.is_local:
        descriptor = open_image(path)
        try:
            return _read(_File(descriptor, path), request)
        finally:
            os.close(descriptor)
    with connection.open(path) as body:
        return _read(body, request)


def _read(source: Readable, request: DownloadRequest) -> Served:
    what = request.place.image
    request.progress.begin(what, source.size)
    tap = _Tap(source, request)
    if request.reservation is not None:
        request.reservation.check(source.size or 0)  # a tar is hardly ever smaller than what it was compressed to
    plain = decrypted(tap, what, request.passphrase, source.interrupt)
    with plain as (stream, head), ImageReader(stream, what, head=head, on_tar=request.on_tar) as reader:
        is_tar = stream is tap and reader.compression is Compression.NONE  # whose digest is the image ID
        tap.is_hashed = not is_tar
        try:
            for _ in reader:
                pass
        except BaseException as error:
            if stream is tap or not isinstance(error, FormatError):  # else the verdict on the encryption is worth the rest of it
                source.interrupt()  # the reader's other thread may be waiting for the server
            raise
        manifest = parse_image_manifest(reader.manifest_bytes, f"{what}: manifest")
    if request.size is not None and tap.size != request.size:
        raise MismatchError(what, f"has {tap.size} bytes, the dependency's size says {request.size}")
    return Served(reader.image_id, manifest, tap.size, reader.image_id if is_tar else tap.digest)
