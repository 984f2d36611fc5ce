"""What stage1 had to say of a detached pod, when nobody sat at it.

Source: spec/pod-directory.md, Files.
"""

from __future__ import annotations

import os

_MOST = 16 << 10


def read_messages(pod_path: str) -> list[str]:
    """Return the lines of a pod's `messages`, of more than 16 KiB the last whole ones; none where there is no such file.

    Raises: OSError.
    Source: spec/pod-directory.md, Files.
    """
    try:
        with open(os.path.join(pod_path, "messages"), "rb") as file:
            skipped = max(0, os.fstat(file.fileno()).st_size - _MOST)
            file.seek(skipped)
            lines = file.read(_MOST).decode("utf-8", "replace").split("\n")
    except FileNotFoundError:
        return []
    return [line for line in lines[1 if skipped else 0 :] if line]
