"""What our code takes from `typing` when it runs, without that module, whose import takes longer than many an image to be read.

Named tuples are those of `collections`, made like this:

    class Point(NamedTuple):
        x: int
        y: int = 0

Annotations must be strings (`from __future__ import annotations`), and each of them is a field. The rest is for checkers of types
alone, and nothing when it runs.

Source: typing, of the standard library.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generic, NamedTuple, Protocol, TypeVar, cast
else:
    from collections import namedtuple

    class _TupleType(type):
        """Makes a class of a named tuple, with everything else that stands in its body."""

        def __new__(cls, name, bases, namespace):
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            fields = namespace.pop("__annotations__")
            defaults = [namespace.pop(field) for field in fields if field in namespace]
            plain = namedtuple(name, fields, defaults=defaults, module=namespace["__module__"])
            return type(name, (plain,), {**namespace, "__slots__": ()})

    class NamedTuple(metaclass=_TupleType):
        """The base of named tuples."""

    class Protocol:
        """The base of protocols."""

    class Generic:
        """The base of classes that have a type as parameter."""

        def __class_getitem__(cls, _):
            """Return the class."""
            return cls

    def TypeVar(name):  # noqa: N802 - as typing has it
        """Return something."""
        return name

    def cast(_, value):
        """Return *value*."""
        return value


__all__ = ("Generic", "NamedTuple", "Protocol", "TypeVar", "cast")
