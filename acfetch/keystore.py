"""Trusted keys on disk: `CONFIG/trustedkeys/root.d/FINGERPRINT` and `…/prefix.d/PREFIX/FINGERPRINT`.

Read from every directory of CONFIG, written to the last. An empty file distrusts. What the keys decide is `acfetch.trust`'s.

Source: spec/store.md, Trust.
"""

from __future__ import annotations

import os

from acfetch.trust import ROOT, TrustedKey
from acspec import limits
from acspec.durable import make_directories, write_file
from acspec.errors import ConfigError, FormatError, MissingInputError, UsageError
from acspec.fingerprints import is_fingerprint
from acspec.names import parse_ac_identifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from acspec.openpgp.keys import Key


def read_keystore(directories: Sequence[str]) -> list[TrustedKey]:
    """Return the entries of every directory, in order.

    Raises: ConfigError for a file that is no key's; OSError.
    Source: spec/store.md, Trust.
    """
    return [entry for directory in directories for entry in _read_directory(os.path.join(directory, "trustedkeys"))]


def _read_directory(directory: str) -> Iterator[TrustedKey]:
    yield from _read_keys(os.path.join(directory, "root.d"), ROOT)
    base = os.path.join(directory, "prefix.d")
    for path, names, _ in os.walk(base, onerror=_pass_over_absent):
        names.sort()
        prefix = os.path.relpath(path, base)
        if prefix != ".":
            yield from _read_keys(path, prefix)


def _pass_over_absent(error: OSError) -> None:
    """Pass over a directory that is not there, but not one that cannot be read: an entry that distrusts might be in it."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _read_keys(directory: str, prefix: str) -> Iterator[TrustedKey]:
    try:
        names = sorted(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        path = os.path.join(directory, name)
        if name.startswith(".") or os.path.isdir(path):
            continue
        if not is_fingerprint(name):
            raise ConfigError(path, "its name is no fingerprint", "40 or 64 lower-case hex digits")
        with open(path, "rb") as file:
            data = file.read(limits.KEY_FILE_BYTES + 1)
        if len(data) > limits.KEY_FILE_BYTES:
            raise ConfigError(path, f"larger than the limit of {limits.KEY_FILE_BYTES} bytes")
        yield TrustedKey(prefix, name, data.strip())


def add_key(directory: str, prefix: str, key: Key) -> str:
    """Trust *key* for *prefix* (empty: for all names) in a directory of CONFIG; return the file. Raises: OSError."""
    path = _key_path(directory, prefix, key.fingerprint)
    make_directories(os.path.dirname(path), 0o755)
    write_file(path, key.armoured)
    return path


def remove_key(directories: Sequence[str], prefix: str, fingerprint: str) -> str:
    """Trust a key for *prefix* no longer: its file goes, or an empty one hides that of an earlier directory; return the file.

    Raises: UsageError when that is no fingerprint; MissingInputError when it is not trusted; OSError.
    """
    paths = [_key_path(directory, prefix, fingerprint) for directory in directories]
    *earlier, last = paths
    if not _trusts(paths):
        raise MissingInputError(fingerprint, f"is not trusted for {prefix or 'all names'}")
    if _trusts(earlier):
        make_directories(os.path.dirname(last), 0o755)
        write_file(last, b"")
    else:
        os.unlink(last)
    return last


def _trusts(paths: Sequence[str]) -> bool:
    """Tell whether the last of these files that is there is not an empty one."""
    for path in reversed(paths):
        try:
            with open(path, "rb") as file:
                return bool(file.read(limits.KEY_FILE_BYTES).strip())
        except (FileNotFoundError, NotADirectoryError):
            pass
    return False


def _key_path(directory: str, prefix: str, fingerprint: str) -> str:
    """Return the file of a key. What becomes a path is held to its grammar, which keeps `..` out. Raises: UsageError."""
    if not is_fingerprint(fingerprint):
        raise UsageError(fingerprint, "is not a fingerprint", "40 or 64 hex digits")
    base = os.path.join(directory, "trustedkeys")
    if prefix == ROOT:
        return os.path.join(base, "root.d", fingerprint)
    return os.path.join(base, "prefix.d", parse_prefix(prefix), fingerprint)


def parse_prefix(text: str) -> str:
    """Return *text* as a prefix of names, an AC Identifier. Raises: UsageError."""
    try:
        return parse_ac_identifier(text, "--prefix")
    except FormatError as error:
        raise UsageError(error.what, error.why, error.hint) from None
