"""Filters of system calls compiled to what the kernel loads: the only module with pyseccomp, and so with libseccomp.

Compiling takes 5 ms and importing fifty, so the result is kept (`acrun.filters`) and nothing is imported before it is needed.

Source: seccomp_rule_add(3), seccomp_export_bpf(3), seccomp(2).
"""

from __future__ import annotations

import os

from acrun.errors import FilterError
from acrun.filters import Compiled, Filter, find_compiled, keep_compiled
from acrun.profiles import ALLOW, KILL, Profile, make_profile
from acspec import limits
from acspec.errors import FormatError
from acspec.escape import escape
from acspec.isolator_names import SECCOMP_REMOVE, SECCOMP_RETAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from acspec.isolators import Isolator

# Calls that are younger than the libseccomp of long-lived distributions. From Linux 5.1 on a call has one number everywhere.
_YOUNG = {
    "cachestat": 451, "fchmodat2": 452, "map_shadow_stack": 453, "futex_wake": 454, "futex_wait": 455, "futex_requeue": 456,
    "statmount": 457, "listmount": 458, "lsm_get_self_attr": 459, "lsm_set_self_attr": 460, "lsm_list_modules": 461, "mseal": 462,
    "setxattrat": 463, "getxattrat": 464, "listxattrat": 465, "removexattrat": 466, "open_tree_attr": 467, "file_getattr": 468,
    "file_setattr": 469, "listns": 470,
}  # fmt: skip
_UNKNOWN = -1  # __NR_SCMP_ERROR; other negative numbers are calls of other architectures


def get_filter(run_directory: str, isolators: Sequence[Isolator], place: str) -> Filter:
    """Return the filter of an app with these isolators, compiled now or before; *place* names it in errors.

    Raises: FormatError for a set that cannot be enforced; FilterError without libseccomp; OSError.
    Source: ace.md, os/linux/seccomp-remove-set, os/linux/seccomp-retain-set.
    """
    profile = make_profile(isolators, place)
    if profile is None:
        return Filter(None, b"", SECCOMP_RETAIN, "enforced", "every call is allowed")
    key = profile_key(profile)
    compiled = find_compiled(run_directory, key)
    if compiled is None:
        compiled = compile_profile(profile)
        keep_compiled(run_directory, key, compiled)
    state, why = ("modified" if profile.modified else "enforced"), profile.why
    if compiled.unknown:
        names = ", ".join(escape(name) for name in compiled.unknown)
        if profile.isolator == SECCOMP_REMOVE:
            raise FormatError(f"{place}: {SECCOMP_REMOVE}", f"no system call known here is named {names}, so it cannot be blocked")
        state, why = "modified", "; ".join(filter(None, (why, f"no system call known here is named {names}")))
    return Filter(key, compiled.program, profile.isolator, state, why)


def profile_key(profile: Profile) -> str:
    """Return the key of a compiled profile: 64 hex digits over what becomes of every call, and the machine."""
    import hashlib

    text = repr((os.uname().machine, profile.isolator, profile.default, profile.rules))
    return hashlib.sha512(text.encode()).hexdigest()[:64]


def compile_profile(profile: Profile) -> Compiled:
    """Return what the kernel loads, and the names of calls that are unknown here.

    A program of another architecture than this machine's (i386 and x32 on x86-64) is ended by SIGSYS at its first call: its numbers
    mean other calls.

    Raises: FilterError.
    Source: seccomp_attr_set(3), SCMP_FLTATR_ACT_BADARCH; seccomp_export_bpf(3).
    """
    library = _library()
    actions = {ALLOW: library.ALLOW, KILL: library.KILL_PROCESS}
    unknown: dict[str, None] = {}
    try:
        program = library.SyscallFilter(actions.get(profile.default, library.ERRNO(profile.default)))
        program.set_attr(library.Attr.ACT_BADARCH, library.KILL_PROCESS)
        for rule in profile.rules:
            number = rule.call if isinstance(rule.call, int) else _resolve(library, rule.call)
            if number == _UNKNOWN:
                unknown[str(rule.call)] = None
                continue
            comparisons = [library.Arg(index, library.MASKED_EQ, mask, value) for index, mask, value in rule.when]
            program.add_rule(actions.get(rule.action, library.ERRNO(rule.action)), number, *comparisons)
        return Compiled(_export(program), tuple(unknown))
    except OSError as error:
        raise FilterError("libseccomp", f"makes no filter of {profile.isolator}: {error.strerror}") from None


def _library() -> ModuleType:
    try:
        import pyseccomp
    except ModuleNotFoundError:
        raise FilterError("pyseccomp", "is not installed beside acrun", "make setup, or pip install pyseccomp") from None
    except (RuntimeError, OSError):
        hint = "install libseccomp2, or give --seccomp unconfined after the image"
        raise FilterError("libseccomp", "is not there, and without it no system call can be blocked", hint) from None
    library: ModuleType = pyseccomp
    return library


def _resolve(library: ModuleType, name: str) -> int:
    number = int(library.resolve_syscall(library.Arch.NATIVE, name))
    return number if number != _UNKNOWN else _YOUNG.get(name, _UNKNOWN)


def _export(program: object) -> bytes:
    with open(os.memfd_create("filter", os.MFD_CLOEXEC), "w+b", buffering=0) as file:
        program.export_bpf(file)  # type: ignore[attr-defined]
        file.seek(0)
        data = file.read(limits.SECCOMP_FILTER_BYTES + 1)
    if len(data) > limits.SECCOMP_FILTER_BYTES:
        raise FilterError("libseccomp", f"the filter is larger than the kernel's limit of {limits.SECCOMP_FILTER_BYTES} bytes")
    return data
