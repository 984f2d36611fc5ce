"""Commands and options that people type by habit or by a slip, and what they are called here.

A first word that is no command is an image, so what goes wrong with it may have been meant as a command. This is said in the hint.
So is what comes nearest to an option of other container tools.

Source: docs/man/acrun.1, Synopsis.
"""

from __future__ import annotations

from acspec.errors import ImageNotFoundError, ToolError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

# The words of other container tools.
_ELSEWHERE = {
    "attach": "acrun logs --follow", "build": "actool build", "commit": "acrun export", "create": "acrun prepare",
    "exec": "acrun enter", "images": "acfetch images", "inspect": "acrun status --json", "kill": "acrun stop --force",
    "load": "acfetch ./FILE.aci", "prune": "acrun gc", "ps": "acrun list", "pull": "acfetch fetch", "rmi": "acfetch images rm",
    "start": "acrun run-prepared", "version": "acrun --version", "wait": "acrun status --wait",
}  # fmt: skip
_BEHIND = "{}, behind the image"
_OPTIONS_ELSEWHERE = {
    "--add-host": "--hosts-entry",
    "--bind": "--volume SOURCE:TARGET",
    "--cap-add": _BEHIND.format("--cap-retain names all that are kept"),
    "--cap-drop": _BEHIND.format("--cap-remove"),
    "--chdir": _BEHIND.format("--working-dir"),
    "--cidfile": "--uuid-file-save",
    "--cpus": "--cpu",
    "--entrypoint": _BEHIND.format("--exec"),
    "--init": "every pod has a first process that reaps",
    "-l": "--annotation",
    "--label": "--annotation",
    "-m": "--memory",
    "--net": "a pod has no network but its loopback",
    "--network": "a pod has no network but its loopback",
    "--privileged": _BEHIND.format("--cap-retain and --seccomp unconfined"),
    "--publish": "--port NAME:PORT, by the name of a port",
    "--read-only": _BEHIND.format("--readonly-rootfs"),
    "--security-opt": _BEHIND.format("--seccomp"),
    "--set-env": "--env",
    "--setenv": "--env",
    "--shm-size": "--volume shm,kind=empty,size=1Gi,mode=1777 --mount volume=shm,target=/dev/shm",
    "--stop-timeout": "--grace-period",
    "--tmpfs": "--volume NAME,kind=empty,size=64M --mount volume=NAME,target=PATH",
    "-u": _BEHIND.format("--user"),
    "-w": _BEHIND.format("--working-dir"),
    "--workdir": _BEHIND.format("--working-dir"),
}
_ALL, _FORCE = "all pods are shown; --state STATE shows some", "acrun stop --force POD ends it before"
_ENDED, _GRACE = "acrun gc --grace-period 0 removes all that have ended", "acrun run --grace-period SECONDS IMAGE says how long"
_OF_COMMANDS = {
    "list": {"-a": _ALL, "--all": _ALL},
    "rm": {"-a": _ENDED, "--all": _ENDED, "-f": _FORCE, "--force": _FORCE},
    "stop": {"-t": _GRACE, "--time": _GRACE, "--timeout": _GRACE},
}


def advise_on_option(exception: Exception, command: str | None = None) -> ToolError | None:
    """Return *exception* with what its option is called here as its hint; None when it is not about one of other tools.

    *command* is whose option it is, None for a run and its preparation.
    """
    elsewhere = _OPTIONS_ELSEWHERE if command is None else _OF_COMMANDS.get(command, {})
    option = str(getattr(exception, "option_name", None) or getattr(exception, "what", ""))
    is_unknown = "o such option" in str(exception)
    return UsageError(option, "no such option", elsewhere[option]) if is_unknown and option in elsewhere else None


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
    near = _find_near(words[0], commands) if words else None
    if near is None:
        return None
    if getattr(exception, "option_name", None) is not None:
        from acspec.usage_errors import explain_usage

        explained: ToolError = explain_usage(str(exception))
    elif isinstance(exception, (ImageNotFoundError, UsageError)) and what in words[:2]:
        explained = exception
    else:
        return None
    return UsageError(explained.what, explained.why, f"did you mean {near}?")


def _find_first_image(words: Sequence[str]) -> str | None:
    from acrun.command_run_options import find_first_image

    return find_first_image(words)


def _find_near(word: str, commands: Collection[str]) -> str | None:
    if word in _ELSEWHERE:
        return _ELSEWHERE[word]
    from difflib import get_close_matches

    near = get_close_matches(word, [command for command in commands if command != word], 1, 0.75)
    return f"acrun {near[0]}" if near and word not in commands else None
