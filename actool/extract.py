"""From an image archive to a layout directory that `build` takes: whole, or nothing is left.

Source: aci.md, Image Layout and Image Archives ("all of their original properties").
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from acspec.archive.extract import TreeWriter
from acspec.archive.image import ImageReader
from acspec.archive.losses import Losses
from acspec.durable import remove_tree, temporary_name, umasked
from acspec.image_manifest import parse_image_manifest
from actool.errors import LostPropertyError, OutputExistsError
from actool.inputs import Input, opened

if TYPE_CHECKING:
    from actool.passphrase import Passphrase


def extract(image: str, directory: str, passphrase: Passphrase | None = None, *, strict: bool = False) -> Losses:
    """Make *directory*, which must not exist, out of the image at *image* (`-`: standard input); return what was lost.

    It is made under a name beside its own and takes that at the end. With *strict* a loss is an error.

    Raises: FormatError, MissingInputError, OutputError, StorageError, TrustError; OSError.
    Source: aci.md, Image Layout.
    """
    directory = directory.rstrip("/") or "/"
    if os.path.lexists(directory):
        raise OutputExistsError(directory, "already exists", "extract makes a new directory")
    parent, name = os.path.split(directory)
    with opened(image, passphrase) as source:
        parent_fd = _open_parent(parent or ".", directory)
        try:
            return _extract_into(source, parent_fd, name, directory, strict)
        finally:
            os.close(parent_fd)


def _open_parent(parent: str, directory: str) -> int:
    try:
        return os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OutputExistsError(directory, f"cannot be made: {(error.strerror or '').lower()}") from error


def _extract_into(source: Input, parent: int, name: str, directory: str, strict: bool) -> Losses:
    temporary = temporary_name(name)
    try:
        _make(parent, temporary, directory)
        lost = _fill(source, parent, temporary)
        if strict and lost:
            raise LostPropertyError(source.name, f"cannot be kept: {lost}", "run as root, or without --strict")
        _publish(parent, temporary, name, directory)
    except BaseException:
        remove_tree(temporary, dir_fd=parent)
        raise
    return lost


def _make(parent: int, temporary: str, directory: str) -> None:
    try:
        os.mkdir(temporary, 0o700, dir_fd=parent)
    except OSError as error:
        raise OutputExistsError(directory, f"cannot be made: {(error.strerror or '').lower()}") from error


def _fill(source: Input, parent: int, temporary: str) -> Losses:
    descriptor = os.open(temporary, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        with ImageReader(source.origin, source.name, hashed=False) as reader, TreeWriter(descriptor, whole=True) as writer:
            writer.add(reader)
            writer.finish()
            parse_image_manifest(reader.manifest_bytes, f"{source.name}: manifest")
        os.fchmod(descriptor, umasked(0o777))
        return writer.lost
    finally:
        os.close(descriptor)


def _publish(parent: int, temporary: str, name: str, directory: str) -> None:
    try:
        os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise OutputExistsError(directory, "has appeared meanwhile") from error
        raise
