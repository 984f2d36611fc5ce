"""Ann, the ordinary user of the machine: she types in her home, and may use sudo."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.desk import Desk
from tests.support.machine import USER, Ended, programs_directory


@dataclass(frozen=True)
class Ann:
    """The ordinary user of the machine, in her home."""

    desk: Desk

    @property
    def home(self) -> Path:
        """Her home, from outside."""
        return self.desk.machine.inside(f"/home/{USER}")

    @property
    def images(self) -> Path:
        """The images in her store, from outside."""
        return self.home / ".local/share/appc/images"

    def words(self, line: str, *before: str, groups: str = "") -> list[str]:
        """Return the command that is a line as she types it, in further *groups*, behind the words *before*, which root says."""
        machine = self.desk.machine
        more = f"--groups={groups}" if groups else "--clear-groups"
        who = ["setpriv", f"--reuid={machine.uid}", f"--regid={machine.uid}", more]
        return machine.words([*before, *who, "env", "-i", *self.variables(), "sh", "-c", line], f"/home/{USER}")

    def variables(self) -> list[str]:
        """Return her environment."""
        certificate = self.desk.machine.environment["SSL_CERT_FILE"]
        path = f"{programs_directory()}:/usr/sbin:/usr/bin:/sbin:/bin"
        return [f"HOME=/home/{USER}", f"PATH={path}", "LC_ALL=C.UTF-8", f"SSL_CERT_FILE={certificate}"]

    def shell(self, line: str, *before: str) -> Ended:
        """Run a line as she types it, behind the words *before*."""
        result = subprocess.run(self.words(line, *before), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return Ended(result.returncode, result.stdout, result.stderr)

    def put(self, name: str, data: bytes) -> None:
        """Put a file into her home."""
        path = self.home / name
        path.write_bytes(data)
        os.chown(path, self.desk.machine.uid, self.desk.machine.uid)
