"""Paths followed inside a root file system, through its symbolic links, as a process in a chroot would follow them.

What is there a look-up says, so an archive that is not unpacked will do, and nothing of the host is ever touched.

Source: path_resolution(7), symlink(7).
"""

from __future__ import annotations

from collections.abc import Callable

from acspec.archive.entry import Entry, Kind
from acspec.escape import escape

MAX_LINKS = 40
PATH_BYTES = 4095  # PATH_MAX without the zero byte

# The entry of a path relative to the root (`b"etc/passwd"`), or None when nothing is there; an implied directory is one, too.
Find = Callable[[bytes], Entry | None]


class NowhereError(ValueError):
    """A path leads nowhere; the text says why, lower-case, without full stop."""


def resolve(path: bytes, find: Find) -> bytes:
    """Return where *path* leads: relative to the root, without links, `.` and `..`; `b""` is the root itself.

    A link at its end is followed, too. `..` and absolute targets never leave the root. A slash at the end asks for a directory.

    Raises: NowhereError when something on its way is missing or no directory, or there are more than 40 links.
    Source: path_resolution(7).
    """
    if not path:
        raise NowhereError("no such file")
    here: list[bytes] = []
    ahead = _split(path)
    links = 0
    while ahead:
        part = ahead.pop()
        if part in (b"", b"."):
            continue
        if part == b"..":
            del here[-1:]
            continue
        place = b"/".join([*here, part])
        entry = find(place)
        while entry is not None and entry.kind is Kind.HARD_LINK:  # which may be one to a symbolic link
            entry = find(entry.link_name)
        if entry is None:
            raise NowhereError(_missing(path, place))
        if entry.kind is Kind.SYMLINK:
            links += 1
            if links > MAX_LINKS:
                raise NowhereError(f"more than {MAX_LINKS} symbolic links on its way")
            if entry.link_name.startswith(b"/"):
                here.clear()
            ahead += _split(entry.link_name)
            continue
        if ahead and entry.kind is not Kind.DIRECTORY:
            raise NowhereError(f'"/{escape(place)}" on its way is not a directory')
        here.append(part)
    return b"/".join(here)


def _split(path: bytes) -> list[bytes]:
    """Return the components of *path*, the first one last. Raises: NowhereError beyond what the kernel takes."""
    if len(path) > PATH_BYTES:
        raise NowhereError(f"a path longer than the kernel's limit of {PATH_BYTES} bytes on its way")
    return path.split(b"/")[::-1]


def _missing(path: bytes, place: bytes) -> str:
    if [part for part in path.split(b"/") if part not in (b"", b".")] == place.split(b"/"):
        return "no such file"
    return f'no such file: "/{escape(place)}" on its way is not there'
