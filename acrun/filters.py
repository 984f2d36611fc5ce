"""Compiled filters of system calls, kept in RUN/filters under the key of their profile, and what an app has of one. Light.

Source: spec/store.md, Compiled filters.
"""

from __future__ import annotations

import os

from acspec import limits
from acspec.durable import write_file
from acspec.errors import ToolError
from acspec.jsontext import dump_json, read_json_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue

_INSTRUCTION = 8


class Compiled:
    """A program for the kernel, and the names in its profile that mean no call here."""

    __slots__ = ("program", "unknown")

    def __init__(self, program: bytes, unknown: tuple[str, ...]) -> None:
        self.program = program
        self.unknown = unknown


class Filter:
    """The filter of an app: key and program (None and nothing: no filter), the isolator it is of, what became of that, and why."""

    __slots__ = ("isolator", "key", "program", "state", "why")

    def __init__(self, key: str | None, program: bytes, isolator: str, state: str, why: str | None) -> None:
        self.key = key
        self.program = program
        self.isolator = isolator
        self.state = state
        self.why = why

    @property
    def is_modified(self) -> bool:
        """Whether the filter is not wholly what the isolator asks for."""
        return self.state == "modified"

    def to_json(self) -> dict[str, JSONValue]:
        """Return what stage1 is told. Source: spec/stage1.md, stage1.json."""
        return {"filter": self.key is not None, "isolator": self.isolator, "state": self.state, "why": self.why}

    def to_note(self) -> JSONValue:
        """Return what a note of a plan keeps: all but the program, which lies under the key."""
        return [self.key, self.isolator, self.state, self.why]


def read_noted(run_directory: str, value: JSONValue) -> Filter:
    """Return the filter that `Filter.to_note` made *value* of, its program read anew.

    Raises: TypeError or ValueError for anything else; FileNotFoundError when the program has been collected.
    """
    if not isinstance(value, list):
        raise TypeError("not of the form that to_note writes")
    key, isolator, state, why = (None if item is None else str(item) for item in value)
    if isolator is None or state is None:
        raise TypeError("not of the form that to_note writes")
    if key is None:
        return Filter(None, b"", isolator, state, why)
    compiled = find_compiled(run_directory, key)
    if compiled is None:
        raise FileNotFoundError(key)
    return Filter(key, compiled.program, isolator, state, why)


def find_compiled(run_directory: str, key: str) -> Compiled | None:
    """Return what was kept under *key*, or None when there is nothing, or nothing that can be believed."""
    try:
        value = read_json_file(_path(run_directory, key))
        if not isinstance(value, dict) or value["key"] != key:
            return None
        program, unknown = bytes.fromhex(str(value["program"])), value["unknown"]
        if not isinstance(unknown, list) or not 0 < len(program) <= limits.SECCOMP_FILTER_BYTES or len(program) % _INSTRUCTION:
            return None
    except (ToolError, OSError, KeyError, ValueError):
        return None
    return Compiled(program, tuple(map(str, unknown)))


def keep_compiled(run_directory: str, key: str, compiled: Compiled) -> None:
    """Keep *compiled* under *key*. Nothing depends on it, so a disk that takes nothing is no error."""
    try:
        path = _path(run_directory, key)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_file(path, dump_json({"key": key, "program": compiled.program.hex(), "unknown": list(compiled.unknown)}))
    except (ToolError, OSError):
        pass


def _path(run_directory: str, key: str) -> str:
    return os.path.join(run_directory, "filters", f"{key}.json")
