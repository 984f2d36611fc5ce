"""Extended attributes of files in a tree being written: which are applied, and how.

Applied are `user.*`, file capabilities and POSIX ACLs. `trusted.*`, labels of security modules and what an overlay would read as
its own never are: they belong to the host that runs the image.

Source: xattr(7), capabilities(7), acl(5); kernel documentation, overlayfs (user.overlay.*).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping

from acspec.archive.entry import NO_XATTRS

CAPABILITY = b"security.capability"
ACL_ACCESS = b"system.posix_acl_access"
ACL_DEFAULT = b"system.posix_acl_default"
ACLS = frozenset((ACL_ACCESS, ACL_DEFAULT))

_NAMED = ACLS | {CAPABILITY}
_OVERLAY = b"user.overlay."
# What a file system or the kernel says when it cannot hold an attribute; a full xattr block is ENOSPC on ext4.
_REFUSALS = frozenset(
    (errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EINVAL, errno.ERANGE, errno.E2BIG, errno.ENOSPC, errno.ENOENT, errno.ENODATA)
)


def is_applied(name: bytes) -> bool:
    """Tell whether an attribute of an image's file is applied to a file on disk."""
    return name in _NAMED or (name.startswith(b"user.") and not name.startswith(_OVERLAY))


def read_xattrs(target: int | str) -> Mapping[bytes, bytes]:
    """Return the attributes that an image keeps of a file, by descriptor or by a path whose last component is not followed.

    Raises: OSError, but not where the file system knows no attributes.
    Source: listxattr(2), getxattr(2).
    """
    follow = isinstance(target, int)
    try:
        names = os.listxattr(target, follow_symlinks=follow)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        return NO_XATTRS
    if not names:
        return NO_XATTRS
    kept = [name for name in names if is_applied(os.fsencode(name))]
    return {os.fsencode(name): os.getxattr(target, name, follow_symlinks=follow) for name in kept}


def apply_xattrs(target: int | str, xattrs: Mapping[bytes, bytes]) -> int:
    """Set *xattrs* on a descriptor or on a path whose last component is no link; return how many could not be set.

    Raises: OSError for a failure that is not about the attribute.
    Source: setxattr(2).
    """
    return sum(not (is_applied(name) and _set(target, name, value)) for name, value in xattrs.items())


def _set(target: int | str, name: bytes, value: bytes) -> bool:
    try:
        if isinstance(target, int):
            os.setxattr(target, name, value)
        else:
            os.setxattr(target, name, value, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        return False
    return True


def remove_xattr(descriptor: int, name: bytes) -> None:
    """Remove one attribute; it need not be there, and the file system need not know of attributes.

    Raises: OSError.
    """
    try:
        os.removexattr(descriptor, name)
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise


def clear_xattrs(descriptor: int) -> None:
    """Remove all attributes that an earlier layer may have set, but for ACLs. Raises: OSError."""
    try:
        names = os.listxattr(descriptor)
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        return
    for name in map(os.fsencode, names):
        if is_applied(name) and name not in ACLS:
            remove_xattr(descriptor, name)
