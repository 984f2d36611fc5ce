"""What the words behind options mean: --volume, --mount, --env. What a value may be, `acspec` says, as it does for manifests.

Source: pods.md, volumes and mounts; docs/man/acrun.1.
"""

from __future__ import annotations

import os

from acspec.errors import UsageError
from acspec.fields import Fields, Oddity
from acspec.names import parse_ac_name
from acspec.option_words import integer_or_text, parse_pair, parse_settings, typed
from acspec.volumes import Mount, Volume, parse_absolute_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue

_VOLUME_KEYS = ("kind", "source", "readOnly", "recursive", "mode", "uid", "gid")
_BOOLEANS = {"true": True, "false": False}


def parse_volume(text: str) -> Volume:
    """Return the volume that `NAME,kind=host,source=PATH,readOnly=true,recursive=false` means, or `NAME,kind=empty,mode=0750,…`.

    Raises: UsageError.
    Source: pods.md, volumes.
    """
    option = f"--volume {text}"
    if "," not in text and ("/" in text or ":" in text):
        raise UsageError(option, "not of the form NAME,kind=host,source=PATH", "--mount volume=NAME,target=PATH says where")
    name, *words = text.split(",")
    settings = parse_settings(option, words, _VOLUME_KEYS)
    values: dict[str, JSONValue] = {"name": name, "kind": "host" if "source" in settings else "empty"}
    values |= {key: _as_json(key, value) for key, value in settings.items()}
    warnings: list[Oddity] = []
    with typed():
        volume = Volume.read(Fields(values, option, warnings=warnings))
    if warnings:  # who types it means something by it
        raise UsageError(option, warnings[0])
    return volume


def _as_json(key: str, value: str) -> JSONValue:
    """Return a word as the manifest would have it; one that means nothing stays as it is, for the reader to refuse."""
    if key in ("readOnly", "recursive"):
        return _BOOLEANS.get(value, value)
    if key in ("uid", "gid"):
        return integer_or_text(value)
    return os.path.abspath(value) if key == "source" and value else value


def parse_mount(text: str) -> Mount:
    """Return the mount that `volume=NAME,target=PATH` means. Raises: UsageError.

    Source: pods.md, mounts.
    """
    option = f"--mount {text}"
    settings = parse_settings(option, text.split(","), ("volume", "target"))
    if len(settings) != 2:
        raise UsageError(option, "not of the form volume=NAME,target=PATH")
    with typed():
        return Mount(parse_ac_name(settings["volume"], option), parse_absolute_path(settings["target"], option))


def parse_variable(text: str) -> tuple[str, str]:
    """Return name and value of `NAME=VALUE`. Raises: UsageError. Source: aci.md, environment."""
    return parse_pair("--env", text)
