"""What the end of an app means for its pod, and what the pod's exit code is. Nothing is done here.

Source: spec/stage1.md, The end of a pod.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

ANY_FAILURE, ALL, FIRST = "any-failure", "all", "first"
_APP = "app="


class ExitPolicy:
    """One of `any-failure`, `all`, `first` and `app=NAME`."""

    __slots__ = ("_app", "_kind")

    def __init__(self, text: str) -> None:
        """Take the policy that *text* names; anything else ends no pod before all its apps have ended."""
        self._kind = text
        self._app = text.removeprefix(_APP) if text.startswith(_APP) else None

    def ends_pod(self, app: str, code: int) -> bool:
        """Tell whether the pod is to end because *app* ended with *code*."""
        if self._app is not None:
            return app == self._app
        return self._kind == FIRST or (self._kind == ANY_FAILURE and code != 0)

    def exit_code(self, codes: Mapping[str, int | None], culprit: str | None) -> int:
        """Return the pod's exit code, given each app's in the order of the manifest, and the app whose end ended the pod."""
        decisive = culprit if self._app is None else self._app
        if decisive is not None:
            return codes.get(decisive) or 0
        return next((code for code in codes.values() if code), 0)


def is_exit_policy(text: str, apps: tuple[str, ...]) -> bool:
    """Tell whether *text* is a policy for a pod of *apps*."""
    return text in (ANY_FAILURE, ALL, FIRST) or text in tuple(_APP + app for app in apps)
