"""Where an app's own changes go: an overlay over the shared tree, or a copy of it where overlay cannot be.

The answer is found by trying, in a mount namespace that ends with the trial, and kept until the next boot. Nothing is
mounted on the host.

Source: ace.md, Filesystem Setup ("every execution of an app MUST start from a clean copy").
"""

from __future__ import annotations

import os
from errno import ENOSPC

from acrun.workspace import make_workspace
from acspec.durable import remove_tree, write_file
from acspec.errors import StorageError
from acspec.execution import boot_id, copy_command
from acspec.ownership import is_root

OVERLAY = "overlay"
COPY = "copy"

_TRIAL = """
set -e
mkdir lower upper work merged
: > lower/file
mount -t overlay overlay -o "lowerdir=lower,upperdir=upper,workdir=work$1" merged
: > merged/new
rm merged/file
"""


def choose_backend(run_directory: str) -> str:
    """Return "overlay" when the file system of RUN can hold an overlay's upper layer, else "copy".

    Raises: OSError.
    """
    mark = os.path.join(run_directory, "overlay")
    identity = f"{os.stat(run_directory).st_dev} {boot_id()}"
    try:
        with open(mark, encoding="ascii") as file:
            known, _, answer = file.read(256).rstrip("\n").rpartition(" ")
        if known == identity and answer in (OVERLAY, COPY):
            return answer
    except (OSError, UnicodeDecodeError):
        pass
    answer = OVERLAY if _try_overlay(run_directory) else COPY
    write_file(mark, f"{identity} {answer}\n".encode("ascii"), mode=0o644)
    return answer


def _try_overlay(run_directory: str) -> bool:
    import subprocess

    # In a user namespace, overlay cannot keep its notes in trusted.* attributes.
    ids, more = ([], "") if is_root() else (["--user", "--map-root-user"], ",userxattr")
    trial, lock = make_workspace(run_directory, "overlay")
    try:
        result = subprocess.run(
            ["unshare", *ids, "--mount", "--propagation", "private", "sh", "-c", _TRIAL, "sh", more],
            cwd=trial,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        return result.returncode == 0
    except FileNotFoundError:  # no unshare(1): a copy is always right
        return False
    finally:
        remove_tree(trial)
        os.close(lock)


def copy_tree(source: str, target: str) -> None:
    """Copy the rendered tree *source* to the new directory *target* with everything it has, by reflink where there are any.

    Raises: StorageError; OSError when there is no room.
    """
    why = _try_copy(copy_command(source, target))
    if why and not is_root():  # an image may close files to everybody, and these belong to the caller
        remove_tree(target)
        if not _try_copy(copy_command(source, target, as_owner=True)):
            return
    if why.endswith(os.strerror(ENOSPC)):
        raise OSError(ENOSPC, os.strerror(ENOSPC), target)
    if why:
        raise StorageError(target, f"the tree could not be copied: {why}")


def _try_copy(words: list[str]) -> str:
    """Run a copy and return the first thing that it says when it fails."""
    import subprocess

    result = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
    if result.returncode == 0:
        return ""
    return (result.stderr.strip().splitlines() or [f"cp ended with {result.returncode}"])[0]
