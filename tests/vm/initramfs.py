"""The initramfs of the virtual machine: busybox, the kernel's modules for disks and files, and what to run."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

MODULES = ("virtio_pci", "virtio_blk", "9p", "9pnet_virtio", "crc32c_generic", "ext4", "overlay")


def make_initramfs(packages: Path, files: Mapping[str, bytes]) -> bytes:
    """Return a compressed cpio archive that starts tests/vm/init.sh, with *files* in its root."""
    return gzip.compress(b"".join(_entries(packages, files)), 1)


def _entries(packages: Path, files: Mapping[str, bytes]) -> Iterator[bytes]:
    modules = {path.name.removesuffix(".ko"): path for path in packages.rglob("*.ko")}
    order: dict[str, None] = {}
    for name in MODULES:
        _add_module(name, modules, order)
    yield from (_entry(name, 0o40755) for name in ("bin", "dev", "modules"))
    yield _entry("init", 0o100755, Path(__file__).with_name("init.sh").read_bytes())
    yield _entry("bin/busybox", 0o100755, Path("/bin/busybox").read_bytes())
    yield from (_entry(name, 0o100644, data) for name, data in files.items())
    yield _entry("modules/order", 0o100644, "".join(f"{name}\n" for name in order).encode())
    for name in order:
        yield _entry(f"modules/{name}", 0o100644, modules[name].read_bytes())
    yield _entry("TRAILER!!!", 0)


def _add_module(name: str, modules: Mapping[str, Path], order: dict[str, None]) -> None:
    """Add a module behind those it depends on; one that is no file is built into the kernel."""
    if name in order or name not in modules:
        return
    depends = re.search(rb"\0depends=([^\0]*)", modules[name].read_bytes())
    for other in (depends[1].decode() if depends else "").split(","):
        _add_module(other, modules, order)
    order[name] = None


def _entry(name: str, mode: int, data: bytes = b"") -> bytes:
    """Return one entry of a cpio archive. Source: kernel Documentation/driver-api/early-userspace/buffer-format.rst."""
    numbers = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    header = b"070701" + "".join(f"{number:08x}" for number in numbers).encode() + name.encode() + b"\0"
    return header + bytes(-len(header) % 4) + data + bytes(-len(data) % 4)
