"""Directories of the cgroup file systems: control files written, processes killed, whole trees removed.

Whose they are and where is not known here. An app may have made cgroups of its own below its directory, as deep as it likes.

Source: cgroups(7); kernel Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import errno
import os
import select

from acstage1.errors import StartError
from acstage1.linux.signals import SIGKILL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# How often a removal is tried again, and what it waits between: for the last zombies of a pod that ended, or for the dying.
_ROUNDS = 250
_ZOMBIES_MS = 4
_DYING_MS = 20
# How often it is looked whether what was killed has ended: for half a minute, as much memory takes seconds to be freed.
_LOOKS = 300
_LONGEST_MS = 100


def write_control(path: str, text: str) -> None:
    """Write *text* to a control file. Raises: OSError with the path. Source: cgroups(7)."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode("ascii"))
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(descriptor)


def read_control(path: str) -> str:
    """Return what is in a control file, nothing when it cannot be read."""
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def kill_and_remove(paths: Sequence[str], tops: Sequence[str]) -> str | None:
    """Kill what is left in *tops* and below, and remove the directories *paths*; return one that could not be removed, or None.

    Source: cgroup-v2.rst, cgroup.kill; freezer of cgroup v1.
    """

    def kill() -> None:
        for path in tops:
            _kill(path)

    kill()
    return _remove_in_rounds(paths, _DYING_MS, kill)


def kill_all(paths: Sequence[str]) -> None:
    """Kill every process in the directories *paths* and below, and wait until they are gone; the directories stay.

    Raises: StartError when they do not end; OSError.
    Source: cgroup-v2.rst, cgroup.kill; freezer of cgroup v1.
    """
    for number in range(_LOOKS):
        populated = [path for path in paths if _has_processes(path)]
        if not populated:
            return
        for path in populated:
            _kill(path)
        select.poll().poll(min(_ZOMBIES_MS * (number + 1), _LONGEST_MS))
    raise StartError(paths[0], "its processes do not end")


def _has_processes(path: str) -> bool:
    found = _try_read(f"{path}/cgroup.procs", None)

    def visit(name: str, parent: int) -> None:
        nonlocal found
        found = found or _try_read(f"{name}/cgroup.procs", parent)

    _descend(path, visit)
    return bool(found)


def _try_read(name: str, parent: int | None) -> str:
    try:
        with open(os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=parent)) as file:
            return file.read()
    except OSError:
        return ""


def remove_patiently(paths: Sequence[str]) -> str | None:
    """Remove the directories of a pod that has just ended: the kernel may need a moment for its last zombies."""
    return _remove_in_rounds(paths, _ZOMBIES_MS, lambda: None)


def _remove_in_rounds(paths: Sequence[str], pause_ms: int, before_pause: Callable[[], None]) -> str | None:
    left = _remove(paths)
    for _ in range(_ROUNDS):
        if left is None:
            return None
        before_pause()
        select.poll().poll(pause_ms)
        left = _remove(paths)
    return left


def _remove(paths: Sequence[str]) -> str | None:
    """Remove the directories, deepest first; return one that is still there, or None."""
    left = None
    for path in sorted(paths, key=len, reverse=True):
        try:
            os.rmdir(path)
        except FileNotFoundError:
            continue
        except OSError:
            left = _remove_children(path) or left
    return left


def _remove_children(path: str) -> str | None:
    """Remove what an app has made below *path*, and *path*; return what is still there, or None."""
    _descend(path, lambda name, parent: os.rmdir(name, dir_fd=parent))
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return None
    except OSError:
        return path
    return None


def _descend(path: str, visit: Callable[[str, int], None]) -> None:
    """Call *visit* with name and parent descriptor of each directory below *path*, deepest first.

    An app may have made cgroups of its own, deeper than a path is long or a program recurses.
    """
    try:
        current = os.open(path, _DIRECTORY)
    except FileNotFoundError:
        return
    way: list[str] = []
    seen: list[set[str]] = [set()]
    while True:
        child = _find_directory(current, seen[-1])
        if child is not None:
            seen[-1].add(child)
            try:
                following = os.open(child, _DIRECTORY, dir_fd=current)
            except FileNotFoundError:
                continue
            way.append(child)
            seen.append(set())
        elif way:
            following = os.open("..", _DIRECTORY, dir_fd=current)
        else:
            break
        os.close(current)
        current = following
        if child is None:
            seen.pop()
            try:
                visit(way.pop(), current)
            except OSError:
                pass  # the caller looks at what is left
    os.close(current)


def _find_directory(directory: int, seen: set[str]) -> str | None:
    with os.scandir(directory) as entries:
        return next((entry.name for entry in entries if entry.name not in seen and entry.is_dir(follow_symlinks=False)), None)


def _kill(path: str) -> None:
    try:
        write_control(f"{path}/cgroup.kill", "1")
        return
    except OSError:
        pass
    frozen = _try_write(f"{path}/freezer.state", "FROZEN")
    _descend(path, lambda name, parent: _kill_processes(f"{name}/cgroup.procs", parent))
    _kill_processes(f"{path}/cgroup.procs", None)
    if frozen:
        _try_write(f"{path}/freezer.state", "THAWED")


def _kill_processes(name: str, parent: int | None) -> None:
    try:
        with open(os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=parent)) as file:
            pids = [int(line) for line in file]
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP):
            raise
        return
    for pid in pids:
        try:
            os.kill(pid, SIGKILL)
        except ProcessLookupError:
            continue


def _try_write(path: str, text: str) -> bool:
    try:
        write_control(path, text)
    except OSError:
        return False
    return True
