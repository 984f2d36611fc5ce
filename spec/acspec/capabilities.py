"""Which capabilities an app keeps in its bounding set. Plain values in, plain values out: stage1 starts with this.

Source: ace.md, os/linux/capabilities-remove-set and os/linux/capabilities-retain-set.
"""

from __future__ import annotations

from acspec.errors import FormatError
from acspec.escape import escape
from acspec.isolator_names import REMOVE_SET, RETAIN_SET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue


DEFAULT_CAPABILITIES = frozenset(
    {
        "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_KILL", "CAP_MKNOD",
        "CAP_NET_RAW", "CAP_NET_BIND_SERVICE", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETFCAP", "CAP_SYS_CHROOT",
    }
)  # fmt: skip

# In the order of their numbers, linux/capability.h; CAP_CHOWN is 0.
ALL_CAPABILITIES = (
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
    "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
    "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
    "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
    "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
)  # fmt: skip


def bounding_set(isolators: list[JSONValue], place: str) -> frozenset[str]:
    """Return the names of the capabilities that an app with these isolators keeps.

    *isolators* is the app's list as JSON; *place* names it in errors. Of several sets of one kind each takes away what it would
    take away alone: what is retained is in all of them, what is removed in any.

    Raises: FormatError for both kinds at once, an empty set, or a capability that is unknown here: whoever meant to keep or to
    drop it must know that it was not.
    Source: ace.md, os/linux/capabilities-remove-set, os/linux/capabilities-retain-set.
    """
    retained: list[frozenset[str]] = []
    removed: list[frozenset[str]] = []
    for isolator in isolators:
        name = isolator.get("name") if isinstance(isolator, dict) else None
        if isinstance(isolator, dict) and name in (RETAIN_SET, REMOVE_SET):
            sets = retained if name == RETAIN_SET else removed
            sets.append(_read_set(isolator.get("value"), f"{place}: {name}"))
    if retained and removed:
        raise FormatError(place, "the retain set cannot be used in conjunction with the remove set")
    if retained:
        return frozenset.intersection(*retained)
    return DEFAULT_CAPABILITIES.difference(*removed)


def _read_set(value: JSONValue, place: str) -> frozenset[str]:
    names = value.get("set") if isinstance(value, dict) else None
    if not isinstance(names, list) or not names:
        raise FormatError(place, "set is no list of capabilities, or an empty one")
    capabilities = set()
    for name in names:
        if not isinstance(name, str) or name not in ALL_CAPABILITIES:
            raise FormatError(place, f'"{escape(str(name))}" is no capability')
        capabilities.add(name)
    return frozenset(capabilities)
