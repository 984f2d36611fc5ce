"""An ordinary user's right to read what belongs to the user: an app may close files to their owner, and images do.

Root of a user namespace, in which there is nobody but the caller, can open them. This program becomes that by unshare(1).

Source: user_namespaces(7), capabilities(7): CAP_DAC_OVERRIDE; unshare(1).
"""

from __future__ import annotations

import os
import sys


def become_owner() -> None:
    """Begin this program anew as root over the caller's own files, unless it is so already.

    Of a file system that a running app sees, no such root is one: the namespaces are beside each other.
    """
    if os.geteuid() == 0:
        return
    try:
        os.execvp("unshare", ["unshare", "--user", "--map-root-user", "--", sys.executable, *sys.orig_argv[1:]])
    except FileNotFoundError:  # then only what is closed to its owner cannot be read
        return
