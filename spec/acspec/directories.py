"""Where data, pods and configuration lie for this process.

Root reads no `$XDG_*`: these belong to whoever called sudo. Nothing is created here.

Source: spec/store.md, Directories; the XDG Base Directory Specification.
"""

from __future__ import annotations

import os

from acspec.errors import ConfigError
from acspec.ownership import is_root_by_name

_SYSTEM_DATA = "/var/lib/appc"
_SYSTEM_CONFIGURATION = ("/usr/lib/appc", "/etc/appc")


def data_directory(option: str | None) -> str:
    """Return DATA as an absolute path: `--dir`, else `$APPC_DIR`, else /var/lib/appc, or `$XDG_DATA_HOME` for others than root.

    Raises: ConfigError when nothing says where.
    Source: spec/store.md, Directories.
    """
    named = option if option is not None else os.environ.get("APPC_DIR")
    if named:
        return os.path.abspath(named)
    return _SYSTEM_DATA if _has_system_directories() else _user_directory("XDG_DATA_HOME", ".local/share")


def run_directory(option: str | None) -> str:
    """Return RUN as an absolute path: `$APPC_RUN`, else DATA.

    Raises: ConfigError when nothing says where.
    Source: spec/store.md, Directories.
    """
    named = os.environ.get("APPC_RUN")
    return os.path.abspath(named) if named else data_directory(option)


def config_directories() -> tuple[str, ...]:
    """Return the directories of CONFIG, later ones winning: `$APPC_CONFIG` alone, else /usr/lib/appc, /etc/appc and the user's own.

    Raises: ConfigError when nothing says where.
    Source: spec/store.md, Directories.
    """
    named = os.environ.get("APPC_CONFIG")
    if named:
        return (os.path.abspath(named),)
    if _has_system_directories():
        return system_directories()
    return (*system_directories(), _user_directory("XDG_CONFIG_HOME", ".config"))


def system_directories() -> tuple[str, ...]:
    """Return the directories of CONFIG that are the system's: what they forbid counts whatever the environment says.

    Source: spec/configuration.md, Policy.
    """
    return _SYSTEM_CONFIGURATION


def _has_system_directories() -> bool:
    # Root of a container has them as well, with its users behind it.
    return os.geteuid() == 0 and not is_root_by_name()


def _user_directory(variable: str, below_home: str) -> str:
    base = os.environ.get(variable, "")
    if base.startswith("/"):  # the XDG specification: relative paths are to be ignored
        return os.path.join(base, "appc")
    home = os.environ.get("HOME", "")
    if not home.startswith("/"):
        why = "is no absolute path" if home else "is not set"
        raise ConfigError("HOME", f"{why}, so there is no place for data", "--dir DIR or $APPC_DIR names one")
    return os.path.join(home, below_home, "appc")
