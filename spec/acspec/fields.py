"""JSON objects read field by field, each value checked for its type, each fault with its place.

A place is the path inside the document, `app.mountPoints[2].path`, behind the name of the document. Keys that nobody asked for
are kept, so that they can be written back. A null is read as an absent key, as the reference does. What is odd without being
wrong goes to a list of warnings, when somebody has given one.

Source: aci.md and pods.md, the schemas.
"""

from __future__ import annotations

from acspec.errors import FormatError
from acspec.escape import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeVar

    from acspec.jsontext import JSONValue

    T = TypeVar("T")


# No key of a manifest is half as long.
_LONGEST_TYPO = 64


class Oddity(str):
    """A line about what is odd in a document without being wrong; it knows its place there, and the rule that finds it."""

    __slots__ = ("place", "rule", "why")

    place: str
    why: str
    rule: str

    def __new__(cls, place: str, why: str, rule: str) -> Oddity:
        """Make the line of its parts; *rule* is one of those that docs/validation.md explains."""
        line = super().__new__(cls, f"{place}: {why}" if place else why)
        line.place, line.why, line.rule = place, why, rule
        return line


class Fields:
    """One JSON object of a document: reads its keys, knows its place, and remembers what was not read."""

    __slots__ = ("_document", "_taken", "_values", "_warnings", "place")

    def __init__(self, value: JSONValue, document: str, place: str = "", warnings: list[Oddity] | None = None) -> None:
        """Wrap *value*, the object at *place* of *document*; *warnings* takes what is odd, each with its place.

        Raises: FormatError when it is no object.
        """
        self._document = document
        self.place = place
        self._warnings = warnings
        self._taken: set[str] = set()
        if not isinstance(value, dict):
            raise self.fault(None, "not a JSON object")
        self._values = value

    def at(self, key: str | None) -> str:
        """Return the name of a place for errors: the document and the path to *key*."""
        path = self._path(key)
        return f"{self._document}: {path}" if path else self._document

    def _path(self, key: str | None) -> str:
        return self.place if key is None else f"{self.place}.{key}" if self.place else key

    def fault(self, key: str | None, why: str, hint: str | None = None) -> FormatError:
        """Return the error that says what is wrong with *key*."""
        return FormatError(self.at(key), why, hint)

    def warn(self, key: str | None, why: str, rule: str) -> None:
        """Take down what is odd about *key* without being wrong, by which *rule*."""
        if self._warnings is not None:
            self._warnings.append(Oddity(self._path(key), why, rule))

    def names(self) -> tuple[str, ...]:
        """Return the keys that are there, read or not, in their order."""
        return tuple(self._values)

    def has(self, key: str) -> bool:
        """Tell whether *key* is there and not null."""
        return self._values.get(key) is not None

    def holds(self, key: str) -> bool:
        """Tell whether *key* is there, be it null."""
        return key in self._values

    def _get(self, key: str) -> JSONValue:
        self._taken.add(key)
        return self._values.get(key)

    def required(self, key: str) -> JSONValue:
        """Return the value of *key*. Raises: FormatError when it is absent or null."""
        value = self._get(key)
        if value is None:
            raise self.fault(key, *missing(key, self._values))
        return value

    def anything(self, key: str) -> JSONValue:
        """Return the value of *key*, which may be null. Raises: FormatError when it is absent."""
        return self._get(key) if key in self._values else self.required(key)

    def text(self, key: str) -> str:
        """Return the string at *key*. Raises: FormatError."""
        return self._as_text(self.required(key), key)

    def optional_text(self, key: str) -> str | None:
        """Return the string at *key*, or None. Raises: FormatError."""
        value = self._get(key)
        return None if value is None else self._as_text(value, key)

    def named(self, key: str, parse: Callable[[str, str], T]) -> T:
        """Return the string at *key* as *parse* reads it. Raises: FormatError."""
        return parse(self.text(key), self.at(key))

    def optional_named(self, key: str, parse: Callable[[str, str], T]) -> T | None:
        """Return the string at *key* as *parse* reads it, or None. Raises: FormatError."""
        return None if self._get(key) is None else self.named(key, parse)

    def boolean(self, key: str) -> bool | None:
        """Return the boolean at *key*, or None. Raises: FormatError."""
        value = self._get(key)
        if value is not None and not isinstance(value, bool):
            raise self.fault(key, "is neither true nor false")
        return value

    def integer(self, key: str, low: int, high: int) -> int | None:
        """Return the whole number at *key*, from *low* to *high*, or None. Raises: FormatError."""
        value = self._get(key)
        return None if value is None else self._as_integer(value, key, low, high)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the list of strings at *key*, empty when absent. Raises: FormatError."""
        return tuple(self._as_text(item, f"{key}[{index}]") for index, item in enumerate(self.items(key)))

    def integers(self, key: str, low: int, high: int) -> tuple[int, ...]:
        """Return the list of whole numbers at *key*, empty when absent. Raises: FormatError."""
        return tuple(self._as_integer(item, f"{key}[{index}]", low, high) for index, item in enumerate(self.items(key)))

    def objects(self, key: str) -> tuple[Fields, ...]:
        """Return the list of objects at *key*, empty when absent. Raises: FormatError."""
        items = enumerate(self.items(key))
        return tuple(Fields(item, self._document, f"{self._path(key)}[{index}]", self._warnings) for index, item in items)

    def object(self, key: str) -> Fields | None:
        """Return the object at *key*, or None. Raises: FormatError."""
        value = self._get(key)
        return None if value is None else Fields(value, self._document, self._path(key), self._warnings)

    def required_object(self, key: str) -> Fields:
        """Return the object at *key*. Raises: FormatError, also when it is absent."""
        return Fields(self.required(key), self._document, self._path(key), self._warnings)

    def text_map(self, key: str) -> dict[str, str]:
        """Return the object of strings at *key*, empty when absent. Raises: FormatError."""
        value = self._get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.fault(key, "not a JSON object")
        return {name: self._as_text(item, f"{key}.{key_name(name)}") for name, item in value.items()}

    def items(self, key: str) -> list[JSONValue]:
        """Return the list at *key*, whatever is in it, empty when absent. Raises: FormatError."""
        value = self._get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.fault(key, "is not a list")
        return value

    def _as_text(self, value: JSONValue, key: str) -> str:
        if not isinstance(value, str):
            raise self.fault(key, "is not a string")
        if "\0" in value:
            raise self.fault(key, "holds a zero byte")
        return value

    def _as_integer(self, value: JSONValue, key: str, low: int, high: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.fault(key, "is not a whole number")
        if not low <= value <= high:
            raise self.fault(key, f"{value} is not from {low} to {high}")
        return value

    def unknown(self) -> dict[str, JSONValue]:
        """Return the keys that nobody has read, to be written back, with a warning of those that look like a known one."""
        unknown = {key: value for key, value in self._values.items() if key not in self._taken}
        if unknown and self._warnings is not None:
            known = {key.casefold(): key for key in self._taken}
            for key in unknown:
                if key.casefold() in known:
                    self.warn(key_name(key), f'is not known; "{known[key.casefold()]}" is, and case matters', "unknown-key")
                elif (near := _near(key, self._taken)) is not None:
                    self.warn(key_name(key), f'is not known; was "{near}" meant?', "unknown-key")
        return unknown

    def check_known(self) -> None:
        """Check that every key has been read: for objects of ours, in which nothing is kept. Raises: FormatError."""
        for key in self._values:
            if key not in self._taken:
                near = _near(key, self._taken)
                raise self.fault(key_name(key), "is not known", f'"{near}" is' if near is not None else None)


def _near(key: str, known: Iterable[str]) -> str | None:
    from difflib import get_close_matches

    found = get_close_matches(key[:_LONGEST_TYPO], sorted(known), 1, 0.75)
    return found[0] if found else None


def key_name(key: str) -> str:
    """Return *key* as a place shows it."""
    return escape(key, 60)


def missing(key: str, values: Iterable[str]) -> tuple[str, str | None]:
    """Return what to say of *key* that is not among *values*, the keys of an object: why, and a hint."""
    near = next((other for other in values if other != key and other.casefold() == key.casefold()), None)
    return "is required", None if near is None else f'there is "{escape(near, 60)}", but case matters'


def find_repeated(names: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Return each name that came before, with its index and what to say of it."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield index, f'a second "{escape(name)}"'
        seen.add(name)


def check_unique(fields: Fields, key: str, names: Iterable[str]) -> None:
    """Check that no name comes twice in the list at *key*. Raises: FormatError."""
    for index, why in find_repeated(names):
        raise fields.fault(f"{key}[{index}]", why)
