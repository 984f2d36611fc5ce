"""The four verbs of stage1. Read by hand: an option parser would cost more time than the whole kernel work of a start.

Source: spec/stage1.md, The four verbs.
"""

from __future__ import annotations

import sys

from acspec.errors import UsageError
from acspec.program import run_program, version_line
from acstage1.requests import hold_requests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HELP = """\
Usage: acstage1 run [--lock-fd N] [--ready-fd N] [--interactive] [--detached] [--debug] POD_DIR
       acstage1 enter [--tty] POD_DIR APP [-- CMD...]
       acstage1 stop [--force] POD_DIR
       acstage1 gc POD_DIR

Run what is in a pod directory (stage1). acrun starts it; by hand, it takes the
pod's lock itself.

  run     Run the pod; ends with the exit code of the app that ended it.
  enter   Run a command in an app of a running pod, confined as the app is;
          a shell when none is named.
  stop    Ask a running pod to end; --force kills it.
  gc      Kill and remove what is left of a pod whose monitor is gone.

  --lock-fd N     The descriptor that holds the pod's lock.
  --ready-fd N    Write lines there when the pod is ready and its apps run.
  --interactive   Standard input belongs to the app that wants it.
  --detached      What the apps write goes into their logs alone.
  --tty           The command gets a terminal of its own, shown on this one.
  --debug         Show every step.
  --force         Kill at once instead of asking first.
  -h, --help      Show this message and exit.
  -V, --version   Show the version and exit.
"""


def main() -> int:
    """Run acstage1 with the words of the command line and return its exit code. Source: spec/exit-codes.md."""
    words = sys.argv[1:]
    if words[:1] == ["run"]:
        hold_requests()
    return run_program("acstage1", lambda: _main(words), own_failure=lambda: words[:1] in (["run"], ["enter"]))


def _main(words: Sequence[str]) -> int:
    if not words or words[0] == "help" or (words[-1] in ("-h", "--help") and "--" not in words):
        (sys.stdout if words else sys.stderr).write(HELP)
        return 0 if words else UsageError.exit_code
    if list(words) in (["--version"], ["-V"]):
        print(version_line("acstage1"))
        return 0
    verb, rest = words[0], list(words[1:])
    if verb == "run":
        return _run(rest)
    if verb == "enter":
        return _enter(rest)
    if verb == "stop":
        from acstage1.stop import stop_pod

        force = _take_flag(rest, "--force")
        return stop_pod(_one_path(rest), force=force)
    if verb == "gc":
        from acstage1.collect import collect_pod

        return collect_pod(_one_path(rest))
    raise UsageError(verb, "no such verb", "run, enter, stop or gc")


def _run(words: list[str]) -> int:
    from acstage1.run import RunOptions, run_pod

    lock_fd, ready_fd = _take_number(words, "--lock-fd"), _take_number(words, "--ready-fd")
    interactive, debug, detached = (_take_flag(words, name) for name in ("--interactive", "--debug", "--detached"))
    return run_pod(RunOptions(_one_path(words), lock_fd, ready_fd, interactive, debug, detached))


def _enter(words: list[str]) -> int:
    from acstage1.enter import enter_app

    tty = words[:1] == ["--tty"]
    place, command = words[tty : tty + 2], words[tty + 2 :]
    if len(place) < 2 or any(word.startswith("-") for word in place) or (command and (command[0] != "--" or len(command) == 1)):
        raise UsageError("enter", "not of the form enter [--tty] POD_DIR APP [-- CMD…]")
    return enter_app(place[0], place[1], command[1:], tty=tty)


def _take_flag(words: list[str], name: str) -> bool:
    if name not in words:
        return False
    words.remove(name)
    return True


def _take_number(words: list[str], name: str) -> int | None:
    if name not in words:
        return None
    index = words.index(name)
    text = words[index + 1] if index + 1 < len(words) else ""
    if not (text.isascii() and text.isdigit()):
        raise UsageError(name, "takes the number of a descriptor")
    del words[index : index + 2]
    return int(text)


def _one_path(words: Sequence[str]) -> str:
    if len(words) != 1 or words[0].startswith("-"):
        wrong = next((word for word in words if word.startswith("-")), "POD_DIR")
        raise UsageError(wrong, "one pod directory is what this takes", "acstage1 --help")
    return words[0]
