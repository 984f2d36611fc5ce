"""Isolators: kept as they are written, and given meaning as typed values. What enforces them is not here.

An isolator that is not known is kept, and means None. What a bounding set is, `acspec.capabilities` says: stage1 starts with that.

Source: ace.md, Isolators; types.md, Isolator Type; schema/types/isolator*.go for what the text leaves out.
"""

from __future__ import annotations

import errno

from acspec.capabilities import ALL_CAPABILITIES
from acspec.errors import FormatError
from acspec.escape import escape
from acspec.fields import Fields
from acspec.isolator_names import (
    APPARMOR_PROFILE,
    BLOCK_BANDWIDTH,
    BLOCK_IOPS,
    CPU,
    CPU_SHARES,
    MEMORY,
    NETWORK_BANDWIDTH,
    NO_NEW_PRIVILEGES,
    OOM_SCORE_ADJ,
    REMOVE_SET,
    RETAIN_SET,
    SECCOMP_REMOVE,
    SECCOMP_RETAIN,
    SELINUX_CONTEXT,
    SYSCTL,
)
from acspec.names import ACIdentifier, parse_ac_identifier
from acspec.quantities import MAX_QUANTITY, Quantity, parse_quantity
from acspec.values import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeAlias

    from acspec.jsontext import JSONValue


# What the specification says of one kind only.
APP_ONLY = frozenset({SECCOMP_RETAIN, SECCOMP_REMOVE, RETAIN_SET, REMOVE_SET, NO_NEW_PRIVILEGES})
POD_ONLY = frozenset({SYSCTL})
SINGLE = frozenset({SECCOMP_RETAIN, SECCOMP_REMOVE, SELINUX_CONTEXT, APPARMOR_PROFILE, OOM_SCORE_ADJ, CPU_SHARES, SYSCTL})
EXCLUSIVE = {
    SECCOMP_RETAIN: SECCOMP_REMOVE,
    SECCOMP_REMOVE: SECCOMP_RETAIN,
    RETAIN_SET: REMOVE_SET,
    REMOVE_SET: RETAIN_SET,
}

# The wildcards of the scope that the specification keeps for itself, each with the only set that it means something in.
WILDCARDS = {"@appc.io/all": SECCOMP_RETAIN, "@appc.io/empty": SECCOMP_REMOVE}

DEFAULT_REQUIRED = "must be true: the limit is for all devices or interfaces"
DEFAULT_REFUSED = "must not be true: this resource has no devices"
NO_REQUEST = "cannot be requested, only limited"
EMPTY_SET = "is an empty list"

_BY_DEVICE = frozenset({BLOCK_BANDWIDTH, BLOCK_IOPS, NETWORK_BANDWIDTH})
_ERRNO = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


class Isolator(Value):
    """An isolator as it is written: its name and its value, which is any JSON."""

    name: ACIdentifier
    value: JSONValue
    unknown: dict[str, JSONValue] = field(default_factory=dict, hash=False)

    @classmethod
    def read(cls, fields: Fields) -> Isolator:
        """Return the isolator in *fields*. Raises: FormatError. Source: types.md, Isolator Type."""
        return cls(fields.named("name", parse_ac_identifier), fields.anything("value"), fields.unknown())

    def to_json(self) -> dict[str, JSONValue]:
        """Return the isolator as JSON. Source: types.md, Isolator Type."""
        return {"name": self.name, "value": self.value, **self.unknown}


class Resource(Value):
    """How much of a resource is asked for and allowed: bytes, bytes or operations a second, or millicores. None: not said."""

    name: str
    request: Quantity | None
    limit: Quantity | None


class SeccompSet(Value):
    """System calls that alone are allowed (*retain*), or that are blocked, which is to return *errno* or to end by SIGSYS."""

    retain: bool
    names: tuple[str, ...]
    wildcards: tuple[str, ...]
    errno: str | None

    @property
    def errno_number(self) -> int | None:
        """The number of *errno* on this machine, None when there is none."""
        return None if self.errno is None else getattr(errno, self.errno, None)


class CapabilitySet(Value):
    """Capabilities that alone stay in the bounding set (*retain*), or that are taken out of the default one."""

    retain: bool
    names: tuple[str, ...]


class SELinuxContext(Value):
    """The parts of an SELinux security context."""

    user: str
    role: str
    type: str
    level: str

    def __str__(self) -> str:
        """Return the context as the kernel reads it."""
        return f"{self.user}:{self.role}:{self.type}:{self.level}"


class AppArmorProfile(Value):
    """The name of an AppArmor profile that is loaded."""

    profile: str


class NoNewPrivileges(Value):
    """Whether an app and its children may never gain privileges."""

    enabled: bool


class OOMScoreAdj(Value):
    """What goes into /proc/PID/oom_score_adj, -1000 to 1000."""

    value: int


class CPUShares(Value):
    """The weight of an app's processes in sharing the processors, 2 to 262144."""

    value: int


class Sysctl(Value):
    """Kernel parameters by their names as sysctl(8) knows them."""

    values: dict[str, str] = field(hash=False)


if TYPE_CHECKING:
    IsolatorValue: TypeAlias = (
        Resource
        | SeccompSet
        | CapabilitySet
        | SELinuxContext
        | AppArmorProfile
        | NoNewPrivileges
        | OOMScoreAdj
        | CPUShares
        | Sysctl
    )


def read_isolator(isolator: Isolator, place: str) -> IsolatorValue | None:
    """Return what *isolator* means, None when its name is not known; *place* names it in errors.

    Raises: FormatError for a value that its kind does not have.
    Source: ace.md, Isolators.
    """
    return _read_value(isolator.name, Fields({"value": isolator.value}, place))


def read_isolators(fields: Fields, *, pod: bool = False) -> tuple[Isolator, ...]:
    """Return the isolators in *fields*, those of an app or of a *pod*, each as it is written; known ones are checked.

    Raises: FormatError, also for isolators that exclude each other, and for a second one of a kind that is to be alone.
    Source: ace.md, Isolators; types.md, Isolator Type.
    """
    isolators = []
    for item in fields.objects("isolators"):
        isolator = Isolator.read(item)
        if _read_value(isolator.name, item) is None:
            why = f'"{isolator.name}" is not an isolator of the specification: executors may ignore it'
            item.warn("name", why, "isolator-unknown")
        if isolator.name in (APP_ONLY if pod else POD_ONLY):
            item.warn("name", f"{isolator.name} is for {'apps' if pod else 'pods'} only", "isolator-scope")
        isolators.append(isolator)
    for index, why in find_conflicts(isolator.name for isolator in isolators):
        raise fields.fault(f"isolators[{index}]", why)
    return tuple(isolators)


def find_conflicts(names: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Return each isolator that cannot stand beside an earlier one, as its index and what to say of it.

    Source: ace.md, notes of each isolator; schema/types/isolator.go.
    """
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in SINGLE and name in seen:
            yield index, f"a second {name}, of which there can be one"
        elif EXCLUSIVE.get(name) in seen:
            yield index, f"{name} cannot be used in conjunction with {EXCLUSIVE[name]}"
        seen.add(name)


def _read_value(name: str, fields: Fields) -> IsolatorValue | None:
    reader = _READERS.get(name)
    if reader is None:
        return None
    fields.required("value")
    return reader(name, fields)


def _read_resource(name: str, fields: Fields) -> Resource:
    value = fields.required_object("value")
    _check_default(name, value)
    if name in _BY_DEVICE and value.has("request"):
        raise value.fault("request", NO_REQUEST)
    request, limit = (_read_quantity(name, value, key) for key in ("request", "limit"))
    if request is None and limit is None:
        value.warn(None, "neither requests nor limits anything", "resource-empty")
    elif request and limit and request.amount > limit.amount:
        value.warn("request", f"{request.text} is more than the limit of {limit.text}", "resource-request")
    value.unknown()
    return Resource(name, request, limit)


def _check_default(name: str, value: Fields) -> None:
    default = value.boolean("default")
    if name not in _BY_DEVICE:
        if default:
            raise value.fault("default", DEFAULT_REFUSED)
        return
    value.required("default")
    if not default:
        raise value.fault("default", DEFAULT_REQUIRED)


def _read_quantity(name: str, value: Fields, key: str) -> Quantity | None:
    if not value.has(key):
        return None
    quantity = parse_quantity(value.required(key), value.at(key), scale=1000 if name == CPU else 1)
    if not quantity.exact:
        how = "beyond 2^63-1, and capped" if quantity.amount == MAX_QUANTITY else f"rounded up to {quantity.amount}"
        value.warn(key, f'"{quantity.text}" is {how}{" thousandths" if name == CPU else ""}', "quantity-inexact")
    return quantity


def _read_seccomp(name: str, fields: Fields) -> SeccompSet:
    value = fields.required_object("value")
    parse = parse_retained_call if name == SECCOMP_RETAIN else parse_removed_call
    calls = _read_set(value, parse)
    code = value.optional_named("errno", parse_errno)
    if code and not hasattr(errno, code):
        value.warn("errno", f"{code} is not an error of this machine", "errno-unknown")
    value.unknown()
    wild = tuple(call for call in calls if call.startswith("@"))
    return SeccompSet(name == SECCOMP_RETAIN, tuple(call for call in calls if call not in wild), wild, code or None)


def _read_capabilities(name: str, fields: Fields) -> CapabilitySet:
    value = fields.required_object("value")
    names = _read_set(value, parse_present)
    for index, capability in enumerate(names):
        if capability not in ALL_CAPABILITIES:
            value.warn(f"set[{index}]", f'"{escape(capability)}" is no capability that is known here', "capability-unknown")
    value.unknown()
    return CapabilitySet(name == RETAIN_SET, names)


def _read_set(value: Fields, parse: Callable[[str, str], str]) -> tuple[str, ...]:
    value.required("set")
    names = value.texts("set")
    if not names:
        raise value.fault("set", EMPTY_SET)
    return tuple(parse(name, value.at(f"set[{index}]")) for index, name in enumerate(names))


def _read_selinux(_: str, fields: Fields) -> SELinuxContext:
    value = fields.required_object("value")
    user, role, kind = (value.named(key, parse_selinux_part) for key in ("user", "role", "type"))
    context = SELinuxContext(user, role, kind, value.named("level", parse_present))
    value.unknown()
    return context


def _read_apparmor(_: str, fields: Fields) -> AppArmorProfile:
    value = fields.required_object("value")
    profile = AppArmorProfile(value.named("profile", parse_present))
    value.unknown()
    return profile


def parse_present(text: str, place: str) -> str:
    """Return *text* when there is any. Raises: FormatError. Source: schema/types/isolator_linux_specific.go."""
    if not text:
        raise FormatError(place, "is empty")
    return text


def parse_selinux_part(text: str, place: str) -> str:
    """Return *text* when it can be a user, role or type. Raises: FormatError. Source: ace.md, os/linux/selinux-context."""
    if ":" in text:
        raise FormatError(place, f'"{escape(text)}" holds a colon, which separates the parts of a context')
    return parse_present(text, place)


def parse_errno(text: str, place: str) -> str:
    """Return *text* when it is empty or has the form of an error's name. Raises: FormatError. Source: ace.md, errno."""
    if text and (text[0] != "E" or not _ERRNO.issuperset(text)):
        raise FormatError(place, f'"{escape(text)}" is not the name of an error', "all upper-case, such as EPERM")
    return text


def parse_retained_call(text: str, place: str) -> str:
    """Return *text* when it can stand in a retain set. Raises: FormatError. Source: ace.md, os/linux/seccomp-retain-set."""
    return _parse_call(text, place, SECCOMP_RETAIN)


def parse_removed_call(text: str, place: str) -> str:
    """Return *text* when it can stand in a remove set. Raises: FormatError. Source: ace.md, os/linux/seccomp-remove-set."""
    return _parse_call(text, place, SECCOMP_REMOVE)


def _parse_call(text: str, place: str, kind: str) -> str:
    if not text.startswith("@"):
        return parse_present(text, place)
    scope, slash, name = text[1:].partition("/")
    if not scope or not slash or not name:
        raise FormatError(place, f'"{escape(text)}" is not a wildcard with a scope', "such as @appc.io/all")
    if scope == "appc.io" and WILDCARDS.get(text) != kind:
        raise FormatError(place, f'"{escape(text)}" means nothing in {kind}')
    return text


def _read_no_new_privileges(_: str, fields: Fields) -> NoNewPrivileges:
    return NoNewPrivileges(bool(fields.boolean("value")))


def _read_oom_score_adj(_: str, fields: Fields) -> OOMScoreAdj:
    return OOMScoreAdj(fields.integer("value", -1000, 1000) or 0)


def _read_cpu_shares(_: str, fields: Fields) -> CPUShares:
    return CPUShares(fields.integer("value", 2, 262144) or 0)


def _read_sysctl(_: str, fields: Fields) -> Sysctl:
    return Sysctl(fields.text_map("value"))


_READERS: dict[str, Callable[[str, Fields], IsolatorValue]] = {
    **dict.fromkeys((BLOCK_BANDWIDTH, BLOCK_IOPS, CPU, MEMORY, NETWORK_BANDWIDTH), _read_resource),
    **dict.fromkeys((SECCOMP_RETAIN, SECCOMP_REMOVE), _read_seccomp),
    **dict.fromkeys((RETAIN_SET, REMOVE_SET), _read_capabilities),
    SELINUX_CONTEXT: _read_selinux,
    APPARMOR_PROFILE: _read_apparmor,
    NO_NEW_PRIVILEGES: _read_no_new_privileges,
    OOM_SCORE_ADJ: _read_oom_score_adj,
    CPU_SHARES: _read_cpu_shares,
    SYSCTL: _read_sysctl,
}
KNOWN = frozenset(_READERS)
