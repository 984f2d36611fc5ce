"""What `fetch.json` sets, and what it may not."""

from __future__ import annotations

from typing import Any

import pytest

from acfetch.settings import KEYS, Settings, make_settings, parse_settings
from acspec.configuration import Said
from acspec.errors import FormatError
from tests.acfetch.configuration import config_file


def test_what_is_set_counts_and_the_rest_has_its_default() -> None:
    assert make_settings({}) == Settings(30, 60, 4)
    assert make_settings({"silenceSeconds": Said(5, "x")}) == Settings(30, 5)
    assert parse_settings(config_file({"connectSeconds": 1, "silenceSeconds": None})) == {
        "connectSeconds": 1,
        "silenceSeconds": None,
    }


def test_every_default_could_be_set() -> None:
    defaults = {key: getattr(Settings(), name) for key, (name, _, _) in KEYS.items()}
    assert parse_settings(config_file(defaults)) == defaults


BAD: dict[str, tuple[Any, str]] = {
    "no time at all": ({"connectSeconds": 0}, "connectSeconds: 0 is not from 1 to 600"),
    "hours": ({"silenceSeconds": 3601}, "silenceSeconds: 3601 is not from 1 to 3600"),
    "a fraction": ({"connectSeconds": 1.5}, "connectSeconds: is not a whole number"),
    "a typo": ({"connectSecond": 1}, r'connectSecond: is not known \("connectSeconds" is\)'),
}


@pytest.mark.parametrize(("values", "message"), BAD.values(), ids=BAD)
def test_a_setting_is_refused_that_is(values: Any, message: str) -> None:
    with pytest.raises(FormatError, match=f"/etc/appc/x.json: {message}"):
        parse_settings(config_file(values))
