"""Which image of the store a word means: an ID or its beginning, a name with labels, or the path that acfetch printed.

Source: spec/store.md, Image arguments.
"""

from __future__ import annotations

import os

from acspec.errors import MissingInputError, UsageError
from acspec.references import ImageIDArgument, PathArgument, URLArgument, parse_argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.names import ImageID
    from acspec.store import Store


def get_image_id(text: str, store: Store) -> ImageID:
    """Return the ID of the image that *text* means; its record may be damaged when it is the ID that was typed.

    Raises: UsageError; MissingInputError when there is none, or more than one; OSError.
    Source: spec/store.md, Image arguments.
    """
    argument = parse_argument(text)
    if isinstance(argument, URLArgument):
        raise UsageError(text, "a URL, not an image of the store", "acfetch images shows them")
    if isinstance(argument, PathArgument):
        found = _find_by_path(argument.path, store)
    elif isinstance(argument, ImageIDArgument):
        found = _find_by_prefix(text, store)
    else:
        found = [record.id for record in (store.find_meant(argument),) if record is not None]
    if not found:
        raise MissingInputError(text, f"not in the store {store.path}", "acfetch images shows what is")
    return found[0]


def _find_by_prefix(text: str, store: Store) -> list[ImageID]:
    found = [image_id for image_id in store.ids() if image_id.startswith(text)]
    if len(found) > 1:
        raise MissingInputError(text, f"means {len(found)} images", "give more of the ID")
    return found


def _find_by_path(path: str, store: Store) -> list[ImageID]:
    directory, name = os.path.split(os.path.realpath(path))
    if directory != os.path.realpath(store.images):
        return []
    return [image_id for image_id in store.ids() if name == f"{image_id}.aci"]
