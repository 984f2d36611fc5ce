"""Layouts to measure with, the same on every machine: sizes, names and contents come from a seeded generator.

mixed   6,800 files and 200 MB: a few large ones, many small ones, text, code-like and random bytes
links   files, symbolic links and hard links in equal parts
small   files of 100 bytes
echo    busybox alone: an image to be started
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

MTIME = 1_600_000_000
_POOL = 1 << 23
_MANIFEST = {
    "acKind": "ImageManifest",
    "acVersion": "0.8.11",
    "labels": [{"name": "version", "value": "1.0.0"}, {"name": "os", "value": "linux"}],
}


def make_mixed(layout: Path, files: int, total: int, seed: int = 1) -> None:
    """Make a layout of *files* files with *total* bytes, in sizes as a distribution of Linux has them (median some 3 KB)."""
    generator = random.Random(seed)
    sizes = [generator.lognormvariate(0, 2.2) for _ in range(files)]
    scale = total / sum(sizes)
    contents = _Contents(generator)
    _start(layout)
    for directory, size in zip(_directories(layout / "rootfs", files // 8, generator), sizes, strict=False):
        _write(directory / _name(generator), contents.pieces(int(size * scale)), executable=generator.random() < 0.2)
    _settle(layout)


def make_links(layout: Path, each: int, seed: int = 2) -> None:
    """Make a layout with *each* files of some 1 KB, as many symbolic links to them, and as many hard links."""
    generator = random.Random(seed)
    contents = _Contents(generator)
    _start(layout)
    places = _directories(layout / "rootfs", each // 8, generator)
    for number, directory in zip(range(each), places, strict=False):
        path = directory / f"{number}-{_name(generator)}"
        _write(path, contents.pieces(generator.randrange(2048)), executable=False)
        (directory / f"{number}-symbolic").symlink_to(path.name)
        (directory / f"{number}-hard").hardlink_to(path)
    _settle(layout)


def make_small(layout: Path, files: int, seed: int = 3) -> None:
    """Make a layout of *files* files of 100 bytes."""
    generator = random.Random(seed)
    contents = _Contents(generator)
    _start(layout)
    for number, directory in zip(range(files), _directories(layout / "rootfs", files // 100, generator), strict=False):
        _write(directory / f"{number:06d}.conf", contents.pieces(100), executable=False)
    _settle(layout)


def make_large(layout: Path, total: int, files: int = 8, seed: int = 4) -> None:
    """Make a layout of a few files, *total* bytes together."""
    generator = random.Random(seed)
    contents = _Contents(generator)
    _start(layout)
    for number in range(files):
        _write(layout / "rootfs" / f"disk-{number}", contents.pieces(total // files), executable=False)
    _settle(layout)


def make_echo(layout: Path, busybox: Path) -> None:
    """Make the layout of an image that writes one line: a static busybox, and nothing else."""
    _start(layout, name="example.com/echo", app={"exec": ["/bin/echo", "ready"], "user": "0", "group": "0"})
    binaries = layout / "rootfs" / "bin"
    binaries.mkdir()
    shutil.copy(busybox, binaries / "busybox")
    (binaries / "echo").symlink_to("busybox")
    _settle(layout)


def make_upon(layout: Path, base: str) -> None:
    """Make the layout of an image with next to nothing of its own upon the image *base*."""
    _start(layout, dependencies=[{"imageName": base}], app={"exec": ["/none"], "user": "0", "group": "0"})
    (layout / "rootfs" / "own").write_text("own\n")
    _settle(layout)


class _Contents:
    """Bytes of three kinds, by the length of each file: text, machine code as far as a compressor sees it, and random ones."""

    def __init__(self, generator: random.Random) -> None:
        self._generator = generator
        letters = "etaoinshrdlucmfwypvbgkjqxz"
        weights = [26 - place for place in range(26)]
        words = ["".join(generator.choices(letters, weights, k=generator.randrange(2, 12))) for _ in range(20_000)]
        frequencies = [1 / (place + 3) for place in range(len(words))]
        text = " ".join(generator.choices(words, frequencies, k=_POOL // 5)).encode()
        codes = [generator.randbytes(generator.randrange(1, 7)) for _ in range(20_000)]
        self._pools = (text[:_POOL], b"".join(generator.choices(codes, frequencies, k=_POOL // 3))[:_POOL])

    def pieces(self, size: int) -> Iterator[bytes]:
        kind = self._generator.choices((0, 1, 2), (6, 3, 1))[0]
        while size > 0:
            length = min(size, 1 << 20)
            yield self._generator.randbytes(length) if kind == 2 else self._slice(kind, length)
            size -= length

    def _slice(self, kind: int, length: int) -> bytes:
        # Compressors look back 32 KiB: slices of a pool this large do not compress better for being slices.
        start = self._generator.randrange(len(self._pools[kind]) - length)
        return self._pools[kind][start : start + length]


def _start(layout: Path, **manifest: object) -> None:
    (layout / "rootfs").mkdir(parents=True)
    name = {"name": f"example.com/{layout.name}"}
    (layout / "manifest").write_text(json.dumps({**_MANIFEST, **name, **manifest}) + "\n")


def _directories(root: Path, count: int, generator: random.Random) -> Iterator[Path]:
    """Make *count* directories, each below the root or one made before, and yield one of them for each file, without end."""
    made = [root]
    for number in range(count):
        path = generator.choice(made) / f"{number:x}-{_name(generator)}"
        path.mkdir()
        made.append(path)
    while True:
        yield generator.choice(made)


def _name(generator: random.Random) -> str:
    return "".join(generator.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=generator.randrange(4, 14)))


def _write(path: Path, pieces: Iterator[bytes], *, executable: bool) -> None:
    with open(path, "wb") as file:
        for piece in pieces:
            file.write(piece)
    path.chmod(0o755 if executable else 0o644)


def _settle(layout: Path) -> None:
    """Give everything one time, the deepest first."""
    for directory, _, names in os.walk(layout, topdown=False):
        for name in names:
            os.utime(os.path.join(directory, name), (MTIME, MTIME), follow_symlinks=False)
        os.utime(directory, (MTIME, MTIME))
