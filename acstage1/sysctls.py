"""Kernel parameters of a pod: those that its own namespaces have, and no others.

Source: ace.md, os/unix/sysctl; sysctl(8); ipc_namespaces(7), network_namespaces(7).
"""

from __future__ import annotations

from acspec.escape import escape
from acspec.fields import Fields
from acspec.isolator_names import SYSCTL
from acstage1.cgroupfs import write_control
from acstage1.errors import StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from acspec.jsontext import JSONValue

_SYSFS = "/proc/sys"
_OF_IPC = frozenset({"msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"})


class Parameter:
    """One parameter: its name as it was written, its path below /proc/sys, its value."""

    __slots__ = ("name", "path", "value")

    def __init__(self, name: str, path: str, value: str) -> None:
        self.name = name
        self.path = path
        self.value = value

    def apply(self) -> None:
        """Set it in the namespaces of this process. Raises: OSError. Source: proc_sys(5)."""
        write_control(f"{_SYSFS}/{self.path}", self.value)


def find_parameters(isolators: Sequence[JSONValue]) -> list[Parameter]:
    """Return the parameters that a pod's isolators ask for.

    Raises: FormatError; StartError for one that is not the pod's own, as ace.md demands.
    Source: ace.md, os/unix/sysctl ("MUST either ignore forbidden parameters or refuse to run the pod").
    """
    found = []
    for isolator in isolators:
        if isinstance(isolator, dict) and isolator.get("name") == SYSCTL:
            found += read_parameters(isolator.get("value"))
    return found


def read_parameters(value: JSONValue) -> list[Parameter]:
    """Return the parameters in the value of one isolator. Raises: FormatError; StartError."""
    fields = Fields({"value": value}, SYSCTL)
    parameters = []
    for name, text in fields.text_map("value").items():
        path = _path(name)
        if not _is_own(path):
            raise StartError(f"{SYSCTL}: {escape(name, 60)}", "is not a parameter of the pod's own namespaces")
        if not text.isascii() or not text.replace("\t", " ").isprintable():
            raise fields.fault("value", f"what {escape(name, 60)} shall be is not one line of ASCII")
        parameters.append(Parameter(name, "/".join(path), text))
    return parameters


def _path(name: str) -> list[str]:
    """Return the components of a name. Source: sysctl(8): the first separator is the one that counts, the other stands for it."""
    first = next((character for character in name if character in "./"), ".")
    if first == ".":
        return [part.replace("/", ".") for part in name.split(".")]
    return name.split("/")


def _is_own(path: list[str]) -> bool:
    if any(part in ("", ".", "..") or "/" in part or not part.isascii() or not part.isprintable() for part in path):
        return False
    if len(path) > 1 and path[0] == "net":
        return True
    return (len(path) == 3 and path[:2] == ["fs", "mqueue"]) or (len(path) == 2 and path[0] == "kernel" and path[1] in _OF_IPC)
