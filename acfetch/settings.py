"""What an operator may set about a fetch: `fetch.json`.

Source: spec/configuration.md, Settings.
"""

from __future__ import annotations

from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from acspec.configuration import ConfigFile, Said

FILE = "fetch.json"


class Settings(Value):
    """Seconds until a connection must be there, seconds in which something must come, and how often more it is tried."""

    connect_seconds: int = 30
    silence_seconds: int = 60
    retries: int = 4


# Each key of the file: the field that it sets, its smallest and its largest value.
KEYS = {
    "connectSeconds": ("connect_seconds", 1, 600),
    "silenceSeconds": ("silence_seconds", 1, 3600),
    "retries": ("retries", 0, 100),
}


def parse_settings(file: ConfigFile) -> dict[str, int | None]:
    """Return the settings in a file, by key; None where it has a null. Raises: FormatError.

    Source: spec/configuration.md, Settings.
    """
    found = {key: file.fields.integer(key, low, high) for key, (_, low, high) in KEYS.items()}
    file.fields.check_known()
    return {key: value for key, value in found.items() if file.fields.holds(key)}


def make_settings(said: Mapping[str, Said[int]]) -> Settings:
    """Return the settings that *said* makes; what nobody set has its default. Source: spec/configuration.md, Settings."""
    return Settings(**{KEYS[key][0]: one.value for key, one in said.items()})
