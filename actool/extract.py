"""From an image archive to a layout directory that `build` takes: whole, or nothing is left.

Source: aci.md, Image Layout and Image Archives ("all of their original properties").
"""

from __future__ import annotations

from acspec.archive.extract import TreeWriter
from acspec.archive.image import ImageReader
from acspec.archive.losses import Losses
from acspec.image_manifest import parse_image_manifest
from actool.errors import LostPropertyError
from actool.inputs import Input, opened
from actool.layouts import check_layout_output, new_layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from actool.passphrase import Passphrase


def extract(image: str, directory: str, passphrase: Passphrase | None = None, *, strict: bool = False) -> Losses:
    """Make *directory*, which must not exist, out of the image at *image* (`-`: standard input); return what was lost.

    It is made under a name beside its own and takes that at the end. With *strict* a loss is an error.

    Raises: FormatError, MissingInputError, OutputError, StorageError, TrustError; OSError.
    Source: aci.md, Image Layout.
    """
    check_layout_output(directory)
    with opened(image, passphrase) as source, new_layout(directory) as descriptor:
        lost = _fill(source, descriptor)
        if strict and lost:
            raise LostPropertyError(source.name, f"cannot be kept: {lost}", "run as root, or without --strict")
    return lost


def _fill(source: Input, descriptor: int) -> Losses:
    with ImageReader(source.origin, source.name, hashed=False) as reader, TreeWriter(descriptor, whole=True) as writer:
        writer.add(reader)
        writer.finish()
        parse_image_manifest(reader.manifest_bytes, f"{source.name}: manifest")
    return writer.lost
