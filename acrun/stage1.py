"""Which program is stage1, and how this process becomes it.

Any program with the verbs of spec/stage1.md will do. Ours is started by its path, with the interpreter's -I and -S,
because a console script would spend the time of a whole start on `site`.

Source: spec/stage1.md, The four verbs.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # the module `signal` makes enums of them, which takes 4 ms
import os
import sys

from acspec.errors import MissingInputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from acspec.pods import Pod

_ANSWERED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def get_stage1(option: str | None) -> list[str]:
    """Return the words that start stage1: the program of `--stage1`, the one installed beside acrun, or the one on PATH.

    Raises: MissingInputError when there is none.
    """
    if option is not None:
        if not os.access(option, os.X_OK) or os.path.isdir(option):
            raise MissingInputError(option, "is not a program that can be run as stage1")
        return [os.path.abspath(option)]
    beside = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "acstage1", "__main__.py")
    if os.path.isfile(beside):
        return [sys.executable, "-I", "-S", beside]
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(directory, "acstage1")
        if directory.startswith("/") and os.access(path, os.X_OK):
            return [path]
    raise MissingInputError("acstage1", "not found beside acrun nor on PATH", "--stage1 PATH names another")


def hold_requests(option: str | None) -> None:
    """Have signals wait for stage1, which takes them as soon as it runs: none ends a run without a word in its pod any more.

    *option* is `--stage1`: only of ours it is known that it does so.

    Source: spec/stage1.md, run; execve(2), about the signal mask.
    """
    if option is None:
        signal.pthread_sigmask(signal.SIG_BLOCK, _ANSWERED)


def release_requests() -> None:
    """Take signals again that `hold_requests` has held back: this process does not become stage1. Source: pthread_sigmask(3)."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ANSWERED)


def become_stage1(stage1: Sequence[str], pod: Pod, *, interactive: bool, debug: bool, further: Sequence[str] = ()) -> NoReturn:
    """Replace this process by `stage1 run` for a pod whose lock we hold; *further* are options of `run`. Raises: OSError.

    Source: spec/stage1.md, run.
    """
    if pod.lock_fd is None:
        raise AssertionError("nobody becomes stage1 for a pod that is not locked")
    os.set_inheritable(pod.lock_fd, True)
    words = [*stage1, "run", "--lock-fd", str(pod.lock_fd), *further]
    if interactive:
        words.append("--interactive")
    if debug:
        words.append("--debug")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(words[0], [*words, pod.path])


def become_entered(stage1: list[str], pod_path: str, app: str, words: Sequence[str], *, tty: bool) -> NoReturn:
    """Replace this process by `stage1 enter`: *words*, or a shell, in an app; with *tty* on a terminal of its own.

    Raises: OSError.
    Source: spec/stage1.md, enter.
    """
    command = ["--", *words] if words else []
    os.execv(stage1[0], [*stage1, "enter", *(["--tty"] if tty else []), pod_path, app, *command])


def stop_pods(stage1: Sequence[str], pod_paths: Sequence[str], *, force: bool) -> list[tuple[int, str]]:
    """Run `stage1 stop` for several pods at once; return for each its exit status, 0 when the pod has ended, and what it said.

    Source: spec/stage1.md, stop.
    """
    return _run_all([[*stage1, "stop", *(["--force"] if force else []), path] for path in pod_paths])


def collect_pod(stage1: list[str], pod_path: str) -> tuple[int, str]:
    """Run `stage1 gc` for a pod whose monitor is gone; return its exit status, 0 when nothing of it is left, and what it said.

    Source: spec/stage1.md, gc.
    """
    (result,) = _run_all([[*stage1, "gc", pod_path]])
    return result


def _run_all(commands: Sequence[list[str]]) -> list[tuple[int, str]]:
    import subprocess

    started = [subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) for words in commands]
    said = [process.communicate()[1] for process in started]
    return [(process.returncode, text.decode("utf-8", "replace").strip()) for process, text in zip(started, said, strict=True)]
