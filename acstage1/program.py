"""The program to execute, found inside the rootfs as execvp would find it.

Source: aci.md, exec; exec(3).
"""

from __future__ import annotations

import errno
import os
import stat

from acstage1.errors import NotExecutableError, NotFoundError

# confstr(_CS_PATH), where an app's environment has no PATH at all.
_FALLBACK_PATH = "/bin:/usr/bin"
_SHORT = 512
_SHELLS = ("/bin/bash", "/bin/sh")


def get_program(name: str, path: str | None, working_directory: str) -> str:
    """Return the path of the program *name*: itself when it has a slash, else the first executable of that name in *path*.

    Raises: NotFoundError; NotExecutableError.
    Source: aci.md, exec.
    """
    if "/" in name:
        _check(name if name.startswith("/") else os.path.join(working_directory, name), name)
        return name
    refused: NotExecutableError | None = None
    for directory in (path if path is not None else f":{_FALLBACK_PATH}").split(":"):
        candidate = os.path.join(working_directory, directory, name)
        try:
            _check(candidate, name)
        except NotFoundError:
            continue
        except NotExecutableError as error:
            refused = error
            continue
        return candidate
    raise refused or NotFoundError(name, f"not found in the app's PATH ({path if path is not None else _FALLBACK_PATH})")


def get_shell() -> str:
    """Return the shell that the image has, the more comfortable one first. Raises: NotFoundError. Source: spec/stage1.md, enter."""
    for shell in _SHELLS:
        try:
            _check(shell, shell)
        except (NotFoundError, NotExecutableError):
            continue
        return shell
    raise NotFoundError("a shell", f"the image has neither {' nor '.join(_SHELLS)}", "name a command behind --")


def _check(candidate: str, name: str) -> None:
    try:
        status = os.stat(candidate)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            raise NotFoundError(name, "not found in the image") from None
        raise NotExecutableError(name, os.strerror(error.errno or 0).lower()) from None
    if stat.S_ISDIR(status.st_mode):
        raise NotExecutableError(name, "is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise NotExecutableError(name, "is no regular file")
    if not status.st_mode & 0o111:
        raise NotExecutableError(name, "is not executable")


def check_interpreter(path: str, name: str) -> None:
    """Check that what a script's `#!` or a program's loader segment names is in the image. Raises: NotExecutableError.

    execve would only say "no such file", and mean another one.
    """
    interpreter = _interpreter(path)
    if interpreter and not os.path.exists(interpreter):
        raise NotExecutableError(name, f"its interpreter {interpreter} is not in the image")


def _interpreter(program: str) -> str | None:
    try:
        with open(program, "rb") as file:
            start = file.read(_SHORT)
            if start.startswith(b"#!"):
                words = start[2:].split(b"\n")[0].split()
                return os.fsdecode(words[0]) if words else None
            return _elf_loader(start, file.fileno())
    except OSError:
        return None


def _elf_loader(start: bytes, descriptor: int) -> str | None:
    """Return the path in the PT_INTERP segment of a 64-bit little-endian ELF file. Source: elf(5)."""
    if start[:6] != b"\x7fELF\x02\x01" or len(start) < 64:
        return None
    offset, size = int.from_bytes(start[32:40], "little"), int.from_bytes(start[54:56], "little")
    for index in range(min(int.from_bytes(start[56:58], "little"), 64)):
        header = os.pread(descriptor, 56, offset + index * size)
        if header[:4] == b"\x03\0\0\0":
            text = os.pread(descriptor, min(int.from_bytes(header[32:40], "little"), 4096), int.from_bytes(header[8:16], "little"))
            return os.fsdecode(text.rstrip(b"\0"))
    return None
