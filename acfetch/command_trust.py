"""`acfetch trust`: which keys may sign images, for all names or for a prefix of them."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from acfetch import insecure
from acfetch.agreement import agree
from acfetch.config import Config
from acfetch.keystore import parse_prefix, read_keystore, remove_key
from acfetch.newkeys import AddOptions, add_keys
from acfetch.trust import ROOT
from acspec.directories import config_directories
from acspec.errors import UsageError
from acspec.escape import escape
from acspec.fingerprints import parse_fingerprint
from acspec.program import tell

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
    place: Annotated[
        str | None, typer.Argument(metavar="FILE|URL", help="Public keys, ascii-armoured or binary; - is standard input.")
    ] = None,
    prefix: Annotated[list[str] | None, typer.Option(metavar="PREFIX", help="For names with this prefix; may be repeated.")] = None,
    root: Root = False,
    discover: Annotated[bool, typer.Option("--discover", help="The keys that the discovery page of each prefix names.")] = False,
    fingerprint: Annotated[list[str] | None, typer.Option(metavar="HEX", help="Trust this key of them without asking.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Trust every key of them without asking.")] = False,
    insecure_options: Annotated[
        str, typer.Option(metavar="WORD,…", help="Go without: tls (certificate), http (plain), pubkey (plain, for keys only).")
    ] = "",
    cafile: Annotated[
        str | None, typer.Option(metavar="FILE", help="PEM certificate authorities, instead of the system's.")
    ] = None,
) -> None:
    """Trust keys, after showing their fingerprints and identities."""
    if (place is None) != discover:
        raise UsageError("trust", "one of FILE, URL and --discover says which keys")
    config = Config(config_directories())
    words = insecure.parse_insecure(insecure_options, insecure.TRUSTING)
    config.policy.check_words(words)
    wanted = frozenset(map(parse_fingerprint, fingerprint or ()))
    options = AddOptions(_places(prefix, root), place, wanted, yes, words, cafile)
    files = add_keys(options, config, config_directories(), partial(agree, yes=yes), partial(tell, "acfetch"))
    print("\n".join(files))


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
    prefixes = _places(None if prefix is None else [prefix], root)
    print(remove_key(config_directories(), prefixes[0], parse_fingerprint(fingerprint)))


def _places(prefixes: list[str] | None, root: bool) -> tuple[str, ...]:
    if bool(prefixes) == root:
        raise UsageError("trust", "one of --prefix PREFIX and --root says for which names")
    return tuple(dict.fromkeys(map(parse_prefix, prefixes))) if prefixes else (ROOT,)
