"""Downloads that broke, as far as they came: the bytes as served, kept so that the next run goes on from there.

A file holds a head of fixed length (JSON, filled up with spaces) and then the bytes. Whoever writes or reads one holds its lock;
who does not get it does without. Nothing in such a file is trusted: what goes on from it is verified from the first byte, and one
from before the machine started last, which may have holes in it, is only for what is signed.

Source: spec/store.md, Broken downloads.
"""

from __future__ import annotations

import fcntl
import os
import stat
from hashlib import sha256

from acfetch.disk_space import measure_free_space
from acfetch.ranges import Version
from acspec.descriptors import write_all
from acspec.errors import FormatError, OutputError
from acspec.fields import Fields
from acspec.jsontext import dump_json, parse_json
from acspec.ownership import others_can_write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from acfetch.http import Body
    from acspec.jsontext import JSONValue

HEAD = 4096
WORTH = 1 << 20  # bytes; what is smaller comes again as fast as it is looked up
_MOST = 2**63 - 1 - HEAD
_BOOT = "/proc/sys/kernel/random/boot_id"


class Partial:
    """What is kept of one URL, none of it when another process has it or there is no room; used as a context manager.

    `version` is what it is a part of, None when nothing is kept; `size` in bytes.
    """

    def __init__(self, directory: str, url: str, given_up: Iterable[str] = (), *, is_signed: bool) -> None:
        """Open what is kept of *url*, as it was fetched with the same words given up. Raises: OSError."""
        self._url = url
        self._path = os.path.join(directory, sha256("\n".join([url, *sorted(given_up)]).encode()).hexdigest())
        self._fd = _open_own(self._path)
        self._keeps = False
        self.size = 0
        self.version = self._read_head(is_signed=is_signed)
        if self.version is not None:
            self.size = os.fstat(self._fd).st_size - HEAD

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Let go of it."""
        self.close()

    def _read_head(self, *, is_signed: bool) -> Version | None:
        """Return the version in the head, or None when nothing usable follows."""
        if self._fd < 0 or os.fstat(self._fd).st_size <= HEAD:
            return None
        try:
            fields = Fields(parse_json(os.pread(self._fd, HEAD, 0), self._path, HEAD), self._path)
            url, validator, boot = fields.text("url"), fields.text("validator"), fields.text("boot")
            size = fields.integer("size", 0, _MOST)
        except FormatError:
            return None
        whole = is_signed or boot == _boot()
        return Version(validator, size) if url == self._url and whole else None

    def begin(self, body: Body) -> None:
        """Forget what was kept, and keep what *body* brings from now on, if the rest of it could be asked for one day."""
        self.clear()
        version = body.version
        if self._fd < 0 or version is None or (version.size or WORTH) < WORTH:
            return
        if measure_free_space(os.path.dirname(self._path)) < 2 * (version.size or WORTH):  # the image itself comes first
            return
        said: JSONValue = {"url": self._url, "validator": version.validator, "size": version.size, "boot": _boot()}
        head = dump_json(said).ljust(HEAD)
        if len(head) > HEAD:
            return
        self.version, self._keeps = version, True
        self._append(head)

    def go_on(self, start: int) -> None:
        """Keep what comes from now on, which follows on the first *start* bytes."""
        self._keeps = self._fd >= 0
        os.ftruncate(self._fd, HEAD + start)
        os.lseek(self._fd, 0, os.SEEK_END)
        self.size = start

    def read(self, start: int, size: int) -> bytes:
        """Return up to *size* of the bytes kept, from *start* on. Raises: OSError."""
        return os.pread(self._fd, size, HEAD + start)

    def write(self, data: bytes) -> None:
        """Keep *data* as well; when the disk does not take it, what is kept ends here."""
        if self._keeps and data:
            self._append(data)

    def _append(self, data: bytes) -> None:
        try:
            write_all(self._fd, data)
        except OSError:  # it is the image that matters
            self._keeps = False

    def clear(self) -> None:
        """Throw away what is kept: it is of no use."""
        self.size, self.version, self._keeps = 0, None, False
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.lseek(self._fd, 0, os.SEEK_SET)

    def close(self) -> None:
        """Let go of it; what holds no bytes is removed. May be called again."""
        if self._fd < 0:
            return
        if os.fstat(self._fd).st_size <= HEAD:
            _remove(self._path)
        os.close(self._fd)
        self._fd = -1

    def discard(self) -> None:
        """Remove it: the image is in the store. May be called again."""
        if self._fd >= 0:
            self.clear()
        self.close()


def _open_own(path: str) -> int:
    """Return a descriptor of the file, which has its lock, or -1 when it is another's, or held, or cannot be made."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    while True:
        try:
            descriptor = os.open(path, flags, 0o600)
        except (OSError, OutputError):
            return -1
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not others_can_write(status) and _lock(descriptor):
            if os.fstat(descriptor).st_nlink:  # nobody removed it in the moment before the lock
                return descriptor
            os.close(descriptor)
            continue
        os.close(descriptor)
        return -1


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _boot() -> str:
    try:
        with open(_BOOT, encoding="ascii") as file:
            return file.read(64).strip()
    except OSError:
        return ""
