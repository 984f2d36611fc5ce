"""Mount points, volumes and mounts brought together: after this every mount point of an app has a volume.

Targets are compared by components. What a target is inside the image (a file, a link, nothing) is stage1's to see;
what the source of a host volume is on this machine is checked here, and again by stage1 when it opens it.

Source: ace.md, Volume Setup; pods.md, mounts and volumes; docs/decisions, overlapping and missing mounts.
"""

from __future__ import annotations

import os
import stat

from acrun.errors import MountError, VolumeSourceError
from acspec.execution import may_hold_mount
from acspec.names import parse_ac_name
from acspec.values import Value
from acspec.volumes import Mount, Volume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from acspec.app import App
    from acspec.names import ACName


class MountPlan(Value):
    """The mounts of one app, the empty volumes made up for it, and a line for people about each of those."""

    mounts: tuple[Mount, ...]
    volumes: tuple[Volume, ...]
    notes: tuple[str, ...]


def plan_mounts(
    app_name: ACName, app: App, wanted: Sequence[Mount], volumes: Mapping[ACName, Volume], *, strict: bool, nested: bool
) -> MountPlan:
    """Return the mounts of an app: those that were *wanted*, and one for every other mount point.

    A mount point takes the volume of its own name, else an empty volume of its own (an error when *strict*).

    Raises: MountError.
    Source: ace.md, Volume Setup; pods.md, "must have all mountPoints satisfied by volumes".
    """
    mounts = {_clean(mount.path): mount for mount in wanted}
    made, notes = [], []
    for mount in wanted:
        if mount.app_volume is None and mount.volume not in volumes:
            hint = f"--volume {mount.volume},kind=empty; what is here has ./ before it: --volume ./{mount.volume}:{mount.path}"
            raise MountError(f"{app_name}: mount {mount.volume}", "no volume has this name", hint)
    for point in app.mount_points:
        if _clean(point.path) in mounts:
            continue
        if point.name in volumes:
            mounts[_clean(point.path)] = Mount(volume=point.name, path=point.path)
            continue
        option = f"--volume {point.name},kind=host,source=PATH"
        if strict:
            raise MountError(f"{app_name}: mount point {point.name}", "no volume was given for it", option)
        volume = Volume(name=free_name(f"{app_name}-{point.name}", volumes), kind="empty")
        made.append(volume)
        mounts[_clean(point.path)] = Mount(volume=volume.name, path=point.path)
        notes.append(
            f"{app_name}: mount point {point.name} ({point.path}) gets an empty volume of its own ({option} gives another)"
        )
    _check_overlap(app_name, mounts, nested=nested)
    ordered = sorted(mounts.items(), key=lambda item: len(item[0]))
    return MountPlan(tuple(mount for _, mount in ordered), tuple(made), tuple(notes))


def free_name(wanted: str, volumes: Mapping[ACName, Volume]) -> ACName:
    """Return *wanted*, or what comes next to it, as the name of a volume that none of *volumes* has."""
    name, number = parse_ac_name(wanted, "volume"), 1
    while name in volumes:
        number += 1
        name = parse_ac_name(f"{wanted}-{number}", "volume")
    return name


def _clean(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part not in ("", "."))


def _check_overlap(app_name: str, mounts: Iterable[tuple[str, ...]], *, nested: bool) -> None:
    targets = set(mounts)
    if () in targets:
        raise MountError(f"{app_name}: /", "the root of an app cannot be a mount target")
    outer: tuple[str, ...] = ()
    for target in sorted(targets):  # what lies inside another comes right behind it
        if ".." in target:
            raise MountError(f"{app_name}: /{'/'.join(target)}", "a mount target may not hold ..")
        if not may_hold_mount(target):
            raise MountError(f"{app_name}: /{'/'.join(target)}", "nothing may be mounted there")
        if not outer or target[: len(outer)] != outer:
            outer = target
        elif not nested:
            why = f"lies inside the mount target /{'/'.join(outer)}"
            raise MountError(f"{app_name}: /{'/'.join(target)}", why, "--allow-nested-mounts")


def resolve_sources(volumes: Iterable[Volume], *, follow_links: bool) -> tuple[Volume, ...]:
    """Return *volumes* with the source of every host volume checked: it exists, and no part of its path is a symbolic link.

    With *follow_links* (`--allow-symlink-volumes`) the source becomes what the links lead to.

    Raises: VolumeSourceError.
    Source: ace.md, Volume Setup: missing sources and symbolic links.
    """
    return tuple(_resolve_source(volume, follow_links=follow_links) for volume in volumes)


def _resolve_source(volume: Volume, *, follow_links: bool) -> Volume:
    if volume.source is None:
        return volume
    what = f"volume {volume.name}: {volume.source}"
    path = "/"
    for part in (part for part in volume.source.split("/") if part):
        path = os.path.join(path, part)
        try:
            mode = os.stat(path, follow_symlinks=follow_links).st_mode
        except OSError as error:
            raise VolumeSourceError(what, os.strerror(error.errno or 0).lower()) from None
        if stat.S_ISLNK(mode):
            why = "is a symbolic link" if path == volume.source else f"{path} is a symbolic link"
            raise VolumeSourceError(what, why, "--allow-symlink-volumes follows it")
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise VolumeSourceError(what, "is a device, which could not be opened on a volume")
    if not follow_links:
        return volume
    from acspec.values import replace

    return replace(volume, source=os.path.realpath(volume.source))
