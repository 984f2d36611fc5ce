"""What `--remove` takes out of an image manifest: all that the option of that name can set, or the one thing that has a name.

Source: aci.md, Image Manifest Schema.
"""

from __future__ import annotations

from collections.abc import Collection

from acspec.errors import UsageError
from acspec.escape import escape
from acspec.isolator_names import REMOVE_SET, RETAIN_SET, SECCOMP_REMOVE, SECCOMP_RETAIN
from acspec.typed import NamedTuple, cast
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue

    Object = dict[str, JSONValue]


class _Place(NamedTuple):
    """Where in a manifest something is: the keys that can hold it, in the app or beside it; what names an item; or the names."""

    keys: tuple[str, ...]
    in_app: bool = True
    by: str = ""
    names: tuple[str, ...] = ()


_TEXT = "text"  # an item that is its own name, or the name of a value
_PLACES = {
    "label": _Place(("labels",), False, "name"),
    "annotation": _Place(("annotations",), False, "name"),
    "dependency": _Place(("dependencies",), False, "imageName"),
    "path-whitelist": _Place(("pathWhitelist",), False, _TEXT),
    "app": _Place(("app",), False),
    "exec": _Place(("exec",)),
    "supplementary-groups": _Place(("supplementaryGIDs", "supplementaryGids")),
    "working-dir": _Place(("workingDirectory",)),
    "env": _Place(("environment",), by="name"),
    "pre-start": _Place(("eventHandlers",), names=("pre-start",)),
    "post-stop": _Place(("eventHandlers",), names=("post-stop",)),
    "mounts": _Place(("mountPoints",), by="name"),
    "ports": _Place(("ports",), by="name"),
    "isolators": _Place(("isolators",), by="name"),
    "capability": _Place(("isolators",), names=(RETAIN_SET,)),
    "revoke-capability": _Place(("isolators",), names=(REMOVE_SET,)),
    "seccomp-set": _Place(("isolators",), names=(SECCOMP_RETAIN, SECCOMP_REMOVE)),
    "user-label": _Place(("userLabels",), by=_TEXT),
    "user-annotation": _Place(("userAnnotations",), by=_TEXT),
}


class Removal(Value):
    """What is to go: the word of an option, and the name of one thing that it sets; without a name all of them."""

    word: str
    name: str | None = None

    def __str__(self) -> str:
        """Return it as it is typed."""
        return f"--remove {self.word}" if self.name is None else f"--remove {self.word}={self.name}"


def parse_removal(text: str) -> Removal:
    """Return what `WORD` or `WORD=NAME` means. Raises: UsageError.

    Source: aci.md, Image Manifest Schema.
    """
    word, equals, name = text.partition("=")
    removal = Removal(word, name if equals else None)
    place = _PLACES.get(word)
    if place is None:
        raise UsageError(f"--remove {text}", f'"{escape(word)}" is nothing that can be removed', f"these are: {', '.join(_PLACES)}")
    if equals and not place.by:
        raise UsageError(str(removal), f"{word} is removed without a name", f"--remove {word}")
    return removal


def remove(manifest: Object, removal: Removal) -> None:
    """Take what *removal* names out of *manifest*, a valid one. Raises: UsageError when it is not there."""
    place = _PLACES[removal.word]
    owner = cast("Object", manifest.get("app") or {}) if place.in_app else manifest
    names = place.names if removal.name is None else (removal.name,)
    went = [remove_items(owner, key, names, place.by or "name") for key in place.keys]
    if not any(went):
        raise UsageError(str(removal), "there is no such thing in the manifest")


def remove_items(owner: Object, key: str, names: Collection[str], by: str) -> bool:
    """Take the items with one of *names* out of what is at *key*, all of it when there are none; tell whether anything went.

    The name of an item is its key *by*, or the item itself. What has lost its last item goes as well.
    """
    found = owner.get(key)
    if not found:
        return False
    kept: JSONValue = None
    if names and isinstance(found, dict):
        kept = {name: value for name, value in found.items() if name not in names}
    elif names and isinstance(found, list):
        kept = [item for item in found if (item[by] if isinstance(item, dict) else item) not in names]
    if kept == found:
        return False
    if kept:
        owner[key] = kept
    else:
        del owner[key]
    return True
