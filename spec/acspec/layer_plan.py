"""The order in which images make up a root file system, which of their paths are kept, and the manifest of what comes of it.

No file is touched here.

The dependencies of an image come first, in their order, each with its own before it; the image itself comes last and
overwrites them. An image reached by several paths comes several times, each time with the whitelists met on that path.

Of several equal layers (same image, same whitelist) only the last counts: it writes every one of its entries again, over whatever
came between. So the walk goes backwards from the last layer and meets each layer once, which makes diamonds linear.

Source: ace.md, Filesystem Setup; docs/decisions, what a pathWhitelist keeps.
"""

from __future__ import annotations

from bisect import bisect_left

from acspec import limits
from acspec.errors import FormatError
from acspec.jsontext import dump_json, dump_pretty, parse_json
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from acspec.image_manifest import Dependency, ImageManifest
    from acspec.names import ImageID

# Whitelists that differ make layers that differ; far beyond what people write, far below what exhausts a machine.
LAYERS = 1_000
WHITELISTED = 1_000_000

_OF_LAYERS = {"dependencies", "pathWhitelist"}


class Layer(Value):
    """One image in a root file system, with the absolute paths that may stay; None: all of them."""

    image_id: ImageID
    whitelist: frozenset[str] | None = None


def render_manifest(data: bytes, what: str) -> bytes:
    """Return the manifest of an image whose layers have been made into one: *data* without what speaks of layers.

    All else stays, unknown keys too, laid out on one line or for people as before; what has nothing to lose stays byte for byte.

    Raises: FormatError.
    Source: aci.md, dependencies and pathWhitelist.
    """
    value = parse_json(data, what)
    if not isinstance(value, dict) or not value.keys() & _OF_LAYERS:
        return data
    kept = {key: item for key, item in value.items() if key not in _OF_LAYERS}
    return dump_pretty(kept) if b"\n" in data.strip() else dump_json(kept)


def normalise_path(path: str) -> str:
    """Return an absolute path without empty and `.` components and without a final slash, as whitelists are compared.

    Source: aci.md, pathWhitelist.
    """
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))


def plan_layers(
    root: ImageID,
    manifest_of: Callable[[ImageID], ImageManifest],
    resolve: Callable[[ImageID, int, Dependency], ImageID],
) -> tuple[Layer, ...]:
    """Return the layers of the root file system of image *root*, first to be extracted first.

    *resolve* gives the image that dependency number N of an image was resolved to.

    Raises: FormatError for a cycle (which it prints), and beyond 100 images or a depth of 32; what the callbacks raise.
    Source: ace.md, Filesystem Setup.
    """
    plan = _Plan(manifest_of, resolve)
    plan.visit(root, None, ())
    return tuple(reversed(plan.layers))


class _Plan:
    """A walk in reverse order: an image before its dependencies, the last dependency first."""

    def __init__(
        self,
        manifest_of: Callable[[ImageID], ImageManifest],
        resolve: Callable[[ImageID, int, Dependency], ImageID],
    ) -> None:
        self._manifest_of = manifest_of
        self._resolve = resolve
        self._seen: set[Layer] = set()
        self._images: set[ImageID] = set()
        self._whitelisted = 0
        self.layers: list[Layer] = []

    def visit(self, image_id: ImageID, inherited: frozenset[str] | None, path: tuple[ImageID, ...]) -> None:
        self._check(image_id, path)
        manifest = self._manifest_of(image_id)
        layer = Layer(image_id, _narrow(inherited, manifest.path_whitelist))
        if layer in self._seen:
            return
        self._seen.add(layer)
        self._images.add(image_id)
        self._whitelisted += len(layer.whitelist or ())
        self._check_counts(path[0] if path else image_id)
        self.layers.append(layer)
        for index, dependency in reversed(list(enumerate(manifest.dependencies))):
            self.visit(self._resolve(image_id, index, dependency), layer.whitelist, (*path, image_id))

    def _check(self, image_id: ImageID, path: tuple[ImageID, ...]) -> None:
        if image_id in path:
            cycle = " -> ".join(self._name(step) for step in (*path[path.index(image_id) :], image_id))
            raise FormatError(self._name(path[0]), f"dependency cycle {cycle}")
        if len(path) > limits.DEPENDENCY_DEPTH:
            raise FormatError(self._name(path[0]), f"dependencies deeper than the limit of {limits.DEPENDENCY_DEPTH}")

    def _check_counts(self, root: ImageID) -> None:
        for count, limit, what in (
            (len(self._images), limits.DEPENDENCIES, "dependencies"),
            (len(self._seen), LAYERS, "layers, one for each whitelist that an image comes with"),
            (self._whitelisted, WHITELISTED, "paths in the whitelists of all layers"),
        ):
            if count > limit:
                raise FormatError(self._name(root), f"more than the limit of {limit} {what}")

    def _name(self, image_id: ImageID) -> str:
        return str(self._manifest_of(image_id).name)


def _narrow(inherited: frozenset[str] | None, own: tuple[str, ...]) -> frozenset[str] | None:
    if not own:
        return inherited
    paths = frozenset(normalise_path(path) for path in own)
    if inherited is None:
        return paths
    # A path stays when every whitelist on the way keeps it, be it listed or the parent of a listed one.
    keep, keep_own = _Kept(inherited), _Kept(paths)
    return frozenset(path for path in paths if path in keep) | frozenset(path for path in inherited if path in keep_own)


class _Kept:
    """The paths that a whitelist keeps: those listed, and their parents, of which a long path has too many to be written down."""

    __slots__ = ("_listed", "_sorted")

    def __init__(self, whitelist: frozenset[str] | frozenset[bytes]) -> None:
        self._listed = whitelist
        self._sorted: list[Any] = sorted(whitelist)

    def __contains__(self, path: Any) -> bool:
        if path in self._listed:
            return True
        slash = "/" if isinstance(path, str) else b"/"
        below = path.rstrip(slash) + slash
        place = bisect_left(self._sorted, below)
        return place < len(self._sorted) and self._sorted[place].startswith(below)


def whitelist_filter(whitelist: frozenset[str] | None) -> Callable[[bytes], bool] | None:
    """Return the test whether an absolute path (bytes) stays, or None when all do: listed exactly, or a parent of a listed one.

    A listed directory does not bring its contents.

    Source: aci.md, pathWhitelist; docs/decisions, what a pathWhitelist keeps.
    """
    if whitelist is None:
        return None
    return _Kept(frozenset({b"/", *(path.encode("utf-8") for path in whitelist)})).__contains__
