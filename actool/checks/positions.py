"""Where the places of a JSON document stand in its text: `app.exec[0]` as line and column, for editors and code scanning.

The text is known to be JSON. Places are spelt as `acspec.fields` spells them.

Source: RFC 8259.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from acspec.fields import key_name

_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def get_positions(text: str, places: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return line and column, from 1, of each of *places* in *text*; of what is not there, those of what it is missing in.

    Source: RFC 8259.
    """
    wanted = {place: [*_outer(place)] for place in places}
    offsets = _find_offsets(text, {place for outer in wanted.values() for place in outer})
    found = {place: offsets[next(outer for outer in chain if outer in offsets)] for place, chain in wanted.items()}
    return {place: (text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)) for place, offset in found.items()}


def _outer(place: str) -> Iterable[str]:
    """Return *place* and what it lies in, up to the whole document."""
    while place:
        yield place
        place = place[: max(place.rfind("."), place.rfind("["), 0)]
    yield ""


class _Container:
    """An object or list that the walk is inside of: its place, the number of the item, and the place of the member."""

    __slots__ = ("is_list", "member", "number", "place")

    def __init__(self, place: str, *, is_list: bool) -> None:
        self.place = place
        self.is_list = is_list
        self.number = 0
        self.member: str | None = None

    def name_value(self) -> str:
        """Return the place of the value that comes next."""
        return f"{self.place}[{self.number}]" if self.is_list else self.member or ""


def _find_offsets(text: str, wanted: set[str]) -> dict[str, int]:
    """Return where each of the *wanted* places begins: a member with its key, an item with its value."""
    offsets: dict[str, int] = {}
    inside: list[_Container] = []
    for match in _TOKENS.finditer(text):
        word, top = match[0], inside[-1] if inside else None
        if word in "}]":
            inside.pop()
        elif word == ",":
            if top is not None:
                top.number += 1
                top.member = None
        elif top is not None and not top.is_list and top.member is None:
            key = key_name(json.loads(word))
            top.member = f"{top.place}.{key}" if top.place else key
            if top.member in wanted:
                offsets.setdefault(top.member, match.start())
        elif word != ":":
            place = top.name_value() if top is not None else ""
            if place in wanted:
                offsets.setdefault(place, match.start())
            if word in "{[":
                inside.append(_Container(place, is_list=word == "["))
    return offsets
