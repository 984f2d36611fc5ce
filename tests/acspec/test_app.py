"""The app: the reference's own tables, in our words."""

from __future__ import annotations

from typing import Any

import pytest

from acspec.app import App, EnvironmentVariable
from acspec.errors import FormatError
from acspec.fields import Fields

APP: dict[str, Any] = {"exec": ["/bin/httpd"], "user": "0", "group": "0"}


def read(**more: Any) -> App:
    return App.read(Fields({**APP, **more}, "m", "app"))


TAKEN: dict[str, dict[str, Any]] = {
    "an absolute program with arguments": {"exec": ["/app", "arg1", "arg2"], "workingDirectory": "/tmp"},
    "a program to be sought": {"exec": ["app"]},
    "a relative program": {"exec": ["bin/app", "arg1"]},
    "no program": {"exec": []},
    "null for a program, as other tools write it": {"exec": None},
    "both events": {"eventHandlers": [{"name": "pre-start", "exec": ["/a"]}, {"name": "post-stop", "exec": ["/b"]}]},
    "names of variables": {
        "environment": [{"name": name, "value": ""} for name in ("DEBUG", "_0_DEBUG_0_", "DEBUG.0", "DEBUG-0", "_")]
    },
    "a user by name and a group by file": {"user": "www-data", "group": "/usr/bin/ping"},
    "any keys of the user's": {"userAnnotations": {"weird!": "normal?"}, "userLabels": {"one!": "two?", "": ""}},
    "the last port": {"ports": [{"name": "a", "protocol": "x", "port": 65535, "count": 1}]},
    "all ports": {"ports": [{"name": "a", "protocol": "x", "port": 1, "count": 65535}]},
}


@pytest.mark.parametrize("case", TAKEN)
def test_an_app_may_have(case: str) -> None:
    app = read(**TAKEN[case])
    assert App.read(Fields(app.to_json(), "m", "app")) == app


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a program that is no list": ({"exec": "not a list"}, "m: app.exec: is not a list"),
    "an empty user": ({"user": ""}, "m: app.user: is empty"),
    "no group": ({"group": None}, "m: app.group: is required"),
    "a relative directory": ({"workingDirectory": "../home/fred"}, "m: app.workingDirectory: is not an absolute path"),
    "a variable with a bar": ({"environment": [{"name": "A|B", "value": ""}]}, r"m: app.environment\[0\].name"),
    "a variable with a letter of another script": ({"environment": [{"name": "é", "value": ""}]}, r"environment\[0\].name"),
    "a port beyond the last": ({"ports": [{"name": "a", "protocol": "x", "port": 88888}]}, "88888 is not from 1 to 65535"),
    "ports beyond the last": (
        {"ports": [{"name": "a", "protocol": "x", "port": 32456, "count": 45678}]},
        "the range ends at 78133",
    ),
    "a port without protocol": ({"ports": [{"name": "a", "port": 1}]}, r"ports\[0\].protocol: is required"),
    "a third event": ({"eventHandlers": [{"name": "", "exec": ["/a"]}]}, "neither pre-start nor post-stop"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_app_may_not_have(case: str) -> None:
    more, words = REFUSED[case]
    with pytest.raises(FormatError, match=words):
        read(**more)


def test_a_variable_made_by_hand_is_held_to_the_same_rule() -> None:
    with pytest.raises(FormatError, match="does not begin with a letter"):
        EnvironmentVariable("0DEBUG", "true")


def test_an_option_that_breaks_an_app_is_refused() -> None:
    with pytest.raises(FormatError, match=r"app\.user: is empty"):
        App(exec=(), user="", group="0")
