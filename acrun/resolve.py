"""Image arguments into images: which file each is, which manifest it holds, and all the images it depends on.

A name or an ID is looked for in our own store; a path inside another data directory's images/ makes that a second,
read-only store (that is how `acfetch x | sudo acrun` works); any other path is the user's own file. Nothing is fetched.

Source: spec/store.md; aci.md, Dependency Matching; ace.md, Filesystem Setup.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from acrun.errors import ImageNotFoundError
from acspec.archive.image import open_image, read_image, read_manifest
from acspec.errors import FormatError, UsageError
from acspec.image_manifest import ImageManifest, parse_image_manifest
from acspec.labels import label_map
from acspec.references import ImageIDArgument, ImageReference, PathArgument, format_reference, parse_argument
from acspec.rendering import Layer, plan_layers
from acspec.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from acspec.image_manifest import Dependency
    from acspec.names import ImageID


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One image on disk: its file and its manifest, whose bytes are checked against the tree rendered from it."""

    image_id: ImageID
    path: str
    manifest: ImageManifest
    manifest_bytes: bytes


@dataclass(frozen=True, slots=True)
class ResolvedImage:
    """An image to run, the layers of its root file system in order, and the file of every image among them.

    *witnesses* are files and directories: while none of them changes, the same words mean the same images.
    """

    image: ImageFile
    layers: tuple[Layer, ...]
    files: Mapping[ImageID, ImageFile]
    witnesses: tuple[str, ...]


def resolve_image(text: str, data_directory: str) -> ResolvedImage:
    """Return the image that *text* names (a path, an ID or its beginning, a name with labels) with all it depends on.

    Raises: ImageNotFoundError; MissingInputError; UsageError; FormatError; OSError.
    Source: spec/store.md; aci.md, Dependency Matching.
    """
    argument = parse_argument(text)
    own = Store.open(data_directory)
    if isinstance(argument, PathArgument):
        store, image = _open_path(argument.path, own)
    elif isinstance(argument, (ImageIDArgument, ImageReference)):
        store, image = own, _find_in_store(text, argument, own)
    else:
        raise UsageError(text, "acrun fetches nothing", f"acfetch '{text}' | acrun")
    catalogue = _Catalogue((own,) if store is None else (store, own), image)
    layers = plan_layers(image.image_id, catalogue.manifest_of, catalogue.resolve)
    files = {layer.image_id: catalogue.file(layer.image_id) for layer in layers}
    # Whatever is added to a store, or replaced in it, changes the directory of its images.
    searched = catalogue.asked if store is None else {*catalogue.asked, store.images}
    named = (os.path.abspath(argument.path),) if isinstance(argument, PathArgument) else ()
    return ResolvedImage(image, layers, files, (*named, image.path, *(path for path in searched if os.path.isdir(path))))


def _open_path(path: str, own: Store) -> tuple[Store | None, ImageFile]:
    """Return the image file *path*, and the store it lies in when it lies in one."""
    real = os.path.realpath(path)
    directory, name = os.path.split(real)
    image_id = name.removesuffix(".aci")
    data_directory, images = os.path.split(directory)
    if images == "images" and name.endswith(".aci") and image_id.startswith("sha512-") and os.path.exists(real):
        store = own if data_directory == os.path.realpath(own.path) else Store.open(data_directory)
        record = store.find(image_id)
        if record is not None:
            return store, _stored(store, record.id)
    return None, _scan(path)


def _scan(path: str) -> ImageFile:
    descriptor = open_image(path)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # it is read twice: to know it, and to unpack it
            raise UsageError(path, "is no regular file", "a list of images goes to standard input")
        image = read_image(descriptor, path)
    finally:
        os.close(descriptor)
    return ImageFile(image.image_id, os.path.abspath(path), image.manifest, image.manifest_bytes)


def _stored(store: Store, image_id: ImageID) -> ImageFile:
    path = store.image_path(image_id)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        data = read_manifest(descriptor, path)
    finally:
        os.close(descriptor)
    return ImageFile(image_id, path, parse_image_manifest(data, path), data)


def _find_in_store(text: str, argument: ImageIDArgument | ImageReference, store: Store) -> ImageFile:
    if isinstance(argument, ImageIDArgument):
        record = store.find_prefix(argument.prefix)
        hint = "acfetch images lists what is there"
    else:
        record = store.find(argument.image_id) if argument.image_id else store.find_named(argument.name, argument.labels)
        hint = f"acfetch {text}"
    if record is None and text.isalnum():  # no dot, no slash, no colon: more likely a command than an image
        raise ImageNotFoundError(
            text, f"neither a command nor an image in the store {store.path}", "acrun --help shows the commands"
        )
    if record is None:
        raise ImageNotFoundError(text, f"not in the store {store.path}", hint)
    return _stored(store, record.id)


class _Catalogue:
    """The images of some stores, as planning asks for them: manifests by ID, and dependencies by what was resolved at the fetch."""

    def __init__(self, stores: Sequence[Store], root: ImageFile) -> None:
        self._stores = stores
        self._files = {root.image_id: root}
        self.asked: set[str] = set()

    def file(self, image_id: ImageID) -> ImageFile:
        """Return the file of an image. Raises: ImageNotFoundError."""
        if image_id not in self._files:
            store = next((store for store in self._ask() if store.find(image_id) is not None), None)
            if store is None:
                raise ImageNotFoundError(image_id, "not in the store")
            self._files[image_id] = _stored(store, image_id)
        return self._files[image_id]

    def manifest_of(self, image_id: ImageID) -> ImageManifest:
        """Return the manifest of an image. Raises: ImageNotFoundError."""
        return self.file(image_id).manifest

    def resolve(self, parent: ImageID, index: int, dependency: Dependency) -> ImageID:
        """Return the ID of dependency number *index* of the image *parent*. Raises: ImageNotFoundError; FormatError."""
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
        text = format_reference(dependency.image_name, labels)
        raise ImageNotFoundError(f"dependency {dependency.image_name}", "not in the store", f"acfetch {text}")
