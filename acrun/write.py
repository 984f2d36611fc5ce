"""The files that acrun puts into a pod directory, and nothing that stage1 will write there.

Everything is written while the pod is locked and in phase prepare, so nobody reads it half done. Nothing is synced here: a pod that
runs does not outlive a power cut, and gc removes it whatever is left of its files; for one that is run later `launch` does it. No
decision is taken here.

Source: spec/pod-directory.md, Files.
"""

from __future__ import annotations

import os

from acrun.backends import COPY, copy_tree
from acspec.descriptors import write_all
from acspec.execution import copy_attributes
from acspec.jsontext import dump_json
from acspec.ownership import is_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from acrun.filters import Filter
    from acrun.trees import Tree
    from acspec.jsontext import JSONValue

STAGE1_VERSION = 2


class AppFiles:
    """What one app needs on disk: its name in the pod, its tree, the images in that (its own last), and its filter."""

    __slots__ = ("filter", "image_ids", "name", "tree")

    def __init__(self, name: str, tree: Tree, image_ids: Sequence[str], calls: Filter) -> None:
        self.filter = calls
        self.name = name
        self.tree = tree
        self.image_ids = tuple(image_ids)


def write_pod(path: str, manifest: bytes, stage1: dict[str, JSONValue], apps: Iterable[AppFiles], backend: str) -> None:
    """Write the manifest, stage1.json and every app's directory into the pod directory *path*.

    Raises: StorageError; OSError.
    Source: spec/pod-directory.md, Files.
    """
    for app in apps:
        _write_app(os.path.join(path, "apps", app.name), app, backend)
    for name in ("status", "logs", "volumes"):
        os.mkdir(os.path.join(path, name), 0o700)
    _write(os.path.join(path, "stage1.json"), dump_json(stage1))
    _write(os.path.join(path, "pod"), manifest)


def stage1_document(
    apps: Iterable[AppFiles],
    backend: str,
    *,
    hostname: str,
    streams: dict[str, dict[str, JSONValue]],
    switches: dict[str, JSONValue],
) -> dict[str, JSONValue]:
    """Return the content of stage1.json: what the pod manifest has no words for.

    Source: spec/stage1.md, stage1.json.
    """
    return {
        "version": STAGE1_VERSION,
        "hostname": hostname,
        "network": "none",
        **switches,
        "apps": {
            app.name: {
                "rootfs": {"backend": backend, "lower": app.tree.rootfs},
                **streams[app.name],
                "seccomp": app.filter.to_json(),
            }
            for app in apps
        },
    }


def make_volumes(path: str, volumes: JSONValue) -> None:
    """Make the directory of every volume of kind empty, with the mode and owner it asks for; *volumes* as in the manifest.

    Raises: OSError.
    Source: pods.md, volumes: kind empty, mode, uid, gid.
    """
    for volume in volumes if isinstance(volumes, list) else ():
        if isinstance(volume, dict) and volume.get("kind") == "empty":
            _make_volume(os.path.join(path, "volumes", str(volume["name"])), volume)


def _make_volume(directory: str, volume: dict[str, JSONValue]) -> None:
    uid, gid, mode = volume.get("uid"), volume.get("gid"), volume.get("mode")
    os.mkdir(directory, 0o700)
    if is_root():
        os.chown(directory, uid if isinstance(uid, int) else 0, gid if isinstance(gid, int) else 0)
    os.chmod(directory, int(mode, 8) if isinstance(mode, str) else 0o755)


def _write_app(directory: str, app: AppFiles, backend: str) -> None:
    os.makedirs(directory, mode=0o700)
    with open(app.tree.manifest_path(app.image_ids[-1]), "rb") as file:
        _write(os.path.join(directory, "manifest"), file.read())
    _write(os.path.join(directory, "tree"), "".join(f"{line}\n" for line in (app.tree.key, *app.image_ids)).encode("ascii"))
    if app.filter.key is not None:
        _write(os.path.join(directory, "seccomp.bpf"), app.filter.program)
    if backend == COPY:
        copy_tree(app.tree.rootfs, os.path.join(directory, "rootfs"))
        return
    upper = os.path.join(directory, "upper")
    os.mkdir(upper, 0o700)
    os.mkdir(os.path.join(directory, "work"), 0o700)
    copy_attributes(app.tree.rootfs, upper)


def _write(path: str, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(descriptor, data, path)
    finally:
        os.close(descriptor)
