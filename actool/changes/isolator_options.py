"""Values of the options for isolators, parsed: --isolators, --capability, --revoke-capability, --seccomp-mode and so on.

Source: ace.md, Isolators; the reference's actool/manifest.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from acspec.errors import UsageError
from acspec.escape import escape
from acspec.isolator_names import (
    APPARMOR_PROFILE,
    BLOCK_BANDWIDTH,
    BLOCK_IOPS,
    CPU,
    CPU_SHARES,
    MEMORY,
    NETWORK_BANDWIDTH,
    NO_NEW_PRIVILEGES,
    OOM_SCORE_ADJ,
    REMOVE_SET,
    RETAIN_SET,
    SECCOMP_REMOVE,
    SECCOMP_RETAIN,
    SELINUX_CONTEXT,
)
from acspec.isolators import Isolator, read_isolator
from acspec.option_words import integer_or_text, parse_settings, typed
from acspec.set_options import make_capability_set, make_set, split_set
from actool.changes.manifest_options import read_typed, spell_boolean, split_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue

    Object = dict[str, JSONValue]

# What the value of each isolator is made of; the others have an option of their own, or are written in JSON.
_SETTINGS = {
    **dict.fromkeys((BLOCK_BANDWIDTH, BLOCK_IOPS, CPU, MEMORY, NETWORK_BANDWIDTH), ("default", "request", "limit")),
    SELINUX_CONTEXT: ("user", "role", "type", "level"),
    APPARMOR_PROFILE: ("profile",),
}
_NUMBERS = (OOM_SCORE_ADJ, CPU_SHARES)
_OPTIONS = {
    RETAIN_SET: "--capability sets it",
    REMOVE_SET: "--revoke-capability sets it",
    SECCOMP_RETAIN: "--seccomp-mode and --seccomp-set set it",
    SECCOMP_REMOVE: "--seccomp-mode and --seccomp-set set it",
}
_AS_JSON = 'other isolators are written in JSON, {"name": …, "value": …}'
_MODES = {"retain": SECCOMP_RETAIN, "remove": SECCOMP_REMOVE}


def parse_isolators(text: str) -> tuple[Isolator, ...]:
    """Return the isolators in `NAME,KEY=VALUE,…[:NAME,VALUE]`. Raises: UsageError. Source: ace.md, Isolators."""
    isolators = tuple(read_typed("--isolators", piece, Isolator.read, _spell) for piece in split_list(text))
    for isolator in isolators:
        _check(isolator, f"--isolators {isolator.name}")
    return isolators


def _spell(place: str, text: str) -> Object:
    name, *words = text.split(",")
    if name in _SETTINGS:
        settings = parse_settings(place, words, _SETTINGS[name])
        return {"name": name, "value": {key: spell_boolean(item) if key == "default" else item for key, item in settings.items()}}
    if name in _OPTIONS:
        raise UsageError(place, "this isolator is a set", _OPTIONS[name])
    if name not in (NO_NEW_PRIVILEGES, *_NUMBERS):
        raise UsageError(place, f'"{escape(name)}" is no isolator that words are known for', _AS_JSON)
    if len(words) != 1:
        raise UsageError(place, f"not of the form {name},VALUE")
    return {"name": name, "value": integer_or_text(words[0]) if name in _NUMBERS else spell_boolean(words[0])}


def make_capability_sets(retained: Iterable[str], removed: Iterable[str]) -> tuple[Isolator, ...]:
    """Return the isolator that `--capability CAP,…` or `--revoke-capability CAP,…` asks for, if any. Raises: UsageError.

    Source: ace.md, os/linux/capabilities-retain-set, os/linux/capabilities-remove-set.
    """
    return make_capability_set("--capability", retained, "--revoke-capability", removed)


def make_seccomp_set(mode: str | None, texts: Iterable[str]) -> tuple[Isolator, ...]:
    """Return the isolator that `--seccomp-mode retain|remove[,errno=NAME]` and `--seccomp-set CALL,…` ask for, if any.

    Raises: UsageError, also when one of them is given alone.
    Source: ace.md, os/linux/seccomp-retain-set, os/linux/seccomp-remove-set.
    """
    calls = split_set(texts)
    if mode is None and not calls:
        return ()
    if mode is None or not calls:
        raise UsageError("--seccomp-mode and --seccomp-set", "make sense together only")
    option, words = f"--seccomp-mode {mode}", mode.split(",")
    kinds = [word for word in words if "=" not in word]
    settings = parse_settings(option, [word for word in words if "=" in word], ("errno",))
    if len(kinds) != 1 or kinds[0] not in _MODES:
        raise UsageError(option, "not of the form retain[,errno=NAME] or remove[,errno=NAME]")
    isolator = make_set(_MODES[kinds[0]], calls, **settings)
    _check(isolator, f"{option} --seccomp-set")
    return (isolator,)


def _check(isolator: Isolator, place: str) -> None:
    with typed():
        read_isolator(isolator, place)
