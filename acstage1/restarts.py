"""Whether and when an app is started again. Nothing is done here.

The first restart comes after a tenth of a second, each further one after twice as long, up to a minute. An app that has run for a
minute begins anew, with its number of restarts, too: what happens once a week is no crash loop.

Source: spec/stage1.md, Restarts.
"""

from __future__ import annotations

NO, ON_FAILURE, ALWAYS = "no", "on-failure", "always"
RESTART_POLICIES = (NO, ON_FAILURE, ALWAYS)

_FIRST_SECONDS = 0.1
_LONGEST_SECONDS = 60.0
_GOOD_SECONDS = 60.0


class Restarts:
    """The restarts of one app: by which policy, and at most how many in a row (None: any number)."""

    __slots__ = ("_count", "_limit", "_policy")

    def __init__(self, policy: str, limit: int | None) -> None:
        self._policy = policy
        self._limit = limit
        self._count = 0

    def find_delay(self, code: int, ran: float) -> float | None:
        """Return the seconds until an app is started again that ended with *code* after *ran* seconds; None when it is not."""
        if self._policy == NO or (self._policy == ON_FAILURE and code == 0):
            return None
        if ran >= _GOOD_SECONDS:
            self._count = 0
        if self._limit is not None and self._count >= self._limit:
            return None
        self._count += 1
        # Beyond that many doublings it is the longest anyway, and a float has its limits.
        return min(_FIRST_SECONDS * (1 << min(self._count - 1, 20)), _LONGEST_SECONDS)
