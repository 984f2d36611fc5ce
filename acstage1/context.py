"""What pod init inherits from the monitor that forked it, and what it makes of that while the pod is built.

Source: spec/stage1.md, Pod init.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from acstage1.app_marks import AppMarks
    from acstage1.hierarchies import Hierarchy
    from acstage1.pod import PodDirectory
    from acstage1.reports import Channel
    from acstage1.sockets import Socket


class InitContext:
    """What init inherits.

    The pod, the channel, the lifeline's reading end, the gate that opens when it is in its cgroups, the trampoline, each app's
    descriptors 0 to 2 (None: its own /dev/null), what makes the terminals of apps that have one, the sockets on ports of the
    host, and the hierarchies in which the pod has cgroups.
    """

    __slots__ = (
        "channel", "debug", "descriptors", "gate", "hierarchies", "lifeline", "marks", "namespaces", "pod", "sockets", "terminals",
        "trampoline",
    )  # fmt: skip

    def __init__(
        self,
        pod: PodDirectory,
        channel: Channel,
        lifeline: int,
        gate: int,
        trampoline: int | None,
        descriptors: dict[str, tuple[int | None, int, int]],
        terminals: dict[str, Callable[[], int]],
        sockets: dict[Socket, int],
        hierarchies: Sequence[Hierarchy],
        debug: bool,
    ) -> None:
        self.pod = pod
        self.channel = channel
        self.lifeline = lifeline
        self.gate = gate
        self.trampoline = trampoline
        self.descriptors = descriptors
        self.terminals = terminals
        self.sockets = sockets
        self.hierarchies = hierarchies
        self.debug = debug
        self.marks: AppMarks | None = None
        self.namespaces: list[int] = []
