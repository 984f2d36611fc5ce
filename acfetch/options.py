"""What the command line says about a fetch."""

from __future__ import annotations

from acfetch.local_images import Pull
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.passphrase import Passphrase


class FetchOptions(Value):
    """What the command line says about a fetch."""

    data_directory: str
    config_directories: tuple[str, ...]
    insecure: frozenset[str] = frozenset()
    quiet: bool = False
    output: str | None = None
    cafile: str | None = None
    pull: Pull = Pull.UPDATE
    lock: str | None = None
    locked: str | None = None
    events: int | None = None
    passphrase: Passphrase | None = None
