"""Images verified where they lie: each hashed again and compared with its record; what is damaged is set aside.

Two are read at a time, in bounded memory. An image is set aside only while nobody uses it, and only when the files that were read
are still those in the store; in a store that cannot be changed it is told and stays.

Source: spec/store.md, Verifying images; aci.md, Image ID.
"""

from __future__ import annotations

import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha512
from threading import Event

from acfetch.dependency_graph import close_over
from acfetch.image_lookup import get_image_id
from acfetch.progress import Progress
from acspec.archive.image import read_manifest
from acspec.durable import remove_tree, sync_directory
from acspec.errors import BusyError, FormatError, KernelError, MissingInputError
from acspec.image_manifest import parse_image_manifest
from acspec.locks import open_locked
from acspec.program import os_error
from acspec.values import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from acspec.names import ImageID
    from acspec.store import ImageRecord, Store

    OnBytes = Callable[[int], object]
    Witness = tuple[tuple[int, ...], ...]

_THREADS = 2
_CHUNK = 1 << 20
_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a FIFO in place of a file must not keep us waiting


class Finding(Value):
    """What was found out about one image: its record when that can be read, and what is wrong with it, None when nothing is.

    *missing* are the images that it needs, directly or not, and that are not in the store. What is damaged was set aside, unless
    *kept* says why it was not: what cannot be read now may be well.
    """

    image_id: str
    record: ImageRecord | None
    fault: str | None = None
    missing: tuple[str, ...] = ()
    kept: str | None = None

    @property
    def state(self) -> str:
        """The finding in a word: good, damaged or incomplete."""
        return "damaged" if self.fault is not None else "incomplete" if self.missing else "good"


class _Stopped(Exception):
    """Nobody wants to know any more."""


def audit(store: Store, texts: Sequence[str], *, quiet: bool) -> list[Finding]:
    """Verify the images that *texts* mean, all when there are none, and return what was found; show progress unless *quiet*.

    Raises: UsageError; MissingInputError; as `audit_images` does.
    Source: spec/store.md, Verifying images.
    """
    chosen = list(dict.fromkeys(get_image_id(text, store) for text in texts)) if texts else store.ids()
    progress = Progress(quiet=quiet)
    progress.begin("images", sum(store.size(image_id) for image_id in chosen))
    try:
        return audit_images(chosen, store, progress.advance)
    finally:
        progress.end()


def audit_images(image_ids: Sequence[str], store: Store, on_bytes: OnBytes) -> list[Finding]:
    """Verify images of *store*, set aside what is damaged, and return what was found, in order; *on_bytes* is told what is read.

    An image that is removed meanwhile is left out.

    Raises: KernelError; OSError where the store itself cannot be read.
    Source: spec/store.md, Verifying images.
    """
    found = [item for seen in _inspect_all(image_ids, store, on_bytes) if (item := _settle(seen, store)) is not None]
    records = store.whole_records()
    return [_complete(item, records) for item in found]


def _inspect_all(image_ids: Sequence[str], store: Store, on_bytes: OnBytes) -> Iterator[tuple[Finding, Witness] | None]:
    stop = Event()

    def advance(count: int) -> None:
        if stop.is_set():
            raise _Stopped
        on_bytes(count)

    pool = ThreadPoolExecutor(_THREADS, "verify")
    try:
        yield from pool.map(lambda image_id: _inspect(image_id, store, advance), image_ids)
    except RuntimeError as error:
        raise KernelError("thread", "the system allows no more of them", "ulimit -u shows the limit") from error
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _inspect(image_id: str, store: Store, on_bytes: OnBytes) -> tuple[Finding, Witness] | None:
    """Return what is found out about an image, and the files that this is about; None when it is not in the store any more."""
    witness = _witness(image_id, store)
    try:
        record = store.read_record(image_id)
    except MissingInputError:
        return None
    except FormatError as error:
        return Finding(image_id, None, f"its record is bad: {error.why}"), witness
    try:
        return Finding(image_id, record, _find_fault(record, store.image_path(image_id), on_bytes)), witness
    except OSError as error:
        why = os.strerror(error.errno or 0).lower()
        return Finding(image_id, record, f"its file cannot be read: {why}", kept="it may be readable another time"), witness


def _find_fault(record: ImageRecord, path: str, on_bytes: OnBytes) -> str | None:
    try:
        descriptor = os.open(path, _OPEN)
    except FileNotFoundError:
        return "its file is missing"
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return "its file is a symbolic link"
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return "its file is no regular file"
        digest = _hash(descriptor, on_bytes)
        if digest != record.id:
            return f"its content is that of {digest[:19]}…"
        os.lseek(descriptor, 0, os.SEEK_SET)
        return _find_contradiction(record, descriptor, path)
    finally:
        os.close(descriptor)


def _hash(descriptor: int, on_bytes: OnBytes) -> str:
    digest, buffer = sha512(), memoryview(bytearray(_CHUNK))
    while count := os.readv(descriptor, [buffer]):
        digest.update(buffer[:count])
        on_bytes(count)
    return f"sha512-{digest.hexdigest()}"


def _find_contradiction(record: ImageRecord, descriptor: int, path: str) -> str | None:
    """Return what the record says otherwise than the manifest, whose bytes are the right ones."""
    try:
        manifest = parse_image_manifest(read_manifest(descriptor, path), path)
    except FormatError:
        return None  # an image that was never valid is still what it always was
    resolved = [dependency.image_id for dependency in manifest.dependencies]
    fits = {
        "name": record.name == manifest.name,
        "labels": record.labels == manifest.labels,
        "dependencies": len(resolved) == len(record.dependencies)
        and all(pinned in (None, found) for pinned, found in zip(resolved, record.dependencies, strict=True)),
    }
    return next((f"its record says other {key} than its manifest" for key, same in fits.items() if not same), None)


def _settle(seen: tuple[Finding, Witness] | None, store: Store) -> Finding | None:
    """Set an image aside when it is damaged; look at it again when it is another by now."""
    while seen is not None:
        finding, witness = seen
        if finding.fault is None or finding.kept is not None:
            return finding
        try:
            with store.changing():
                if _witness(finding.image_id, store) == witness:
                    _set_aside(finding.image_id, store)
                    return finding
        except BusyError:
            return replace(finding, kept="another process uses it")
        except OSError as error:
            return replace(finding, kept=os_error(error).why)
        seen = _inspect(finding.image_id, store, lambda _: None)
    return None


def _set_aside(image_id: str, store: Store) -> None:
    """Move the files of an image out of everybody's way, the record first: without it nobody takes the rest for an image."""
    image = store.image_path(image_id)
    lock = open_locked(image) if _is_regular(image) else None
    try:
        os.makedirs(store.damaged, mode=0o700, exist_ok=True)
        paths = [store.record_path(image_id), store.signature_path(image_id), image]
        for path in paths:
            remove_tree(os.path.join(store.damaged, os.path.basename(path)))  # what was damaged before it was fetched again
        for path in filter(os.path.lexists, paths):
            os.rename(path, os.path.join(store.damaged, os.path.basename(path)))
        sync_directory(store.damaged)
        sync_directory(store.images)
    finally:
        if lock is not None:
            os.close(lock)


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False


def _witness(image_id: str, store: Store) -> Witness:
    """Return which files an image consists of now: whoever adds it again makes new ones."""
    found: list[tuple[int, ...]] = []
    for path in (store.record_path(image_id), store.image_path(image_id)):
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            found.append(())
        else:
            found.append((status.st_dev, status.st_ino, status.st_size))
    return tuple(found)


def _complete(finding: Finding, records: Mapping[ImageID, ImageRecord]) -> Finding:
    if finding.fault is not None or finding.record is None:
        return finding
    missing = close_over([finding.record.id], records) - records.keys()
    return replace(finding, missing=tuple(sorted(missing)))
