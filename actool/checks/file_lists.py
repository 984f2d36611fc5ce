"""The files of one command line: those named there, and those of a list, one path a line.

Source: spec/limits.md.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from acspec import limits
from acspec.archive.image import open_image
from acspec.errors import FormatError, UsageError
from acspec.jsontext import read_limited
from actool.checks.reports import STANDARD_INPUT


def read_file_names(files: Sequence[str], listed_in: str | None) -> tuple[str, ...]:
    """Return *files*, and behind them the paths in the file *listed_in*, which may be `-` for standard input.

    Raises: UsageError for no file at all, or for standard input twice; FormatError beyond a limit; MissingInputError; OSError.
    Source: spec/limits.md.
    """
    if [*files, listed_in].count(STANDARD_INPUT) > 1:
        raise UsageError(STANDARD_INPUT, "standard input can be read only once")
    names = [*files, *(_read_list(listed_in) if listed_in is not None else [])]
    if not names:
        raise UsageError("FILE…", "names no file", "actool validate FILE…, or --files-from LIST")
    return tuple(names)


def _read_list(path: str) -> list[str]:
    name = "standard input" if path == STANDARD_INPUT else path
    data = _read(path, name)
    if len(data) > limits.FILE_LIST_BYTES:
        raise FormatError(name, f"larger than the limit of {limits.FILE_LIST_BYTES} bytes", "is this a list of files?")
    lines = [(number, line) for number, line in enumerate(data.split(b"\n"), start=1) if line]
    if len(lines) > limits.FILE_LIST_LINES:
        raise FormatError(name, f"more than the limit of {limits.FILE_LIST_LINES} lines")
    if not lines:
        raise UsageError(name, "names no file", "did what makes the list fail?")
    return [_parse_line(line, f"{name}, line {number}") for number, line in lines]


def _read(path: str, name: str) -> bytes:
    if path == STANDARD_INPUT:
        if os.isatty(0):
            raise UsageError(name, "a terminal holds no list of files", "use a pipe or name a file")
        return read_limited(0, limits.FILE_LIST_BYTES)
    descriptor = open_image(path)
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise FormatError(name, "a directory, not a list of files")
        return read_limited(descriptor, limits.FILE_LIST_BYTES)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    finally:
        os.close(descriptor)


def _parse_line(line: bytes, place: str) -> str:
    if b"\0" in line:
        raise FormatError(place, "holds a zero byte", "one path a line")
    if len(line) > limits.FILE_LINE_BYTES:
        raise FormatError(place, f"longer than the limit of {limits.FILE_LINE_BYTES} bytes")
    path = os.fsdecode(line)
    return "./-" if path == STANDARD_INPUT else path  # in a list it is a file of that name
