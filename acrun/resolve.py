"""Image arguments into images: which file each is, which manifest it holds, and all the images it depends on.

A name or an ID is looked for in our own store; a path inside another data directory's images/ makes that a second,
read-only store (that is how `acfetch x | sudo acrun` works); any other path is the user's own file. Nothing is fetched. What lies
in a store is held there: nobody removes it before this process ends, or becomes stage1 for a pod that names it.

Source: spec/store.md; aci.md, Dependency Matching; ace.md, Filesystem Setup.
"""

from __future__ import annotations

import os
import stat

from acspec.archive.image import open_image, read_image
from acspec.errors import ImageNotFoundError, UsageError
from acspec.layer_plan import Layer, plan_layers
from acspec.references import ImageIDArgument, ImageReference, PathArgument, parse_argument
from acspec.resolution import Catalogue, ImageFile, find_home, not_stored, read_stored
from acspec.store import Store
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from acspec.names import ImageID


class ResolvedImage(Value):
    """An image to run, the layers of its root file system in order, and the file of every image among them.

    *witnesses* are files and directories: while none of them changes, the same words mean the same images.
    """

    image: ImageFile
    layers: tuple[Layer, ...]
    files: Mapping[ImageID, ImageFile]
    witnesses: tuple[str, ...]

    def held(self) -> list[str]:
        """Return the paths of those images that lie in a store, and are held there."""
        return [file.path for file in self.files.values() if file.descriptor is not None]


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
    catalogue = Catalogue((own,) if store is None else (store, own), image)
    layers = plan_layers(image.image_id, catalogue.manifest_of, catalogue.resolve)
    files = {layer.image_id: catalogue.file(layer.image_id) for layer in layers}
    # Whatever is added to a store, or replaced in it, changes the directory of its images.
    searched = catalogue.asked if store is None else {*catalogue.asked, store.images}
    named = (os.path.abspath(argument.path),) if isinstance(argument, PathArgument) else ()
    return ResolvedImage(image, layers, files, (*named, image.path, *(path for path in searched if os.path.isdir(path))))


def _open_path(path: str, own: Store) -> tuple[Store | None, ImageFile]:
    """Return the image file *path*, and the store it lies in when it lies in one."""
    home = find_home(path, own)
    if home is None:
        return None, _scan(path)
    store, image_id = home
    return store, read_stored(store, image_id)


def _scan(path: str) -> ImageFile:
    descriptor = open_image(path, wait=False)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise UsageError(path, "is a directory", "actool build makes an image of one")
        if not stat.S_ISREG(mode):  # it is read twice: to know it, and to unpack it
            raise UsageError(path, "is no regular file", "a list of images goes to standard input")
        image = read_image(descriptor, path)
    finally:
        os.close(descriptor)
    return ImageFile(image.image_id, os.path.abspath(path), image.manifest, image.manifest_bytes)


def _suggest(word: str, store: Store) -> str:
    names = sorted({record.name for record in store.whole_records().values() if record.name.rpartition("/")[2] == word})
    if names:
        return f"did you mean {names[0]}?"
    return f"an image is a whole name, such as example.com/{word}, or a file, such as ./{word}.aci; acrun --help shows the commands"


def _find_in_store(text: str, argument: ImageIDArgument | ImageReference, store: Store) -> ImageFile:
    record = store.find_meant(argument)
    if record is None and text.isalnum():  # no dot, no slash, no colon: more likely a command than an image
        raise ImageNotFoundError(text, f"no command, and no image in the store {store.path}", _suggest(text, store))
    if record is None:
        raise not_stored(text, argument, store)
    return read_stored(store, record.id)
