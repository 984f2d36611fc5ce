"""The sequence of `acrun export`: an app that runs no more, from its layers into an image without dependencies.

The manifest is that of the app's image, so that the new image is used as the old one was. What one run was given (arguments, an
environment that may hold secrets) comes along only when that is asked for, and what was mounted never. The same files give the same
bytes.

Source: aci.md, Image Archives and Image Manifest Schema; docs/decisions, exported apps.
"""

from __future__ import annotations

import os

from acrun.finding import read_manifest
from acrun.records import read_hostname
from acrun.roots import open_root
from acrun.tree_archive import TreeArchive
from acspec import limits
from acspec.archive.compression import Compression
from acspec.archive.entry import Entry, Kind
from acspec.archive.layout import MANIFEST, ROOTFS
from acspec.archive.write import ImageSettings, write_archive
from acspec.errors import BusyError, FormatError
from acspec.execution import make_hosts
from acspec.image_manifest import parse_image_manifest
from acspec.image_outputs import check_image_output, new_output
from acspec.jsontext import dump_json, dump_pretty, parse_json, read_limited
from acspec.layer_plan import render_manifest
from acspec.program import Unwinding
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from acrun.layered import LayeredTree
    from acrun.roots import AppRoot
    from acspec.jsontext import JSONValue
    from acspec.names import ImageID
    from acspec.pods import Pods


class ExportRequest(Value):
    """What is to be exported, and where to; the output `-` is standard output, the app None where the pod has one only.

    `as_run`: with the app as it ran, its program and arguments, user, environment and isolators, in place of the image's.
    """

    pod: str
    output: str
    app: str | None = None
    compression: Compression = Compression.GZIP
    overwrite: bool = False
    as_run: bool = False


class Export(Value):
    """What came of it: the ID of the image, and what people should be warned of."""

    image_id: ImageID
    warnings: tuple[str, ...]


def export_app(pods: Pods, request: ExportRequest) -> Export:
    """Write what an app has left as an image, whole or not at all.

    Raises: UsageError; MissingInputError; BusyError when the app runs; FormatError; OutputError; StorageError; OSError.
    Source: aci.md, Image Archives.
    """
    check_image_output(request.output, overwrite=request.overwrite)
    with Unwinding(), open_root(pods, request.pod, request.app) as root:
        if root.is_live:
            raise BusyError(request.pod, f"its app {root.app.name} runs: its files may change", "acrun stop ends it")
        manifest = _make_manifest(pods, root, as_run=request.as_run)
        files = TreeArchive(root.tree, b"", ROOTFS, owners=root.owners)
        made = _find_made(root)
        with new_output(request.output, overwrite=request.overwrite) as output:
            written = write_archive(
                _AppArchive(manifest, files, made), output.write, ImageSettings(compression=request.compression)
            )
        left_out = str(files.left_out)
        return Export(written.image_id, (f"{request.output}: warning: left out: {left_out}",) if left_out else ())


class _AppArchive:
    """An image of a manifest and files, but those that were *made* for the pod, by their names in the image."""

    def __init__(self, manifest: bytes, files: TreeArchive, made: Collection[bytes]) -> None:
        self._manifest = manifest
        self._files = files
        self._made = made

    @property
    def what(self) -> str:
        """How errors name the file that the current entry is in."""
        return self._files.what

    def __iter__(self) -> Iterator[Entry]:
        """Return the manifest, then the files."""
        yield Entry(MANIFEST, Kind.FILE, size=len(self._manifest))
        yield from (entry for entry in self._files if entry.name not in self._made)

    def read_pieces(self, entry: Entry) -> Iterator[tuple[int, memoryview]]:
        """Return the content of the entry that came last."""
        return iter(((0, memoryview(self._manifest)),)) if entry.name == MANIFEST else self._files.read_pieces(entry)


def _find_made(root: AppRoot) -> list[bytes]:
    """Return which files of stage1's, about the pod's own name, are there as it wrote them: another pod has another name.

    Raises: StorageError; OSError.
    """
    hostname = read_hostname(root.state.path)
    texts = {b"etc/hosts": make_hosts(hostname).encode(), b"etc/hostname": f"{hostname}\n".encode()}
    return [ROOTFS + b"/" + path for path, text in texts.items() if _holds(root.tree, path, text)]


def _holds(tree: LayeredTree, path: bytes, text: bytes) -> bool:
    """Tell whether *path* is a regular file of that one name which holds *text*."""
    found = tree.find(path) if (parent := tree.find(os.path.dirname(path))) is not None and parent.is_directory else None
    if found is None or found.kind is not Kind.FILE or found.status.st_nlink != 1 or found.status.st_size != len(text):
        return False
    descriptor = tree.open(path, found)
    try:
        return os.pread(descriptor, len(text), 0) == text
    finally:
        os.close(descriptor)


def _make_manifest(pods: Pods, root: AppRoot, *, as_run: bool) -> bytes:
    """Return the manifest of the app's image without what speaks of layers."""
    path = os.path.join(root.state.path, "apps", root.app.name, "manifest")
    with open(path, "rb") as file:
        data = render_manifest(read_limited(file.fileno(), limits.MANIFEST_BYTES), path)
    if as_run:
        data = _put_app(pods, root, data, path)
    parse_image_manifest(data, path)
    return data


def _put_app(pods: Pods, root: AppRoot, data: bytes, path: str) -> bytes:
    """Return the manifest *data* with the app as it ran."""
    pod = parse_json(read_manifest(pods, root.state.uuid, pretty=False), "pod")
    image, ran = parse_json(data, path), _find_app(pod, root.app.name)
    if not isinstance(image, dict) or ran is None:
        raise FormatError(path, "is no manifest of an image, or that of the pod has no such app")
    if image.get("app") == ran:
        return data
    image["app"] = ran
    return dump_pretty(image) if b"\n" in data.strip() else dump_json(image)


def _find_app(manifest: JSONValue, name: str) -> JSONValue:
    """Return the app that a pod manifest has for *name*, None when there is none."""
    apps = manifest.get("apps") if isinstance(manifest, dict) else None
    for app in apps if isinstance(apps, list) else ():
        if isinstance(app, dict) and app.get("name") == name:
            return app.get("app")
    return None
