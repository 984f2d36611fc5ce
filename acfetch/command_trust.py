"""`acfetch trust`: which keys may sign images, for all names or for a prefix of them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from acfetch.keystore import add_key, parse_prefix, read_keystore, remove_key
from acfetch.trust import ROOT
from acspec import limits
from acspec.directories import config_directories
from acspec.errors import FormatError, MissingInputError, TrustError, UsageError
from acspec.escape import escape
from acspec.openpgp.keys import Key, read_keys

trust = typer.Typer(
    help="Show and change which keys may sign images.", rich_markup_mode=None, add_completion=False, invoke_without_command=True
)

Prefix = Annotated[str | None, typer.Option(metavar="PREFIX", help="For names with this prefix (whole path components).")]
Root = Annotated[bool, typer.Option("--root", help="For all names.")]


@trust.callback()
def _choose(context: typer.Context) -> None:
    """Show and change which keys may sign images."""
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise SystemExit(2)


@trust.command("add")
def add(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Public keys, ascii-armoured or binary; - is standard input.")],
    prefix: Prefix = None,
    root: Root = False,
    fingerprint: Annotated[list[str] | None, typer.Option(metavar="HEX", help="Trust this key of the file without asking.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Trust every key of the file without asking.")] = False,
) -> None:
    """Trust the keys in a file, after showing their fingerprints and identities."""
    place = _place(prefix, root)
    wanted = {text.replace(" ", "").lower() for text in fingerprint or ()}
    keys = read_keys(_read(file), file)
    missing = wanted - {key.fingerprint for key in keys}
    if missing:
        raise TrustError(file, f"holds no key {escape(min(missing))}")
    chosen = [key for key in keys if ((key.fingerprint in wanted) if wanted else _agree(key, place, yes))]
    if not chosen:
        raise TrustError(file, "no key of it is trusted")
    for key in chosen:
        print(add_key(config_directories()[-1], place, key))


@trust.command("list")
def show() -> None:
    """Show the trusted keys: prefix (* for all names) and fingerprint."""
    entries = {(entry.prefix, entry.fingerprint): entry.armoured for entry in read_keystore(config_directories())}
    for (prefix, fingerprint), armoured in sorted(entries.items()):
        if armoured:
            print(f"{escape(prefix) or '*'}  {fingerprint}")


@trust.command("remove")
def remove(
    fingerprint: Annotated[str, typer.Argument(metavar="HEX", help="The key's fingerprint.")],
    prefix: Prefix = None,
    root: Root = False,
) -> None:
    """Trust a key no longer."""
    print(remove_key(config_directories(), _place(prefix, root), fingerprint.replace(" ", "").lower()))


def _place(prefix: str | None, root: bool) -> str:
    if (prefix is None) != root:
        raise UsageError("trust", "one of --prefix PREFIX and --root says for which names")
    return ROOT if prefix is None else parse_prefix(prefix)


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(limits.KEY_FILE_BYTES + 1)
    try:
        with open(file, "rb") as stream:
            return stream.read(limits.KEY_FILE_BYTES + 1)
    except FileNotFoundError:
        raise MissingInputError(file, "no such file") from None
    except IsADirectoryError:
        raise FormatError(file, "a directory, not a file of keys") from None


def _agree(key: Key, prefix: str, yes: bool) -> bool:
    """Show a key and return whether it is to be trusted. Raises: TrustError where nobody can be asked."""
    shown = " ".join(key.fingerprint[start : start + 4] for start in range(0, len(key.fingerprint), 4))
    lines = [f"prefix:      {prefix or '* (all names)'}", f"fingerprint: {shown}"]
    lines += [f"identity:    {escape(identity)}" for identity in key.identities]
    sys.stderr.write("\n".join(lines) + "\n")
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise TrustError(key.fingerprint, "nobody is there to be asked", "--fingerprint HEX or --yes trusts it")
    sys.stderr.write("Trust this key? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
