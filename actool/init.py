"""A first manifest, and the layout directory around it: what `build` takes as soon as the rootfs is filled.

Source: aci.md, Image Layout and Image Manifest Schema.
"""

from __future__ import annotations

import os
from contextlib import suppress

from acspec import SPEC_VERSION
from acspec.durable import remove_tree, temporary_name, umasked, write_file
from acspec.errors import OutputError, OutputExistsError, UsageError, reason_of
from acspec.image_manifest import parse_image_manifest
from acspec.jsontext import dump_json, dump_pretty
from acspec.labels import Label, host_platform
from acspec.names import IMAGE_KIND, ACIdentifier
from acspec.option_words import typed
from acspec.values import replace
from actool.changes.manifest_changes import ManifestChanges, apply_changes


def make_manifest(changes: ManifestChanges, *, platform: bool) -> bytes:
    """Return an image manifest that holds what *changes* set, laid out for people; with *platform* labelled for this machine.

    Raises: UsageError when there is no name, or when the manifest would not be valid.
    Source: aci.md, Image Manifest Schema.
    """
    if changes.name is None:
        raise UsageError("--name", "missing option", "such as --name example.com/app")
    if platform:
        changes = replace(changes, labels=(*changes.labels, *_missing_platform(changes.labels)))
    value = apply_changes({"acKind": IMAGE_KIND, "acVersion": SPEC_VERSION}, changes)
    with typed():
        manifest = parse_image_manifest(dump_json(value), "manifest, with these options")
    return dump_pretty(manifest.to_json())  # its keys in the order of the specification


def _missing_platform(labels: tuple[Label, ...]) -> list[Label]:
    """Return the labels os and arch of this machine that are not among *labels*; an os that is given has an arch of its own."""
    given = {label.name for label in labels}
    return [] if "os" in given else [Label(ACIdentifier(key), value) for key, value in host_platform().items() if key not in given]


def make_layout(directory: str, manifest: bytes) -> None:
    """Make the layout directory *directory*: *manifest*, and an empty rootfs. In one that is there, only what is missing is made.

    Raises: OutputError, also when there is a manifest already; UsageError; OSError.
    Source: aci.md, Image Layout.
    """
    if not directory:
        raise UsageError('""', "not the name of a directory")
    path = directory.rstrip("/") or "/"
    if os.path.isdir(path):
        _fill(path, manifest)
        return
    if os.path.lexists(path):
        raise OutputExistsError(path, "already exists, and is not a directory")
    parent, name = os.path.split(path)
    temporary = os.path.join(parent, temporary_name(name))
    try:
        _make_directory(temporary, path)
        _fill(temporary, manifest)
        os.rename(temporary, path)
    except BaseException:
        with suppress(OSError):  # what went wrong first is what counts
            remove_tree(temporary)
        raise


def _make_directory(path: str, wanted: str) -> None:
    try:
        os.mkdir(path)
    except OSError as error:
        raise OutputError(wanted, f"cannot be made: {reason_of(error)}") from error


def _fill(directory: str, manifest: bytes) -> None:
    """Make what is missing in *directory*; the manifest, which makes it a layout, comes last."""
    path, rootfs = os.path.join(directory, "manifest"), os.path.join(directory, "rootfs")
    if os.path.lexists(path):
        raise OutputExistsError(path, "already exists", "edit it, or remove it first")
    made = not os.path.isdir(rootfs)
    if made:
        _make_directory(rootfs, rootfs)
    try:
        write_file(path, manifest, mode=umasked(0o666), overwrite=False)
    except BaseException:
        if made:
            os.rmdir(rootfs)
        raise
