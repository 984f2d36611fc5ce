"""Quantities: what they are in base units, exactly, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.errors import FormatError
from acspec.quantities import MAX_QUANTITY, Quantity, parse_quantity

BYTES = {
    "a plain number": ("128974848", 128974848),
    "the same in Ki": ("125952Ki", 128974848),
    "the same in Mi": ("123Mi", 128974848),
    "kilo, as the specification writes it": ("8K", 8000),
    "kilo, as everybody else does": ("8k", 8000),
    "mega": ("7.123456M", 7123456),
    "giga": ("1G", 10**9),
    "tera": ("5T", 5 * 10**12),
    "peta": ("2.5P", 25 * 10**14),
    "exa": ("1E", 10**18),
    "exbi": ("3Ei", 3 * 2**60),
    "pebi": ("4Pi", 2**52),
    "tebi with a fraction that is whole": ("0.5Ti", 2**39),
    "an exponent": ("1e3", 1000),
    "an exponent with a sign": ("1.3E+6", 1300000),
    "a small exponent": ("5000e-3", 5),
    "zero": ("0", 0),
    "zero of something": ("0Gi", 0),
    "minus zero": ("-0", 0),
    "zero of an enormous exponent": ("0e999999999", 0),
    "a plus": ("+5", 5),
    "zeros before": ("007", 7),
    "no digit after the point": ("1.G", 10**9),
    "no digit before the point": (".001k", 1),
    "a JSON number": (3, 3),
    "a JSON number with a fraction": (2.0, 2),
    "an enormous JSON number": (1e18, 10**18),
}


@pytest.mark.parametrize("case", BYTES)
def test_bytes_are_exact(case: str) -> None:
    value, amount = BYTES[case]
    assert parse_quantity(value, "p") == Quantity(value if isinstance(value, str) else repr(value), amount)


CORES = {"250m": 250, "0.3": 300, "1": 1000, "2k": 2000000, "1.5": 1500, "20m": 20, "1500u": 2}


@pytest.mark.parametrize("text", CORES)
def test_cores_count_in_thousandths(text: str) -> None:
    assert parse_quantity(text, "p", scale=1000).amount == CORES[text]


def test_a_decimal_that_no_float_holds_is_exact_all_the_same() -> None:
    assert parse_quantity(0.3, "p", scale=1000) == Quantity("0.3", 300)
    assert parse_quantity("9007199254740993", "p").amount == 9007199254740993
    assert parse_quantity("0.1Ei", "p").amount == -(-(2**60) // 10)


INEXACT = {
    "part of a byte": ("300m", 1),
    "hardly anything": ("0.0000000005", 1),
    "less than hardly anything": ("1e-999999999", 1),
    "a byte and a bit": ("1.01", 2),
    "a binary fraction": ("0.1Ki", 103),
    "beyond 64 bits": ("9Ei", MAX_QUANTITY),
    "beyond 64 bits in decimals": ("12E", MAX_QUANTITY),
    "beyond all bounds": ("1e999999999", MAX_QUANTITY),
}


@pytest.mark.parametrize("case", INEXACT)
def test_what_had_to_be_rounded_up_or_capped_says_so(case: str) -> None:
    text, amount = INEXACT[case]
    assert parse_quantity(text, "p") == Quantity(text, amount, exact=False)


REFUSED: dict[str, tuple[Any, str]] = {
    "nothing": ("", "is not a quantity"),
    "a point": (".", "is not a quantity"),
    "a sign": ("-", "is not a quantity"),
    "two points": ("1.1.M", "is not a quantity"),
    "space before": (" 1", "is not a quantity"),
    "space after": ("1 ", "is not a quantity"),
    "a line end": ("1\n", "is not a quantity"),
    "a sign inside": ("1+1.0M", "is not a quantity"),
    "lower-case mebi": ("0.1mi", "is not a quantity"),
    "an i alone": ("1i", "is not a quantity"),
    "lower-case g": ("1g", "is not a quantity"),
    "a unit": ("1GB", "is not a quantity"),
    "an exponent without number": ("3e", "is not a quantity"),
    "an exponent with only a sign": ("3e-", "is not a quantity"),
    "a word": ("plenty", "is not a quantity"),
    "digits of another script": ("٣", "is not a quantity"),
    "a thousands separator": ("1_000", "is not a quantity"),
    "negative": ("-1", "is negative"),
    "negative and small": ("-1e-99", "is negative"),
    "a negative JSON number": (-5, "is negative"),
    "too long": ("1" * 41, "longer than 40 characters"),
    "true": (True, "is neither a string nor a number"),
    "null": (None, "is neither a string nor a number"),
    "a list": ([], "is neither a string nor a number"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_quantity_is_refused(case: str) -> None:
    value, words = REFUSED[case]
    with pytest.raises(FormatError, match=words) as caught:
        parse_quantity(value, "p")
    assert caught.value.what == "p"


SUFFIXES: dict[str, Fraction] = {"": Fraction(1), "m": Fraction(1, 1000), "u": Fraction(1, 10**6), "n": Fraction(1, 10**9)}
SUFFIXES |= {suffix: Fraction(10) ** power for suffix, power in zip("kMGTPE", range(3, 19, 3), strict=True)}
SUFFIXES |= {f"{suffix}i": Fraction(2) ** power for suffix, power in zip("KMGTPE", range(10, 61, 10), strict=True)}


@given(st.integers(0, 10**12), st.integers(0, 10**9), st.sampled_from(sorted(SUFFIXES)), st.sampled_from([1, 1000]))
def test_any_quantity_is_what_fractions_make_of_it_rounded_up(whole: int, part: int, suffix: str, scale: int) -> None:
    exact = Fraction(f"{whole}.{part:09}") * SUFFIXES[suffix] * scale
    quantity = parse_quantity(f"{whole}.{part:09}{suffix}", "p", scale=scale)
    assert quantity.amount == min(-(-exact.numerator // exact.denominator), MAX_QUANTITY)
    assert quantity.exact == (quantity.amount == exact)


@given(st.text(max_size=50) | st.text("0123456789.+-eEKMGmi", max_size=50) | st.floats() | st.integers())
def test_any_value_is_a_quantity_or_refused_with_our_error(value: Any) -> None:
    try:
        quantity = parse_quantity(value, "p")
    except FormatError:
        return
    assert 0 <= quantity.amount <= MAX_QUANTITY
