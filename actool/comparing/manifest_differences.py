"""What differs between two manifests, place by place, in what they mean: order of keys and white space do not count.

Lists that the specification gives names to are compared by these names, lists that stand for sets by what is in them, all others
item by item.

Source: aci.md, Image Manifest Schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from acspec.jsontext import parse_json
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue

_NAMED = frozenset(
    ("labels", "annotations", "app.environment", "app.eventHandlers", "app.isolators", "app.mountPoints", "app.ports")
)
_SETS = frozenset(("app.supplementaryGIDs", "pathWhitelist"))


class Missing(Value):
    """The value of what is not there, which no JSON value can stand for."""


MISSING = Missing()


class PlaceDifference(Value):
    """A place at which two manifests differ, `app.exec[0]` or `labels[version].value`, with what each of them has there."""

    place: str
    old: JSONValue | Missing
    new: JSONValue | Missing


def find_manifest_differences(old: bytes, new: bytes) -> Iterator[PlaceDifference]:
    """Return where two manifests differ, in the order of their keys' names.

    Raises: FormatError when one is no JSON.
    Source: aci.md, Image Manifest Schema.
    """
    yield from _compare("", parse_json(old, "manifest"), parse_json(new, "manifest"))


def _compare(place: str, old: JSONValue | Missing, new: JSONValue | Missing) -> Iterator[PlaceDifference]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _compare_keys(f"{place}." if place else "", "", _without_nulls(old), _without_nulls(new))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(place, old, new)
    elif isinstance(old, bool) != isinstance(new, bool) or old != new:  # to Python, true is 1
        yield PlaceDifference(place, old, new)


def _without_nulls(value: dict[str, JSONValue]) -> dict[str, JSONValue]:
    return {key: item for key, item in value.items() if item is not None}  # a null is read as an absent key


def _compare_keys(before: str, after: str, old: Mapping[str, JSONValue], new: Mapping[str, JSONValue]) -> Iterator[PlaceDifference]:
    for key in sorted(old.keys() | new.keys()):
        yield from _compare(f"{before}{key}{after}", old.get(key, MISSING), new.get(key, MISSING))


def _compare_lists(place: str, old: list[JSONValue], new: list[JSONValue]) -> Iterator[PlaceDifference]:
    if place in _SETS and all(isinstance(item, str | int) for item in [*old, *new]):
        yield from (PlaceDifference(place, item, MISSING) for item in _without(old, new))
        yield from (PlaceDifference(place, MISSING, item) for item in _without(new, old))
        return
    named_old, named_new = _find_names(old), _find_names(new)
    if place in _NAMED and named_old is not None and named_new is not None:
        yield from _compare_keys(f"{place}[", "]", named_old, named_new)
        return
    for index in range(max(len(old), len(new))):
        here, there = (items[index] if index < len(items) else MISSING for items in (old, new))
        yield from _compare(f"{place}[{index}]", here, there)


def _find_names(items: list[JSONValue]) -> dict[str, JSONValue] | None:
    """Return *items* by their names, None when one has none or shares it."""
    named: dict[str, JSONValue] = {}
    for item in items:
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or name in named:
            return None
        named[name] = item
    return named


def _without(items: list[JSONValue], others: list[JSONValue]) -> list[JSONValue]:
    """Return those scalars among *items* that are not among *others*, in time that grows with their number."""
    known = set(map(repr, others))
    return [item for item in items if repr(item) not in known]
