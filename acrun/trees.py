"""Rendered trees: `RUN/trees/KEY/rootfs`, made once for a list of images and whitelists, shared by every pod.

A tree is made in RUN/tmp under a lock, synced, marked complete and renamed into place, so that a tree under its key is
whole. Every image is hashed while it is unpacked, and its manifest must be the one that was planned with.
Which layers there are is `acspec.layer_plan`'s to say, how files are written `acspec.archive`'s.

Source: ace.md, Filesystem Setup; spec/store.md, Rendered trees.
"""

from __future__ import annotations

import errno
import os

from acrun.workspace import make_workspace, name_full_disk
from acspec.durable import remove_tree, sync_directory, sync_file_system, write_file
from acspec.errors import BusyError, DamagedImageError
from acspec.jsontext import dump_json
from acspec.locks import open_locked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from acrun.donors import Donors
    from acspec.archive.extract import TreeWriter
    from acspec.jsontext import JSONValue
    from acspec.layer_plan import Layer
    from acspec.names import ImageID
    from acspec.resolution import ImageFile


class Tree:
    """A complete rendered tree, kept from being collected by the shared lock that `lock_fd` holds."""

    __slots__ = ("key", "lock_fd", "lost", "path")

    def __init__(self, path: str, key: str, lock_fd: int) -> None:
        self.path = path
        self.key = key
        self.lock_fd = lock_fd
        self.lost = ""  # what of the images could not be kept, in words, when this process has just rendered it

    @property
    def rootfs(self) -> str:
        """The absolute path of the rendered root directory."""
        return os.path.join(self.path, "rootfs")

    def manifest_path(self, image_id: str) -> str:
        """Return the path of the manifest of an image in the tree, byte for byte as the image has it."""
        return os.path.join(self.path, "manifests", image_id)


def tree_key(layers: Sequence[Layer]) -> str:
    """Return the key of a rendered tree: 64 hex digits over its images, in order, each with its whitelist.

    Source: spec/store.md, Rendered trees.
    """
    import hashlib

    digest = hashlib.sha512()
    for layer in layers:
        paths = [] if layer.whitelist is None else sorted(os.fsencode(path) for path in layer.whitelist)
        digest.update(f"{layer.image_id} {-1 if layer.whitelist is None else len(paths)}\n".encode("ascii"))
        for path in paths:
            digest.update(path + b"\0")
    return digest.hexdigest()[:64]


def get_tree(run_directory: str, layers: Sequence[Layer], images: Mapping[ImageID, ImageFile]) -> Tree:
    """Return the tree of *layers*, rendering it first when it is not there yet.

    Raises: DamagedImageError; FormatError from a bad archive; BusyError when a gc is just removing it; OSError.
    Source: ace.md, Filesystem Setup.
    """
    key, lost = tree_key(layers), ""
    tree = find_tree(run_directory, key)
    if tree is None:
        path = os.path.join(run_directory, "trees", key)
        lost = _render(run_directory, path, layers, images)
        tree = find_tree(run_directory, key)
        if tree is None:
            raise BusyError(path, "was removed as soon as it was made", "try again")
    _check_manifests(tree, layers, images)
    tree.lost = lost
    return tree


def find_tree(run_directory: str, key: str) -> Tree | None:
    """Return the tree *key*, locked against collection, or None when it is not there. Raises: OSError."""
    path = os.path.join(run_directory, "trees", key)
    try:
        tree = Tree(path, key, open_locked(path, shared=True, wait=True))
    except FileNotFoundError:
        return None
    os.utime(path)  # what gc goes by
    return tree


def _check_manifests(tree: Tree, layers: Sequence[Layer], images: Mapping[ImageID, ImageFile]) -> None:
    # The plan came from manifests whose files nobody has hashed in this run; those beside the tree were.
    for image_id in {layer.image_id for layer in layers}:
        with open(tree.manifest_path(image_id), "rb") as file:
            if file.read() != images[image_id].manifest_bytes:
                raise DamagedImageError(images[image_id].path, f"its manifest is not that of {image_id[:19]}…")


def _render(run_directory: str, path: str, layers: Sequence[Layer], images: Mapping[ImageID, ImageFile]) -> str:
    from acrun.donors import Donors

    os.makedirs(os.path.join(run_directory, "trees"), mode=0o700, exist_ok=True)
    work, lock = make_workspace(run_directory, "tree")
    used = [images[layer.image_id] for layer in layers]
    try:
        try:
            lost = _fill(work, layers, images, Donors(run_directory, lock, used))
        except OSError as error:
            if error.errno != errno.EMLINK:
                raise
            lost = _fill(work, layers, images, None)  # an image with nearly as many links to one file as there may be
        sync_file_system(work)  # before it is called complete
        ids: list[JSONValue] = [image.image_id for image in used]
        names: list[JSONValue] = [image.manifest.name for image in used]
        mark: JSONValue = {"version": 1, "backend": "directory", "complete": True, "images": ids, "names": names}
        write_file(os.path.join(work, "tree.json"), dump_json(mark))
        _publish(work, path)
        return lost
    except OSError as error:
        raise name_full_disk(run_directory, error) from None
    finally:
        remove_tree(work)
        os.close(lock)


def _fill(work: str, layers: Sequence[Layer], images: Mapping[ImageID, ImageFile], donors: Donors | None) -> str:
    """Lay the layers over each other and return what of them could not be kept, in words."""
    from acspec.archive.extract import TreeWriter

    rootfs, manifests = os.path.join(work, "rootfs"), os.path.join(work, "manifests")
    for directory, mode in ((rootfs, 0o755), (manifests, 0o700)):
        remove_tree(directory)
        os.mkdir(directory, mode)
    descriptor = os.open(rootfs, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with TreeWriter(descriptor) as writer:
            for layer in layers:
                manifest = _add_layer(writer, layer, images[layer.image_id], donors)
                with open(os.path.join(manifests, layer.image_id), "wb") as file:
                    file.write(manifest)
            writer.finish()
            return writer.lost.in_pod()
    finally:
        os.close(descriptor)


def _add_layer(writer: TreeWriter, layer: Layer, image: ImageFile, donors: Donors | None) -> bytes:
    """Unpack one layer and return the bytes of its manifest, both from the one reading that its hash covers."""
    from contextlib import nullcontext

    from acspec.archive.image import open_image
    from acspec.archive.render import render_image
    from acspec.layer_plan import whitelist_filter

    descriptor = open_image(image.path) if image.descriptor is None else os.dup(image.descriptor)
    try:
        with donors.open(image) if donors is not None else nullcontext() as donor:
            reader = render_image(writer, descriptor, image.path, keep=whitelist_filter(layer.whitelist), donor=donor)
    finally:
        os.close(descriptor)
    if reader.image_id != layer.image_id:
        raise DamagedImageError(image.path, f"its content is not that of {layer.image_id[:19]}…", "fetch it again")
    return reader.manifest_bytes


def _publish(work: str, path: str) -> None:
    try:
        os.rename(work, path)
    except OSError:
        # Another process was faster with the same tree: a directory that is there and complete is as good as ours.
        if not os.path.exists(os.path.join(path, "tree.json")):
            raise
        return
    sync_directory(os.path.dirname(path))
