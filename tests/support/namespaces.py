"""User namespaces in which a test is somebody else, as containers have them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def user_namespace(row: str) -> Iterator[list[str]]:
    """Make a user namespace whose ids are *row*, as in uid_map; yield the words that run a command as its root."""
    with subprocess.Popen(["unshare", "--user", "sleep", "1000"]) as process:
        try:
            while os.readlink(f"/proc/{process.pid}/ns/user") == os.readlink("/proc/self/ns/user"):
                time.sleep(0.001)
            for name in ("uid_map", "gid_map"):
                Path(f"/proc/{process.pid}/{name}").write_text(row)
            yield ["nsenter", f"--user=/proc/{process.pid}/ns/user"]
        finally:
            process.kill()
