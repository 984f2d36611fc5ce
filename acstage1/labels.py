"""Labels of the kernel's security modules for apps: an AppArmor profile, an SELinux context. The kernel applies them at execve.

An app's own isolator counts, else the pod's. A kernel without such a module is told of; one that has it and does not take the label
starts no app. Nothing here loads a profile or a policy, or labels files.

Source: ace.md, os/linux/apparmor-profile, os/linux/selinux-context; apparmor_parser(8); proc_pid_attr(5).
"""

from __future__ import annotations

import os

from acspec.errors import FormatError
from acspec.isolator_names import APPARMOR_PROFILE, SELINUX_CONTEXT
from acstage1.errors import StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue
    from acstage1.pod import Label, PodDirectory

_PARTS = ("user", "role", "type", "level")


def find_module(name: str, host: str = "/") -> str | None:
    """Return why the isolator *name* is without effect on the host whose root is *host*, or None when its module is there.

    Source: the files that aa-enabled(1) and selinux(8) look at.
    """
    if name == APPARMOR_PROFILE:
        there = _read(os.path.join(host, "sys/module/apparmor/parameters/enabled")).startswith("Y")
        return None if there else "this kernel has no AppArmor"
    return None if "selinuxfs" in _read(os.path.join(host, "proc/filesystems")).split() else "this kernel has no SELinux"


def find_shortfall(name: str, value: JSONValue, host: str = "/") -> str | None:
    """Return why a label that the isolator *name* asks for forbids nothing, or None when it does, or when that is not known.

    Source: apparmor.d(5), Profile flags; selinux(8), permissive mode.
    """
    missing = find_module(name, host)
    if missing is not None:
        return missing
    if name == SELINUX_CONTEXT:
        return "SELinux is permissive on this host" if _read(os.path.join(host, "sys/fs/selinux/enforce")) == "0" else None
    profile = value.get("profile") if isinstance(value, dict) else None
    mode = _read_modes(host).get(profile) if isinstance(profile, str) else None
    return f"the profile is in {mode} mode" if mode in ("complain", "unconfined") else None


def assign_labels(pod: PodDirectory, host: str = "/") -> None:
    """Give every app of *pod* the labels that its program is to have, as far as the kernel has what they are for.

    Raises: StartError for a profile that is not loaded; FormatError.
    Source: ace.md, os/linux/apparmor-profile ("MUST refuse to run … if the provided AppArmor profile is not available").
    """
    for app in pod.apps:
        labels: list[Label] = []
        for name, make in ((APPARMOR_PROFILE, _apparmor), (SELINUX_CONTEXT, _selinux)):
            place, value = _find(app.isolators, app.place, name) or _find(pod.isolators, "pod", name) or ("", None)
            if place and find_module(name, host) is None:
                labels.append(make(value, place, host))
        app.labels = tuple(labels)


def _find(isolators: list[JSONValue], owner: str, name: str) -> tuple[str, JSONValue] | None:
    for isolator in isolators:
        if isinstance(isolator, dict) and isolator.get("name") == name:
            return f"{owner}: {name}", isolator.get("value")
    return None


def _apparmor(value: JSONValue, place: str, host: str) -> Label:
    profile = value.get("profile") if isinstance(value, dict) else None
    if not isinstance(profile, str):
        raise FormatError(place, "names no profile")
    name, unknown = f"AppArmor profile {profile}", "is not loaded on this host"
    modes = _read_modes(host)
    # Only root of the host may read the list. For others the kernel knows; but what it takes beyond a profile is no name of one.
    if not (profile in modes if modes else _is_plain(profile)):
        raise StartError(name, unknown)
    # Its own file since Linux 5.8; before, whichever module came first has the other.
    return ("attr/apparmor/exec", "attr/exec"), f"exec {profile}", name, unknown


def _read_modes(host: str) -> dict[str, str]:
    """Return the loaded profiles of AppArmor with their modes, nothing when that is not ours to know."""
    lines = _read(os.path.join(host, "sys/kernel/security/apparmor/profiles")).splitlines()
    return {name: mode.rstrip(")") for name, _, mode in (line.rpartition(" (") for line in lines)}


def _is_plain(profile: str) -> bool:
    """Tell whether AppArmor reads *profile* as one name: no namespace, no stack, no lack of one. Source: aa_change_profile(2)."""
    odd = profile in ("", "unconfined") or profile.startswith((":", "&")) or "//&" in profile
    return not odd and profile == profile.strip() and "\0" not in profile


def _selinux(value: JSONValue, place: str, _: str) -> Label:
    parts = [value.get(part) if isinstance(value, dict) else None for part in _PARTS]
    context = ":".join(part for part in parts if isinstance(part, str))
    if not all(isinstance(part, str) and part for part in parts) or "\0" in context:
        raise FormatError(place, "is no context of user, role, type and level")
    return ("attr/exec",), context, f"SELinux context {context}", "is not in the policy of this host"


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
