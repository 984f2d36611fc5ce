"""What a process may: capabilities, no_new_privs, keyrings, whether others may look into it, and who dies with whom.

Source: capabilities(7), capset(2), prctl(2), keyctl(2).
"""

from __future__ import annotations

import ctypes
import errno
import os

from acstage1.linux.libc import syscall

_X86_64 = os.uname().machine == "x86_64"
_SYS_PRCTL = 157 if _X86_64 else 167
_SYS_CAPGET = 125 if _X86_64 else 90
_SYS_CAPSET = 126 if _X86_64 else 91
_SYS_KEYCTL = 250 if _X86_64 else 219
_SYS_LANDLOCK_CREATE_RULESET = 444
_SYS_LANDLOCK_ADD_RULE = 445
_SYS_LANDLOCK_RESTRICT_SELF = 446

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_KEEPCAPS = 8
_PR_CAPBSET_DROP = 24
_PR_SET_SECUREBITS = 28
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_SECBIT_NOROOT_AND_LOCKED = 0x3
CAP_SYS_PTRACE = 19
CAP_SYS_ADMIN = 21
_KEYCTL_JOIN_SESSION_KEYRING = 1
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_POSSIBLE_CAPABILITY = 63
_LANDLOCK_CREATE_RULESET_VERSION = 1
_LANDLOCK_RULE_PATH_BENEATH = 1
_LANDLOCK_ACCESS_FS_REFER = 1 << 13


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapData(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def _prctl(name: str, option: int, *arguments: int) -> None:
    syscall(f"prctl {name}", _SYS_PRCTL, option, *arguments, *(0 for _ in range(4 - len(arguments))))


def die_with_parent(signal: int) -> None:
    """Have the kernel send *signal* to this process when the thread that forked it ends. Raises: OSError.

    Source: prctl(2), PR_SET_PDEATHSIG.
    """
    _prctl("PR_SET_PDEATHSIG", _PR_SET_PDEATHSIG, signal)


def name_command_line(text: bytes) -> None:
    """Have others see *text* as the command line of this process, as far as there is room for it. Raises: OSError.

    Source: proc_pid_stat(5), arg_start and arg_end; proc_pid_cmdline(5).
    """
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, text, min(len(text), max(end - start - 1, 0)))


def forbid_inspection() -> None:
    """Keep every other process of lesser privilege out of this one's /proc files and memory. Raises: OSError.

    Source: prctl(2), PR_SET_DUMPABLE; ptrace(2).
    """
    _prctl("PR_SET_DUMPABLE", _PR_SET_DUMPABLE, 0)


def keep_capabilities() -> None:
    """Let the permitted set survive a change of all user IDs to others than 0, until the next execve. Raises: OSError.

    Source: prctl(2), PR_SET_KEEPCAPS.
    """
    _prctl("PR_SET_KEEPCAPS", _PR_SET_KEEPCAPS, 1)


def set_no_new_privileges() -> None:
    """Give up ever gaining privileges by execve. Raises: OSError.

    Source: prctl(2), PR_SET_NO_NEW_PRIVS; ace.md, os/linux/no-new-privileges.
    """
    _prctl("PR_SET_NO_NEW_PRIVS", _PR_SET_NO_NEW_PRIVS, 1)


def drop_bounding_set(kept: frozenset[int]) -> None:
    """Drop every capability but those numbered in *kept* from the bounding set; the ambient set is emptied. Raises: OSError.

    Source: capabilities(7), Capability bounding set.
    """
    _prctl("PR_CAP_AMBIENT", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for number in range(_LAST_POSSIBLE_CAPABILITY + 1):
        if number in kept:
            continue
        try:
            _prctl("PR_CAPBSET_DROP", _PR_CAPBSET_DROP, number)
        except OSError as error:
            if error.errno == errno.EINVAL:  # beyond the kernel's last capability
                return
            raise


def set_capabilities(kept: frozenset[int]) -> None:
    """Make *kept* the permitted and effective set of this process, and its inheritable set empty. Raises: OSError.

    Source: capset(2).
    """
    mask = sum(1 << number for number in kept)
    data = (_CapData * 2)(
        _CapData(mask & 0xFFFFFFFF, mask & 0xFFFFFFFF, 0), _CapData(mask >> 32, mask >> 32, 0)
    )  # fmt: skip
    header = _CapHeader(_CAPABILITY_VERSION_3, 0)
    syscall("capset", _SYS_CAPSET, ctypes.byref(header), ctypes.byref(data))


def forbid_root_privileges() -> None:
    """Have user 0 gain no capabilities by execve, in this process and all that come of it. Raises: OSError.

    Source: capabilities(7), The securebits flags: SECBIT_NOROOT.
    """
    _prctl("PR_SET_SECUREBITS", _PR_SET_SECUREBITS, _SECBIT_NOROOT_AND_LOCKED)


class _RulesetAttr(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _PathBeneathAttr(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def can_bound_tracing() -> bool:
    """Tell whether `bound_tracing` works here: from the second version of Landlock on, which lets files be moved and linked.

    Source: landlock_create_ruleset(2), LANDLOCK_CREATE_RULESET_VERSION.
    """
    try:
        version = syscall("landlock_create_ruleset", _SYS_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_CREATE_RULESET_VERSION)
    except OSError:
        return False
    return version >= 2


def bound_tracing() -> None:
    """Keep this process and its children from looking into any process but themselves, whatever their capabilities.

    That is what a Landlock domain does; the one right that it has to be about is granted everywhere. It takes CAP_SYS_ADMIN or
    no_new_privs, and mounting is over with it.

    Raises: OSError.
    Source: landlock(7), Ptrace restrictions; security/landlock/task.c (there is no exception for a capability).
    """
    wanted = _RulesetAttr(_LANDLOCK_ACCESS_FS_REFER)
    size = ctypes.sizeof(wanted)
    ruleset = syscall("landlock_create_ruleset", _SYS_LANDLOCK_CREATE_RULESET, ctypes.byref(wanted), size, 0)
    root = os.open("/", os.O_PATH | os.O_CLOEXEC)
    rule = _PathBeneathAttr(_LANDLOCK_ACCESS_FS_REFER, root)
    syscall("landlock_add_rule", _SYS_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    syscall("landlock_restrict_self", _SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0)
    os.close(root)
    os.close(ruleset)


def effective_capabilities() -> int:
    """Return the mask of this process's effective capabilities, from the kernel and no file. Raises: OSError.

    Source: capget(2).
    """
    data = (_CapData * 2)()
    syscall("capget", _SYS_CAPGET, ctypes.byref(_CapHeader(_CAPABILITY_VERSION_3, 0)), ctypes.byref(data))
    return int(data[0].effective | data[1].effective << 32)


def join_new_session_keyring() -> None:
    """Leave the caller's session keyring for an empty one of its own. A kernel without keyrings has nothing to leave.

    Raises: OSError.
    Source: keyctl(2), KEYCTL_JOIN_SESSION_KEYRING.
    """
    try:
        syscall("keyctl", _SYS_KEYCTL, _KEYCTL_JOIN_SESSION_KEYRING, None)
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EDQUOT):
            raise
