"""A manifest or an image ID taken out of an image, without unpacking it.

Source: aci.md, Image ID and Image Manifest.
"""

from __future__ import annotations

from acspec.archive.image import ImageReader, read_manifest
from acspec.archive.walk import read_layout_manifest
from acspec.errors import FormatError
from acspec.jsontext import dump_pretty, parse_json
from acspec.names import ImageID
from actool.inputs import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from actool.passphrase import Passphrase


def get_image_id(path: str, passphrase: Passphrase | None = None) -> ImageID:
    """Return the image ID of the image at *path*, or of standard input for `-`; that of an encrypted one is the decrypted one's.

    Raises: FormatError for what is no whole image; TrustError for a wrong passphrase; MissingInputError; StorageError; OSError.
    Source: aci.md, Image ID.
    """
    with opened(path, passphrase) as source:
        if source.is_directory:
            raise FormatError(path, "a directory, not an image archive", "actool build --print-id makes one of it")
        with ImageReader(source.origin, source.name) as reader:
            for _ in reader:
                pass
            return reader.image_id


def get_manifest(path: str, passphrase: Passphrase | None = None, *, pretty: bool, for_terminal: bool) -> bytes:
    """Return the manifest of an image or a layout directory, byte for byte or laid out for people.

    On a terminal, characters that could move it are shown as JSON spells them.

    Raises: FormatError for a bad archive or what is not JSON; TrustError for a wrong passphrase; MissingInputError; StorageError;
        OSError.
    Source: aci.md, Image Manifest.
    """
    with opened(path, passphrase) as source:
        if source.is_directory:
            data = read_layout_manifest(source.descriptor, source.name)
        else:
            data = read_manifest(source.origin, source.name)
        value = parse_json(data, f"{source.name}: manifest")
    data = dump_pretty(value) if pretty else data
    return _tame(data) if for_terminal else data


def _tame(data: bytes) -> bytes:
    """Spell characters that are not printable as JSON does, as parts of strings, where alone they can stand."""
    text = data.decode("utf-8")
    if all(character.isprintable() or character in "\n\t\r" for character in text):
        return data
    return "".join(c if c.isprintable() or c in "\n\t\r" else _spell(c) for c in text).encode("utf-8")


def _spell(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
