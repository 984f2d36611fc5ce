"""The paths of a copy: which side each is on, and where what is copied goes when there is a directory, a file or nothing yet.

Source: cp(1), the two forms of its synopsis.
"""

from __future__ import annotations

import os

from acrun.layered import LayeredTree
from acspec.archive.entry import Kind
from acspec.archive.faults import Fault
from acspec.archive.walk import kind_of
from acspec.errors import MissingInputError, OutputError, UsageError, reason_of

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class PodPath:
    """A path in an app of a pod, as typed: `POD:/path`, or `POD:APP:/path` where the pod has several apps."""

    __slots__ = ("app", "path", "pod", "text")

    def __init__(self, text: str, pod: str, app: str | None, path: bytes) -> None:
        self.text = text
        self.pod = pod
        self.app = app
        self.path = path


def find_pod_path(text: str) -> PodPath | None:
    """Return the path in a pod that *text* is, or None when it is one of the host, or `-`.

    What begins with `/` or `.`, or has no colon, is a path of the host.

    Raises: UsageError when it is neither.
    """
    if ":" not in text or text.startswith(("/", ".")):
        return None
    pod, _, rest = text.partition(":")
    app, path = (None, rest) if rest.startswith("/") else (rest.partition(":")[0], rest.partition(":")[2])
    if not pod or app == "" or not path.startswith("/") or "\0" in path:
        raise UsageError(text, "is neither POD:/PATH nor POD:APP:/PATH", "a file here with a colon in its name is ./NAME")
    return PodPath(text, pod, app, os.fsencode(path))


class Destination:
    """Where a copy goes: a directory of a tree, and the name that the copy gets in it; `b""`: only its contents are copied."""

    __slots__ = ("directory", "name", "tree")

    def __init__(self, tree: LayeredTree, directory: bytes, name: bytes) -> None:
        self.tree = tree
        self.directory = directory
        self.name = name


def means_contents(path: bytes) -> bool:
    """Tell whether a path means what is in a directory and not the directory: it ends in `/.`, or is the root."""
    return path.endswith(b"/.") or path in (b".", b"..") or not path.strip(b"/")


def open_host_source(text: str, *, follow: bool) -> tuple[LayeredTree, bytes]:
    """Return a tree of the host and the path in it that *text* means. Raises: MissingInputError; OSError."""
    path = os.path.realpath(text) if follow or means_contents(os.fsencode(text)) or text.endswith("/") else text
    directory, name = os.path.split(path)
    try:
        tree = LayeredTree([os.open(directory or ".", _DIRECTORY)], directory or ".")
    except (FileNotFoundError, NotADirectoryError):
        raise MissingInputError(text, "no such file") from None
    return tree, os.fsencode(name)


def open_host_destination(text: str, name: bytes, *, is_directory: bool) -> Destination:
    """Return where on the host the copy of something called *name* goes. Raises: OutputError; OSError."""
    if _goes_into(_find_kind(text), text, is_directory=is_directory):
        return Destination(LayeredTree([os.open(text, _DIRECTORY)], text.rstrip("/") or "/"), b"", name)
    directory, own_name = os.path.split(os.path.realpath(text))
    try:
        return Destination(LayeredTree([os.open(directory, _DIRECTORY)], directory), b"", os.fsencode(own_name))
    except OSError as error:
        raise OutputError(text, f"cannot be created: {reason_of(error)}") from error


def get_pod_destination(tree: LayeredTree, wanted: PodPath, name: bytes, *, is_directory: bool) -> Destination:
    """Return where in an app's *tree* the copy of something called *name* goes.

    Raises: OutputError; MissingInputError; OSError.
    """
    try:
        path = tree.resolve(wanted.path)
        found = tree.find(path)
        kind = found.kind if found is not None else None
    except MissingInputError:
        directory, _, own_name = wanted.path.rstrip(b"/").rpartition(b"/")
        if own_name in (b"", b".", b".."):
            raise
        parent = tree.resolve(directory or b"/")
        path, kind = parent + b"/" + own_name if parent else own_name, None
    if _goes_into(kind, wanted.text, is_directory=is_directory):
        return Destination(tree, path, name)
    directory, _, own_name = path.rpartition(b"/")
    return Destination(tree, directory, own_name)


def _find_kind(text: str) -> Kind | None:
    try:
        return kind_of(os.stat(text).st_mode)
    except FileNotFoundError:
        return None
    except Fault:  # a socket
        return Kind.FIFO


def _goes_into(kind: Kind | None, text: str, *, is_directory: bool) -> bool:
    """Tell whether a copy goes into the directory that is at its destination, rather than takes its place."""
    if kind is Kind.DIRECTORY:
        return True
    if kind is None:
        if text.endswith("/") and not is_directory:
            raise OutputError(text, "no such directory")
    elif is_directory or text.endswith(("/", "/.")):
        raise OutputError(text, "is no directory")
    elif kind is not Kind.FILE:  # such as /dev/null
        raise OutputError(text, "is neither a file nor a directory")
    return False
