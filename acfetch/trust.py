"""The decision whether an image may be kept: pure, from what others have read.

1. The keys that count for a name are those trusted for everything, and those trusted for a prefix of it (whole path components).
2. A later directory distrusts a key of an earlier one by an empty file.
3. A signature counts when gpg's verdict names one of these keys.
4. Name and labels in the manifest are those asked for; os and arch that nobody asked for are absent or this machine's.
5. Whatever the user gave up by name is written into the image's record.

Source: aci.md, Image Archives; discovery.md, Validation; spec/store.md, Trust.
"""

from __future__ import annotations

from dataclasses import dataclass

from acfetch.errors import MismatchError, UntrustedError
from acspec.labels import first_mismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from acspec.image_manifest import ImageManifest
    from acspec.openpgp import Verdict

ROOT = ""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """An entry of a keystore: for which prefix (empty: for all names), which key, and its bytes (empty: distrusted)."""

    prefix: str
    fingerprint: str
    armoured: bytes


def is_prefix(prefix: str, name: str) -> bool:
    """Tell whether *prefix* is *name* or whole path components at its start; the empty prefix is one of every name.

    Source: discovery.md, prefix-match; docs/decisions, prefixes.
    """
    return prefix == ROOT or name == prefix or name.startswith(prefix + "/")


def keys_for(name: str, entries: Iterable[TrustedKey]) -> dict[str, bytes]:
    """Return the keys that count for *name* (steps 1 and 2), by fingerprint; *entries* come in the order of their directories."""
    found: dict[tuple[str, str], bytes] = {}
    for entry in entries:
        if is_prefix(entry.prefix, name):
            found[entry.prefix, entry.fingerprint] = entry.armoured
    return {fingerprint: armoured for (_, fingerprint), armoured in found.items() if armoured}


def check_verdict(what: str, name: str, verdict: Verdict, prefix_hint: str) -> str:
    """Return the fingerprint of the signer (step 3). Raises: UntrustedError."""
    if verdict.fingerprint is None:
        hint = f"acfetch trust add --prefix {prefix_hint} FILE" if "key" in verdict.reason else None
        raise UntrustedError(what, f"no trusted signature for {name}: {verdict.reason}", hint)
    return verdict.fingerprint


def check_identity(what: str, name: str | None, labels: Mapping[str, str], manifest: ImageManifest) -> None:
    """Check that a manifest is the one asked for (step 4); *name* None means any. Raises: MismatchError."""
    if name is not None and manifest.name != name:
        raise MismatchError(what, f"asked for {name}, the image says {manifest.name}")
    wrong = first_mismatch(labels, manifest.labels)
    if wrong is not None:
        label, asked, found = wrong
        says = f'the image says "{found}"' if found is not None else "the image has no such label"
        raise MismatchError(what, f'label {label}: asked for "{asked}", {says}')
