"""Quantities of a resource: "250m", "2Gi", "0.3", 1e3; whole numbers of a base unit, reckoned exactly, without floats.

Light, because stage1 starts with it.

Source: ace.md, Resource Isolators; docs/decisions, quantities.
"""

from __future__ import annotations

from acspec.errors import FormatError
from acspec.escape import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue

MAX_QUANTITY = 2**63 - 1
MAX_CHARACTERS = 40

_DIGITS = frozenset("0123456789")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "K": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
# 40 characters hold less than 10**40; with these exponents of ten a quantity is beyond all others, or all but nothing.
_HUGE = 60
_TINY = -120


class Quantity:
    """A quantity: as it is written, and in base units; *exact* is False where it had to be rounded up or capped."""

    __slots__ = ("amount", "exact", "text")

    def __init__(self, text: str, amount: int, exact: bool = True) -> None:
        self.text = text
        self.amount = amount
        self.exact = exact

    def _values(self) -> tuple[str, int, bool]:
        return self.text, self.amount, self.exact

    def __eq__(self, other: object) -> bool:
        """Tell whether both are written alike and mean the same."""
        return isinstance(other, Quantity) and self._values() == other._values()

    def __hash__(self) -> int:
        """Return the hash of what is compared."""
        return hash(self._values())

    def __repr__(self) -> str:
        """Return what makes an equal one."""
        return f"Quantity({self.text!r}, {self.amount}, exact={self.exact})"


def parse_quantity(value: JSONValue, place: str, *, scale: int = 1) -> Quantity:
    """Return the string or JSON number *value* in base units, of which *scale* make one: 1 for bytes, 1000 for cores.

    A fraction of a base unit is rounded up, what is beyond 2^63-1 becomes that. A JSON number that is not whole counts as
    the shortest decimal that means the same.

    Raises: FormatError for what is no quantity, negative, or longer than 40 characters.
    Source: ace.md, Resource Isolators.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise FormatError(place, "is neither a string nor a number")
    text = value if isinstance(value, str) else repr(value)
    if len(text) > MAX_CHARACTERS:
        raise FormatError(place, f"a quantity longer than {MAX_CHARACTERS} characters")
    digits, ten, two = _split(text, place)
    if text[0] == "-" and digits:
        raise FormatError(place, f'"{escape(text)}" is negative')
    amount, exact = _reckon(digits * scale, ten, two)
    return Quantity(text, amount, exact)


def _split(text: str, place: str) -> tuple[int, int, int]:
    """Return the digits of *text* as a number, and the powers of ten and of two that it is multiplied by."""
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    end = next((index for index, character in enumerate(unsigned) if character not in _DIGITS and character != "."), len(unsigned))
    whole, _, fraction = unsigned[:end].partition(".")
    if "." in fraction or not whole + fraction:
        raise _fault(text, place)
    ten, two = _interpret(unsigned[end:], text, place)
    return int(whole + fraction), ten - len(fraction), two


def _interpret(suffix: str, text: str, place: str) -> tuple[int, int]:
    if suffix in _DECIMAL:
        return _DECIMAL[suffix], 0
    if suffix in _BINARY:
        return 0, _BINARY[suffix]
    sign, digits = (suffix[1], suffix[2:]) if suffix[1:2] in ("+", "-") else ("", suffix[1:])
    if suffix[0] not in "eE" or not digits or not _DIGITS.issuperset(digits):
        raise _fault(text, place)
    return int(sign + digits), 0


def _fault(text: str, place: str) -> FormatError:
    return FormatError(place, f'"{escape(text)}" is not a quantity', 'such as "250m", "1.5" or "2Gi"')


def _reckon(digits: int, ten: int, two: int) -> tuple[int, bool]:
    if not digits:
        return 0, True
    if ten > _HUGE or ten < _TINY:
        return (MAX_QUANTITY, False) if ten > 0 else (1, False)
    numerator, denominator = digits * 2**two * 10 ** max(ten, 0), 10 ** max(-ten, 0)
    amount = -(-numerator // denominator)
    return (MAX_QUANTITY, False) if amount > MAX_QUANTITY else (amount, amount * denominator == numerator)
