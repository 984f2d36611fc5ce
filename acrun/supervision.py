"""How a pod is watched over: when it ends, what is started again, how much of its output is kept. What stage1 makes of it.

Light, as `launch` is: on the warm path nobody has said anything, and stage1's defaults hold.

Source: spec/stage1.md, stage1.json.
"""

from __future__ import annotations

from acspec.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from acspec.jsontext import JSONValue

_POLICIES = ("any-failure", "all", "first")
_APP = "app="
LARGEST_LOG = 2**50


class Supervision:
    """What the command line says of it; None where it says nothing."""

    __slots__ = ("exit_policy", "log_size")

    def __init__(self, *, exit_policy: str | None = None, log_size: int | None = None) -> None:
        self.exit_policy = exit_policy
        self.log_size = log_size

    def switches(self, apps: Sequence[str]) -> dict[str, JSONValue]:
        """Return the keys of stage1.json for a pod of *apps*. Raises: UsageError when the policy names none of them."""
        policy = self.exit_policy
        if policy is not None and policy.startswith(_APP) and policy.removeprefix(_APP) not in apps:
            raise UsageError(f"--exit-policy {policy}", "the pod has no such app", ", ".join(apps))
        values: dict[str, JSONValue] = {"exitPolicy": policy, "logSize": self.log_size}
        return {name: value for name, value in values.items() if value is not None}


def parse_supervision(*, exit_policy: str | None, log_size: str | None) -> Supervision:
    """Return what the words behind --exit-policy and --log-size mean. Raises: UsageError."""
    return Supervision(
        exit_policy=_parse_policy(exit_policy) if exit_policy is not None else None,
        log_size=_parse_size(log_size) if log_size is not None else None,
    )


def _parse_policy(text: str) -> str:
    if not text.startswith(_APP) and text not in _POLICIES:
        raise UsageError(f"--exit-policy {text}", f"is none of {', '.join(_POLICIES)} and app=NAME")
    return text


def _parse_size(text: str) -> int:
    from acspec.option_words import typed
    from acspec.quantities import parse_quantity

    option = f"--log-size {text}"
    with typed():
        size = parse_quantity(text, option).amount
    if not 1 <= size <= LARGEST_LOG:
        raise UsageError(option, "not from 1 byte to 1 PiB")
    return size
