"""/proc and /sys of an app, and what other runtimes have learnt to hide or make read-only there.

Source: OS-SPEC.md, Devices and File Systems; proc(5), sysfs(5).
"""

from __future__ import annotations

import os
import stat

from acstage1.devices import bind_file
from acstage1.errors import StartError
from acstage1.inroot import open_in_root
from acstage1.linux.mounts import (
    MOUNT_ATTR_RDONLY,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    attach,
    clone_tree,
    mount,
    set_attributes,
)

HARMLESS = MS_NOSUID | MS_NODEV | MS_NOEXEC

# What tells about the host or reaches into it. Files show /dev/null, directories are empty.
MASKED = (
    "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/key-users", "/proc/keys", "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/proc/kallsyms", "/proc/config.gz", "/proc/kpagecount",
    "/proc/kpageflags", "/proc/kpagecgroup", "/proc/vmallocinfo", "/proc/slabinfo", "/proc/allocinfo", "/proc/dynamic_debug",
    "/sys/firmware", "/sys/hypervisor",
    "/sys/module", "/sys/power", "/sys/devices/virtual/powercap", "/sys/devices/virtual/dmi", "/sys/kernel/debug",
    "/sys/kernel/tracing", "/sys/kernel/security", "/sys/kernel/boot_params", "/sys/kernel/notes", "/sys/kernel/slab",
    "/sys/kernel/vmcoreinfo", "/sys/dev/block", "/sys/fs/bpf", "/sys/fs/pstore", "/sys/fs/selinux",
)  # fmt: skip

# How often each processor was too hot, which tells of the work of others.
_PROCESSORS, _HEAT = "/sys/devices/system/cpu", "thermal_throttle"
_EMPTY = "mode=555,size=0,nr_inodes=1"

READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


def mount_proc(target: int) -> None:
    """Mount the pod's /proc on the directory *target*. Raises: OSError. Source: OS-SPEC.md."""
    _mount_new("proc", target, HARMLESS)


def mount_sys(target: int) -> None:
    """Mount /sys, of the pod's network namespace and read-only, on the directory *target*. Raises: OSError. Source: OS-SPEC.md."""
    _mount_new("sysfs", target, HARMLESS | MS_RDONLY)


def _mount_new(kind: str, target: int, flags: int) -> None:
    try:
        mount(kind, f"/proc/self/fd/{target}", kind, flags)
    except PermissionError:
        # In a user namespace the kernel gives no more of it than the mount outside shows (mount_namespaces(7)). A bind of that one
        # would show the host's processes; so there is no pod.
        raise StartError(kind, "refused, as parts of the one outside are hidden: is this a container?") from None


def mask(root: int, path: str, null: str) -> None:
    """Hide *path* of the rootfs at descriptor *root*, where it exists: a file behind the node *null*, a directory by an empty one.

    Raises: OSError.
    """
    try:
        target = open_in_root(root, path)
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return
    try:
        if stat.S_ISDIR(os.fstat(target).st_mode):
            mount("tmpfs", f"/proc/self/fd/{target}", "tmpfs", HARMLESS | MS_RDONLY, _EMPTY)
        else:
            bind_file(null, target, path)
    finally:
        os.close(target)


def mask_heat(root: int) -> None:
    """Hide what each processor of the rootfs at descriptor *root* says of its heat, all by one empty directory. Raises: OSError.

    Source: kernel drivers/thermal/intel/therm_throt.c, where the counters are; processors of other makers have none.
    """
    try:
        first = open_in_root(root, f"{_PROCESSORS}/cpu0/{_HEAT}")
    except FileNotFoundError:
        return
    mount("tmpfs", f"/proc/self/fd/{first}", "tmpfs", HARMLESS | MS_RDONLY, _EMPTY)
    os.close(first)
    empty = open_in_root(root, f"{_PROCESSORS}/cpu0/{_HEAT}")
    listing = open_in_root(root, _PROCESSORS, os.O_RDONLY | os.O_DIRECTORY)
    for name in os.listdir(listing):
        if name.startswith("cpu") and name[3:].isdigit() and name != "cpu0":
            _cover(root, f"{_PROCESSORS}/{name}/{_HEAT}", empty)
    for descriptor in (empty, listing):
        os.close(descriptor)


def _cover(root: int, path: str, empty: int) -> None:
    try:
        target = open_in_root(root, path)
    except FileNotFoundError:  # a processor that is off
        return
    tree = clone_tree(empty, recursive=False, path=path)
    attach(tree, target, path)
    for descriptor in (tree, target):
        os.close(descriptor)


def make_read_only(root: int, path: str) -> None:
    """Make *path* of the rootfs at descriptor *root* read-only, where it exists. Raises: OSError."""
    try:
        target = open_in_root(root, path)
    except (FileNotFoundError, PermissionError):
        return
    try:
        tree = clone_tree(target, recursive=True, path=path)
        try:
            set_attributes(tree, MOUNT_ATTR_RDONLY, recursive=True, path=path)
            attach(tree, target, path)
        finally:
            os.close(tree)
    finally:
        os.close(target)
