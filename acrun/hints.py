"""Commands and options that people type by habit or by a slip, and what they are called here.

A first word that is no command is an image, so what goes wrong with it may have been meant as a command. This is said in the hint.
So is what comes nearest to an option of other container tools.

Source: docs/man/acrun.1, Synopsis.
"""

from __future__ import annotations

from acrun.errors import MisplacedError
from acspec.errors import ImageNotFoundError, ToolError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_LIKE_A_COMMAND = frozenset("abcdefghijklmnopqrstuvwxyz-")
# The words of other container tools, and two of them where the second says more.
_ELSEWHERE = {
    "attach": "acrun logs --follow", "build": "actool build", "commit": "acrun export", "config": "acfetch config",
    "copy-from": "acrun cp", "copy-to": "acrun cp", "create": "acrun prepare", "delete": "acrun rm", "diff": "actool diff",
    "exec": "acrun enter", "fetch": "acfetch", "image": "acfetch images", "image cat-manifest": "actool cat-manifest",
    "image export": "acfetch images export", "image extract": "actool extract", "image gc": "acfetch gc",
    "image render": "actool render", "image rm": "acfetch images rm", "image verify": "acfetch images verify",
    "images": "acfetch images", "inspect": "acrun status --json", "kill": "acrun stop --force", "list-images": "acfetch images",
    "load": "acfetch ./FILE.aci", "ls": "acrun list", "poweroff": "acrun stop", "prune": "acrun gc", "ps": "acrun list",
    "pull": "acfetch fetch", "remove": "acrun rm", "rmi": "acfetch images rm", "save": "acfetch images export",
    "shell": "acrun enter", "show": "acrun status", "start": "acrun run-prepared", "state": "acrun status",
    "system prune": "acrun gc", "terminate": "acrun stop --force", "trust": "acfetch trust add", "version": "acrun --version",
    "wait": "acrun status --wait",
}  # fmt: skip
_NO_VALUE = "does not take a value"
_BEHIND = "{}, behind the image"
_NO_NETWORK = "a pod has no network but its loopback"
_NAMESPACES = "each pod has namespaces of its own, which its apps share"
_NO_FETCHING = "acrun fetches nothing: acfetch NAME | acrun"
_VERIFIED = "it is acfetch that verifies images"
_RESOLVER = "--volume ./resolv.conf:/etc/resolv.conf:ro mounts a file of your own"
_SOCKETS = "--port NAME:PORT, by the name of a port"
_NO_DEVICES = "an app has no devices but the usual ones"
_IN_THE_IMAGE = "an isolator of the image: actool patch-manifest --isolators"
_STREAMS = "--interactive and --tty, before the image"
_OPTIONS_ELSEWHERE = {
    "--add-host": "--hosts-entry",
    "--bind": "--volume SOURCE:TARGET",
    "--cap-add": _BEHIND.format("--cap-retain names all that are kept"),
    "--cap-drop": _BEHIND.format("--cap-remove"),
    "--chdir": _BEHIND.format("--working-dir"),
    "--cidfile": "--uuid-file-save",
    "--cpu-shares": _IN_THE_IMAGE,
    "--cpus": "--cpu",
    "--device": _NO_DEVICES,
    "--dns-domain": _RESOLVER,
    "--dns-opt": _RESOLVER,
    "--dns-option": _RESOLVER,
    "--dns-search": _RESOLVER,
    "--domainname": "--hostname",
    "--entrypoint": _BEHIND.format("--exec"),
    "--environment": "--env",
    "--expose": _SOCKETS,
    "--gpus": _NO_DEVICES,
    "--group-add": _BEHIND.format("--supplementary-gid"),
    "--inherit-env": "--env NAME=VALUE, each by its name",
    "--init": "every pod has a first process that reaps",
    "--insecure-options": f"{_VERIFIED}; --seccomp and --cap-retain stand behind the image",
    "--ipc": _NAMESPACES,
    "-l": "--annotation",
    "--label": "--annotation",
    "--link": _NO_NETWORK,
    "--log-driver": "--log file or none",
    "-m": "--memory",
    "--mds-register": "there is no metadata service",
    "--net": _NO_NETWORK,
    "--network": _NO_NETWORK,
    "--no-store": _NO_FETCHING,
    "--oom-score-adj": _IN_THE_IMAGE,
    "-P": _SOCKETS,
    "--pid": _NAMESPACES,
    "--pod-manifest": "--pod",
    "--private-users": _NAMESPACES,
    "--privileged": _BEHIND.format("--cap-retain and --seccomp unconfined"),
    "--publish": _SOCKETS,
    "--publish-all": _SOCKETS,
    "--pull": _NO_FETCHING,
    "--pull-policy": _NO_FETCHING,
    "--read-only": _BEHIND.format("--readonly-rootfs"),
    "--replace": "acrun rm removes the pod that has the name",
    "--security-opt": _BEHIND.format("--seccomp"),
    "--set-env": "--env",
    "--set-env-file": "--env-file",
    "--setenv": "--env",
    "--shm-size": "--volume shm,kind=empty,size=1Gi,mode=1777 --mount volume=shm,target=/dev/shm",
    "--signature": _VERIFIED,
    "--stage1-from-dir": "--stage1 PATH",
    "--stage1-hash": "--stage1 PATH",
    "--stage1-name": "--stage1 PATH",
    "--stage1-path": "--stage1 PATH",
    "--stage1-url": "--stage1 PATH",
    "--stderr": _STREAMS,
    "--stdin": _STREAMS,
    "--stdout": _STREAMS,
    "--stop-timeout": "--grace-period",
    "--store-only": _NO_FETCHING,
    "--sysctl": _IN_THE_IMAGE,
    "--tmpfs": "--volume NAME,kind=empty,size=64M --mount volume=NAME,target=PATH",
    "-u": _BEHIND.format("--user"),
    "--ulimit": "--pids-limit, --memory and --cpu are the limits there are",
    "--user-annotation": "--annotation",
    "--user-label": "--annotation",
    "--userns": _NAMESPACES,
    "--uts": _NAMESPACES,
    "-w": _BEHIND.format("--working-dir"),
    "--workdir": _BEHIND.format("--working-dir"),
}
_ALL, _FORCE = "all pods are shown; --state STATE shows some", "acrun stop --force POD ends it before"
_ENDED, _GRACE = "acrun gc --grace-period 0 removes all that have ended", "acrun run --grace-period TIME IMAGE says how long"
_BY_ENV, _AS_THE_APP = "acrun enter POD env NAME=VALUE COMMAND", "the command runs as the app's user"
_FOR_A_TIME, _ALL_THAT_RUN = "timeout TIME acrun status --wait POD", "acrun list --quiet --state running | xargs -r acrun stop"
_FROM_FILE = {"--uuid-file": "a UUID out of a file: $(cat FILE)"}
_PREPARED = {option: f"acrun prepare {option}" for option in ("--dns", "--hostname", "--hosts-entry", "--volume", "-v")}
_OF_COMMANDS = {
    "cat-manifest": _FROM_FILE,
    "enter": {"-e": _BY_ENV, "--env": _BY_ENV, "-u": _AS_THE_APP, "--user": _AS_THE_APP},
    "list": {
        "-a": _ALL, "--all": _ALL, "--filter": "--state STATE, --annotation NAME=VALUE", "--format": "--json", "--full": "--json",
        "--no-legend": "--quiet or --json", "--no-trunc": "--json",
    },
    "rm": {"-a": _ENDED, "--all": _ENDED, "-f": _FORCE, "--force": _FORCE, "-v": "its volumes go with it", **_FROM_FILE},
    "run-prepared": {"--net": _NO_NETWORK, "--network": _NO_NETWORK, **_PREPARED},
    "status": {
        "--format": "--json", "--wait": _FOR_A_TIME, "--wait-ready": "acrun run --detach waits until the apps run", **_FROM_FILE,
    },
    "stop": {"-a": _ALL_THAT_RUN, "--all": _ALL_THAT_RUN, "-t": _GRACE, "--time": _GRACE, "--timeout": _GRACE, **_FROM_FILE},
}  # fmt: skip


def advise_on_option(exception: Exception, command: str | None = None) -> ToolError | None:
    """Return *exception* with what its option is called here as its hint; None when it is not about one of other tools.

    *command* is whose option it is, None for a run and its preparation.
    """
    elsewhere = _OPTIONS_ELSEWHERE if command is None else _OF_COMMANDS.get(command, {})
    option = str(getattr(exception, "option_name", None) or getattr(exception, "what", ""))
    why = "no such option" if _is_unknown_option(exception) else _NO_VALUE if _NO_VALUE in str(exception) else None
    return UsageError(option, why, elsewhere[option]) if why is not None and option in elsewhere else None


def advise(exception: Exception, words: Sequence[str], commands: Collection[str]) -> ToolError | None:
    """Return *exception* with the command that may have been meant as its hint; None when none comes to mind.

    *words* are those of a run whose command was not named.
    """
    what = str(getattr(exception, "what", ""))
    if words[:1] and words[0].startswith("-"):
        meant = what if what in commands else _find_first_image(words)
        if meant is None or meant not in commands:
            return None
        return UsageError(meant, "is a command, which comes first", f"acrun {meant} …")
    if not words or words[0] in commands:
        return None
    elsewhere = _ELSEWHERE.get(" ".join(words[:2]), _ELSEWHERE.get(words[0]))
    if elsewhere is not None and (isinstance(exception, MisplacedError) or _is_unknown_option(exception)):
        return UsageError(words[0], "no such command", f"did you mean {elsewhere}?")
    near = elsewhere or _find_near(words[0], commands)
    if isinstance(exception, ImageNotFoundError) and what == words[0] and near is not None:
        return UsageError(what, exception.why, f"did you mean {near}?")
    if isinstance(exception, MisplacedError) and what in words[1:2] and _LIKE_A_COMMAND.issuperset(words[0]):
        why = f"{words[0]} is no command, and the arguments of an image stand behind --"
        return UsageError(f"{words[0]} {what}", why, f"did you mean {near}?" if near else "acrun --help shows the commands")
    return None


def _is_unknown_option(exception: Exception) -> bool:
    return "o such option" in str(exception)


def _find_first_image(words: Sequence[str]) -> str | None:
    from acrun.command_run_options import find_first_image

    return find_first_image(words)


def _find_near(word: str, commands: Collection[str]) -> str | None:
    from difflib import get_close_matches

    near = get_close_matches(word, commands, 1, 0.75)
    return f"acrun {near[0]}" if near else None
