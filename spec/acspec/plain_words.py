"""A subcommand with arguments and no options: called without an option parser.

Typer takes as long to start as an image of 10 MB to be read. Where no word is an option there is nothing to parse: the words are
the arguments in their order, every option has its default. All other command lines, those at fault among them, are Typer's.

Source: spec/exit-codes.md; docs/decisions, typer.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib import import_module
from types import FunctionType, ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Any

_ONE = "Annotated[str, typer.Argument("
_MANY = "Annotated[list[str], typer.Argument("
_ANY_NUMBER = "Annotated[list[str] | None, typer.Argument("
# What takes more than the default of a parameter that no word was given for.
_NOT_PLAIN = ("typer.Argument(", "envvar=", "callback=", "prompt=", "default_factory=")
# A function that takes any words by any names, as one that is wrapped does: what it takes cannot be seen.
_TAKES_ANYTHING = 0x04 | 0x08  # CO_VARARGS, CO_VARKEYWORDS, without the import of inspect


def find_plain_call(place: str, words: Sequence[str]) -> partial[object] | None:
    """Return what calls the function at *place* (`module:name`) as Typer would for *words*, None where Typer has to be asked.

    Raises: what the import of the module raises.
    Source: docs/decisions, typer.
    """
    if any(word.startswith("-") and word != "-" for word in words):
        return None
    module, _, name = place.partition(":")
    with _TyperLater() as later:
        function = getattr(import_module(module), name)
    arguments = _fit(function, words) if isinstance(function, FunctionType) else None
    if arguments is None:
        later.forget(module.partition(".")[0])
        return None
    return partial(function, *arguments)


def _fit(function: FunctionType, words: Sequence[str]) -> list[str | list[str]] | None:
    """Return *words* as the arguments of *function*, None when they are not exactly what it takes."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    kinds = [str(function.__annotations__.get(name)) for name in names]  # as they are written: nothing has been evaluated
    count = len(names) - len(function.__defaults__ or ())
    if words and count == 0 and kinds and kinds[0].startswith(_ANY_NUMBER):
        count = 1
    required, optional = kinds[:count], kinds[count:]
    if code.co_kwonlyargcount or code.co_flags & _TAKES_ANYTHING or any(mark in kind for kind in optional for mark in _NOT_PLAIN):
        return None
    if all(kind.startswith(_ONE) for kind in required) and len(words) == count:
        return list(words)
    if [kind.startswith((_MANY, _ANY_NUMBER)) for kind in required] == [True] and words:
        return [list(words)]
    return None


class _TyperLater:
    """While this lasts, modules of subcommands are imported without Typer: how they describe their options, nobody reads."""

    def __enter__(self) -> _TyperLater:
        self._known = set(sys.modules)
        self._standing_in = None
        if "typer" not in self._known:
            self._standing_in = sys.modules["typer"] = _Typer("typer")
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self._standing_in is not None:
            self._standing_in.end()

    def forget(self, package: str) -> None:
        """Let the modules of *package* that were imported meanwhile be imported again, for Typer to read their descriptions."""
        if self._standing_in is not None:
            for name in sys.modules.keys() - self._known:
                if name.partition(".")[0] == package:
                    del sys.modules[name]


class _Typer(ModuleType):
    """Stands in for Typer where options are described; what else anybody wants of it, then or later, Typer has."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__dict__.update(Option=_describe, Argument=_describe)

    def end(self) -> None:
        """Stand in no more."""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        for name in ("Option", "Argument"):
            self.__dict__.pop(name, None)

    def __getattr__(self, name: str) -> Any:
        self.end()
        return getattr(import_module(self.__name__), name)


def _describe(*_: object, **__: object) -> None:
    pass
