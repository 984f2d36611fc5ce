"""The program begun anew as root of a user namespace, where it can open the caller's own files whatever their modes.

An app may take the right to read a file from its owner, and files of images may lack it. An ordinary user has no other way to them.

Source: user_namespaces(7), capabilities(7): CAP_DAC_OVERRIDE; unshare(1).
"""

from __future__ import annotations

import os
import sys

from acspec.ownership import is_root_by_name

# By which this program tells itself, begun anew, what it has open: process and descriptor.
_ROOT = "ACRUN_PROCESS_ROOT"


def become_owner(process: int | None = None, root: int = -1) -> None:
    """Begin this program anew as root over the caller's own files, unless it is so already.

    The descriptor *root*, of the root directory of *process*, stays open for `find_root`. The new program could not open it: its
    namespace and that of a running app are beside each other.
    """
    if os.geteuid() == 0:
        return
    words = ["unshare", "--user", "--map-root-user", "--", sys.executable, *sys.orig_argv[1:]]
    environment = dict(os.environ)
    if process is not None:
        os.set_inheritable(root, True)
        environment[_ROOT] = f"{process} {root}"
    try:
        os.execvpe(words[0], words, environment)
    except FileNotFoundError:  # then only what is closed to its owner cannot be read
        return


def find_root(process: int) -> int | None:
    """Return the descriptor of the root directory of *process* that `become_owner` has left open, None when it has not."""
    number, _, root = os.environ.get(_ROOT, "").partition(" ")
    return int(root) if is_root_by_name() and number == str(process) and root.isdecimal() else None
