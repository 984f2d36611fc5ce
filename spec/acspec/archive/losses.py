"""What of an image's files could not be kept on disk, counted for one warning.

Source: aci.md, Image Archives ("all files in the image MUST maintain all of their original properties").
"""

from __future__ import annotations

import stat

from acspec.archive.entry import Entry, Kind
from acspec.ownership import is_root


class Losses:
    """Counts of files whose owner, device, attributes or privileged mode bits are not what the image says."""

    __slots__ = ("devices", "modes", "owners", "roots", "xattrs")

    def __init__(self) -> None:
        self.owners = 0
        self.roots = 0
        self.devices = 0
        self.xattrs = 0
        self.modes = 0

    def keep_owner(self, entry: Entry, uid: int, gid: int) -> int:
        """Count *entry* when its file belongs to *uid* and *gid* instead, and return the mode that is safe then.

        A set-user-ID program runs with the powers of its owner: of whoever extracts it, were the bit kept.
        """
        mode = entry.mode
        if (entry.uid, entry.gid) == (uid, gid):
            return mode
        self.owners += 1
        self.roots += (entry.uid, entry.gid) == (0, 0)
        if entry.kind is Kind.FILE:
            if entry.uid != uid:
                mode &= ~stat.S_ISUID
            if entry.gid != gid:
                mode &= ~stat.S_ISGID
        self.modes += mode != entry.mode
        return mode

    def add_xattrs(self, count: int) -> None:
        """Count extended attributes that were not set."""
        self.xattrs += count

    def __bool__(self) -> bool:
        """Tell whether anything was lost."""
        return bool(self.owners or self.devices or self.xattrs or self.modes)

    @property
    def remedy(self) -> str:
        """What to say behind the counts to somebody who could do better as root: ` (root could keep them)`."""
        return " (root could keep them)" if not is_root() else ""

    def __str__(self) -> str:
        """Return the counts in words, such as `2 owners, 1 device node`."""
        return self._describe(self.owners)

    def in_pod(self) -> str:
        """Return the counts in words for a tree that becomes a pod's: there, what belongs to the caller is root's."""
        return self._describe(self.owners - self.roots)

    def _describe(self, owners: int) -> str:
        counts = (
            (owners, "owner", "owners"),
            (self.modes, "set-user-ID or set-group-ID bit", "set-user-ID or set-group-ID bits"),
            (self.devices, "device node", "device nodes"),
            (self.xattrs, "extended attribute", "extended attributes"),
        )
        return ", ".join(f"{count:,} {one if count == 1 else many}" for count, one, many in counts if count)
