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
# What options are described with.
_DESCRIBING = {"typer": ("Option", "Argument"), "typing": ("Annotated", "Literal")}


def find_direct_call(place: str, words: Sequence[str]) -> partial[object] | None:
    """Return what calls the function at *place* (`module:name`) as Typer would for *words*, None where Typer has to be asked.

    Raises: what the import of the module raises.
    Source: docs/decisions, typer.
    """
    if any(word.startswith("-") and word != "-" for word in words):
        return None
    module, _, name = place.partition(":")
    with _DescribedLater(module.partition(".")[0]) as later:
        function = getattr(import_module(module), name)
    arguments = _fit(function, words) if isinstance(function, FunctionType) else None
    if arguments is None:
        later.forget()
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


class _DescribedLater:
    """While this lasts, modules of *package* are imported without Typer and typing: how they describe options, nobody reads."""

    def __init__(self, package: str) -> None:
        self._package = package

    def __enter__(self) -> _DescribedLater:
        self._known = set(sys.modules)
        self._standing_in = [_StandIn(name, self._package) for name in _DESCRIBING if name not in self._known]
        sys.modules.update((module.__name__, module) for module in self._standing_in)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        for module in self._standing_in:
            module.end()

    def forget(self) -> None:
        """Let the modules of the package that were imported meanwhile be imported again, for Typer to read their descriptions."""
        if self._standing_in:
            for name in sys.modules.keys() - self._known:
                if name.partition(".")[0] == self._package:
                    del sys.modules[name]
                    above, _, last = name.rpartition(".")
                    if above in sys.modules:  # or `from above import last` would find it there
                        vars(sys.modules[above]).pop(last, None)


class _StandIn(ModuleType):
    """Stands in for a module where *package* describes options. What anybody else wants of it, or anything else, the module has."""

    def __init__(self, name: str, package: str) -> None:
        super().__init__(name)
        self._package = package

    def end(self) -> None:
        """Stand in no more."""
        self._package = ""
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]

    def __getattr__(self, name: str) -> Any:
        if name == "__path__":  # what is imported from no package is asked for it first
            raise AttributeError(name)
        who = str(sys._getframe(1).f_globals.get("__name__"))
        if name in _DESCRIBING[self.__name__] and who.partition(".")[0] == self._package:
            return _Description()
        self.end()
        return getattr(import_module(self.__name__), name)


class _Description:
    """What a description of options is made of: called, with brackets behind it or one of several, and nothing comes of it."""

    def __call__(self, *_: object, **__: object) -> None:
        pass

    def __getitem__(self, _: object) -> _Description:
        return self

    def __or__(self, _: object) -> _Description:
        return self
