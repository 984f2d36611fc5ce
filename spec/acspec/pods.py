"""The directory of pods: phases as parent directories, life as a lock, moves as renames.

A pod is `RUN/pods/PHASE/UUID`; what it is doing follows from the phase and from whether somebody holds the
exclusive lock on the directory. Nothing here starts, stops or cleans a pod; no file inside a pod is known but by name.
Light: without json, because the path to a start goes through here.

Source: spec/pod-directory.md; ace.md, Pod UUID.
"""

from __future__ import annotations

import os

from acspec.durable import list_names, make_directories, sync_directory, write_file
from acspec.errors import BusyError, MissingInputError, OutputError
from acspec.locks import is_locked, open_locked, open_owned
from acspec.names import parse_ac_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PREPARED = "prepared"
PHASES = ("embryo", "prepare", PREPARED, "run", "exited-garbage", "garbage")

_STATES = {
    "embryo": ("preparing", "embryo"),
    "prepare": ("preparing", "aborted"),
    "prepared": ("preparing", "prepared"),
    "run": ("running", "exited"),
    "exited-garbage": ("deleting", "garbage"),
    "garbage": ("deleting", "garbage"),
}

STATES = tuple(dict.fromkeys(state for pair in _STATES.values() for state in pair))

# Of the pods that a beginning may mean, so many are told.
_CANDIDATES = 4


def new_uuid() -> str:
    """Return a random UUID in canonical form: 36 characters, version 4.

    Source: ace.md, Pod UUID; RFC 4122, 4.4.
    """
    octets = bytearray(os.urandom(16))
    octets[6] = octets[6] & 0x0F | 0x40
    octets[8] = octets[8] & 0x3F | 0x80
    text = octets.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _open_seen(path: str, flags: int) -> int:
    # The pods may be another user's, for root to look at: no link is followed, no FIFO waited for.
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


class Pod:
    """One pod directory: where it is, its UUID, and the descriptor of its lock when we hold it."""

    __slots__ = ("lock_fd", "phase", "pods", "uuid")

    def __init__(self, pods: Pods, phase: str, uuid: str, lock_fd: int | None = None) -> None:
        self.pods = pods
        self.phase = phase
        self.uuid = uuid
        self.lock_fd = lock_fd

    @property
    def path(self) -> str:
        """The absolute path of the directory in its present phase."""
        return os.path.join(self.pods.path, self.phase, self.uuid)

    def state(self) -> str:
        """Return what the pod is doing: embryo, preparing, aborted, prepared, running, exited, deleting or garbage.

        Raises: FileNotFoundError when it has just moved; OSError.
        Source: spec/pod-directory.md, Phases.
        """
        held, free = _STATES[self.phase]
        if self.lock_fd is not None:
            return held
        return held if is_locked(self.path) else free

    def read_trees(self) -> list[list[str]]:
        """Return for each app what its root file system was made from: the key of the tree, then the IDs of the images in it.

        Apps that have no such file (yet) are left out, as is all of a pod that has moved meanwhile.

        Raises: OSError.
        Source: spec/pod-directory.md, Files.
        """
        apps, found = os.path.join(self.path, "apps"), []
        for name in list_names(apps):
            try:
                with open(os.path.join(apps, name, "tree"), encoding="ascii", errors="replace") as file:
                    found.append(file.read().split())
            except (FileNotFoundError, NotADirectoryError):
                continue
        return found

    def lock(self) -> None:
        """Take the exclusive lock. Raises: BusyError when somebody has it; FileNotFoundError when the pod has moved."""
        self.lock_fd = open_owned(self.path)

    def unlock(self) -> None:
        """Give the lock back, when we hold it."""
        if self.lock_fd is not None:
            os.close(self.lock_fd)
            self.lock_fd = None

    def move(self, phase: str) -> None:
        """Rename the locked pod into another phase; durably to prepared and from there, or a power cut could have a pod run again.

        Raises: OSError.
        Source: spec/pod-directory.md, Phases.
        """
        phases, target = (phase, self.phase), os.path.join(self.pods.path, phase, self.uuid)
        os.rename(self.path, target)
        self.phase = phase  # before anything can fail: whoever cleans up has to find it
        if PREPARED in phases:
            for name in phases:
                sync_directory(os.path.join(self.pods.path, name))


class Pods:
    """All pods below one RUN directory."""

    __slots__ = ("path",)

    def __init__(self, run_directory: str) -> None:
        self.path = os.path.join(os.path.abspath(run_directory), "pods")

    def create_directories(self) -> None:
        """Make the directory of every phase (0700: what is inside belongs to nobody else). Raises: OSError."""
        for name in (*PHASES, "names"):
            make_directories(os.path.join(self.path, name), 0o700)

    def create(self) -> Pod:
        """Return a new, locked pod in phase prepare. Raises: OSError."""
        self.create_directories()
        while True:
            pod = Pod(self, "embryo", new_uuid())
            os.mkdir(pod.path, 0o700)
            try:
                pod.lock()
                pod.move("prepare")
            except (BusyError, FileNotFoundError):
                continue  # a gc took the embryo for a dead one in the moment before the lock; it removes it
            return pod

    def all(self) -> Iterator[Pod]:
        """Yield every pod, in the order of phases. A pod that moves meanwhile may come twice or not at all. Raises: OSError."""
        for phase in PHASES:
            try:
                names = sorted(os.listdir(os.path.join(self.path, phase)))
            except FileNotFoundError:
                continue
            for name in names:
                if len(name) == 36 and name.count("-") == 4:
                    yield Pod(self, phase, name)

    def get(self, text: str) -> Pod:
        """Return the pod that *text* means: a name, a UUID, or a unique beginning of a UUID.

        Raises: MissingInputError when there is none, or more than one.
        """
        wanted = self._uuid_of_name(text) or text
        found = {pod.uuid: pod for pod in self.all() if pod.uuid.startswith(wanted)} if wanted else {}
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            raise MissingInputError(text, f"means {len(found)} pods", self._tell_apart(sorted(found)))
        raise MissingInputError(text, "no such pod", "acrun list shows them")

    def _tell_apart(self, uuids: list[str]) -> str:
        names = self.names()
        told = [f"{uuid} ({names[uuid]})" if uuid in names else uuid for uuid in uuids[:_CANDIDATES]]
        return ", ".join(told) + (", …" if len(uuids) > _CANDIDATES else "")

    def _uuid_of_name(self, name: str) -> str | None:
        if not name or "/" in name or name.startswith("."):
            return None
        try:
            with open(os.path.join(self.path, "names", name), encoding="ascii", opener=_open_seen) as file:
                return file.read(64).strip() or None
        except (FileNotFoundError, UnicodeDecodeError):
            return None

    def find_name(self, uuid: str) -> str | None:
        """Return the name that was given to the pod *uuid*, or None. Raises: OSError."""
        try:
            names = os.listdir(os.path.join(self.path, "names"))
        except FileNotFoundError:
            return None
        return next((name for name in names if self._uuid_of_name(name) == uuid), None)

    def names(self) -> dict[str, str]:
        """Return the name of each pod that has one, by UUID: for whoever looks at many, in one pass. Raises: OSError."""
        names = list_names(os.path.join(self.path, "names"))
        return {uuid: name for name in reversed(names) if (uuid := self._uuid_of_name(name)) is not None}

    def claim_name(self, name: str, uuid: str) -> None:
        """Give a pod its name. The name of a pod that no longer exists is taken over.

        Raises: FormatError when it is no AC Name; OutputError when a pod that exists has the name; OSError.
        """
        parse_ac_name(name, "name of a pod")  # it becomes the name of a file
        directory = os.path.join(self.path, "names")
        lock = open_locked(directory, wait=True)  # of two that find the same name free, one gets it
        try:
            holder = self._uuid_of_name(name)
            if holder is not None and any(pod.uuid == holder for pod in self.all()):
                raise OutputError(name, f"is the name of pod {holder}", "acrun stop ends it, acrun rm removes it")
            write_file(os.path.join(directory, name), uuid.encode("ascii") + b"\n", mode=0o600, overwrite=holder is not None)
        finally:
            os.close(lock)

    def release_names(self, uuid: str) -> None:
        """Remove the names of a pod that is being removed. Raises: OSError."""
        directory = os.path.join(self.path, "names")
        try:
            lock = open_locked(directory, wait=True)  # or somebody could take a name over in the moment before it goes
        except FileNotFoundError:
            return
        try:
            while name := self.find_name(uuid):
                os.unlink(os.path.join(directory, name))
        finally:
            os.close(lock)
