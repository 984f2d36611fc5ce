"""The images that one image is made of: those named on the command line, read at once, and what they depend on, from a store.

Source: spec/store.md, Image arguments; aci.md, Dependency Matching.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import ExitStack

from acspec.archive.index import ImageIndex
from acspec.archive.layers import ImageLayer
from acspec.archive.source import Readable
from acspec.archive.spool import Spool
from acspec.errors import DamagedImageError, ImageNotFoundError, UsageError
from acspec.image_manifest import Dependency, parse_image_manifest
from acspec.layer_plan import plan_layers, whitelist_filter
from acspec.names import ImageID
from acspec.references import ImageIDArgument, ImageReference, PathArgument, parse_argument
from acspec.resolution import Catalogue, ImageFile, find_home, not_stored, read_stored
from acspec.store import Store
from actool.inputs import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from actool.passphrase import Passphrase

_STANDARD_INPUT = "-"


class Gathering:
    """Images read into a spool, each once; used as a context manager."""

    def __init__(self, spool: Spool, store: Store, passphrase: Passphrase | None = None) -> None:
        """Look for what nobody names in *store*; *passphrase* is for encrypted images."""
        self._spool = spool
        self._own = store
        self._stores = [store]
        self._passphrase = passphrase
        self._indexes: dict[ImageID, ImageIndex] = {}
        self._open = ExitStack()

    def __enter__(self) -> Gathering:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all images."""
        self._open.close()

    def gather(self, words: Sequence[str]) -> tuple[list[ImageLayer], list[str]]:
        """Return the layers of the image that the first of *words* means, and those of the other words that are not among them.

        What these mean comes before any image of a store.

        Raises: UsageError; FormatError; MissingInputError; StorageError; TrustError; OSError.
        Source: ace.md, Filesystem Setup; aci.md, Dependency Matching.
        """
        if words.count(_STANDARD_INPUT) > 1:
            raise UsageError(_STANDARD_INPUT, "standard input can be read only once")
        root, *given = (self._take(word) for word in words)
        catalogue = Catalogue(self._stores, root, given)
        planned = plan_layers(root.image_id, catalogue.manifest_of, lambda *wanted: _resolve(catalogue, *wanted))
        layers = [ImageLayer(self._get(catalogue.file(layer.image_id)), whitelist_filter(layer.whitelist)) for layer in planned]
        used = {layer.image_id for layer in planned}
        return layers, [word for word, file in zip(words[1:], given, strict=True) if file.image_id not in used]

    def _take(self, word: str) -> ImageFile:
        """Read the image that *word* means, to its end."""
        argument = PathArgument(word) if word == _STANDARD_INPUT else parse_argument(word)
        if isinstance(argument, PathArgument):
            return self._take_path(argument.path)
        if not isinstance(argument, (ImageIDArgument, ImageReference)):
            raise UsageError(word, "actool fetches nothing", f"acfetch '{word}'")
        record = self._own.find_meant(argument)
        if record is None and os.path.lexists(word):  # what a word means follows from its form alone
            raise ImageNotFoundError(word, f"not in the store {self._own.path}", f"./{word} is the file")
        if record is None:
            raise not_stored(word, argument, self._own)
        return self._take_stored(self._own, record.id)

    def _take_path(self, path: str) -> ImageFile:
        home = None if path == _STANDARD_INPUT else find_home(path, self._own)
        if home is not None:
            store, image_id = home
            if store.path not in [known.path for known in self._stores]:
                self._stores.insert(0, store)
            return self._take_stored(store, image_id)
        with opened(path, self._passphrase) as source:
            index = self._read(source.origin, source.name)
            status = os.fstat(source.descriptor)
        self._indexes[index.image_id] = index
        manifest = parse_image_manifest(index.manifest_bytes, f"{source.name}: manifest")
        size = status.st_size if stat.S_ISREG(status.st_mode) else None
        return ImageFile(index.image_id, source.name, manifest, index.manifest_bytes, size)

    def _take_stored(self, store: Store, image_id: ImageID) -> ImageFile:
        file = read_stored(store, image_id)
        self._get(file)
        return file

    def _get(self, file: ImageFile) -> ImageIndex:
        """Return the image in *file*, read at the first time, when it is what its ID and its manifest promise."""
        if file.image_id not in self._indexes:
            if file.descriptor is None:
                raise AssertionError("an image that lies in no store has been read when it was named")
            self._open.callback(os.close, file.descriptor)  # until then it stays in its store
            index = self._read(file.descriptor, file.path)
            if index.image_id != file.image_id:
                raise DamagedImageError(file.path, f"its content is not that of {file.image_id[:19]}…", "fetch it again")
            if index.manifest_bytes != file.manifest_bytes:  # replaced since it was planned with
                raise DamagedImageError(file.path, f"its manifest is not that of {file.image_id[:19]}…", "try again")
            self._indexes[file.image_id] = index
        return self._indexes[file.image_id]

    def _read(self, origin: int | Readable, what: str) -> ImageIndex:
        index = ImageIndex(origin, what, self._spool)
        self._open.callback(index.close)
        return index


def _resolve(catalogue: Catalogue, parent: ImageID, number: int, dependency: Dependency) -> ImageID:
    image_id = catalogue.resolve(parent, number, dependency)
    try:
        catalogue.file(image_id)
    except ImageNotFoundError:  # asked for by its ID alone, which nothing can be fetched by
        raise catalogue.not_found(dependency) from None
    return image_id
