"""Schemes that acfetch does not speak itself: which program does, and what may be asked of it.

A scheme other than https, http and file is the business of `acfetch-transport-SCHEME` on PATH. Who installs one allows every page
and source to name its scheme; what it brings is trusted no more than what comes over https.

Source: spec/transports.md.
"""

from __future__ import annotations

import os
import re
import stat
from urllib.parse import urlsplit

from acfetch.errors import TransportRefusedError
from acfetch.templates import check_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from acfetch.config import Config
    from acfetch.transfer import Transfer

PROGRAM_PREFIX = "acfetch-transport-"

_OWN = ("https", "http", "file")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def is_foreign(url: str) -> bool:
    """Tell whether *url* is for a program to fetch. Source: spec/transports.md, Which program."""
    scheme, separator, _ = url.partition("://")
    return bool(separator) and scheme.lower() not in _OWN


def why_no_program(scheme: str) -> str | None:
    """Return why nobody speaks *scheme*, None when a program does. Source: spec/transports.md, Which program."""
    if scheme.lower() in _OWN or not _SCHEME.fullmatch(scheme):
        return f'its scheme is "{scheme}"'
    return _look_up(scheme)[1]


def open_transport(url: str, limit: int, config: Config) -> Transfer:
    """Return the bytes at *url* to be read, at most *limit* of them, as the program for its scheme brings them.

    Raises: TransportRefusedError; HostRefusedError; ConfigError when the program cannot be started; OSError.
    Source: spec/transports.md.
    """
    check_url(url)
    if (urlsplit(url).hostname or "").startswith("-"):
        raise TransportRefusedError(url, "its host begins with a dash, which a program would take for an option")
    config.policy.check_url(url)
    scheme = url.partition("://")[0]
    why = why_no_program(scheme)
    program = None if why is not None else _look_up(scheme)[0]
    if program is None:
        raise TransportRefusedError(url, why or "its program is gone")
    from acfetch.transfer import Transfer

    return Transfer(program, PROGRAM_PREFIX + scheme, url, limit, config.settings.silence_seconds)


def get_foreign(url: str, limit: int, config: Config, watch: Callable[[Transfer], object] = id) -> bytes:
    """Return the bytes at *url*, at most *limit*; *watch* gets whoever can be interrupted meanwhile.

    Raises: what `open_transport` and `Transfer.read` raise.

    Source: spec/transports.md.
    """
    parts = []
    with open_transport(url, limit, config) as transfer:
        watch(transfer)
        while part := transfer.read(1 << 16):
            parts.append(part)
    return b"".join(parts)


def _look_up(scheme: str) -> tuple[str | None, str | None]:
    """Return the program for *scheme*, else why there is none."""
    why = f'its scheme is "{scheme}", and there is no {PROGRAM_PREFIX}{scheme} on PATH'
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(directory, PROGRAM_PREFIX + scheme)
        if os.path.isabs(directory) and os.path.isfile(path) and os.access(path, os.X_OK):
            real = os.path.realpath(path)
            if os.geteuid() != 0 or _is_roots(real):
                return real, None
            why = f"{path}: somebody else than root can change it"
    return None, why


def _is_roots(path: str) -> bool:
    """Tell whether nobody but root can change or exchange the file at *path*, which has no links in it."""
    while True:
        status = os.stat(path)
        sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
        if status.st_uid != 0 or (status.st_mode & _OTHERS_WRITE and not sticky):
            return False
        if path == "/":
            return True
        path = os.path.dirname(path)
