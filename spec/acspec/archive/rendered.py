"""The layers of an image read as one image without dependencies: manifest, rootfs, and all below it in the order of their names.

What is read like this can be written as an image or into a tree, as if it came from an archive. Owners, devices and times come from
the layers themselves, so it does not matter who renders.

Source: ace.md, Filesystem Setup; spec/image-archive.md, Writing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from acspec.archive.entry import Entry, Kind
from acspec.archive.entry_log import LoggedEntry
from acspec.archive.index import ImageIndex
from acspec.archive.layers import ImageLayer, Winner, merge_layers
from acspec.archive.layout import MANIFEST, ROOTFS
from acspec.archive.losses import Losses
from acspec.archive.xattrs import is_applied

_PLACE_BITS = 48  # of a place; the number of a layer is above
_PLACE = (1 << _PLACE_BITS) - 1


class RenderedImage:
    """The last of *layers* on all others; iterate over its entries once. What an image does not keep is counted in `lost`.

    `what` names the image that the current entry comes from.
    """

    def __init__(self, layers: Sequence[ImageLayer], manifest: bytes, on_end: Callable[[Losses], object] = lambda _: None) -> None:
        """Read *layers*, the first to be overwritten by all others, as an image with *manifest* in place of the last one's own.

        *on_end* is given what was lost after the last entry, when whoever writes can still leave the image without its end.
        """
        self.lost = Losses()
        self._layers = layers
        self._manifest = manifest
        self._on_end = on_end
        self._image: ImageIndex = layers[-1].image
        self._logged: LoggedEntry | None = None
        # Of files with several names, the place of the name that came first, where their marks say that of another layer.
        self._first: dict[int, int] = {}

    @property
    def what(self) -> str:
        """How errors name the image that the current entry comes from."""
        return self._image.what

    def __iter__(self) -> Iterator[Entry]:
        """Return the entries in order. Raises: StorageError when an image has changed meanwhile; OSError; what *on_end* raises.

        Source: ace.md, Filesystem Setup.
        """
        yield self._keep(self._image.manifest)._replace(size=len(self._manifest))
        for winner in merge_layers(self._layers):
            self._image = self._layers[winner.layer].image
            yield self._make_entry(winner)
        for layer in self._layers:
            layer.image.check()
        self._on_end(self.lost)

    def read_pieces(self, entry: Entry) -> Iterator[tuple[int, memoryview]]:
        """Return the content of *entry*, the one that came last, in windows with the offset of each; holes are left out.

        Raises: StorageError when the image has changed meanwhile; OSError.
        """
        if self._logged is None or entry.name == MANIFEST:
            yield 0, memoryview(self._manifest)
        else:
            yield from self._image.read_pieces(self._logged)

    def _make_entry(self, winner: Winner) -> Entry:
        if not winner.place:  # as an archive means a parent that it does not name
            return Entry(_name(winner.key), Kind.DIRECTORY, 0o755)
        self._logged = logged = self._image.get(winner.place)
        return self._make_name(winner, logged) if logged.origin else self._keep(logged.entry)

    def _make_name(self, winner: Winner, logged: LoggedEntry) -> Entry:
        """Return one of several names of a file: the first of them brings the content, whichever did so in the layer."""
        name, origin = _name(winner.key), logged.origin
        self._logged = self._image.get(origin)
        entry = self._logged.entry
        first = self._get_first(winner, self._logged)
        if first == winner.place:
            return self._keep(entry)._replace(name=name)
        target = self._image.get(first).entry.name
        return Entry(name, Kind.HARD_LINK, entry.mode, entry.uid, entry.gid, entry.mtime_ns, link_name=target)

    def _get_first(self, winner: Winner, logged: LoggedEntry) -> int:
        """Return the place of the name that came first of the file *logged*, which may be that of *winner* itself.

        It is written beside the file itself; only of an image in several layers, for its second one, is it remembered.
        """
        if not logged.mark:
            self._image.mark(logged.origin, winner.layer << _PLACE_BITS | winner.place)
            return winner.place
        if logged.mark >> _PLACE_BITS == winner.layer:
            return logged.mark & _PLACE
        return self._first.setdefault(winner.layer << _PLACE_BITS | logged.origin, winner.place)

    def _keep(self, entry: Entry) -> Entry:
        """Return *entry* as it would be found on a disk: attributes as decided, and the mode that links have."""
        if entry.xattrs:
            kept = {name: value for name, value in entry.xattrs.items() if is_applied(name)}
            self.lost.add_xattrs(len(entry.xattrs) - len(kept))
            entry = entry._replace(xattrs=kept)
        return entry._replace(mode=0o777) if entry.kind is Kind.SYMLINK else entry


def _name(key: bytes) -> bytes:
    return ROOTFS + b"/" + key.replace(b"\0", b"/") if key else ROOTFS
