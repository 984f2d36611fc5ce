"""Output of apps that could not be written: reported once for each place, and remembered where it was meant for the caller.

Source: spec/stage1.md, run.
"""

from __future__ import annotations

from acspec.errors import reason_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_STREAMS = {1: "standard output", 2: "standard error"}


class Losses:
    """The losses of one pod; *of_caller*: some of them were meant for our caller."""

    __slots__ = ("_places", "_tell", "of_caller")

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.of_caller = False
        self._places: set[str] = set()
        self._tell = tell

    def of_stream(self, descriptor: int) -> Callable[[OSError], None]:
        """Return what hears why nothing more is copied to a descriptor of ours."""

        def lose(error: OSError) -> None:
            self.of_caller = True
            self._tell_once(_STREAMS[descriptor], error, "acrun logs has the rest")

        return lose

    def of_log(self, app: str) -> Callable[[OSError], None]:
        """Return what hears why records of an app are lost."""
        return lambda error: self._tell_once(f"logs/{app}.log", error, "what comes meanwhile is not in it")

    def _tell_once(self, place: str, error: OSError, hint: str) -> None:
        if place not in self._places:
            self._places.add(place)
            self._tell(f"{place}: {reason_of(error)} ({hint})")


class Loss:
    """The one loss that counts for a command that was entered, as the error that it will be."""

    __slots__ = ("error",)

    def __init__(self) -> None:
        self.error: OSError | None = None

    def of_stream(self, descriptor: int) -> Callable[[OSError], None]:
        """Return what hears why nothing more is copied to a descriptor of ours."""

        def lose(error: OSError) -> None:
            self.error = OSError(error.errno, error.strerror, _STREAMS[descriptor])

        return lose
