"""An image copied out of the store as an archive, hashed on the way: what is not what its ID says becomes no file.

The store has the tar. The file as it was served, which the signature is over, is there only when it was that tar; then, and when
nothing is compressed, the signature goes along.

Source: spec/store.md, Exporting images; aci.md, Image Archives.
"""

from __future__ import annotations

import os
import sys

from acfetch.image_lookup import get_image_id
from acspec import limits
from acspec.archive.blocks import BlockWriter
from acspec.archive.compression import Compression
from acspec.archive.encoders import new_encoder
from acspec.durable import NewFile, umasked
from acspec.errors import FormatError, MissingInputError
from acspec.image_outputs import STANDARD_OUTPUT, check_image_output
from acspec.image_use import open_held_image
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.archive.blocks import Output
    from acspec.store import ImageRecord, Store


class ExportRequest(Value):
    """What is to be exported, and where to: the output `-` is standard output, the compression a name of a tool or `none`."""

    reference: str
    output: str
    compression: str = "none"
    overwrite: bool = False


def export_image(store: Store, request: ExportRequest) -> str | None:
    """Write an image of *store* as an archive, its signature beside it where that counts; return a note when it is left behind.

    Raises: UsageError; MissingInputError; FormatError when the image is damaged; OutputError; OSError.
    Source: spec/store.md, Exporting images.
    """
    check_image_output(request.output, overwrite=request.overwrite)
    image_id = get_image_id(request.reference, store)
    try:
        descriptor = open_held_image(store.image_path(image_id))
    except FileNotFoundError:
        raise MissingInputError(request.reference, f"not in the store {store.path}") from None
    try:
        if request.output != STANDARD_OUTPUT:
            return _write(store.read_record(image_id), request, descriptor, _find_signature(image_id, store))
        _copy(image_id, request, descriptor, sys.stdout.buffer.write)
        sys.stdout.buffer.flush()
        return None
    finally:
        os.close(descriptor)


def _write(record: ImageRecord, request: ExportRequest, descriptor: int, signature: bytes | None) -> str | None:
    as_served = record.served_digest == record.id and request.compression == Compression.NONE.value
    mode = umasked(0o666)
    with NewFile(request.output, mode=mode) as file:
        _copy(record.id, request, descriptor, file.write)
        if signature is not None and as_served:
            with NewFile(f"{request.output}.asc", mode=mode) as beside:
                beside.write(signature)
                beside.commit(overwrite=request.overwrite)
        file.commit(overwrite=request.overwrite)
    if signature is None or as_served:
        return None
    return f"{request.output}: without the signature, which is over the file as it was served"


def _copy(image_id: str, request: ExportRequest, descriptor: int, output: Output) -> None:
    with BlockWriter(output, new_encoder(Compression(request.compression))) as blocks:
        blocks.copy(descriptor, os.fstat(descriptor).st_size)
        if blocks.finish() != image_id:
            raise FormatError(request.reference, "its content is that of another image", "acfetch images verify sets it aside")


def _find_signature(image_id: str, store: Store) -> bytes | None:
    try:
        with open(store.signature_path(image_id), "rb") as file:
            return file.read(limits.SIGNATURE_BYTES)
    except FileNotFoundError:
        return None
