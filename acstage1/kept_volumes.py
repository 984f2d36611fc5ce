"""Empty volumes that outlast restarts although they are nowhere but in the pod: those with a size.

Source: tmpfs(5); spec/stage1.md, Restarts.
"""

from __future__ import annotations

import os

from acstage1.linux.mounts import attach, clone_tree
from acstage1.operations import Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_DIRECTORY = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW


class KeptVolumes:
    """Volumes that are kept in init's root, where they lie as in a pod directory: a restart has no other way to them."""

    def __init__(self, pod_path: str, names: Iterable[str]) -> None:
        self._places = {name: f"{pod_path}/volumes/{name}" for name in names}
        self._trees: dict[str, int] = {}

    def open(self) -> list[Operation]:
        """Return the steps that open the volumes, while the pod directory is at its path."""
        return [self._step("open", name, self._open) for name in self._places]

    def keep(self) -> list[Operation]:
        """Return the steps that put the volumes into init's root, which is at that path now."""
        return [self._step("keep", name, self._keep) for name in self._places]

    def _step(self, verb: str, name: str, action: Callable[[str], None]) -> Operation:
        return Operation(f"{verb} volume {name} for restarts", lambda: action(name))

    def _open(self, name: str) -> None:
        origin = os.open(self._places[name], _DIRECTORY)
        self._trees[name] = clone_tree(origin, recursive=False, path=self._places[name])
        os.close(origin)

    def _keep(self, name: str) -> None:
        os.makedirs(self._places[name])
        target = os.open(self._places[name], _DIRECTORY)
        attach(self._trees[name], target, self._places[name])
        for descriptor in (target, self._trees.pop(name)):
            os.close(descriptor)
