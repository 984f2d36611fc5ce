"""The errors of the suite, each with its exit code, and what a person is told.

    ToolError                70  a fault of ours that we foresaw
     ├─ UsageError            2  the command line makes no sense
     │   └─ OutputNameError      the name of an output is not allowed
     ├─ FormatError          65  a manifest, archive or signature file is bad
     │   ├─ EntryError           an entry of an archive or a layout breaks a rule
     │   └─ DamagedImageError    an image's bytes are not those its ID promises
     ├─ MissingInputError    66  an input named on the command line is not there
     │   └─ ImageNotFoundError   an image is in no store that may be looked into
     ├─ UnavailableError     69  a name cannot be discovered, a server not reached
     ├─ KernelError          71  a system call was refused
     ├─ OutputError          73  an output cannot be created
     │   └─ OutputExistsError    an output is there already
     ├─ StorageError         74  reading or writing failed
     ├─ BusyError            75  somebody else is at it; worth a retry
     ├─ ProtocolError        76  nonsense from a server
     ├─ TrustError           77  not trusted or not permitted
     └─ ConfigError          78  the configuration is bad

This module prints nothing and knows no tool; `acspec.program` does the printing.
"""

from __future__ import annotations


class ToolError(Exception):
    """A failure that a person can understand: what it is about, why it failed, what to do.

    *what* is the thing as the user typed it, with the place inside JSON where there is one
    (`apps[0].mounts[1].path`); *why* is lower-case without full stop; *hint* is something to do.
    """

    exit_code = 70

    def __init__(self, what: str, why: str, hint: str | None = None) -> None:
        super().__init__(what, why, hint)
        self.what = what
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        """Return `what: why (hint)`."""
        line = f"{self.what}: {self.why}" if self.what else self.why
        return f"{line} ({self.hint})" if self.hint else line


class UsageError(ToolError):
    """The command line makes no sense."""

    exit_code = 2


class FormatError(ToolError):
    """A manifest, an archive or a signature file breaks the specification or a limit."""

    exit_code = 65


class DamagedImageError(FormatError):
    """An image's bytes are not those its ID promises."""


class EntryError(FormatError):
    """An entry of an archive or a layout breaks a rule: `entry` is its name, escaped, `fault` what is wrong with it."""

    def __init__(self, what: str, entry: str, fault: str, kind: str = "entry ") -> None:
        super().__init__(what, f'{kind}"{entry}": {fault}')
        self.entry = entry
        self.fault = fault


class MissingInputError(ToolError):
    """An input named on the command line is not there."""

    exit_code = 66


class ImageNotFoundError(MissingInputError):
    """An image is in no store that may be looked into."""


class UnavailableError(ToolError):
    """A name cannot be discovered or a server cannot be reached."""

    exit_code = 69


class KernelError(ToolError):
    """The kernel refused a system call."""

    exit_code = 71


class OutputError(ToolError):
    """An output cannot be created."""

    exit_code = 73


class StorageError(ToolError):
    """Reading or writing a file failed half-way: no space left, or a broken disk."""

    exit_code = 74


class BusyError(ToolError):
    """Another process holds what is needed; a retry may succeed."""

    exit_code = 75


class ProtocolError(ToolError):
    """A server sent something that it must not send."""

    exit_code = 76


class TrustError(ToolError):
    """A signature, a key or a policy does not allow this."""

    exit_code = 77


class ConfigError(ToolError):
    """A configuration file is bad."""

    exit_code = 78


def reason_of(error: OSError) -> str:
    """Return why a system call was refused, as messages have it: in lower case, without what it was about.

    Source: spec/exit-codes.md.
    """
    return (error.strerror or str(error)).lower()


def name_call(error: OSError, call: str) -> OSError:
    """Return *error* with the name of the system call that it came of, for calls that are about no path.

    Source: spec/exit-codes.md.
    """
    return OSError(error.errno, f"{call}: {error.strerror}")


class OutputNameError(UsageError):
    """The name of an output is not one that the specification allows."""


class OutputExistsError(OutputError):
    """An output is there already, and nobody said that it may be replaced."""
