"""The sequence of `acrun cp`: from an app's root file system to the host or a pipe, and from there into it.

Source: spec/pod-directory.md, Files; docs/decisions, copies.
"""

from __future__ import annotations

import os
import sys

from acrun.copy_paths import (
    Destination,
    PodPath,
    find_pod_path,
    get_pod_destination,
    means_contents,
    open_host_destination,
    open_host_source,
)
from acrun.placing import place_archive
from acrun.roots import open_root
from acrun.tree_archive import TreeArchive
from acspec.archive.compression import Compression
from acspec.archive.entry import Kind
from acspec.archive.open_directories import OPEN_DIRECTORY
from acspec.archive.plain import PlainArchive
from acspec.archive.write import ImageSettings, write_archive
from acspec.errors import MissingInputError, UsageError
from acspec.program import Unwinding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acrun.layered import Found
    from acrun.roots import AppRoot
    from acspec.archive.entry import Archive
    from acspec.archive.losses import Losses
    from acspec.pods import Pods

STREAM = "-"


def copy(pods: Pods, source: str, destination: str, *, follow: bool = False) -> list[str]:
    """Copy what *source* names to *destination*, one of which is in a pod; return notes for people on what did not come along.

    `-` is a tar on standard input or output. A link at the end of *source* is copied as it is unless *follow*.

    Raises: UsageError; MissingInputError; OutputError; BusyError; FormatError; OSError.
    Source: spec/pod-directory.md, Files.
    """
    inner, outer = find_pod_path(source), find_pod_path(destination)
    with Unwinding():
        if inner is not None and outer is None:
            if destination == STREAM:
                return _stream_out(pods, inner, follow=follow)
            return _copy_out(pods, inner, destination, follow=follow)
        if outer is not None and inner is None:
            return _stream_in(pods, outer) if source == STREAM else _copy_in(pods, source, outer, follow=follow)
    why = "neither is in a pod" if inner is None else "both are in pods"
    raise UsageError(f"{source} {destination}", why, "POD:/PATH is in a pod; between two: acrun cp A:/PATH - | acrun cp - B:/PATH")


def _stream_out(pods: Pods, source: PodPath, *, follow: bool) -> list[str]:
    if os.isatty(1):
        raise UsageError("standard output", "an archive is not for a terminal", "use a pipe or name a file")
    with _open(pods, source) as root:
        path, name, _ = _find(root, source, follow=follow)
        archive = TreeArchive(root.tree, path, name, skipped=root.skipped, owners=root.owners)
        write_archive(archive, sys.stdout.buffer.write, ImageSettings(compression=Compression.NONE))
        sys.stdout.buffer.flush()
        return _notes(source.text, archive.left_out)


def _copy_out(pods: Pods, source: PodPath, text: str, *, follow: bool) -> list[str]:
    with _open(pods, source) as root:
        path, name, found = _find(root, source, follow=follow)
        if found.kind in (Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE):
            raise UsageError(source.text, "is a device node, and none comes out of a pod")
        destination = open_host_destination(text, name, is_directory=found.is_directory)
        try:
            archive = TreeArchive(root.tree, path, destination.name, skipped=root.skipped, harmless=True)
            lost = _place(archive, destination, None)
        finally:
            destination.tree.close()
        return _notes(source.text, archive.left_out, lost)


def _open(pods: Pods, place: PodPath) -> AppRoot:
    return open_root(pods, place.pod, place.app, (f"{place.pod}:", f":{os.fsdecode(place.path)}"))


def _find(root: AppRoot, source: PodPath, *, follow: bool) -> tuple[bytes, bytes, Found]:
    """Return the path of the source, the name that it has so far (`b""`: only its contents are meant), and what stands there."""
    path = root.tree.resolve(source.path, follow=follow)
    found = root.tree.find(path)
    if found is None:
        raise MissingInputError(source.text, "no such file")
    _check_kind(root, path, source.text)
    _check_content(found, source.text)
    return path, b"" if means_contents(source.path) else path.rpartition(b"/")[2], found


def _check_kind(root: AppRoot, path: bytes, what: str) -> None:
    found = root.tree.find(path)
    if found is not None and found.status.st_dev in root.skipped:
        raise UsageError(what, "lies on a file system of the kernel, which holds no files")


def _check_content(found: Found, what: str) -> None:
    if found.kind is None:
        raise UsageError(what, "is a socket, of which there is nothing to copy")


def _copy_in(pods: Pods, text: str, destination: PodPath, *, follow: bool) -> list[str]:
    with _open(pods, destination) as root:
        root.check_writable(destination.text)
        tree, path = open_host_source(text, follow=follow)
        try:
            if (found := tree.find(path)) is None:
                raise MissingInputError(text, "no such file")
            _check_content(found, text)
            name = b"" if means_contents(os.fsencode(text)) else path
            aim = get_pod_destination(root.tree, destination, name, is_directory=found.is_directory)
            _check_kind(root, aim.directory, destination.text)
            archive = TreeArchive(tree, path, aim.name)
            return _notes(text, archive.left_out, _place(archive, aim, root.workspace))
        finally:
            tree.close()


def _stream_in(pods: Pods, destination: PodPath) -> list[str]:
    with _open(pods, destination) as root:
        root.check_writable(destination.text)
        path = root.tree.resolve(destination.path)
        found = root.tree.find(path)
        if found is None or not found.is_directory:
            raise UsageError(destination.text, "is no directory, which is what an archive is unpacked into")
        _check_kind(root, path, destination.text)
        with PlainArchive(0, "standard input") as archive:
            return _notes(destination.text, _place(archive, Destination(root.tree, path, b""), root.workspace).in_pod())


def _place(archive: Archive, target: Destination, workspace: str | None) -> Losses:
    """Write *archive* to *target*, by way of *workspace*, without one by way of the directory of *target*."""
    descriptor = (
        os.open(workspace, OPEN_DIRECTORY) if workspace is not None else os.dup(target.tree.make_writable(target.directory))
    )
    try:
        return place_archive(archive, target.tree, target.directory, descriptor)
    except OSError as error:  # what it names is a name in the archive, a temporary one, or nothing
        where = f"{target.tree.what}:/{os.fsdecode(target.directory)}"
        raise OSError(error.errno, error.strerror, where) from error
    finally:
        os.close(descriptor)


def _notes(what: str, *counts: object) -> list[str]:
    words = ", ".join(text for count in counts if (text := str(count)))
    return [f"{what}: warning: left out or not kept: {words}"] if words else []
