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
_NO, _RESTARTS = "no", ("on-failure", "always")
_LIMIT_DIGITS = 9


class Supervision:
    """What the command line says of it; None where it says nothing."""

    __slots__ = ("exit_policy", "log_size", "restart", "restart_limit")

    def __init__(
        self,
        *,
        exit_policy: str | None = None,
        log_size: int | None = None,
        restart: str | None = None,
        restart_limit: int | None = None,
    ) -> None:
        self.exit_policy = exit_policy
        self.log_size = log_size
        self.restart = restart
        self.restart_limit = restart_limit

    def switches(self, apps: Sequence[str]) -> dict[str, JSONValue]:
        """Return the keys of stage1.json for a pod of *apps*. Raises: UsageError when the policy names none of them."""
        policy = self.exit_policy
        if policy is not None and policy.startswith(_APP) and policy.removeprefix(_APP) not in apps:
            raise UsageError(f"--exit-policy {policy}", "the pod has no such app", ", ".join(apps))
        values: dict[str, JSONValue] = {
            "exitPolicy": policy, "logSize": self.log_size, "restart": self.restart, "restartLimit": self.restart_limit,
        }  # fmt: skip
        return {name: value for name, value in values.items() if value is not None}


def parse_supervision(*, exit_policy: str | None = None, log_size: str | None = None, restart: str | None = None) -> Supervision:
    """Return what the words behind --exit-policy, --log-size and --restart mean. Raises: UsageError."""
    policy, limit = _parse_restart(restart) if restart is not None else (None, None)
    return Supervision(
        restart=policy,
        restart_limit=limit,
        exit_policy=_parse_policy(exit_policy) if exit_policy is not None else None,
        log_size=_parse_size(log_size) if log_size is not None else None,
    )


def _parse_policy(text: str) -> str:
    if not text.startswith(_APP) and text not in _POLICIES:
        raise UsageError(f"--exit-policy {text}", f"is none of {', '.join(_POLICIES)} and app=NAME")
    return text


def _parse_restart(text: str) -> tuple[str, int | None]:
    policy, colon, limit = text.partition(":")
    fine = limit.isascii() and limit.isdigit() and len(limit) <= _LIMIT_DIGITS and policy != _NO if colon else True
    if policy not in (_NO, *_RESTARTS) or not fine:
        raise UsageError(f"--restart {text}", "is none of no, on-failure, always and on-failure:N, always:N")
    return policy, int(limit) if colon else None


def _parse_size(text: str) -> int:
    from acspec.execution import MOST_BYTES
    from acspec.option_words import typed
    from acspec.quantities import parse_quantity

    option = f"--log-size {text}"
    with typed():
        size = parse_quantity(text, option).amount
    if not 1 <= size <= MOST_BYTES:
        raise UsageError(option, "not from 1 byte to 1 PiB")
    return size
