"""The errors of acrun, beside those every tool has (`acspec.errors`).

Raises nothing by itself; the exit code of a run's own failure is 125 whatever the class (`acspec.program`).
"""

from __future__ import annotations

from acspec.errors import KernelError, TrustError, UsageError


class MisplacedError(UsageError):
    """A word or an option does not belong where it stands."""


class MountError(UsageError):
    """Mount points, volumes and mounts do not fit together."""


class VolumeSourceError(TrustError):
    """The source of a host volume is missing, or is reached through a symbolic link."""


class FilterError(KernelError):
    """System calls are to be filtered, and cannot be here."""
