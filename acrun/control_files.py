"""Numbers out of control files of cgroups, of whichever version, by tables of where a number stands and how it is written.

What is asked for is said in `usage`; nothing is counted or written here.

Source: cgroups(7); kernel Documentation/admin-guide: cgroup-v1/{cpuacct,memory,blkio-controller}.rst and cgroup-v2.rst.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    # The text of a control file into a number, None where it is not in there; and such a file with that.
    Parse = Callable[[str], int | None]
    Reading = tuple[str, Parse]

_MOST = 1 << 20


def find_number(paths: Sequence[str], readings: Sequence[Reading]) -> int | None:
    """Return the first number that *readings* find in the directories *paths*, None when none does. Source: cgroups(7)."""
    for name, parse in readings:
        for path in paths:
            text = read_control(os.path.join(path, name))
            try:
                value = parse(text) if text is not None else None
            except (ValueError, IndexError):  # "max"
                continue
            if value is not None:
                return value
    return None


def of_key(key: str, factor: int = 1) -> Parse:
    """Return what finds the number of *key* among lines of `KEY NUMBER`."""

    def parse(text: str) -> int | None:
        rows = (line.split() for line in text.splitlines())
        return next((int(row[1]) * factor for row in rows if row[:1] == [key]), None)

    return parse


def of_devices(word: str) -> Parse:
    """Return what adds up the numbers of *word* among lines of `MAJOR:MINOR WORD NUMBER`, as version 1 has them."""
    return lambda text: sum(int(row[2]) for line in text.splitlines() if (row := line.split())[1:2] == [word])


def of_pairs(key: str) -> Parse:
    """Return what adds up the numbers of *key* among lines of `MAJOR:MINOR KEY=NUMBER …`, as version 2 has them."""
    return lambda text: sum(int(pair.partition("=")[2]) for pair in text.split() if pair.startswith(f"{key}="))


def read_control(path: str) -> str | None:
    """Return the text of a control file, None where there is no such controller, or no such cgroup any more."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(_MOST)
    except OSError:
        return None
