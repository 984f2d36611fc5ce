"""Where files are written: the given directory; for root, a fresh ext4 and a tmpfs in a mount namespace that ends with the bench.

An extraction takes ten times as long on one disk as on another, for everybody: a ratio says something only beside its file system.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_MARK = "BENCH_IN_NAMESPACE"


def enter_namespace() -> None:
    """Start this program again in a mount namespace of its own, as root; as anybody else, or without unshare(1), do nothing."""
    if os.geteuid() != 0 or os.environ.get(_MARK) or shutil.which("unshare") is None:
        return
    os.environ[_MARK] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])


def check_space(place: Path, needed: int) -> None:
    """End the bench when *place* has less than *needed* bytes free."""
    if not place.is_dir():
        sys.exit(f"bench: {place}: not a directory")
    free = shutil.disk_usage(place).free
    if free < needed:
        sys.exit(f"bench: {place}: {free / 1e9:.1f} GB free, {needed / 1e9:.1f} GB are needed (--place DIR names another place)")


def mount_places(work: Path, needed: int) -> dict[str, Path]:
    """Return file systems to measure on by name, each an empty directory with room for *needed* bytes."""
    places: dict[str, Path] = {}
    if os.environ.get(_MARK):
        if _available_memory() > 2 * needed:
            _mount(places, "tmpfs", work / "tmpfs", ["mount", "-t", "tmpfs", "-o", f"size={needed}", "bench"])
        image = work / "ext4.img"
        image.touch()
        os.truncate(image, needed + needed // 4)
        # An inode for each 8 KiB: as many as usual, one for each 16 KiB, are too few for three trees of 100,000 tiny files.
        if _succeeds("mkfs.ext4", "-q", "-F", "-i", "8192", str(image)):
            _mount(places, "a fresh ext4", work / "ext4", ["mount", "-t", "ext4", "-o", "loop", str(image)])
    if not places:
        places[_kind(work)] = work / "here"
        places[_kind(work)].mkdir()
    return places


def _mount(places: dict[str, Path], name: str, target: Path, words: list[str]) -> None:
    target.mkdir()
    if _succeeds(*words, str(target)):
        places[name] = target
    else:
        print(f"bench: {name} is left out: it cannot be mounted here", file=sys.stderr)


def _succeeds(*words: str) -> bool:
    return shutil.which(words[0]) is not None and subprocess.run(words, capture_output=True, check=False).returncode == 0


def unmount_places(places: dict[str, Path]) -> None:
    """Unmount what `mount_places` mounted, so that the work directory can be removed."""
    for place in places.values():
        if place.is_mount():
            # Lazily: a command that the end of the bench has cut short may not have ended yet.
            subprocess.run(["umount", "--lazy", str(place)], check=True)


def _available_memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _kind(path: Path) -> str:
    result = subprocess.run(["stat", "--file-system", "--format=%T", str(path)], capture_output=True, text=True, check=False)
    return result.stdout.strip() or "this file system"
