"""The files in /etc by which apps find names: hosts, hostname, resolv.conf.

What stage1.json names is written over whatever an image has there, since somebody asked for it. Of the rest, hosts and hostname are
written where an image has none; its resolv.conf is left alone, as is all of /etc where there is no such directory.

Source: OS-SPEC.md, Common Files; hosts(5), hostname(5).
"""

from __future__ import annotations

from acspec.execution import make_hosts
from acstage1.inroot import write_missing, write_over

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class NameFiles:
    """The files of one pod: those that are *given* by path, and what is made of its host name for the others."""

    __slots__ = ("_given", "_missing")

    def __init__(self, hostname: str, given: Mapping[str, str]) -> None:
        self._given = given
        self._missing = {"/etc/hosts": make_hosts(hostname), "/etc/hostname": f"{hostname}\n"}

    def write(self, root: int) -> None:
        """Write them into the rootfs at descriptor *root*. Raises: OSError when one that was given cannot be written."""
        for path, text in self._given.items():
            write_over(root, path, text.encode("utf-8"))
        for path, text in self._missing.items():
            write_missing(root, path, text.encode("utf-8"))
