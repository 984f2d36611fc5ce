"""Files that appear whole or not at all, also after a power cut, and trees that go away for sure.

The discipline: a temporary file beside the final name, fsync, rename (or link), fsync of the directory. Measured without
it: a zero-length file under the final name. A temporary file is locked while its maker lives, so that one whose maker was
killed can be told from it and removed.

Source: rename(2), fsync(2), open(2); spec/store.md.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys

from acspec.descriptors import write_all
from acspec.errors import BusyError, OutputError
from acspec.locks import iterate_unlocked, open_locked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

_TEMPORARY = ".tmp"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW
_FS_IOC_GETFLAGS, _FS_IOC_SETFLAGS = 0x80086601, 0x40086602
_FORBIDDING = 0x10 | 0x20  # FS_IMMUTABLE_FL, FS_APPEND_FL


class NewFile:
    """A file being written beside its final name; it takes that name at `commit`, else it is removed.

    Used as a context manager. `fd` is the descriptor to write to; until `commit` the mode is 0600.
    """

    def __init__(self, path: str, *, dir_fd: int | None = None, mode: int = 0o644) -> None:
        """Create the temporary file. Raises: OutputError when the directory does not allow it; OSError."""
        directory, self._name = os.path.split(path)
        if not self._name:
            raise OutputError(path, "not the name of a file")
        self.path = path
        self._mode = mode
        self._directory = _open_output_directory(directory or ".", path, dir_fd)
        try:
            self._create()
        except OSError as error:
            os.close(self._directory)
            raise _output_error(path, error) from error

    def _create(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        while True:
            self._temporary = temporary_name(self._name)
            self.fd = os.open(self._temporary, flags, 0o600, dir_fd=self._directory)
            fcntl.flock(self.fd, fcntl.LOCK_EX)
            if os.fstat(self.fd).st_nlink:  # nobody took it for a dead one's in the moment before the lock
                return
            os.close(self.fd)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Remove what was not committed, and close."""
        self.close()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of *data*. Raises: OSError with the path."""
        write_all(self.fd, data, self.path)

    def commit(self, *, overwrite: bool = False, sync: bool = True) -> None:
        """Give the file its mode and its final name, durably unless *sync* is false: then a power cut may leave a part of it.

        Raises: OutputError when the name is taken and *overwrite* is false; OSError.
        """
        try:
            os.fchmod(self.fd, self._mode)
            if sync:
                os.fsync(self.fd)
            if overwrite:
                os.rename(self._temporary, self._name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
            else:
                self._link()
            self._temporary = ""
            if sync:
                os.fsync(self._directory)
        except OSError as error:  # fsync names no path, rename the temporary one
            raise OSError(error.errno, error.strerror, self.path) from error

    def _link(self) -> None:
        # link refuses an existing name, which rename would replace; file systems without links get a check first.
        try:
            os.link(self._temporary, self._name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        except FileExistsError:
            raise OutputError(self.path, "already exists") from None
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK):
                raise
            if _exists(self._name, self._directory):
                raise OutputError(self.path, "already exists") from None
            os.rename(self._temporary, self._name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        else:
            os.unlink(self._temporary, dir_fd=self._directory)

    def close(self) -> None:
        """Close; remove the temporary file when it was not committed. May be called again."""
        if self.fd < 0:
            return
        os.close(self.fd)
        self.fd = -1
        if self._temporary:
            try:
                os.unlink(self._temporary, dir_fd=self._directory)
            except FileNotFoundError:
                pass
        os.close(self._directory)


def temporary_name(name: str) -> str:
    """Return a name for what becomes *name* in the same directory: nothing else has it, and it fits where *name* does."""
    return f".{os.fsdecode(os.fsencode(name)[:200])}.{os.urandom(6).hex()}{_TEMPORARY}"


def umasked(mode: int) -> int:
    """Return the permissions that something new gets of *mode*, as open(2) gives them: without those in the umask."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mode & ~mask


def make_directories(path: str, mode: int) -> None:
    """Make the directory *path* and those above it that are missing, each with *mode*, of which a umask only takes away.

    (os.makedirs gives that mode to the last one alone: above it, whoever the umask lets could put something else in its place.)

    Raises: OSError, FileExistsError when something else is there.
    """
    try:
        _make_directory(path, mode)
    except FileNotFoundError:
        above = os.path.dirname(path)
        if above in ("", path):
            raise
        make_directories(above, mode)
        _make_directory(path, mode)  # no third time: below /proc, the answer stays the same


def _make_directory(path: str, mode: int) -> None:
    try:
        os.mkdir(path, mode)
    except OSError:
        if not os.path.isdir(path):
            raise


def change_mode(name: str | bytes, mode: int, *, dir_fd: int | None = None) -> None:
    """Give a file *mode*, without opening it; of a link in its place, nothing that it leads to.

    (os.chmod follows: an app that sees the file being made could put a link to one of the host's there.)

    Raises: OSError, for a link as well.
    Source: chmod(2); open(2), O_PATH.
    """
    descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        os.chmod(f"/proc/self/fd/{descriptor}", mode)
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from error
    finally:
        os.close(descriptor)


def write_file(
    path: str, data: bytes, *, dir_fd: int | None = None, mode: int = 0o644, overwrite: bool = True, sync: bool = True
) -> None:
    """Write *data* to *path* (below *dir_fd*) so that the file is there whole, durably unless *sync* is false, or not at all.

    Raises: OutputError; OSError.
    """
    with NewFile(path, dir_fd=dir_fd, mode=mode) as file:
        file.write(data)
        file.commit(overwrite=overwrite, sync=sync)


def sweep_new_files(directory: str) -> None:
    """Remove the temporary files of writers that were killed from *directory*; those of the living are locked. Raises: OSError."""
    for path in iterate_unlocked(os.path.join(directory, name) for name in list_names(directory) if is_new_file(name)):
        os.unlink(path)


def is_new_file(name: str) -> bool:
    """Tell whether a file of that name is a temporary one of `NewFile`."""
    return name.startswith(".") and name.endswith(_TEMPORARY)


def sweep(directory: str, is_left: Callable[[str], bool], *, dir_fd: int) -> None:
    """Remove what killed makers left in *directory*, below *dir_fd* and no link: what *is_left* says of its name and nobody holds.

    Whatever others put in the place of the directory, nothing else is removed. What is another user's stays.

    Raises: OSError.
    """
    try:
        place = os.open(directory, _DIRECTORY, dir_fd=dir_fd)
    except OSError:
        return
    try:
        for name in filter(is_left, os.listdir(place)):
            _remove_unlocked(name, place)
    finally:
        os.close(place)


def _remove_unlocked(name: str, directory: int) -> None:
    try:
        lock = open_locked(name, dir_fd=directory)
    except (BusyError, OSError):
        return
    try:
        remove_tree(name, dir_fd=directory)
    finally:
        os.close(lock)


def list_names(directory: str) -> list[str]:
    """Return the names in a directory, sorted; none when there is no such directory. Raises: OSError."""
    try:
        return sorted(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return []


def sync_directory(directory: str | int) -> None:
    """Make the names in a directory (path or descriptor) durable. Raises: OSError."""
    if isinstance(directory, int):
        os.fsync(directory)
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_system(path: str) -> None:
    """Make all that is on the file system of *path* durable: after a rename alone a power cut may leave empty files."""
    import subprocess

    if subprocess.run(["sync", "--file-system", path], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
        os.sync()


def remove_tree(name: str, *, dir_fd: int | None = None) -> None:
    """Remove the file or the whole tree *name*; links are removed, never followed; what is gone already is no error.

    Depth is bounded by nothing but the disk: the walk moves what is too deep up to the top instead of keeping
    a descriptor for each level. Directories without permissions (overlay's work directory has mode 000) are opened first,
    and what an app with CAP_LINUX_IMMUTABLE forbade to remove is allowed again.

    Raises: OSError.
    """
    try:
        os.unlink(name, dir_fd=dir_fd)
    except FileNotFoundError:
        return
    except IsADirectoryError:
        _remove_directory(name, dir_fd)


def _remove_directory(name: str, dir_fd: int | None) -> None:
    top = _open_directory(name, dir_fd)
    try:
        # Each sub-directory is emptied of its files, its own sub-directories are moved up to the top, then it is
        # removed: no recursion, two descriptors at any depth.
        counter, mark = 0, os.urandom(8).hex()
        while pending := _clear_files(top):
            for child in pending:
                descriptor = _open_directory(child, top)
                try:
                    for grandchild in _clear_files(descriptor):
                        counter += 1
                        _lift(grandchild, descriptor, top, f".remove-{mark}-{counter}")
                finally:
                    os.close(descriptor)
                os.rmdir(child, dir_fd=top)
    finally:
        os.close(top)
    try:
        os.rmdir(name, dir_fd=dir_fd)
    except FileNotFoundError:
        pass


def _lift(name: str, source: int, top: int, new_name: str) -> None:
    """Rename a directory up to the top under a name that nothing there has: no image can know it."""
    try:
        os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=top)
    except PermissionError:  # a new parent means a new "..", which takes write permission on the directory itself
        _allow_changes(name, source)
        change_mode(name, 0o700, dir_fd=source)
        os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=top)


def _clear_files(directory: int) -> list[str]:
    """Remove all that is no directory and return the names of those that are."""
    directories = []
    with os.scandir(directory) as entries:
        names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_directory in names:
        if is_directory:
            directories.append(name)
            continue
        try:
            os.unlink(name, dir_fd=directory)
        except FileNotFoundError:
            pass
        except PermissionError:
            _allow_changes(name, directory)
            os.unlink(name, dir_fd=directory)
    return directories


def _allow_changes(name: str, directory: int) -> None:
    """Take from a file or a directory the flags by which it cannot be removed, which only root can.

    Nothing else is opened: devices and FIFOs do something when they are.

    Source: ioctl_iflags(2); open(2), O_PATH.
    """
    if os.geteuid() != 0:
        return
    try:
        found = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return
    try:
        if stat.S_IFMT(os.fstat(found).st_mode) in (stat.S_IFREG, stat.S_IFDIR):
            _clear_flags(f"/proc/self/fd/{found}")
    finally:
        os.close(found)


def _clear_flags(path: str) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        flags = int.from_bytes(fcntl.ioctl(descriptor, _FS_IOC_GETFLAGS, bytes(8)), sys.byteorder)
        if flags & _FORBIDDING:
            fcntl.ioctl(descriptor, _FS_IOC_SETFLAGS, (flags & ~_FORBIDDING).to_bytes(8, sys.byteorder))
    except OSError:  # a file system without them
        pass
    finally:
        os.close(descriptor)


def _open_directory(name: str, dir_fd: int | None) -> int:
    try:
        descriptor = os.open(name, _DIRECTORY, dir_fd=dir_fd)
    except PermissionError:
        change_mode(name, 0o700, dir_fd=dir_fd)
        return os.open(name, _DIRECTORY, dir_fd=dir_fd)
    _allow_changes(".", descriptor)
    # An owner without capabilities needs write and search permission to empty it.
    if os.geteuid() != 0 and os.fstat(descriptor).st_mode & 0o700 != 0o700:
        os.fchmod(descriptor, 0o700)
    return descriptor


def _open_output_directory(directory: str, path: str, dir_fd: int | None) -> int:
    try:
        return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=dir_fd)
    except OSError as error:
        raise _output_error(path, error) from error


def _output_error(path: str, error: OSError) -> OutputError:
    return OutputError(path, f"cannot be created: {os.strerror(error.errno or 0).lower()}")


def _exists(name: str, dir_fd: int) -> bool:
    try:
        os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
