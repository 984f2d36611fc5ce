"""Steps of building a tree as values: each can say what it does and do it, so one list is shown, tested and run."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Operation:
    """One step: `describe` for people and for error messages, `apply` for the kernel."""

    __slots__ = ("_action", "_text")

    def __init__(self, text: str, action: Callable[[], None]) -> None:
        self._text = text
        self._action = action

    def describe(self) -> str:
        """Return what the step does, in the words of mount(8)."""
        return self._text

    def apply(self) -> None:
        """Do it. Raises: OSError."""
        self._action()
