"""Debian's packages for the virtual machine: unpacked, never installed."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

KERNEL = "linux-image-amd64"
# The compilers of profiles and policies, and the library of the latter.
TOOLS = ("apparmor", "secilc", "libsepol2")


def unpack(names: Sequence[str], place: Path) -> Path:
    """Unpack packages below *place* and return the root they lie in; one that APPC_VM_PACKAGES keeps is not downloaded."""
    kept = Path(os.environ.get("APPC_VM_PACKAGES", place))
    kept.mkdir(parents=True, exist_ok=True)
    root = place / "packages"
    for name in names:
        subprocess.run(["dpkg-deb", "-x", str(_find(name, kept) or _download(name, kept)), str(root)], check=True)
    return root


def _find(name: str, kept: Path) -> Path | None:
    # A kernel's package is named after its version, and the one that has no version depends on the latest.
    pattern = f"linux-image-[0-9]*{name.removeprefix('linux-image')}_*.deb" if name.startswith("linux-image") else f"{name}_*.deb"
    return next(iter(sorted(kept.glob(pattern), reverse=True)), None)


def _download(name: str, kept: Path) -> Path:
    depends = subprocess.run(["apt-cache", "depends", name], capture_output=True, text=True, check=True).stdout
    real = re.search(r"Depends: (linux-image-\S+)", depends)
    subprocess.run(["apt-get", "-q", "download", real[1] if real else name], cwd=kept, check=True)
    found = _find(name, kept)
    assert found is not None
    return found
