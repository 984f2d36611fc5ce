"""Images named on standard input: what `acfetch … | acrun` hands over.

Either form of acfetch's output is read, a path or a JSON object a line. A terminal, /dev/null or a closed descriptor
names no image; that is for whoever calls to say.

Source: spec/store.md, What acfetch prints.
"""

from __future__ import annotations

import os
import stat

from acrun.arguments import STANDARD_INPUT, ImageArgument
from acspec import limits
from acspec.errors import FormatError, UsageError
from acspec.jsontext import parse_json

# gzip, bzip2, xz: what somebody pipes in who takes this for a place for images.
_IMAGE_STARTS = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def name_images(images: Sequence[ImageArgument], *, interactive: bool) -> list[ImageArgument]:
    """Return *images* with `-` replaced by what standard input names; without any image, standard input is asked.

    Raises: UsageError; FormatError; OSError.
    Source: spec/store.md, What acfetch prints.
    """
    if images and not any(image.image == STANDARD_INPUT for image in images):
        return list(images)
    if sum(image.image == STANDARD_INPUT for image in images) > 1:
        raise UsageError(STANDARD_INPUT, "standard input can be read only once")
    if not is_image_list(0):
        raise UsageError("", "no image", "acrun IMAGE, or acfetch NAME | acrun")
    if interactive:
        raise UsageError(
            "--interactive", "standard input names the images, so it cannot be the app's too", "acrun -i $(acfetch NAME)"
        )
    names = read_images(0)
    given = list(images) or [ImageArgument(STANDARD_INPUT)]
    return [piece for image in given for piece in _replace(image, names)]


def _replace(image: ImageArgument, names: Sequence[str]) -> list[ImageArgument]:
    if image.image != STANDARD_INPUT:
        return [image]
    return [ImageArgument(name, image.options, image.arguments) for name in names]


def is_image_list(descriptor: int) -> bool:
    """Tell whether *descriptor* is something a list of images can come from: a FIFO, a regular file or a socket."""
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def read_images(descriptor: int) -> list[str]:
    """Read *descriptor* to its end and return the image arguments it holds, in order.

    Raises: UsageError when it names none; FormatError when it is too long or a line is nonsense; OSError.
    Source: spec/limits.md.
    """
    data = _read_all(descriptor)
    lines = [line for line in data.split(b"\n") if line.strip()]
    if not lines:
        raise UsageError("standard input", "names no image", "did the command before the pipe fail?")
    if len(lines) > limits.IMAGE_LINES:
        raise FormatError("standard input", f"more than the limit of {limits.IMAGE_LINES} lines")
    return [_image(line.strip(), number) for number, line in enumerate(lines, start=1)]


def _read_all(descriptor: int) -> bytes:
    bound = limits.IMAGE_LINES * limits.IMAGE_LINE_BYTES
    parts: list[bytes] = []
    size = 0
    while part := os.read(descriptor, 1 << 16):
        if not parts and (part.startswith(_IMAGE_STARTS) or part[257:262] == b"ustar"):
            raise UsageError("standard input", "holds an image; it takes names or paths, one a line", "acrun ./x.aci")
        parts.append(part)
        size += len(part)
        if size > bound:
            raise FormatError("standard input", f"more than the limit of {bound} bytes", "is this a list of images?")
    return b"".join(parts)


def _image(line: bytes, number: int) -> str:
    place = f"standard input, line {number}"
    if len(line) > limits.IMAGE_LINE_BYTES:
        raise FormatError(place, f"longer than the limit of {limits.IMAGE_LINE_BYTES} bytes")
    if line.startswith(b"{"):
        value = parse_json(line, place)
        path = value.get("path") if isinstance(value, dict) else None
        if not isinstance(path, str):
            raise FormatError(place, 'the object has no "path"')
        return path
    if b"\0" in line:
        raise FormatError(place, "holds a zero byte")
    return os.fsdecode(line)
