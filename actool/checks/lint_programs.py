"""What an app executes: whether it is there, may be executed by the app's user, and is something that the kernel can run.

Source: aci.md, exec and eventHandlers; execve(2); docs/decisions, finding the program, PATH and reserved variables.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from acspec.app import App
from acspec.archive.entry import Kind
from acspec.escape import escape
from acspec.execution import DEFAULT_PATH
from actool.checks.lint_owners import Identity
from actool.checks.lint_platform import Platform
from actool.checks.programs import Form, Program
from actool.checks.reports import Diagnostic, warning
from actool.checks.rootfs_index import Node
from actool.checks.rootfs_paths import Place, RootfsPaths, State, describe_missing

# What the specification sets unless the app's own environment says otherwise.

_MAIN = "app.exec[0]"
_PATH_DIRECTORIES = 256
_INTERPRETERS = 4  # one for another, as the kernel follows them
_ENV = (b"/usr/bin/env", b"/bin/env")


class ProgramLints:
    """The programs of one app in one rootfs."""

    def __init__(self, app: App, identity: Identity, platform: Platform, paths: RootfsPaths) -> None:
        self._identity = identity
        self._platform = platform
        self._paths = paths
        self._directory = (app.working_directory or "/").encode()
        path = next((item.value for item in app.environment if item.name == "PATH"), DEFAULT_PATH)
        self._search = path.encode().split(b":")

    def lint(self, app: App) -> Iterator[Diagnostic]:
        """Return what is in the way of the app and of its event handlers.

        Source: aci.md, exec and eventHandlers.
        """
        if app.exec:
            yield from self._lint_word(app.exec[0].encode(), _MAIN)
        for index, handler in enumerate(app.event_handlers):
            yield from self._lint_word(handler.exec[0].encode(), f"app.eventHandlers[{index}].exec[0]")

    def _lint_word(self, word: bytes, place: str) -> Iterator[Diagnostic]:
        asked, found = self._seek(word)
        if found is None:
            yield warning("exec-missing", f'"{escape(word)}" is in no directory of the app\'s PATH', place=place)
        elif found.state is State.MISSING:
            yield warning("exec-missing", describe_missing(asked, found), place=place)
        elif found.state is State.FOUND and found.node is not None:
            why = self._find_obstacle(found.path, found.node)
            if why:
                yield warning("exec-not-executable", f'"{escape(asked)}" {why}', place=place)
            elif found.node.program is not None:
                if place == _MAIN:
                    yield from self._platform.lint_unlabelled(asked, found.node.program)
                yield from self._lint_program(asked, found.node.program, place)

    def _seek(self, word: bytes) -> tuple[bytes, Place | None]:
        """Return the path that *word* means and where it leads, as execvp looks for it; None when it is in no directory."""
        if b"/" in word or not word:
            path = os.path.join(b"/", self._directory, word)
            return path, self._paths.resolve(path)
        refused: tuple[bytes, Place] | None = None
        for directory in self._search[:_PATH_DIRECTORIES]:
            path = os.path.join(b"/", self._directory, directory, word)
            found = self._paths.resolve(path)
            if found.state is State.MISSING:
                continue
            if found.node is None or not self._find_obstacle(found.path, found.node):
                return path, found
            refused = refused or (path, found)
        if refused is None and len(self._search) > _PATH_DIRECTORIES:
            return word, Place(State.UNKNOWN, word)
        return refused or (word, None)

    def _find_obstacle(self, path: bytes, node: Node) -> str:
        """Return why what is at *path* cannot be executed by the app's user, nothing when it can."""
        if node.kind is Kind.DIRECTORY:
            return "is a directory"
        if node.kind is not Kind.FILE:
            return "is no regular file"
        if node.program is None:
            return "is not executable"
        if not self._identity.may(node.mode, node.uid, node.gid):
            return (
                f"is not executable for user {self._identity.uid}: mode {node.mode & 0o7777:04o}, owners {node.uid} and {node.gid}"
            )
        end = path.rfind(b"/")
        while end >= 0:
            above = self._paths.find(path[:end])
            if above is not None and above.kind is Kind.DIRECTORY and not self._identity.may(above.mode, above.uid, above.gid):
                owners = f"mode {above.mode & 0o7777:04o}, owners {above.uid} and {above.gid}"
                return f'cannot be reached by user {self._identity.uid}: "{escape(path[:end] or b"/")}" has {owners}'
            end = path.rfind(b"/", 0, end)
        return ""

    def _lint_program(self, path: bytes, program: Program, place: str) -> Iterator[Diagnostic]:
        """Return what is in the way of running the *program* at *path*, and of what runs it in turn."""
        for _ in range(_INTERPRETERS):
            yield from self._platform.lint_program(path, program, place)
            if program.form in (Form.EMPTY, Form.TEXT):
                yield warning(
                    "exec-format", f'"{escape(path)}" is {program.form.value}, which the kernel does not execute', place=place
                )
            wanted = program.interpreter
            if not wanted.startswith(b"/"):  # none, or one that the working directory has a say in
                return
            found = self._paths.resolve(wanted)
            if found.state is State.MISSING:
                yield self._missing(path, program, found, place)
            elif program.form is Form.SCRIPT and wanted in _ENV:
                yield from self._lint_env(path, program.argument, place)
            if found.state is not State.FOUND or found.node is None or found.node.program is None:
                return
            path, program = wanted, found.node.program

    def _missing(self, path: bytes, program: Program, found: Place, place: str) -> Diagnostic:
        why = describe_missing(program.interpreter, found)
        if program.form is Form.ELF:
            return warning("loader-missing", f'"{escape(path)}" needs a loader, but {why}', place=place)
        hint = "its #! line ends in CR LF" if program.interpreter.endswith(b"\r") or program.argument.endswith(b"\r") else None
        return warning("interpreter-missing", f'"{escape(path)}" needs an interpreter, but {why}', place=place, hint=hint)

    def _lint_env(self, path: bytes, argument: bytes, place: str) -> Iterator[Diagnostic]:
        """Return whether env, which looks an interpreter up in PATH, will find it."""
        if argument and not argument.startswith(b"-") and not any(sign in argument for sign in b" =/"):
            _, found = self._seek(argument)
            if found is None:
                why = f'"{escape(path)}" needs an interpreter, but "{escape(argument)}" is in no directory of the app\'s PATH'
                hint = "its #! line ends in CR LF" if argument.endswith(b"\r") else None
                yield warning("interpreter-missing", why, place=place, hint=hint)
