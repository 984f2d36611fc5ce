"""The decision whether an image may be kept: pure, from what others have read.

1. The keys that count for a name are those trusted for everything, and those trusted for a prefix of it (whole path components).
2. A later directory distrusts a key of an earlier one by an empty file.
3. A signature counts when gpg's verdict names one of these keys.
4. Name and labels in the manifest are those asked for; os and arch that nobody asked for are absent or this machine's.
5. Whatever the user gave up by name is written into the image's record.

Source: aci.md, Image Archives; discovery.md, Validation; spec/store.md, Trust.
"""

from __future__ import annotations

from acfetch.errors import MismatchError, UntrustedError
from acspec.labels import find_mismatch
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from acspec.image_manifest import ImageManifest
    from acspec.openpgp.verification import Verdict
    from acspec.store import ImageRecord

ROOT = ""


class TrustedKey(Value):
    """An entry of a keystore: for which prefix (empty: for all names), which key, and its bytes (empty: distrusted)."""

    prefix: str
    fingerprint: str
    armoured: bytes


def is_prefix(prefix: str, name: str) -> bool:
    """Tell whether *prefix* is *name* or whole path components at its start; the empty prefix is one of every name.

    Source: discovery.md, prefix-match; docs/decisions, prefixes.
    """
    return prefix == ROOT or name == prefix or name.startswith(prefix + "/")


def keys_for(name: str | None, entries: Iterable[TrustedKey]) -> dict[str, bytes]:
    """Return the keys that count for *name*, or for any name when it is None (steps 1 and 2), by fingerprint.

    *entries* come in the order of their directories.
    """
    found: dict[tuple[str, str], bytes] = {}
    for entry in entries:
        if name is None or is_prefix(entry.prefix, name):
            found[entry.prefix, entry.fingerprint] = entry.armoured
    return {fingerprint: armoured for (_, fingerprint), armoured in found.items() if armoured}


def get_signer(what: str, name: str, verdict: Verdict, entries: Iterable[TrustedKey]) -> str:
    """Return the fingerprint of the signer, whose key counts for *name* (step 3). Raises: UntrustedError."""
    if verdict.fingerprint is None:
        by = f", {verdict.key}" if verdict.key else ""
        raise UntrustedError(what, f"no trusted signature for {name}: {verdict.reason}{by}", _hint(name, verdict.reason))
    if verdict.fingerprint not in keys_for(name, entries):
        reason = "the key that made it is trusted for other names only"
        raise UntrustedError(what, f"no trusted signature for {name}: {reason}, {verdict.fingerprint}", _hint(name, reason))
    return verdict.fingerprint


def check_any_key(what: str, name: str, entries: Iterable[TrustedKey]) -> None:
    """Check that some key counts for *name*: without one, nothing need be fetched. Raises: UntrustedError."""
    if not keys_for(name, entries):
        reason = "no key is trusted for this name"
        raise UntrustedError(what, f"no trusted signature for {name}: {reason}", _hint(name, reason))


def _hint(name: str, reason: str) -> str | None:
    """Return what to type where it is the trusted keys that are wanting: where there is none, those of the publisher may do."""
    if "trusted" not in reason:
        return None
    return f"acfetch trust add --prefix {name.partition('/')[0]} {'--discover' if reason.startswith('no key') else 'FILE'}"


def check_identity(what: str, name: str | None, labels: Mapping[str, str], found: ImageManifest | ImageRecord) -> None:
    """Check that an image is the one asked for (step 4); *name* None means any. Raises: MismatchError."""
    if name is not None and found.name != name:
        raise MismatchError(what, f"asked for {name}, the image says {found.name}")
    wrong = find_mismatch(labels, found.labels)
    if wrong is not None:
        label, asked, value = wrong
        says = f'the image says "{value}"' if value is not None else "the image has no such label"
        raise MismatchError(what, f'label {label}: asked for "{asked}", {says}')
