"""/sys/fs/cgroup as an app sees it: its own cgroups and what is below them, to read.

Runtimes size heaps and pools of threads by the limits that they find there; an app that finds none takes the whole machine for its
own. Nothing else depends on it: where the kernel refuses, the directory is empty, as it is in a pod without cgroups. Where a volume
has taken its place, the volume is what is seen.

Source: cgroups(7), cgroup_namespaces(7); sysfs(5).
"""

from __future__ import annotations

import os

from acstage1.linux.mounts import (
    MOUNT_ATTR_RDONLY,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    RESOLVE_NO_SYMLINKS,
    mount,
    open_resolved,
    set_attributes,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from acstage1.hierarchies import Hierarchy

PLACE = "/sys/fs/cgroup"
_SYS = "/sys"
_HARMLESS = MS_NOSUID | MS_NODEV | MS_NOEXEC


def choose_views(hierarchies: Iterable[Hierarchy]) -> tuple[str, ...]:
    """Return what of *hierarchies* is shown: the controllers of each of v1 with commas between them, or `""` for cgroup2 alone.

    Beside controllers of v1, cgroup2 is not shown: on such hosts it has none.
    """
    all_of_v1 = [",".join(sorted(hierarchy.controllers)) for hierarchy in hierarchies]
    return tuple(sorted(names for names in all_of_v1 if names and "=" not in names)) or ("",) * ("" in all_of_v1)


def show_cgroups(views: Sequence[str]) -> None:
    """Mount *views* in this process's root, with the root of its cgroup namespace as theirs. Raises: nothing.

    Source: cgroups(7), Mounting v1 controllers; cgroup_namespaces(7).
    """
    if not views:
        return
    try:
        if os.fstat(_enter_place()).st_dev != os.stat(_SYS).st_dev:
            return
        if views[0]:
            _show_v1(views)
        else:
            mount("cgroup2", ".", "cgroup2", _HARMLESS | MS_RDONLY)
    except OSError:
        pass
    finally:
        os.chdir("/")


def _enter_place() -> int:
    """Work in the directory, reached through no link: on a volume above it, anybody may have made one. Raises: OSError."""
    descriptor = open_resolved(None, PLACE, os.O_PATH | os.O_DIRECTORY, RESOLVE_NO_SYMLINKS)
    os.fchdir(descriptor)
    return descriptor


def _show_v1(views: Sequence[str]) -> None:
    mount("tmpfs", ".", "tmpfs", _HARMLESS, "mode=755,size=64k")
    top = _enter_place()
    for names in views:
        os.mkdir(names)
        mount("cgroup", names, "cgroup", _HARMLESS | MS_RDONLY, names)
        for name in names.split(",") if "," in names else ():
            os.symlink(names, name)
    set_attributes(top, MOUNT_ATTR_RDONLY, recursive=False, path=PLACE)
