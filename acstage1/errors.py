"""The errors of acstage1, beside those every tool has: where an app could not be started.

Source: spec/exit-codes.md, Programs that run an app.
"""

from __future__ import annotations

from acspec.errors import KernelError, ToolError


class StartError(KernelError):
    """A step before the app's own program failed: 125, told apart by its step from what the app does."""

    exit_code = 125


class NotExecutableError(ToolError):
    """The program was found but cannot be executed."""

    exit_code = 126


class NotFoundError(ToolError):
    """The program was not found."""

    exit_code = 127


class IgnoredIsolatorError(ToolError):
    """Strict mode: an isolator would have been ignored."""

    exit_code = 125
