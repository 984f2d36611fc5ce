"""A userland for images and pods of the tests: Debian's static busybox, and the probe, compiled once for all processes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BUSYBOX = Path("/bin/busybox")
SOURCE = Path(__file__).with_name("probe.c")
APPLETS = (
    "sh",
    "ls",
    "cat",
    "id",
    "sleep",
    "echo",
    "true",
    "false",
    "grep",
    "touch",
    "mkdir",
    "rm",
    "ps",
    "stat",
    "head",
    "kill",
    "ln",
)
PASSWD = (
    "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/sh\nalice:x:1234:2345:Alice:/home/alice:/bin/sh\n42:x:777:778::/:/bin/sh\n"
)
GROUP = "root:x:0:\ndaemon:x:1:\nstaff:x:50:alice\nalice:x:2345:\n"


def probe() -> Path:
    """Return the probe, compiled from its source when that has changed."""
    name = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    cache = Path(tempfile.gettempdir()) / f"appc-probe-{os.getuid()}-{name}"
    with open(f"{cache}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not cache.exists():
            new = Path(f"{cache}.new")
            subprocess.run(["cc", "-static", "-O1", "-Wall", "-Werror", "-o", str(new), str(SOURCE)], check=True)
            new.rename(cache)
    return cache


def make_rootfs(path: Path, applets: Sequence[str] = APPLETS) -> Path:
    """Make a small root file system at *path*: busybox with its applets, the probe, passwd and group."""
    for name in ("bin", "etc", "tmp", "root", "home/alice"):
        (path / name).mkdir(parents=True, exist_ok=True)
    (path / "tmp").chmod(0o1777)
    shutil.copy(BUSYBOX, path / "bin" / "busybox")
    shutil.copy(probe(), path / "bin" / "probe")
    for name in applets:
        (path / "bin" / name).symlink_to("busybox")
    (path / "etc" / "passwd").write_text(PASSWD)
    (path / "etc" / "group").write_text(GROUP)
    for file in path.rglob("*"):
        if file.is_dir() and file.name != "tmp":
            file.chmod(0o755)
    return path


def without_numbers(value: Any) -> Any:
    """Return what a probe says without the numbers that differ from process to process and from mount to mount."""
    kept = ("Name:", "Umask:", "Uid:", "Gid:", "Groups:", "Cap", "NoNewPrivs:", "Seccomp:")
    if isinstance(value, list):
        return [without_numbers(item) for item in value if not re.match(r"[A-Za-z_]+:\t", str(item)) or item.startswith(kept)]
    return re.sub(r"^\d+ \d+ \d+:\d+ |(?<=/fd/)\d+", "", value) if isinstance(value, str) else value
