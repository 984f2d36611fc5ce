"""Options whose value is a set of capabilities or system calls, `NAME,NAME,…`, and the isolators that they mean.

Source: ace.md, Linux Isolators; docs/man/acrun.1; docs/man/actool.1.
"""

from __future__ import annotations

from acspec.capabilities import ALL_CAPABILITIES
from acspec.errors import UsageError
from acspec.escape import escape
from acspec.isolator_names import REMOVE_SET, RETAIN_SET
from acspec.isolators import Isolator
from acspec.names import ACIdentifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from acspec.jsontext import JSONValue


def split_set(texts: Iterable[str]) -> list[str]:
    """Return the names in *texts*, which have commas between them, each once and in their order."""
    return list(dict.fromkeys(name for text in texts for name in text.split(",")))


def make_set(kind: str, names: Iterable[str], **settings: str) -> Isolator:
    """Return the isolator *kind* whose value is the set of *names*, with *settings* beside it."""
    values: list[JSONValue] = list(names)
    return Isolator(ACIdentifier(kind), {"set": values, **settings})


def make_capability_set(
    retain_option: str, retained: Iterable[str], remove_option: str, removed: Iterable[str]
) -> tuple[Isolator, ...]:
    """Return the isolator that one of two options asks for, none when neither is given.

    Raises: UsageError for what is no capability, and when both are given.
    Source: ace.md, os/linux/capabilities-retain-set, os/linux/capabilities-remove-set.
    """
    kept, gone = split_set(retained), split_set(removed)
    if kept and gone:
        raise UsageError(f"{retain_option} and {remove_option}", "exclude each other")
    option, kind, names = (retain_option, RETAIN_SET, kept) if kept else (remove_option, REMOVE_SET, gone)
    for name in names:
        if name not in ALL_CAPABILITIES:
            meant = f"CAP_{name.upper()}"
            hint = f"did you mean {meant}?" if meant in ALL_CAPABILITIES else "such as CAP_NET_ADMIN"
            raise UsageError(option, f'"{escape(name)}" is no capability that is known here', hint)
    return (make_set(kind, names),) if names else ()
