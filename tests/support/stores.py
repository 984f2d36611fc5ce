"""Stores with real images in them, aged and depended on, pods that were made from them, and processes that wait for locks."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import Popen
from typing import Any

from acspec.image_manifest import parse_image_manifest
from acspec.pods import Pod, Pods
from acspec.store import ImageRecord, Store
from tests.support import images

DAY = 24 * 3600
PROGRAM = (sys.executable, "-c", "import sys; from acfetch.cli import main; sys.exit(main())")


def add_image(
    data: Path, name: str, *needs: str, age: float = 0, content: bytes = b"", signature: bytes | None = None, **known: Any
) -> str:
    """Put an image that depends on images *needs* (IDs) into the store *data*, last used *age* seconds ago; return its ID."""
    store = Store.open(str(data), create=True)
    wanted = [{"imageName": f"example.com/needed{number}", "imageID": need} for number, need in enumerate(needs)]
    manifest = images.manifest_bytes(name=name, dependencies=wanted or None, labels=known.pop("labels", []))
    tar = images.tar({"file": content or name.encode()}, manifest)
    parsed = parse_image_manifest(manifest)
    known = {"imported": "2026-01-01T00:00:00Z", "labels": parsed.labels, "dependencies": needs, **known}
    record = ImageRecord(id=images.image_id(tar), name=parsed.name, **known)  # type: ignore[arg-type]
    with store.new_image() as new:
        new.write(tar)
        new.publish(record, signature)
    set_age(data, record.id, age)
    return record.id


def set_age(data: Path, image_id: str, seconds: float) -> None:
    """Let an image have been used last *seconds* ago."""
    moment = time.time() - seconds
    os.utime(data / "images" / f"{image_id}.json", (moment, moment))


def make_pod(run: Path, phase: str, *image_ids: str) -> Pod:
    """Make a pod, not locked, whose app was made from images."""
    pod = Pods(str(run)).create()
    app = Path(pod.path, "apps", "app")
    app.mkdir(parents=True)
    (app / "tree").write_text("".join(f"{line}\n" for line in ("0" * 64, *image_ids)))
    if phase != "prepare":
        pod.move(phase)
    pod.unlock()
    return pod


def listed(data: Path) -> set[str]:
    """Return the IDs of the images in the store *data*."""
    return {record.id for record in Store.open(str(data)).records()}


def check_store(data: Path) -> set[str]:
    """Check that every image in the store *data* is whole and has all that it depends on, and return their IDs."""
    found = set()
    for path in (data / "images").glob("*.json"):
        record = json.loads(path.read_bytes())
        file = path.with_suffix(".aci")
        assert f"sha512-{hashlib.sha512(file.read_bytes()).hexdigest()}" == record["id"] == path.stem
        for dependency in record["dependencies"]:
            for suffix in (".json", ".aci"):
                assert (data / "images" / f"{dependency}{suffix}").exists(), f"{record['name']} is there without {dependency}"
        found.add(path.stem)
    return found


def wait_until_blocked(process: Popen[Any] | BaseProcess) -> None:
    """Return when *process* waits for a lock that somebody else holds."""
    while not _is_blocked(process.pid):
        ended = process.exitcode if isinstance(process, BaseProcess) else process.poll()
        assert ended is None, "it ended and waited for nobody"
        os.sched_yield()


def _is_blocked(pid: int | None) -> bool:
    lines = Path("/proc/locks").read_text().splitlines()
    return any(words[1:3] == ["->", "FLOCK"] and words[5] == str(pid) for words in map(str.split, lines))


def start(*words: str, **options: Any) -> Popen[str]:
    """Start acfetch."""
    return Popen([*PROGRAM, *words], text=True, **options)


def names_of(rows: Sequence[tuple[ImageRecord, int]]) -> list[str]:
    """Return the names of images that were removed, sorted."""
    return sorted(record.name for record, _ in rows)
