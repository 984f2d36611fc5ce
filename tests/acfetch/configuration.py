"""Files of the configuration for the tests of what reads them: as if they had been read, without a disk."""

from __future__ import annotations

import os
from typing import Any

from acspec.configuration import ConfigFile
from acspec.fields import Fields

FILE = "/etc/appc/x.json"


def config_file(values: Any, path: str = FILE) -> ConfigFile:
    """Return a file that holds *values*."""
    return ConfigFile(path, Fields(values, path), os.stat_result((0o100600, *[0] * 9)))
