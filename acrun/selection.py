"""Which pods a list is to show: by what they are doing, and by their annotations.

Source: spec/pod-directory.md, Phases; pods.md, annotations.
"""

from __future__ import annotations

from acspec.errors import UsageError
from acspec.pods import STATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from acrun.states import PodState


class PodSelection:
    """Pods in one of some states, all without any, which have every one of some annotations."""

    __slots__ = ("_annotations", "_states")

    def __init__(self, states: Iterable[str], annotations: Iterable[str]) -> None:
        """Take the words of *states*, and *annotations* as `NAME`, whatever the value, or `NAME=VALUE`.

        Raises: UsageError for a state that no pod is ever in, or an annotation without a name.
        """
        self._states = frozenset(states)
        self._annotations = tuple(word.partition("=") for word in annotations)
        for word in sorted(self._states.difference(STATES)):
            raise UsageError(f"--state {word}", "no pod is ever in that state", ", ".join(STATES))
        for name, equals, value in self._annotations:
            if not name:
                raise UsageError(f"--annotation {equals}{value}", "not of the form NAME or NAME=VALUE")

    def takes(self, pod: PodState) -> bool:
        """Tell whether *pod* is one of them."""
        return (not self._states or pod.state in self._states) and all(
            name in pod.annotations and (not equals or pod.annotations[name] == value) for name, equals, value in self._annotations
        )
