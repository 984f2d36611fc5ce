"""What stage1 had to say of a detached pod, when nobody sat at it.

Source: spec/pod-directory.md, Files.
"""

from __future__ import annotations

import os
import stat
from errno import EINVAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from io import BufferedReader

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MOST = 16 << 10


def read_messages(pod_path: str) -> list[str]:
    """Return the lines of a pod's `messages`, of more than 16 KiB the last whole ones; none where there is no such file.

    Raises: OSError.
    Source: spec/pod-directory.md, Files.
    """
    try:
        with open_seen(os.path.join(pod_path, "messages")) as file:
            skipped = max(0, os.fstat(file.fileno()).st_size - _MOST)
            file.seek(skipped)
            lines = file.read(_MOST).decode("utf-8", "replace").split("\n")
    except FileNotFoundError:
        return []
    return [line for line in lines[1 if skipped else 0 :] if line]


def open_seen(path: str) -> BufferedReader:
    """Open a file of a pod to be shown, which may be another user's: no link is followed, no FIFO waited for.

    Raises: FileNotFoundError; OSError.
    """
    file = open(os.open(path, _OPEN), "rb")  # noqa: SIM115 - it is the caller's
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(EINVAL, "is no regular file", path)
