"""Which image is meant: by an argument of a command line, and by a dependency. Nothing is fetched.

A name or an ID is looked for in a store. A dependency is first looked for among the images that were given by hand, then it is the
one that it was resolved to when its parent was fetched, then the newest of that name in a store. Which layers come of it is
`layer_plan`'s to say.

Source: spec/store.md; aci.md, Dependency Matching.
"""

from __future__ import annotations

import os

from acspec.archive.image import read_manifest
from acspec.errors import FormatError, ImageNotFoundError
from acspec.escape import escape
from acspec.image_manifest import ImageManifest, parse_image_manifest
from acspec.image_use import open_held_image
from acspec.labels import find_mismatch, label_map
from acspec.references import ImageIDArgument, ImageReference, format_reference
from acspec.store import Store
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from acspec.image_manifest import Dependency
    from acspec.names import ImageID


class ImageFile(Value):
    """One image on disk: its file and its manifest, whose bytes are to be checked against those that are unpacked.

    *served_size* is in bytes, of the file as it is; None where nobody knows it. *descriptor* is open on one that lies in
    a store, and keeps it there; it is None for a file of the user's own.
    """

    image_id: ImageID
    path: str
    manifest: ImageManifest
    manifest_bytes: bytes
    served_size: int | None = None
    descriptor: int | None = None


def find_home(path: str, own: Store) -> tuple[Store, ImageID] | None:
    """Return the store that the file *path* lies in as one of its images, and which one it is; None for any other file.

    A path inside another data directory's images/ makes that a second, read-only store.

    Raises: ConfigError; FormatError; OSError.
    Source: spec/store.md, Image arguments.
    """
    real = os.path.realpath(path)
    directory, name = os.path.split(real)
    image_id = name.removesuffix(".aci")
    data_directory, images = os.path.split(directory)
    if images == "images" and name.endswith(".aci") and image_id.startswith("sha512-") and os.path.exists(real):
        store = own if data_directory == os.path.realpath(own.path) else Store.open(data_directory)
        record = store.find(image_id)
        if record is not None:
            return store, record.id
    return None


def not_stored(text: str, argument: ImageIDArgument | ImageReference, store: Store) -> ImageNotFoundError:
    """Return the error for an image that is not in *store*, with the command that would help. Source: spec/exit-codes.md."""
    hint = "acfetch images lists what is there" if isinstance(argument, ImageIDArgument) else f"acfetch {text}"
    return ImageNotFoundError(text, f"not in the store {store.path}", hint)


def read_stored(store: Store, image_id: ImageID) -> ImageFile:
    """Return the image *image_id* of a store, held there; of its file only the manifest is read.

    Raises: ImageNotFoundError when somebody has removed it; FormatError; OSError.
    Source: spec/store.md, Locks.
    """
    path = store.image_path(image_id)
    try:
        descriptor = open_held_image(path)
    except FileNotFoundError:
        raise ImageNotFoundError(image_id, "was removed from the store just now") from None
    try:
        data = read_manifest(descriptor, path)
        return ImageFile(image_id, path, parse_image_manifest(data, path), data, descriptor=descriptor)
    except BaseException:
        os.close(descriptor)
        raise


class Catalogue:
    """The images that one image is made of, as planning asks for them: manifests by ID, dependencies by what they mean.

    `asked` are the directories that were looked into.
    """

    def __init__(self, stores: Sequence[Store], root: ImageFile, given: Sequence[ImageFile] = ()) -> None:
        """Look for what *root* depends on among *given*, the first that fits before all others, and then in *stores*."""
        self._stores = stores
        self._given = given
        self._files = {file.image_id: file for file in (*reversed(given), root)}
        self.asked: set[str] = set()

    def file(self, image_id: ImageID) -> ImageFile:
        """Return the file of an image. Raises: ImageNotFoundError."""
        if image_id not in self._files:
            store = next((store for store in self._ask() if store.find(image_id) is not None), None)
            if store is None:
                raise ImageNotFoundError(image_id, "not in the store")
            self._files[image_id] = read_stored(store, image_id)
        return self._files[image_id]

    def manifest_of(self, image_id: ImageID) -> ImageManifest:
        """Return the manifest of an image. Raises: ImageNotFoundError."""
        return self.file(image_id).manifest

    def resolve(self, parent: ImageID, index: int, dependency: Dependency) -> ImageID:
        """Return the ID of dependency number *index* of the image *parent*. Raises: ImageNotFoundError; FormatError.

        Source: aci.md, Dependency Matching.
        """
        for file in self._given:
            if find_difference(dependency, file) is None:
                return file.image_id
        image_id = self._recorded(parent, index) or dependency.image_id or self._named(dependency)
        if dependency.image_id is not None and image_id != dependency.image_id:
            raise FormatError(f"{parent[:19]}…: dependencies[{index}]", "the store resolved it to another image than its imageID")
        return image_id

    def _ask(self) -> Sequence[Store]:
        self.asked.update(store.images for store in self._stores)
        return self._stores

    def _recorded(self, parent: ImageID, index: int) -> ImageID | None:
        for store in self._ask():
            record = store.find(parent)
            if record is not None and index < len(record.dependencies):
                return record.dependencies[index]
        return None

    def _named(self, dependency: Dependency) -> ImageID:
        labels = label_map(dependency.labels)
        for store in self._ask():
            record = store.find_named(dependency.image_name, labels)
            if record is not None:
                return record.id
        raise self.not_found(dependency)

    def not_found(self, dependency: Dependency) -> ImageNotFoundError:
        """Return the error for a dependency that is nowhere: why no given image of its name will do, and what to type.

        Source: spec/exit-codes.md.
        """
        why = "not in the store"
        for file in self._given:
            if file.manifest.name == dependency.image_name and (difference := find_difference(dependency, file)):
                why += f", and {file.path} has another {difference}"
        text = format_reference(dependency.image_name, label_map(dependency.labels))
        hint = f"acfetch {text}@{dependency.image_id}" if dependency.image_id else f"acfetch {text}"
        return ImageNotFoundError(f"dependency {dependency.image_name}", why, hint)


def find_difference(dependency: Dependency, file: ImageFile) -> str | None:
    """Return what keeps an image file from being what *dependency* asks for, such as `label "version"`; None when it is that.

    Source: aci.md, Dependency Matching and dependencies.
    """
    if file.manifest.name != dependency.image_name:
        return "name"
    mismatch = find_mismatch(label_map(dependency.labels), file.manifest.labels)
    if mismatch is not None:
        return f'label "{escape(mismatch[0], 60)}"'
    if dependency.image_id not in (None, file.image_id):
        return "image ID"
    known = dependency.size is not None and file.served_size is not None
    return f"size than {dependency.size} bytes" if known and dependency.size != file.served_size else None
