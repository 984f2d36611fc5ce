"""Trusted keys on disk: `CONFIG/trustedkeys/root.d/FINGERPRINT` and `…/prefix.d/PREFIX/FINGERPRINT`.

Read from every directory of CONFIG, written to the last. An empty file distrusts. What the keys decide is `acfetch.trust`'s.

Source: spec/store.md, Trust.
"""

from __future__ import annotations

import os

from acfetch.trust import ROOT, TrustedKey
from acspec import limits
from acspec.durable import write_file
from acspec.errors import ConfigError, MissingInputError
from acspec.names import parse_ac_identifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from acspec.openpgp import Key

_HEX = frozenset("0123456789abcdef")


def read_keystore(directories: Sequence[str]) -> list[TrustedKey]:
    """Return the entries of every directory, in order.

    Raises: ConfigError for a file that is no key's; OSError.
    Source: spec/store.md, Trust.
    """
    return [entry for directory in directories for entry in _read_directory(os.path.join(directory, "trustedkeys"))]


def _read_directory(directory: str) -> Iterator[TrustedKey]:
    yield from _read_keys(os.path.join(directory, "root.d"), ROOT)
    base = os.path.join(directory, "prefix.d")
    for path, names, _ in os.walk(base):
        names.sort()
        prefix = os.path.relpath(path, base)
        if prefix != ".":
            yield from _read_keys(path, prefix)


def _read_keys(directory: str, prefix: str) -> Iterator[TrustedKey]:
    try:
        names = sorted(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        path = os.path.join(directory, name)
        if name.startswith(".") or os.path.isdir(path):
            continue
        fingerprint = name.lower()
        if len(fingerprint) not in (40, 64) or not _HEX.issuperset(fingerprint):
            raise ConfigError(path, "its name is no fingerprint")
        with open(path, "rb") as file:
            data = file.read(limits.KEY_FILE_BYTES + 1)
        if len(data) > limits.KEY_FILE_BYTES:
            raise ConfigError(path, f"larger than the limit of {limits.KEY_FILE_BYTES} bytes")
        yield TrustedKey(prefix, fingerprint, data.strip())


def add_key(directory: str, prefix: str, key: Key) -> str:
    """Trust *key* for *prefix* (empty: for all names) in a directory of CONFIG; return the file. Raises: OSError."""
    path = _key_path(directory, prefix, key.fingerprint)
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    write_file(path, key.armoured)
    return path


def remove_key(directories: Sequence[str], prefix: str, fingerprint: str) -> str:
    """Trust a key for *prefix* no longer: its file goes, or an empty one hides that of an earlier directory; return the file.

    Raises: MissingInputError when it was not trusted; OSError.
    """
    *earlier, last = directories
    path = _key_path(last, prefix, fingerprint)
    hidden = any(os.path.exists(_key_path(directory, prefix, fingerprint)) for directory in earlier)
    if not hidden and not os.path.exists(path):
        raise MissingInputError(fingerprint, f"is not trusted for {prefix or 'all names'}")
    if hidden:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        write_file(path, b"")
    else:
        os.unlink(path)
    return path


def _key_path(directory: str, prefix: str, fingerprint: str) -> str:
    base = os.path.join(directory, "trustedkeys")
    if prefix == ROOT:
        return os.path.join(base, "root.d", fingerprint)
    parse_ac_identifier(prefix, "--prefix")  # a prefix becomes a path: the grammar keeps `..` out
    return os.path.join(base, "prefix.d", prefix, fingerprint)
