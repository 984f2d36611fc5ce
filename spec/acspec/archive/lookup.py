"""Paths followed inside a root file system, through its symbolic links, as a process in a chroot would follow them.

What is there a look-up says, so an archive that is not unpacked will do, and nothing of the host is ever touched.

Source: path_resolution(7), symlink(7).
"""

from __future__ import annotations

from collections.abc import Callable

from acspec.archive.entry import Kind
from acspec.escape import escape
from acspec.typed import Protocol

MAX_LINKS = 40
PATH_BYTES = 4095  # PATH_MAX without the zero byte

# Why a path leads nowhere; a look-up may know other reasons.
ABSENT = "is not there"
NO_DIRECTORY = "is not a directory"
LINKS = f"more than {MAX_LINKS} symbolic links"
LONG = f"a path longer than the kernel's limit of {PATH_BYTES} bytes"


class Step(Protocol):
    """What stands at one path: its type, and where a link leads: a hard link from the root on, a symbolic one from where it is."""

    @property
    def kind(self) -> Kind | None:
        """The type of the file."""

    @property
    def link_name(self) -> bytes:
        """Where a link leads."""


# What stands at a path relative to the root (`b"etc/passwd"`), an implied directory, too; None for nothing, or in words why not.
Find = Callable[[bytes], Step | str | None]


class NowhereError(ValueError):
    """A path leads nowhere; the text says so, lower-case, without full stop.

    `why` is one of the reasons above, or what the look-up said; `place` is where the way ends, relative to the root, and `rest`
    what would have followed there, without `.` and empty components.
    """

    def __init__(self, text: str, why: str = ABSENT, place: bytes = b"", rest: bytes = b"") -> None:
        super().__init__(text)
        self.why = why
        self.place = place
        self.rest = rest


def resolve(path: bytes, find: Find) -> bytes:
    """Return where *path* leads: relative to the root, without links, `.` and `..`; `b""` is the root itself.

    A link at its end is followed, too. `..` and absolute targets never leave the root. A slash at the end asks for a directory.

    Raises: NowhereError when something on its way is missing or no directory, or there are more than 40 links.
    Source: path_resolution(7).
    """
    if not path:
        raise NowhereError("no such file")
    here, links = b"", 0
    ahead: list[bytes] = []
    _enter(path, path, here, ahead)
    while ahead:
        part = ahead.pop()
        if part in (b"", b"."):
            continue
        if part == b"..":
            here = here.rpartition(b"/")[0]
            continue
        place = here + b"/" + part if here else part
        step = _look(place, find)
        if isinstance(step, str):
            raise _nowhere(step, path, place, ahead)
        if step.kind is Kind.SYMLINK:
            links += 1
            if links > MAX_LINKS:
                raise _nowhere(LINKS, path, place, ahead)
            _enter(step.link_name, path, place, ahead)
            here = b"" if step.link_name.startswith(b"/") else here
        elif ahead and step.kind is not Kind.DIRECTORY:
            raise _nowhere(NO_DIRECTORY, path, place, ahead)
        else:
            here = place
    return here


def _look(place: bytes, find: Find) -> Step | str:
    """Return what stands at *place*, or why nothing does; for a hard link, which may be one to a symbolic link, the file itself."""
    step = find(place)
    while step is not None and not isinstance(step, str) and step.kind is Kind.HARD_LINK:
        step = find(step.link_name)
    return ABSENT if step is None else step


def _enter(way: bytes, path: bytes, place: bytes, ahead: list[bytes]) -> None:
    """Put the components of *way* before those *ahead*, the first one last. Raises: NowhereError when it is too long."""
    if len(way) > PATH_BYTES:  # beyond what the kernel takes
        raise _nowhere(LONG, path, place, ahead)
    ahead += way.split(b"/")[::-1]


def _nowhere(why: str, path: bytes, place: bytes, ahead: list[bytes]) -> NowhereError:
    if why in (LINKS, LONG):
        text = f"{why} on its way"
    elif why != ABSENT:
        text = f'"/{escape(place)}" on its way {why}'
    elif _components(path.split(b"/")) == place.split(b"/"):
        text = "no such file"
    else:
        text = f'no such file: "/{escape(place)}" on its way {why}'
    return NowhereError(text, why, place, b"/".join(_components(ahead[::-1])))


def _components(parts: list[bytes]) -> list[bytes]:
    return [part for part in parts if part not in (b"", b".")]
