"""Values of --seccomp, --cap-retain, --memory and so on, parsed into isolators that replace the image's own of that family.

What a value may be, `acspec.isolators` says, as it does for manifests.

Source: ace.md, Linux Isolators, Resource Isolators; docs/man/acrun.1.
"""

from __future__ import annotations

from acspec.errors import UsageError
from acspec.isolator_names import CPU, MEMORY, SECCOMP_REMOVE, SECCOMP_RETAIN
from acspec.isolators import EXCLUSIVE, Isolator, read_isolator
from acspec.names import ACIdentifier
from acspec.option_words import parse_settings, typed
from acspec.quantities import parse_quantity
from acspec.set_options import make_capability_set, make_set

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_MODES = {"retain": SECCOMP_RETAIN, "remove": SECCOMP_REMOVE}
_MEMORY_HINT = "512M or 512Mi; m is a thousandth"
_LEAST_MEMORY = 4096  # a page; who types 512m has asked for half a byte
_UNCONFINED = "unconfined"
_FORM = "not of the form mode=retain|remove[,errno=NAME],CALL,… or unconfined"


def parse_seccomp(text: str) -> Isolator:
    """Return the isolator that `mode=retain|remove[,errno=NAME],CALL,…` means; `unconfined` retains every call. Raises: UsageError.

    Source: ace.md, os/linux/seccomp-retain-set, os/linux/seccomp-remove-set.
    """
    option = f"--seccomp {text}"
    if text == _UNCONFINED:
        return make_set(SECCOMP_RETAIN, ["@appc.io/all"])
    words = text.split(",")
    settings = parse_settings(option, [word for word in words if "=" in word], ("mode", "errno"))
    calls = [word for word in words if "=" not in word]
    kind = _MODES.get(settings.pop("mode", ""))
    if kind is None or not calls:
        raise UsageError(option, _FORM)
    isolator = make_set(kind, dict.fromkeys(calls), **settings)
    with typed():
        read_isolator(isolator, option)
    return isolator


def make_capability_isolators(retained: Sequence[str], removed: Sequence[str]) -> tuple[Isolator, ...]:
    """Return the isolator that `--cap-retain CAP,…` or `--cap-remove CAP,…` asks for, if any. Raises: UsageError.

    Source: ace.md, os/linux/capabilities-retain-set, os/linux/capabilities-remove-set.
    """
    return make_capability_set("--cap-retain", retained, "--cap-remove", removed)


def make_limits(*, memory: str | None, cpu: str | None) -> tuple[Isolator, ...]:
    """Return the isolators that `--memory SIZE` and `--cpu CORES` ask for: limits. Raises: UsageError.

    Source: ace.md, resource/memory, resource/cpu.
    """
    limits = []
    if memory is not None:
        limits.append(
            _make_limit("--memory", MEMORY, memory, 1, _LEAST_MEMORY, f"is less than {_LEAST_MEMORY} bytes", _MEMORY_HINT)
        )
    if cpu is not None:
        limits.append(_make_limit("--cpu", CPU, cpu, 1000, 1, "is no time at all", "1.5 or 500m"))
    return tuple(limits)


def _make_limit(option: str, kind: str, text: str, scale: int, least: int, why: str, hint: str) -> Isolator:
    with typed():
        amount = parse_quantity(text, option, scale=scale).amount
    if amount < least:
        raise UsageError(f"{option} {text}", why, hint)
    return Isolator(ACIdentifier(kind), {"limit": text})


def replace_isolators(own: Iterable[Isolator], asked: Sequence[Isolator]) -> tuple[Isolator, ...]:
    """Return the isolators of an app or a pod: its *own*, but those that one *asked* for replaces or excludes, and then these."""
    gone = {isolator.name for isolator in asked} | {EXCLUSIVE.get(isolator.name, "") for isolator in asked}
    return (*(isolator for isolator in own if isolator.name not in gone), *asked)
