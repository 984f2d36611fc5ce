"""What every executor of this suite and every check of an image must agree on: where programs are sought, and what names mean.

And which process a pod's file `pid` means. Small on purpose: stage1 imports it.

Source: aci.md, exec, user, group; docs/decisions, user and group names; spec/pod-directory.md, Files.
"""

from __future__ import annotations

import os
import time
from errno import EINVAL, ESRCH

from acspec.errors import name_call

# Where a program is sought when neither image nor user says where.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MAX_ID = 2**32 - 2  # of users and groups: 2**32 - 1 means "leave as it is" to chown(2)
# The annotation of an image that means something to an executor: "true" when its app says by sd_notify that it is ready.
SUPPORTS_NOTIFY = "appc.io/executor/supports-systemd-notify"
# Where the report pipe and the trampoline stand at the end of a start, as filters of system calls know: above all that an app gets.
# The latter is executed by its number, as no path leads to it: whoever is entered may have forged /proc.
REPORT_FD, TRAMPOLINE_FD = 63, 64
MOST_SOCKETS = REPORT_FD - 3  # that an app may be started with: they stand from 3 on
# Bytes that a log may have before it is put aside, or a volume that has a size: 1 PiB.
MOST_BYTES = 2**50

_DIGITS = 10


def format_moment(seconds: int, nanoseconds: int) -> str:
    """Return a moment, counted from 1970 on, as the files of pods have it: RFC 3339 in UTC, to the microsecond.

    Source: types.md, Timestamps; spec/pod-directory.md, Files.
    """
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanoseconds // 1000:06d}Z"


def boot_id() -> str:
    """Return the ID of this boot. Raises: OSError. Source: random(4)."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def start_time(pid: int) -> int:
    """Return when a process started, field 22 of /proc/PID/stat, which with the PID tells it from all others of this boot.

    Raises: FileNotFoundError; ProcessLookupError; OSError.
    Source: proc_pid_stat(5).
    """
    with open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[19])


def open_pidfd(pid: int) -> int:
    """Return a pidfd of a process. Raises: ProcessLookupError when it is gone; OSError that names the call.

    Source: pidfd_open(2).
    """
    try:
        return os.pidfd_open(pid)
    except OSError as error:
        raise name_call(error, "pidfd_open") from None


def open_process(pids: object, entry: object) -> int | None:
    """Return a pidfd of the process that *entry* names, out of a pod's file `pid`, whose content is *pids*; None when it is gone.

    Numbers and times of another boot mean nothing in this one. The time is compared after the descriptor is open: a PID that is
    used again cannot be meant.

    Raises: OSError.
    Source: pidfd_open(2); spec/pod-directory.md, Files.
    """
    if not isinstance(pids, dict) or not isinstance(entry, dict) or pids.get("boot") != boot_id():
        return None
    pid = entry.get("pid")
    if not isinstance(pid, int) or pid <= 0:
        return None
    try:
        descriptor = open_pidfd(pid)
    except OverflowError:  # no number of a process
        return None
    except OSError as error:
        if error.errno not in (ESRCH, EINVAL):
            raise
        return None
    try:
        if start_time(pid) == entry.get("start"):
            return descriptor
    except (FileNotFoundError, ProcessLookupError):
        pass
    os.close(descriptor)
    return None


def make_hosts(hostname: str) -> str:
    """Return what /etc/hosts of a pod says of the pod itself. Source: OS-SPEC.md, Common Files; hosts(5)."""
    return f"127.0.0.1\tlocalhost {hostname}\n::1\tlocalhost ip6-localhost ip6-loopback\n"


def parse_id(text: str) -> int | None:
    """Return the number of a user or group that *text* is, None when it is none. Source: aci.md, user, group."""
    digits = text.lstrip("0") or "0"
    if not (text.isascii() and text.isdigit()) or len(digits) > _DIGITS or int(digits) > MAX_ID:
        return None
    return int(digits)


def find_id(database: bytes, name: str) -> int | None:
    """Return the number that *name* has in a passwd or group file, or None; lines that are not of its form count for nothing.

    Source: passwd(5), group(5).
    """
    wanted = name.encode("utf-8", "surrogateescape") + b":"
    for line in database.split(b"\n"):
        fields = line.split(b":", 3) if line.startswith(wanted) else ()
        if len(fields) >= 3 and fields[2].isdigit() and len(fields[2]) <= _DIGITS:
            number = int(fields[2])
            return number if number <= MAX_ID else None
    return None


def may_hold_mount(target: tuple[str, ...]) -> bool:
    """Tell whether a volume may be mounted on *target*, the parts of a path inside a rootfs.

    Not on the root. What sets up an app, and many an app, believes what it reads in /proc: nothing is ever mounted there. A place
    below /dev or /sys is harmless.

    Source: OS-SPEC.md, Linux: /proc, /sys, /dev.
    """
    return target not in ((), ("dev",), ("sys",)) and target[:1] != ("proc",)


def copy_command(source: str, target: str, *, as_owner: bool = False) -> list[str]:
    """Return the words that copy the tree *source* to the new directory *target* with all it has, by reflink where there is one.

    To an ordinary user, files may be closed that are the user's own; *as_owner* opens them, to the root of a user namespace.

    Source: cp(1), unshare(1).
    """
    before = ("unshare", "--user", "--map-root-user", "--") if as_owner else ()
    return [*before, "cp", "--archive", "--reflink=auto", "--no-target-directory", "--", source, target]


def copy_attributes(source: str, target: str) -> None:
    """Give the directory *target* the owner, mode and times of *source*. Raises: OSError.

    The root of an overlay has those of its upper directory, not of the tree below.

    Source: kernel Documentation/filesystems/overlayfs.rst, Directories.
    """
    status = os.stat(source)
    os.chown(target, status.st_uid, status.st_gid)
    os.chmod(target, status.st_mode & 0o7777)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
