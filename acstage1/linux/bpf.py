"""Which devices the processes of a cgroup may open: a program for the kernel's BPF machine, as cgroup2 has no file for it.

Source: bpf(2), BPF_PROG_TYPE_CGROUP_DEVICE; kernel Documentation/admin-guide/cgroup-v2.rst, Device controller.
"""

from __future__ import annotations

import ctypes
import os

from acstage1.linux.libc import syscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_SYS_BPF = 321 if os.uname().machine == "x86_64" else 280
_BPF_PROG_LOAD, _BPF_PROG_ATTACH = 5, 8
_BPF_PROG_TYPE_CGROUP_DEVICE = 15
_BPF_CGROUP_DEVICE = 6
_BPF_F_ALLOW_MULTI = 2
_BPF_DEVCG_ACC_MKNOD = 1
_BPF_DEVCG_DEV_CHAR = 2

_LOAD, _COPY, _SET, _AND, _SHIFT, _JUMP_EQUAL, _JUMP_OTHER, _EXIT = 0x61, 0xBF, 0xB7, 0x57, 0x77, 0x15, 0x55, 0x95
_ANSWER, _CONTEXT, _KIND, _ACCESS, _MAJOR, _MINOR = range(6)


class _Load(ctypes.Structure):
    """The part of union bpf_attr that BPF_PROG_LOAD takes."""

    _fields_ = (
        ("prog_type", ctypes.c_uint32),
        ("insn_cnt", ctypes.c_uint32),
        ("insns", ctypes.c_char_p),
        ("license", ctypes.c_char_p),
    )


class _Attach(ctypes.Structure):
    """The part of union bpf_attr that BPF_PROG_ATTACH takes."""

    _fields_ = (
        ("target_fd", ctypes.c_uint32),
        ("attach_bpf_fd", ctypes.c_uint32),
        ("attach_type", ctypes.c_uint32),
        ("attach_flags", ctypes.c_uint32),
    )


def allow_devices(directory: str, devices: Iterable[tuple[int, int | None]]) -> None:
    """Let processes in the cgroup2 *directory* and below open these character devices and no other; nodes they may make.

    A device is its major and minor number; None stands for every minor. What other programs forbid stays forbidden.

    Raises: OSError.
    Source: bpf(2); kernel include/uapi/linux/bpf.h, struct bpf_cgroup_dev_ctx.
    """
    instructions = b"".join(_make_program(devices))
    load = _Load(_BPF_PROG_TYPE_CGROUP_DEVICE, len(instructions) // 8, instructions, b"GPL")
    program = syscall("bpf", _SYS_BPF, _BPF_PROG_LOAD, ctypes.byref(load), ctypes.sizeof(load), path=directory)
    target = -1
    try:
        target = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        attach = _Attach(target, program, _BPF_CGROUP_DEVICE, _BPF_F_ALLOW_MULTI)
        syscall("bpf", _SYS_BPF, _BPF_PROG_ATTACH, ctypes.byref(attach), ctypes.sizeof(attach), path=directory)
    finally:
        os.close(program)  # the cgroup holds it now
        if target >= 0:
            os.close(target)


def _make_program(devices: Iterable[tuple[int, int | None]]) -> list[bytes]:
    allow = [_instruction(_SET, _ANSWER, value=1), _instruction(_EXIT)]
    deny = [_instruction(_SET, _ANSWER, value=0), _instruction(_EXIT)]
    steps = [
        _instruction(_LOAD, _KIND, _CONTEXT, offset=0),  # the access in the upper half, the kind in the lower
        _instruction(_LOAD, _MAJOR, _CONTEXT, offset=4),
        _instruction(_LOAD, _MINOR, _CONTEXT, offset=8),
        _instruction(_COPY, _ACCESS, _KIND),
        _instruction(_SHIFT, _ACCESS, value=16),
        _instruction(_AND, _KIND, value=0xFFFF),
        _instruction(_JUMP_OTHER, _ACCESS, offset=2, value=_BPF_DEVCG_ACC_MKNOD),
        *allow,
        _instruction(_JUMP_EQUAL, _KIND, offset=2, value=_BPF_DEVCG_DEV_CHAR),
        *deny,
    ]
    for major, minor in devices:
        same = [] if minor is None else [_instruction(_JUMP_OTHER, _MINOR, offset=2, value=minor)]
        steps += [_instruction(_JUMP_OTHER, _MAJOR, offset=2 + len(same), value=major), *same, *allow]
    return steps + deny


def _instruction(code: int, target: int = 0, source: int = 0, offset: int = 0, value: int = 0) -> bytes:
    """Return one instruction. Source: kernel Documentation/bpf/instruction-set.rst."""
    return bytes((code, target | source << 4)) + offset.to_bytes(2, "little") + value.to_bytes(4, "little")
