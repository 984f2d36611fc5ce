"""The environment of an app: the specification's variables, the app's own, nothing of the host's.

Source: ace.md, Execution Environment; docs/decisions, PATH and what may not be replaced.
"""

from __future__ import annotations

import os

from acspec.execution import DEFAULT_PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

EXECUTOR = "appc-tools"
NOTIFY_VARIABLE = "NOTIFY_SOCKET"
_LONGEST_TYPE = 64


def make_environment(own: Sequence[tuple[str, str]], app_name: str, home: str | None, notify: str | None) -> dict[str, str]:
    """Return the variables of an app's processes: what the image or pod names wins, but for AC_* and `container`.

    *notify* is the socket of a process that says when it is ready.

    Source: ace.md, Execution Environment.
    """
    variables = {"PATH": DEFAULT_PATH}
    if home is not None:
        variables["HOME"] = home
    variables.update((name, value) for name, value in own if not name.startswith("AC_"))
    variables["AC_APP_NAME"] = app_name
    variables["container"] = EXECUTOR
    if notify is not None:
        variables[NOTIFY_VARIABLE] = notify
    return variables


def describe_sockets(names: Sequence[str]) -> dict[str, str]:
    """Return the variables that tell this process of the sockets it has from descriptor 3 on. Source: sd_listen_fds(3)."""
    if not names:
        return {}
    return {"LISTEN_FDS": str(len(names)), "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": ":".join(names)}


def find_terminal_type() -> str | None:
    """Return TERM as our caller has it, since an app's terminal is shown on the caller's; None when it is no plain word.

    Source: environ(7), TERM; spec/stage1.md, Terminals.
    """
    value = os.environ.get("TERM", "")
    letters = value.translate({ord(character): None for character in "-+._"})
    return value if value.isascii() and letters.isalnum() and len(value) <= _LONGEST_TYPE else None
