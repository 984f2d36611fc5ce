"""Resources: what the isolators of a pod and of its apps ask for, as limits of cgroups, and what became of each.

A request is a weight (cpu) or what is spared when memory is short; a limit is a ceiling. The pod's bound those of its apps. Nothing
here knows where a cgroup is.

Source: ace.md, Resource Isolators; schema/types/isolator_linux_specific.go, os/linux/cpu-shares.
"""

from __future__ import annotations

import errno
import os

from acspec.errors import reason_of
from acspec.fields import Fields
from acspec.isolator_names import BLOCK_BANDWIDTH, BLOCK_IOPS, CPU, CPU_SHARES, MEMORY
from acspec.quantities import parse_quantity
from acstage1.blockdevices import find_block_devices
from acstage1.cgroups import Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from acspec.jsontext import JSONValue
    from acstage1.cgroups import PodCgroups
    from acstage1.isolators import Verdict
    from acstage1.pod import PodDirectory

NAMES = frozenset({CPU, MEMORY, BLOCK_BANDWIDTH, BLOCK_IOPS, CPU_SHARES})

# The least that the kernel takes as a limit: 1 ms of a second, a page, one of a thing.
_LEAST = {CPU: 1, MEMORY: os.sysconf("SC_PAGESIZE"), BLOCK_BANDWIDTH: 1, BLOCK_IOPS: 1}
_MOST_MILLICORES = 10**9
_PERIOD_US = 100_000
_LONG_PERIOD_US = 1_000_000  # a hundredth of a core is less than the 1 ms that a quota must have, in the usual period
_SHARES_OF_A_CORE = 1024
_WEIGHT_OF_A_CORE = 100
_FILES = {BLOCK_BANDWIDTH: ("bps", "rbps", "wbps"), BLOCK_IOPS: ("iops", "riops", "wiops")}


class Demand:
    """What is asked of one resource, for an app or (None) for the pod: bytes, millicores, or bytes or operations a second.

    *told* is False for what follows from the demands of others. `changed` and `refused` say what was not done as it was asked.
    """

    __slots__ = ("app", "changed", "limit", "name", "refused", "request", "told")

    def __init__(self, app: str | None, name: str, request: int | None, limit: int | None, told: bool = True) -> None:
        self.app = app
        self.name = name
        self.request = request
        self.limit = limit
        self.told = told
        self.changed: list[str] = []
        self.refused: list[str] = []

    def verdict(self) -> Verdict:
        """Return what became of it, and why."""
        why = "; ".join(dict.fromkeys(self.changed + self.refused)) or None
        if self.refused:  # be it a part of it: whoever is strict about limits must hear of the one that is missing
            return "ignored", why
        return "enforced" if why is None else "modified", why


def read_demands(pod: PodDirectory) -> list[Demand]:
    """Return what the isolators of a pod and of its apps ask for, the pod's first; those of apps within the bounds of the pod.

    Raises: FormatError.
    Source: ace.md, Resource Isolators; ace.md, Isolators ("applied to the pod will bound").
    """
    of_pod = _read_owner(None, pod.isolators, "pod")
    demands = list(of_pod.values())
    of_apps = [_read_owner(app.name, app.isolators, app.place) for app in pod.apps]
    for own in of_apps:
        for demand in own.values():
            _bound(demand, of_pod.get(demand.name))
        demands += own.values()
    bounds = (_pass_on(bound, app.name) for app, own in zip(pod.apps, of_apps, strict=True) for bound in _unsaid(of_pod, own))
    return [*_derive(of_pod, of_apps), *demands, *bounds]


def _read_owner(app: str | None, isolators: Sequence[JSONValue], place: str) -> dict[str, Demand]:
    """Return the demands of one owner by name. Of several for one resource the least limit counts, and the largest request."""
    found: dict[str, Demand] = {}
    for isolator in isolators:
        name = isolator.get("name") if isinstance(isolator, dict) else None
        if not isinstance(isolator, dict) or not isinstance(name, str) or name not in NAMES:
            continue
        demand = _read(app, name, Fields({"value": isolator.get("value")}, f"{place}: {name}"))
        other = found.setdefault(name, demand)
        other.limit = min((limit for limit in (demand.limit, other.limit) if limit is not None), default=None)
        other.request = max((request for request in (demand.request, other.request) if request is not None), default=None)
    if CPU_SHARES in found and CPU in found and found[CPU].request is not None:
        found[CPU].request = None
        found[CPU].changed.append(f"{CPU_SHARES} says what is requested")
    return found


def _read(app: str | None, name: str, fields: Fields) -> Demand:
    if name == CPU_SHARES:
        return Demand(app, name, fields.integer("value", 2, 262144), None)
    value = fields.required_object("value")
    scale = 1000 if name == CPU else 1
    request, limit = (
        parse_quantity(value.required(key), value.at(key), scale=scale).amount if value.has(key) else None
        for key in ("request", "limit")
    )
    if name in (CPU, MEMORY) and request is None:
        request = limit  # ace.md: "If request is omitted, it defaults to the value of limit"
    demand = Demand(app, name, request, limit)
    if limit is not None and limit < _LEAST[name]:
        demand.limit = _LEAST[name]
        demand.changed.append(f"the least limit is {_show(name, _LEAST[name])}")
    return demand


def _bound(demand: Demand, of_pod: Demand | None) -> None:
    bound = of_pod.limit if of_pod is not None else None
    if bound is not None and demand.limit is not None and demand.limit > bound:
        demand.limit = bound
        demand.changed.append(f"the pod's limit is {_show(demand.name, bound)}")


def _unsaid(of_pod: dict[str, Demand], own: dict[str, Demand]) -> list[Demand]:
    """Return the limits of the pod on what an app sees in its own cgroup, where it has none of its own."""
    shown = [of_pod[name] for name in (CPU, MEMORY) if name in of_pod]
    return [demand for demand in shown if demand.limit is not None and (demand.name not in own or own[demand.name].limit is None)]


def _pass_on(bound: Demand, app: str) -> Demand:
    """Return a limit of the pod as one of an app, which binds it anyway: an app that looks for its limit is to find it."""
    return Demand(app, bound.name, None, bound.limit, told=False)


def _derive(of_pod: dict[str, Demand], of_apps: Sequence[dict[str, Demand]]) -> Iterator[Demand]:
    """Return what the pod must have so that its apps get what they request: among the pods it counts as one."""
    if CPU not in of_pod and CPU_SHARES not in of_pod:
        shares = [_shares_of(own) for own in of_apps]
        if any(number is not None for number in shares):
            total = sum(_SHARES_OF_A_CORE if number is None else number for number in shares)
            yield Demand(None, CPU_SHARES, min(total, 262144), None, told=False)
    requests = [own[MEMORY].request or 0 for own in of_apps if MEMORY in own]
    if MEMORY not in of_pod and any(requests):
        yield Demand(None, MEMORY, sum(requests), None, told=False)


def _shares_of(own: dict[str, Demand]) -> int | None:
    if CPU_SHARES in own:
        return own[CPU_SHARES].request
    request = own[CPU].request if CPU in own else None
    return None if request is None else _shares(request)


def _show(name: str, amount: int) -> str:
    return f"{amount}m" if name == CPU else str(amount)


def apply_demands(pod: PodDirectory, demands: Sequence[Demand], cgroups: PodCgroups) -> None:
    """Set the limits of *demands* and note in each what became of it: those of the pod first.

    Source: ace.md, Resource Isolators.
    """
    devices: list[str] = []
    if any(demand.name in _FILES for demand in demands):
        volumes = (mount.volume.source for app in pod.apps for mount in app.mounts)
        devices = find_block_devices([pod.path, *(app.lower for app in pod.apps if app.lower is not None), *volumes])
    for demand in demands:
        if demand.name in _FILES:
            _say_where(demand, devices)
        for setting in _settings(demand, devices):
            _set(demand, setting, cgroups)


def _set(demand: Demand, setting: Setting, cgroups: PodCgroups) -> None:
    try:
        version = cgroups.set(demand.app, setting)
    except OSError as error:
        if error.errno == errno.EINVAL and demand.name == CPU:  # v1 takes no quota above that of a parent, which binds anyway
            demand.changed.append("a cgroup above the pod's has less")
        elif error.errno == errno.EBUSY and demand.name == MEMORY:
            demand.refused.append("the limit is less than what the cgroup itself takes")
        else:
            demand.refused.append(reason_of(error))
    else:
        if version == 1 and demand.name in _FILES:
            demand.changed.append("what is written through the page cache is not counted on cgroup v1")


def _say_where(demand: Demand, devices: Sequence[str]) -> None:
    if devices:
        demand.changed.append(f"it holds for {' and '.join(devices)}, where the pod's files are")
    else:
        demand.refused.append("no block device holds the pod's files")


def _settings(demand: Demand, devices: Sequence[str]) -> Iterator[Setting]:
    request, limit = demand.request, demand.limit
    if demand.name == CPU_SHARES and request is not None:
        yield _weight(request)
    elif demand.name == CPU:
        if request is not None:
            yield _weight(_shares(request))
        if limit is not None:
            yield _quota(limit)
    elif demand.name == MEMORY:
        if request is not None:
            # What is derived has no place on v1: a soft limit is reached by all, with request or without.
            v1 = [("memory.soft_limit_in_bytes", str(request))] if demand.told else []
            yield Setting("memory", v1, [("memory.low", str(request))])
        if limit is not None:
            v1 = [("memory.limit_in_bytes", str(limit)), ("memory.memsw.limit_in_bytes?", str(limit))]
            yield Setting("memory", v1, [("memory.max", str(limit)), ("memory.swap.max?", "0")])
    elif demand.name in _FILES and limit is not None:
        for device in devices:
            yield _throttle(demand.name, device, limit)


def _shares(millicores: int) -> int:
    return max(2, min(262144, millicores * _SHARES_OF_A_CORE // 1000))


def _weight(shares: int) -> Setting:
    """Return the weight of *shares*: a core is 1024 on v1 and 100 on v2, which both are what a cgroup has by default."""
    weight = max(1, min(10_000, shares * _WEIGHT_OF_A_CORE // _SHARES_OF_A_CORE))
    return Setting("cpu", [("cpu.shares", str(shares))], [("cpu.weight", str(weight))])


def _quota(millicores: int) -> Setting:
    """Return the quota of *millicores*. Source: kernel Documentation/scheduler/sched-bwc.rst: at least 1 ms, of at most 1 s."""
    period = _PERIOD_US if millicores >= 10 else _LONG_PERIOD_US
    quota = min(millicores, _MOST_MILLICORES) * period // 1000
    v1 = [("cpu.cfs_period_us", str(period)), ("cpu.cfs_quota_us", str(quota))]
    return Setting("cpu", v1, [("cpu.max", f"{quota} {period}")])


def _throttle(name: str, device: str, limit: int) -> Setting:
    kind, read, write = _FILES[name]
    v1 = [(f"blkio.throttle.{way}_{kind}_device", f"{device} {limit}") for way in ("read", "write")]
    return Setting("blkio", v1, [("io.max", f"{device} {read}={limit} {write}={limit}")])
