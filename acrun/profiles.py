"""Which system calls an app may make, by its isolators or by our own list: rules as values, which `acrun.seccomp` compiles.

What the image's set names, by itself or by a wildcard, gets what the set says: an error, or SIGSYS. What our list adds to a remove
set, or to an app that asks for no filter, gets EPERM. Nothing is resolved to numbers here.

Source: ace.md, os/linux/seccomp-remove-set, os/linux/seccomp-retain-set; spec/seccomp.md; docs/decisions, System calls.
"""

from __future__ import annotations

import errno

from acspec.capabilities import bounding_set
from acspec.errors import FormatError
from acspec.execution import REPORT_FD, TRAMPOLINE_FD
from acspec.isolator_names import SECCOMP_REMOVE, SECCOMP_RETAIN
from acspec.isolators import Isolator, SeccompSet, read_isolator
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

OWN_NAME = "appc-tools/seccomp"
ALL, EMPTY, DEFAULT_REMOVE = "@appc.io/all", "@appc.io/empty", "@appc-tools/default-remove"

# The actions of a rule: one of these, or the number of the error that the call returns.
ALLOW, KILL = -1, 0
_INT = 0xFFFFFFFF  # the kernel reads an argument of type int without its upper half, so must we

# The calls of our list by the capability that needs them and gives them back; "" gives nothing back.
# A call stands under several when each of them is enough for the kernel.
BLOCKED: dict[str, tuple[str, ...]] = {
    "CAP_SYS_ADMIN": (
        "mount", "umount", "umount2", "move_mount", "open_tree", "open_tree_attr", "fsopen", "fsconfig", "fsmount", "fspick",
        "mount_setattr", "pivot_root", "setns", "bpf", "perf_event_open", "quotactl", "quotactl_fd", "lookup_dcookie", "swapon",
        "swapoff", "syslog",
    ),
    "CAP_SYS_BOOT": ("reboot", "kexec_load", "kexec_file_load"),
    "CAP_SYS_MODULE": ("init_module", "finit_module", "delete_module", "create_module", "get_kernel_syms", "query_module"),
    "CAP_SYS_TIME": (
        "settimeofday", "clock_settime", "clock_settime64", "clock_adjtime", "clock_adjtime64", "adjtimex", "stime",
    ),
    "CAP_SYS_PTRACE": ("process_vm_readv", "process_vm_writev", "kcmp", "userfaultfd"),
    "CAP_SYS_PACCT": ("acct",),
    "CAP_SYS_RAWIO": ("iopl", "ioperm"),
    "CAP_DAC_READ_SEARCH": ("open_by_handle_at",),
    "CAP_SYSLOG": ("syslog",),
    "CAP_BPF": ("bpf",),
    "CAP_PERFMON": ("perf_event_open",),
    "": (
        "keyctl", "add_key", "request_key", "io_uring_setup", "io_uring_enter", "io_uring_register", "nfsservctl", "_sysctl",
        "sysfs", "uselib", "ustat", "vm86", "vm86old",
    ),
}  # fmt: skip

# What calls are blocked for by their arguments only: clone and unshare with CLONE_NEW* (clone3 wholly), ioctl with TIOCSTI or
# TIOCLINUX, socket and socketpair of some families, personality but 0, 8 and 0xffffffff.
_CLONE_NEW = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)
_CLONE_NEWTIME = 0x80  # a part of the signal's number, to clone
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_PER_LINUX32 = 3  # its bit

# Families of sockets that no app gets. AF_VSOCK and AF_QIPCRTR lead to the hypervisor and to processors beside this one, out of any
# network namespace. Through AF_ALG and AF_RXRPC apps have written into files that they may only read, in the memory that all pods
# have in common (CVE-2026-31431, CVE-2026-43500). The others are code that hardly anybody uses, that the kernel loads for whoever
# asks for a socket, and that has made root of such (RDS: CVE-2010-3904; Econet: CVE-2010-3849; TIPC: CVE-2021-43267).
FAMILIES = {
    "AF_AX25": 3, "AF_IPX": 4, "AF_APPLETALK": 5, "AF_NETROM": 6, "AF_ATMPVC": 8, "AF_X25": 9, "AF_ROSE": 11, "AF_DECnet": 12,
    "AF_ECONET": 19, "AF_ATMSVC": 20, "AF_RDS": 21, "AF_IRDA": 23, "AF_LLC": 26, "AF_TIPC": 30, "AF_RXRPC": 33, "AF_PHONET": 35,
    "AF_IEEE802154": 36, "AF_CAIF": 37, "AF_ALG": 38, "AF_NFC": 39, "AF_VSOCK": 40, "AF_KCM": 41, "AF_QIPCRTR": 42,
}  # fmt: skip

# Numbers that no kernel has given away yet: what a later one puts there, nobody has judged. (512 on is x32's.)
UNBORN = range(471, 512)

_F_SETFD = 2
_AT_EMPTY_PATH = 0x1000


class Rule(Value):
    """What becomes of a call, by name or number; with *when*, only if each (argument, mask, value) holds of its arguments."""

    call: str | int
    action: int
    when: tuple[tuple[int, int, int], ...] = ()


class Profile(Value):
    """A filter to be: what becomes of a call that no rule is about, the rules, and what is told of it."""

    isolator: str
    default: int
    rules: tuple[Rule, ...]
    why: str | None = None
    modified: bool = False


# What the start of an app needs of these two calls, as arguments by their index, whatever becomes of all others.
_NEEDED: dict[str, tuple[tuple[int, int], ...]] = {
    "fcntl": ((0, REPORT_FD), (1, _F_SETFD)),
    "execveat": ((0, TRAMPOLINE_FD), (4, _AT_EMPTY_PATH)),
}

# What the start of an app needs after its filter is loaded, and every end. Descriptor 63 is the report pipe then.
LIFE_CYCLE = (
    Rule("execve", ALLOW),
    Rule("exit", ALLOW),
    Rule("exit_group", ALLOW),
    Rule("rt_sigreturn", ALLOW),
    Rule("restart_syscall", ALLOW),
    *(Rule(call, ALLOW, tuple((index, _INT, value) for index, value in needed)) for call, needed in _NEEDED.items()),
    Rule("write", ALLOW, ((0, _INT, REPORT_FD),)),
)


def make_profile(isolators: Sequence[Isolator], place: str) -> Profile | None:
    """Return the profile of an app with these isolators, None when its calls are not to be filtered; *place* names it in errors.

    Raises: FormatError for a wildcard that means nothing here, and for a set with which nothing could be started.
    Source: ace.md, os/linux/seccomp-remove-set, os/linux/seccomp-retain-set.
    """
    kept = bounding_set([isolator.to_json() for isolator in isolators], place)
    for isolator in isolators:
        value = read_isolator(isolator, f"{place}: {isolator.name}") if isolator.name in (SECCOMP_RETAIN, SECCOMP_REMOVE) else None
        if isinstance(value, SeccompSet):
            return _retain(value, place) if value.retain else _remove(value, kept, place)
    return Profile(OWN_NAME, ALLOW, tuple(default_rules(kept, errno.EPERM)), DEFAULT_REMOVE)


def default_rules(kept: Iterable[str], action: int) -> list[Rule]:
    """Return the rules of our own list for an app that keeps the capabilities *kept*. Source: spec/seccomp.md."""
    kept = frozenset(kept)
    given_back = {call for capability in kept for call in BLOCKED.get(capability, ())}
    calls = dict.fromkeys(call for calls in BLOCKED.values() for call in calls if call not in given_back)
    rules = [Rule(call, action) for call in calls]
    if "CAP_SYS_ADMIN" not in kept:
        rules += [Rule("clone", action, ((0, flag, flag),)) for flag in _CLONE_NEW]
        rules += [Rule("unshare", action, ((0, flag, flag),)) for flag in (*_CLONE_NEW, _CLONE_NEWTIME)]
        # Its flags lie in memory, which no filter sees; C libraries know what to do without it.
        rules.append(Rule("clone3", errno.ENOSYS))
    rules += [Rule("ioctl", action, ((1, _INT, request),)) for request in (_TIOCSTI, _TIOCLINUX)]
    rules += [Rule(call, action, ((0, _INT, family),)) for call in ("socket", "socketpair") for family in FAMILIES.values()]
    rules += [Rule("personality", action, (comparison,)) for comparison in _odd_personalities()]
    return rules + [Rule(number, errno.ENOSYS) for number in UNBORN]


def _odd_personalities() -> list[tuple[int, int, int]]:
    """Return comparisons of which one holds for every value but 0, 8 (PER_LINUX32) and 0xffffffff (which only asks)."""
    top = 1 << 31
    some = [(0, top | 1 << bit, 1 << bit) for bit in range(31) if bit != _PER_LINUX32]
    return some + [(0, top | 1 << bit, top) for bit in range(31)]


def _retain(asked: SeccompSet, place: str) -> Profile | None:
    if ALL in asked.wildcards:
        return None
    _check_wildcards(asked, (), place)
    action, doubt = _action(asked)
    named = dict.fromkeys(asked.names)
    rules = [Rule(name, ALLOW) for name in named]
    rules += [rule for rule in LIFE_CYCLE if rule.call not in named]
    return Profile(SECCOMP_RETAIN, action, tuple(rules), doubt, modified=doubt is not None)


def _remove(asked: SeccompSet, kept: Iterable[str], place: str) -> Profile:
    action, doubt = _action(asked)
    if EMPTY in asked.wildcards:
        rules = default_rules(kept, action)
        return Profile(SECCOMP_REMOVE, ALLOW, tuple(rules), doubt or DEFAULT_REMOVE, modified=doubt is not None)
    _check_wildcards(asked, (DEFAULT_REMOVE,), place)
    if "execve" in asked.names:
        raise FormatError(f"{place}: {SECCOMP_REMOVE}", "execve cannot be blocked: it is what starts the app")
    named = dict.fromkeys(asked.names)
    rules = [rule for name in named for rule in _block(name, action)]
    ours = default_rules(kept, action if DEFAULT_REMOVE in asked.wildcards else errno.EPERM)
    rules += [rule for rule in ours if rule.call not in named]
    return Profile(SECCOMP_REMOVE, ALLOW, tuple(rules), doubt, modified=doubt is not None)


def _block(name: str, action: int) -> list[Rule]:
    if name not in _NEEDED:
        return [Rule(name, action)]
    # Blocked when any bit of either argument is another than in the one call that starts the app.
    return [Rule(name, action, ((index, 1 << bit, ~value & 1 << bit),)) for index, value in _NEEDED[name] for bit in range(32)]


def _check_wildcards(asked: SeccompSet, known: Sequence[str], place: str) -> None:
    for wildcard in asked.wildcards:
        if wildcard not in known:
            name = SECCOMP_RETAIN if asked.retain else SECCOMP_REMOVE
            own = (ALL,) if asked.retain else (EMPTY, DEFAULT_REMOVE)
            raise FormatError(f"{place}: {name}", f"{wildcard} means nothing here", f"known are {', '.join(own)}")


def _action(asked: SeccompSet) -> tuple[int, str | None]:
    """Return what becomes of a blocked call, and why it is not what was asked for."""
    if asked.errno is None:
        return KILL, None
    number = asked.errno_number
    return (number, None) if number is not None else (KILL, f"{asked.errno} is no error of this machine: SIGSYS instead")
