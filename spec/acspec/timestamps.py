"""Timestamps: the `date-time` of RFC 3339, with the T between date and time.

Written by hand, because no parser of the standard library takes exactly this; no clock or time zone of the machine is asked.

Source: types.md, Timestamps Type; RFC 3339, section 5.6.
"""

from __future__ import annotations

from acspec.errors import FormatError
from acspec.escape import escape
from acspec.values import Value

_DIGITS = frozenset("0123456789")
_DAY = 86400
_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Timestamp(Value):
    """A point in time: as it is written, and seconds since 1970 began in UTC with nanoseconds; a leap second is the next one."""

    text: str
    seconds: int
    nanoseconds: int = 0


def parse_timestamp(text: str, place: str) -> Timestamp:
    """Return the timestamp *text*: `2015-05-18T13:49:28.351729952-04:00`. Digits beyond nanoseconds are dropped.

    Raises: FormatError.
    Source: types.md, Timestamps Type; RFC 3339, sections 5.6 and 5.7.
    """
    clock, fraction, offset = _split(text)
    year, month, day = _numbers(clock[:10], "dddd-dd-dd")
    hour, minute, second = _numbers(clock[11:19], "dd:dd:dd")
    shift = _parse_offset(offset)
    days = _count_days(year, month, day)
    if (
        clock[10:11] not in ("T", "t")
        or len(clock) != 19
        or shift is None
        or days is None
        or hour > 23
        or minute > 59
        or second > 60
    ):
        raise FormatError(place, f'"{escape(text)}" is not a timestamp of RFC 3339', "such as 2015-05-18T13:49:28Z")
    seconds = days * _DAY + hour * 3600 + minute * 60 + second - shift
    if second == 60 and seconds % _DAY:
        raise FormatError(place, f'"{escape(text)}" is no leap second: those end a day of UTC')
    return Timestamp(text, seconds, int(fraction[:9].ljust(9, "0")))


def _split(text: str) -> tuple[str, str, str]:
    """Return date and time, the digits of the fraction, and the offset; nothing fits anywhere else when the form is wrong."""
    clock, rest = text[:19], text[19:]
    if rest[:1] != ".":
        return clock, "", rest
    length = next((index for index, character in enumerate(rest[1:]) if character not in _DIGITS), len(rest) - 1)
    return (clock, rest[1 : 1 + length], rest[1 + length :]) if length else ("", "", "")


def _numbers(text: str, form: str) -> list[int]:
    """Return the three numbers in *text*, which has the form *form*, d for a digit; else three that no calendar has."""
    fits = len(text) == len(form) and all(
        character in _DIGITS if wanted == "d" else character == wanted for character, wanted in zip(text, form, strict=True)
    )
    return [int(part) for part in text.replace("-", ":").split(":")] if fits else [99, 99, 99]


def _parse_offset(text: str) -> int | None:
    """Return the seconds that a local time is ahead of UTC."""
    if text in ("Z", "z"):
        return 0
    hours, minutes, _ = _numbers(text[1:] + ":00", "dd:dd:dd")
    if text[:1] not in ("+", "-") or hours > 23 or minutes > 59:
        return None
    return (hours * 3600 + minutes * 60) * (-1 if text[0] == "-" else 1)


def _count_days(year: int, month: int, day: int) -> int | None:
    """Return the days from 1970-01-01 to a date of the Gregorian calendar, None when there is no such day."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= day <= _MONTHS[month - 1] + (leap and month == 2):
        return None
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 + sum(_MONTHS[: month - 1]) + (leap and month > 2) + day
    return days - 719163  # 1970-01-01 is day 719163 of the calendar
