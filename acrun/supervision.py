"""Options for stage1's supervision of a pod: exit policy, restarts, logs, grace period, cgroup parent. Stage1 carries them out.

Light, as `launch` is: on the warm path nobody has said anything, and stage1's defaults hold.

Source: spec/stage1.md, stage1.json.
"""

from __future__ import annotations

from acspec.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from acspec.jsontext import JSONValue

_POLICIES = ("any-failure", "all", "first")
_APP = "app="
_NO, _RESTARTS = "no", ("on-failure", "always")
_LIMIT_DIGITS = 9
_LONGEST = 100 * 365 * 86400  # seconds


class Supervision:
    """What the command line says of supervision; None where it says nothing."""

    __slots__ = (
        "cgroup_parent", "exit_policy", "grace_period", "log", "log_size", "pids_limit", "restart", "restart_limit", "strict",
    )  # fmt: skip

    def __init__(
        self,
        *,
        exit_policy: str | None = None,
        restart: str | None = None,
        restart_limit: int | None = None,
        grace_period: int | None = None,
        log: str | None = None,
        log_size: int | None = None,
        pids_limit: int | None = None,
        cgroup_parent: str | None = None,
        strict: bool = False,
    ) -> None:
        self.exit_policy = exit_policy
        self.restart = restart
        self.restart_limit = restart_limit
        self.grace_period = grace_period
        self.log = log
        self.log_size = log_size
        self.pids_limit = pids_limit
        self.cgroup_parent = cgroup_parent
        self.strict = strict

    def check(self) -> None:
        """Check what can be said before any work is done. Raises: UsageError."""
        if ".." in (self.cgroup_parent or "").split("/"):
            raise UsageError(f"--cgroup-parent {self.cgroup_parent}", "is a path in each hierarchy, which .. would lead out of")

    def switches(self, apps: Sequence[str]) -> dict[str, JSONValue]:
        """Return the keys of stage1.json for a pod of *apps*. Raises: UsageError when the policy names none of them."""
        policy = self.exit_policy
        if policy is not None and policy.startswith(_APP) and policy.removeprefix(_APP) not in apps:
            raise UsageError(f"--exit-policy {policy}", "the pod has no such app", ", ".join(apps))
        values: dict[str, JSONValue] = {
            "exitPolicy": policy, "restart": self.restart, "restartLimit": self.restart_limit, "gracePeriod": self.grace_period,
            "log": self.log, "logSize": self.log_size, "pidsLimit": self.pids_limit, "cgroupParent": self.cgroup_parent,
            "strict": self.strict or None,
        }  # fmt: skip
        return {name: value for name, value in values.items() if value is not None}


def parse_supervision(
    *,
    exit_policy: str | None = None,
    restart: str | None = None,
    grace_period: str | None = None,
    log_size: str | None = None,
    **plain: Any,
) -> Supervision:
    """Return what the words behind these options of a pod mean, with what is *plain*. Raises: UsageError."""
    policy, limit = _parse_restart(restart) if restart is not None else (None, None)
    return Supervision(
        exit_policy=_parse_policy(exit_policy) if exit_policy is not None else None,
        restart=policy,
        restart_limit=limit,
        grace_period=_parse_grace_period(grace_period) if grace_period is not None else None,
        log_size=_parse_size(log_size) if log_size is not None else None,
        **plain,
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


def _parse_grace_period(text: str) -> int:
    from acspec.durations import parse_duration

    seconds = parse_duration(text, "--grace-period")
    if seconds > _LONGEST:
        raise UsageError(f"--grace-period {text}", "is more than a century")
    return seconds


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
