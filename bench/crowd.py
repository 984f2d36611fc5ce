"""Measure many pods at once: how long they take to start and to end, how long a list of them takes, what a pod at rest holds.

    sudo .venv/bin/python bench/crowd.py --pods 200

Every pod is real: busybox's sleep, detached, with a name. They end and go when all is measured. Four are started at a time.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ACRUN = str(Path(sys.executable).parent / "acrun")
AT_A_TIME = 4
LISTS = 5


def main() -> None:
    """Measure as many pods as the command line says."""
    parser = argparse.ArgumentParser(prog="bench/crowd.py", description="Measure many pods at once.")
    parser.add_argument("--pods", type=int, default=200, metavar="N", help="how many (200)")
    parser.add_argument("--busybox", type=Path, default=Path("/bin/busybox"), metavar="FILE", help="the program that is started")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="appc-crowd-") as directory:
        os.environ["APPC_DIR"] = os.path.join(directory, "data")
        image = os.path.join(directory, "sleep.aci")
        _write_image(image, options.busybox)
        _acrun("--rm", image, "--", "0")  # renders the tree
        try:
            _measure(image, options.pods)
        finally:
            uuids = _acrun("list", "--quiet").split()
            if uuids:
                print(f"stop them all          {_time('stop', '--force', *uuids):8.2f} s")
            _acrun("gc", "--grace-period", "0")


def _measure(image: str, count: int) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(lambda number: _acrun("--detach", "--name", f"pod-{number}", image, "--", "100000"), range(count)))
    print(f"start {count} pods         {time.monotonic() - began:8.2f} s")
    print(f"list, best of {LISTS}        {min(_time('list') for _ in range(LISTS)):8.2f} s")
    print(f"list --json, best of {LISTS} {min(_time('list', '--json') for _ in range(LISTS)):8.2f} s")
    held = [_held(Path(os.environ["APPC_DIR"]) / "pods" / "run" / uuid) for uuid in _acrun("list", "--quiet").split()]
    print(f"RssAnon of ours, a pod {sum(held) / len(held) / 1024:8.1f} MiB (at most {max(held) / 1024:.1f})")


def _held(pod: Path) -> int:
    """Return how many KiB monitor and init hold for themselves alone."""
    who = json.loads((pod / "pid").read_text())
    lines = [line for name in ("monitor", "init") for line in Path(f"/proc/{who[name]['pid']}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


def _acrun(*words: str) -> str:
    return subprocess.run([ACRUN, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout


def _time(*words: str) -> float:
    began = time.monotonic()
    _acrun(*words)
    return time.monotonic() - began


def _write_image(path: str, busybox: Path) -> None:
    app = {"exec": ["/bin/sleep"], "user": "0", "group": "0"}
    manifest = json.dumps({"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/sleep", "app": app}).encode()
    with tarfile.open(path, "w") as archive:
        _add(archive, "manifest", manifest)
        for name in ("rootfs", "rootfs/bin"):
            _add(archive, name, b"", tarfile.DIRTYPE)
        _add(archive, "rootfs/bin/sleep", busybox.read_bytes())


def _add(archive: tarfile.TarFile, name: str, data: bytes, kind: bytes = tarfile.REGTYPE) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.mode, member.size = kind, 0o755, len(data)
    archive.addfile(member, io.BytesIO(data))


if __name__ == "__main__":
    main()
