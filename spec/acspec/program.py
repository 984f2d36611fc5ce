"""How each of the four programs starts and ends: the one place that turns exceptions into a line and an exit code.

No subcommand, no option is known here; what a program does is in its own `cli`.

Source: spec/exit-codes.md.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # the module `signal` makes enums of them, which takes 4 ms
import errno
import gc
import os
import stat
import sys

from acspec import SPEC_VERSION, VERSION, errors
from acspec.escape import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

# Imports make thousands of objects and no garbage; left as it is, the collector looks through them again and again meanwhile.
_FEW_COLLECTIONS = 25_000
_UNWINDING_SECONDS = 10
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_SPACE = (*_FULL, errno.EIO)
_CANNOT_CREATE = (errno.EROFS, errno.EEXIST, errno.ENOTDIR, errno.EISDIR)
_NOT_PERMITTED = (errno.EACCES, errno.EPERM)


def run_program(tool: str, main: Callable[[], int | None], *, own_failure: Callable[[], bool] | None = None) -> int:
    """Run *main* and return the exit code of the process, after the one line on stderr for whatever went wrong.

    *own_failure* tells whether this command line is one that starts an app: then every failure of ours is
    125, so that it cannot be taken for the app's own code.

    Source: spec/exit-codes.md.
    """
    gc.set_threshold(_FEW_COLLECTIONS)
    _open_missing_descriptors()
    _spell_what_stdout_cannot()
    try:
        code = main() or 0
        _flush()
        return code
    except BrokenPipeError:
        return _closed_pipe()
    except KeyboardInterrupt:
        return 130
    except SystemExit as request:
        if isinstance(request.__context__, BrokenPipeError):  # Typer makes an exit code 1 of it
            return _closed_pipe()
        return request.code if isinstance(request.code, int) else 0
    except Exception as exception:
        error = _as_tool_error(exception)
        if error is None:
            return _bug(tool)
        if isinstance(exception, OSError) and (_is_stuck() or _is_refused_by_stdout(exception)):
            error = os_error(OSError(exception.errno, exception.strerror, "standard output"))
        tell(tool, str(error))
        return 125 if own_failure is not None and own_failure() and error.exit_code not in (126, 127) else error.exit_code
    finally:
        gc.freeze()  # or the interpreter looks through all there is twice more before it ends


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from error


def _is_stuck() -> bool:
    """Tell whether standard output takes no more; what waits for it is dropped then, or would be tried again at the very end."""
    try:
        sys.stdout.flush()
    except OSError:
        _discard_output()
        return True
    return False


def _is_refused_by_stdout(error: OSError) -> bool:
    """Tell whether it is standard output that has no room: what nobody named, of a write that nothing was kept back of."""
    return error.filename is None and error.errno in _FULL and stat.S_IFMT(os.fstat(1).st_mode) in (stat.S_IFREG, stat.S_IFCHR)


def _as_tool_error(exception: Exception) -> errors.ToolError | None:
    if isinstance(exception, errors.ToolError):
        return exception
    if isinstance(exception, OSError):
        return os_error(exception)
    if isinstance(exception, MemoryError):
        return errors.StorageError("memory", "not enough of it")
    # Typer's own exceptions, told by their shape because nothing but `commands` imports Typer.
    if hasattr(exception, "format_message") and hasattr(exception, "exit_code"):
        from acspec.usage_errors import explain_usage

        return explain_usage(str(exception.format_message()))
    return None


def os_error(error: OSError) -> errors.ToolError:
    """Return the ToolError that says what a system call refused, with the path it was about.

    Source: spec/exit-codes.md.
    """
    call = _named_call(error)
    what = _path(error.filename) or _path(error.filename2) or call or _find_unnamed(error)
    number = error.errno or 0
    why = (os.strerror(number) if number else str(error)).lower()
    if number in _NO_SPACE:
        return errors.StorageError(what, why)
    if number in _CANNOT_CREATE:
        return errors.OutputError(what, why)
    if number in _NOT_PERMITTED:
        return errors.TrustError(what, why)
    if number == errno.ENOENT:
        return errors.MissingInputError(what, why)
    if number == errno.ENOSYS:
        lacking = "this system call" if what == call else call or "a system call"
        return errors.KernelError(what, f"this kernel lacks {lacking}, or a filter forbids it", "Linux 5.14 has all of them")
    return errors.KernelError(what, why)


class Unwinding:
    """While this context lasts, SIGTERM, SIGHUP and Ctrl-C end the program, and what is temporary goes first.

    A second signal does not break that off; after ten seconds it is given up. A signal that the caller had ignored stays ignored,
    as nohup(1) means it.
    """

    def __enter__(self) -> None:
        """Take the signals over."""
        self._before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        for number, handler in self._before.items():
            if handler != signal.SIG_IGN:
                signal.signal(number, _unwind)

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Give them back."""
        signal.alarm(0)
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _unwind(number: int, _: object) -> None:
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, lambda *_: os._exit(128 + number))
    signal.alarm(_UNWINDING_SECONDS)
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


def tell(tool: str, message: str) -> None:
    """Write one line for people to stderr: `tool: message`, escaped: nothing in it can move a terminal.

    A stderr that is gone is no reason to stop.

    Source: spec/exit-codes.md.
    """
    _print_line(f"{tool}: {escape(message, limit=2000)}")


def version_line(tool: str) -> str:
    """Return what *tool* says of its version, and of the specification's.

    Source: spec/exit-codes.md.
    """
    return f"{tool} {VERSION} (App Container specification {SPEC_VERSION})"


def _named_call(error: OSError) -> str:
    """Return the system call that the text of an error names before the reason, as ours do; empty where none is named."""
    call, _, why = (error.strerror or "").rpartition(": ")
    return call if why == os.strerror(error.errno or 0) else ""


def _find_unnamed(error: OSError) -> str:
    """Return what an error is about that names nothing: a relative path means nothing where the working directory was removed."""
    if error.errno == errno.ENOENT:
        try:
            os.getcwd()
        except FileNotFoundError:
            return "working directory"
    return "system"


def _path(name: object) -> str:
    if isinstance(name, bytes):
        return os.fsdecode(name)
    return str(name) if name is not None else ""


def _closed_pipe() -> int:
    """Leave quietly, as a program without a SIGPIPE handler would: nothing more may reach the closed pipe."""
    _discard_output()
    return 141


def _discard_output() -> None:
    """Let what is still to be written to standard output go nowhere."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 1)
    os.close(sink)


def _bug(tool: str) -> int:
    import traceback

    _print_line(traceback.format_exc().rstrip())
    _print_line(f"{tool}: this is a bug of {tool}; please report the lines above")
    return errors.ToolError.exit_code


def _print_line(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except OSError:
        # The interpreter would try the line again at its end, and make that the exit code. There may be room for the next one.
        sys.stderr = open(2, "w", errors="backslashreplace", closefd=False)  # noqa: SIM115 - for the life of the process
    except ValueError:
        pass


def _spell_what_stdout_cannot() -> None:
    """Let a character that standard output's encoding does not have be spelt out, rather than be the end of the program."""
    if getattr(sys.stdout, "errors", None) == "strict" and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def _open_missing_descriptors() -> None:
    """Open missing standard descriptors on /dev/null, so that no file of ours becomes somebody's stdout."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - for the life of the process
