"""Timestamps of RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.errors import FormatError
from acspec.timestamps import Timestamp, parse_timestamp

GOOD = {
    "the beginning of 1970": ("1970-01-01T00:00:00Z", 0, 0),
    "nanoseconds": ("2015-05-18T13:49:28.351729952-04:00", 1431971368, 351729952),
    "fewer digits": ("2014-10-27T19:32:27.67Z", 1414438347, 670000000),
    "more digits than nanoseconds": ("2014-10-27T19:32:27.1234567891234567891Z", 1414438347, 123456789),
    "an offset ahead": ("2004-05-14T23:11:14+05:30", 1084556474, 0),
    "an unknown offset": ("2004-05-14T23:11:14-00:00", 1084576274, 0),
    "lower-case letters, which RFC 3339 allows": ("2004-05-14t23:11:14z", 1084576274, 0),
    "a leap day": ("2000-02-29T00:00:00Z", 951782400, 0),
    "a leap second": ("2016-12-31T23:59:60Z", 1483228800, 0),
    "a leap second elsewhere": ("2016-12-31T15:59:60.5-08:00", 1483228800, 500000000),
    "before 1970": ("1969-12-31T23:59:59Z", -1, 0),
    "the year 0": ("0000-01-01T00:00:00Z", -62167219200, 0),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_timestamp_is_a_point_in_time(case: str) -> None:
    text, seconds, nanoseconds = GOOD[case]
    assert parse_timestamp(text, "p") == Timestamp(text, seconds, nanoseconds)


BAD = {
    "a space for the T": "2015-05-18 13:49:28Z",
    "no T": "2014-11-1417:36:54",
    "no offset": "2015-05-18T13:49:28",
    "an offset without colon": "2015-05-18T13:49:28-0400",
    "an offset without minutes": "2015-05-18T13:49:28+01",
    "an offset of a day": "2015-05-18T13:49:28+24:00",
    "no seconds": "2015-05-18T13:49Z",
    "a date": "2015-05-18",
    "a point without digits": "2015-05-18T13:49:28.Z",
    "a comma": "2015-05-18T13:49:28,5Z",
    "month 0": "2015-00-18T13:49:28Z",
    "month 13": "2015-13-18T13:49:28Z",
    "day 0": "2015-05-00T13:49:28Z",
    "a day that the month has not": "2015-04-31T13:49:28Z",
    "a leap day of another year": "1900-02-29T00:00:00Z",
    "hour 24": "2015-05-18T24:00:00Z",
    "minute 60": "2015-05-18T13:60:28Z",
    "second 61": "2015-05-18T13:49:61Z",
    "a leap second at noon": "2015-05-18T12:00:60Z",
    "more after it": "2015-05-18T13:49:28Z\n",
    "more before it": " 2015-05-18T13:49:28Z",
    "digits of another script": "２015-05-18T13:49:28Z",
    "a year of five digits": "12015-05-18T13:49:28Z",
    "a sign": "-015-05-18T13:49:28Z",
    "seconds since 1970": "1416015188",
    "words": "Fri Nov 14 17:53:02 PST 2014",
    "nothing": "",
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_timestamp_is_refused(case: str) -> None:
    with pytest.raises(FormatError, match=r"timestamp of RFC 3339|leap second") as caught:
        parse_timestamp(BAD[case], "p")
    assert caught.value.what == "p"


@given(
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)),
    st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_any_time_of_the_standard_library_is_read_as_it_means(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    stamp = parse_timestamp(moment.isoformat(), "p")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    assert (stamp.seconds, stamp.nanoseconds) == (since.days * 86400 + since.seconds, since.microseconds * 1000)


@given(st.text() | st.text("0123456789-:.TZ+", max_size=30))
def test_any_text_is_a_timestamp_or_refused_with_our_error(text: str) -> None:
    try:
        assert parse_timestamp(text, "p").text == text
    except FormatError as error:
        assert error.what == "p"
