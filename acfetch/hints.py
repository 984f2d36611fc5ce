"""Commands and options that people type by habit, of rkt, docker, podman and skopeo, and what they are called here.

A first word that is no command is an image, so what goes wrong with it may have been meant as a command.

Source: docs/man/acfetch.1, Synopsis.
"""

from __future__ import annotations

from acspec.errors import ToolError, UnavailableError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_COMMANDS = {
    "build": "actool build", "cat-manifest": "actool cat-manifest", "export": "acfetch images export", "extract": "actool extract",
    "image": "acfetch images", "inspect": "acfetch images --json", "list": "acfetch images", "load": "acfetch ./FILE.aci",
    "ls": "acfetch images", "prune": "acfetch gc", "ps": "acrun list", "pull": "acfetch fetch", "render": "actool render",
    "rm": "acfetch images rm", "rmi": "acfetch images rm", "run": "acrun", "save": "acfetch images export",
    "verify": "acfetch images verify", "version": "acfetch --version",
}  # fmt: skip
# Below a command that has others below it.
_BELOW = {
    "images": {
        "cat-manifest": "actool cat-manifest", "extract": "actool extract", "fetch": "acfetch fetch", "gc": "acfetch gc",
        "inspect": "acfetch images --json", "ls": "acfetch images", "prune": "acfetch gc", "pull": "acfetch fetch",
        "remove": "acfetch images rm", "render": "actool render", "save": "acfetch images export",
    },
    "trust": {"ls": "acfetch trust list", "rm": "acfetch trust remove", "show": "acfetch trust list"},
}  # fmt: skip
_ADD = "acfetch trust add {}"
_CREDENTIALS = "auth.json has the credentials"
_ALL_SHOWN, _LABELS = "all images are shown", "labels say which: NAME,os=linux,arch=arm64"
_NOBODY_ASKED = "nobody is asked; what a pod or another image needs is kept"
_OPTIONS = {
    "fetch": {
        "--arch": _LABELS, "--authfile": _CREDENTIALS, "--cert-dir": "--cafile FILE", "--creds": _CREDENTIALS, "--full": "--json",
        "--no-store": "--pull update", "--os": _LABELS, "--password": _CREDENTIALS, "--platform": _LABELS,
        "--pull-policy": "--pull", "--signature": "the signature lies beside the image, as FILE.asc", "--store-only": "--offline",
        "--tls-verify": "--insecure-options=tls", "--trust-keys-from-https": _ADD.format("--discover --prefix PREFIX"),
        "--username": _CREDENTIALS,
    },
    "gc": {"-a": _NOBODY_ASKED, "--all": _NOBODY_ASKED, "-f": _NOBODY_ASKED, "--force": _NOBODY_ASKED,
           "--filter": "--keep-for DURATION", "--grace-period": "--keep-for DURATION"},
    "images list": {
        "-a": _ALL_SHOWN, "--all": _ALL_SHOWN, "--digests": "--json", "--fields": "--json", "--format": "--json",
        "--full": "--json", "--no-legend": "--json", "--no-trunc": "--json",
    },
    "images rm": {"-f": _NOBODY_ASKED, "--force": _NOBODY_ASKED},
    "trust": {
        "--discover": _ADD.format("--discover --prefix PREFIX"), "--fingerprint": _ADD.format("--fingerprint HEX"),
        "--prefix": _ADD.format("--prefix PREFIX, and FILE, URL or --discover"), "--root": _ADD.format("--root, and FILE or URL"),
    },
    "trust add": {"--insecure-allow-http": "--insecure-options=http", "--skip-fingerprint-review": "--yes"},
}  # fmt: skip
_OPTIONS["trust"] |= {option: f"acfetch trust add, and {meant}" for option, meant in _OPTIONS["trust add"].items()}


def advise(exception: Exception, words: Sequence[str], commands: Collection[str]) -> ToolError | None:
    """Return *exception* with what is meant by a word or an option of other tools as its hint; None when none comes to mind.

    *words* are those of the command line, *commands* what a first word may be.
    """
    error = _explain(exception)
    if error is None or not words:
        return None
    if error.why == "no such option":
        hint = _find_options(words, commands).get(error.what)
        return None if hint is None else UsageError(error.what, error.why, hint)
    if words[0] in _BELOW and error.why == "no such command":
        return _advise_below(words[0], error)
    if words[0] in commands or error.what not in words or not isinstance(error, UnavailableError | UsageError):
        return None
    if error.what in commands:
        return UsageError(error.what, "is a command, which comes first", f"acfetch {error.what} …")
    if error.what in _COMMANDS:
        return UsageError(error.what, "no such command", f"did you mean {_COMMANDS[error.what]}?")
    return None


def _explain(exception: Exception) -> ToolError | None:
    if isinstance(exception, ToolError):
        return exception
    if not hasattr(exception, "format_message"):  # one of Typer's
        return None
    from acspec.usage_errors import explain_usage

    return explain_usage(str(exception.format_message()))


def _find_options(words: Sequence[str], commands: Collection[str]) -> dict[str, str]:
    command = words[0] if words[0] in commands else "fetch"
    return _OPTIONS.get(" ".join((command, *words[1:2])), _OPTIONS.get(command, {}))


def _advise_below(command: str, error: ToolError) -> ToolError | None:
    meant = _BELOW[command].get(error.what)
    if meant is None and command == "trust" and ("." in error.what or "/" in error.what):  # rkt has the keys there
        meant = "acfetch trust add"
    return None if meant is None else UsageError(error.what, error.why, f"did you mean {meant}?")
