"""Lock files: what each word that was asked for led to, and every image below it, so that another day or machine gets the same.

Source: spec/store.md, Lock files.
"""

from __future__ import annotations

from acfetch.errors import MismatchError
from acspec.durable import umasked, write_file
from acspec.fields import Fields
from acspec.jsontext import dump_pretty, read_json_file
from acspec.labels import labels_json
from acspec.names import parse_image_id
from acspec.values import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from acfetch.request import Request
    from acspec.jsontext import JSONValue
    from acspec.names import ImageID
    from acspec.store import ImageRecord

_VERSION = 1
_HINT = "--lock writes another"


class Pin(Value):
    """What is known of one image; *size* in bytes as served."""

    size: int
    signer: str | None
    dependencies: tuple[ImageID, ...]


class Lock(Value):
    """What a lock file says: the image of each word that was typed, and a pin for each image."""

    path: str
    asked: Mapping[str, ImageID]
    images: Mapping[ImageID, Pin]

    def pin(self, request: Request) -> Request:
        """Return a request that only the image that is locked can answer. Raises: MismatchError."""
        if request.text not in self.asked:
            raise MismatchError(request.text, f"is not in the lock file {self.path}", _HINT)
        return self._hold_to(request, self.asked[request.text])

    def pin_dependency(self, image_id: ImageID, number: int, request: Request) -> Request:
        """Do so for the dependency of that *number* of a locked image. Raises: MismatchError."""
        known = self._get(image_id, request.text).dependencies
        if number >= len(known):
            raise MismatchError(request.text, f"is not in the lock file {self.path}", _HINT)
        return self._hold_to(request, known[number])

    def check(self, record: ImageRecord) -> None:
        """Check that an image is just what is locked. Raises: MismatchError."""
        pin = self._get(record.id, record.name)
        for what, found, locked in (
            ("size", record.served_size, pin.size),
            ("signer", record.signer, pin.signer),
            ("dependencies", record.dependencies, pin.dependencies),
        ):
            if found != locked:
                raise MismatchError(record.name, f"has another {what} than the lock file {self.path} says", _HINT)

    def _get(self, image_id: ImageID, what: str) -> Pin:
        if image_id not in self.images:
            raise MismatchError(what, f"{image_id[:19]} is not in the lock file {self.path}", _HINT)
        return self.images[image_id]

    def _hold_to(self, request: Request, image_id: ImageID) -> Request:
        if request.image_id not in (None, image_id):
            raise MismatchError(request.text, f"is locked to {image_id} in {self.path}", _HINT)
        return replace(request, image_id=image_id)


def read_lock(path: str) -> Lock:
    """Return what a lock file says. Raises: FormatError; MissingInputError; OSError. Source: spec/store.md, Lock files."""
    fields = Fields(read_json_file(path), path)
    if fields.integer("version", 0, 2**31) != _VERSION:
        raise fields.fault("version", f"this program knows {_VERSION}")
    asked, images = {}, {}
    for one in fields.objects("asked"):
        asked[one.text("ref")] = one.named("id", parse_image_id)
    for one in fields.objects("images"):
        ids = tuple(parse_image_id(text, one.at("dependencies")) for text in one.texts("dependencies"))
        size = one.integer("size", 0, 2**63 - 1)
        images[one.named("id", parse_image_id)] = Pin(size or 0, one.optional_text("signer"), ids)
    return Lock(path, asked, images)


def write_lock(path: str, asked: Iterable[tuple[Request, ImageRecord]], images: Iterable[ImageRecord]) -> None:
    """Write a lock file, whole or not at all. Raises: OutputError; OSError. Source: spec/store.md, Lock files."""
    value: JSONValue = {
        "version": _VERSION,
        "asked": [{"ref": request.text, "id": record.id} for request, record in asked],
        "images": [_image_json(record) for record in sorted(images, key=lambda record: (record.name, record.id))],
    }
    write_file(path, dump_pretty(value), mode=umasked(0o666))


def _image_json(record: ImageRecord) -> JSONValue:
    return {
        "id": record.id,
        "name": record.name,
        "labels": labels_json(record.labels),
        "size": record.served_size,
        "signer": record.signer,
        "dependencies": list(record.dependencies),
    }
