"""Values: frozen classes with slots, made of nothing but their annotations.

    class Label(Value):
        name: str
        value: str = ""
        unknown: dict[str, object] = field(default_factory=dict, hash=False)

They behave as what `dataclass(frozen=True, slots=True)` makes, and checkers of types take them for that. But the standard library
writes source for each class and compiles it whenever a program starts, half a millisecond apiece, and imports `inspect` for it;
here all classes share the same few functions, and one takes ten microseconds. What is made by the thousand is a named tuple.

Annotations must be strings (`from __future__ import annotations`), and each of them is a field.

Source: dataclasses, of the standard library.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import replace
    from typing import Any, dataclass_transform
else:

    def dataclass_transform(**_):
        """Return a decorator that does nothing: it is for checkers of types."""
        return lambda made: made

    def replace(value, /, **changes):
        """Return a copy of *value* with *changes* by the names of fields, made and checked as every value is."""
        return type(value)(**{name: getattr(value, name) for name in value.__match_args__} | changes)


__all__ = ("Value", "field", "replace")

_REQUIRED = object()


def field(*, default_factory: Callable[[], object] | None = None, hash: bool = True, repr: bool = True) -> Any:  # noqa: A002
    """Return what to assign to a field of which more is to be said than its default, as `dataclasses.field` takes it."""
    return _Field(default_factory=default_factory, hashed=hash, shown=repr)


class _Field:
    """What fills one slot of a class, and whether it counts for the hash and is shown."""

    __slots__ = ("default", "default_factory", "hashed", "name", "put", "shown")

    def __init__(
        self,
        default: object = _REQUIRED,
        *,
        default_factory: Callable[[], object] | None = None,
        hashed: bool = True,
        shown: bool = True,
    ) -> None:
        self.default = default
        self.default_factory = default_factory
        self.hashed = hashed
        self.shown = shown

    def bind(self, made: type, name: str) -> None:
        """Fill the slot *name* of the class *made*."""
        self.name = name
        self.put = made.__dict__[name].__set__  # which asks no __setattr__

    def get_default(self) -> object:
        """Return what the slot holds when nothing is given. Raises: TypeError when something must be."""
        if self.default_factory is not None:
            return self.default_factory()
        if self.default is _REQUIRED:
            raise TypeError(f"{self.name} is missing")
        return self.default


class _ValueType(type):
    """Makes slots of annotations, and fields of what is assigned to them."""

    _fields: tuple[_Field, ...] = ()

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> _ValueType:
        own: dict[str, _Field] = {}
        for key in namespace.get("__annotations__", ()):
            given = namespace.pop(key, _REQUIRED)
            own[key] = given if isinstance(given, _Field) else _Field(given)
        inherited = tuple(name for base in bases for name in getattr(base, "__match_args__", ()))
        made = super().__new__(cls, name, bases, {**namespace, "__slots__": tuple(own), "__match_args__": (*inherited, *own)})
        for key, one in own.items():
            one.bind(made, key)
        made._fields = (*made._fields, *own.values())
        return made


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Value(metaclass=_ValueType):
    """The base of all values. A class may check in `__post_init__` what it was given."""

    if not TYPE_CHECKING:

        def __init__(self, *given, **named):
            """Fill the slots, in the order of the annotations or by name. Raises: TypeError."""
            fields = type(self)._fields
            for one, value in zip(fields, given):  # noqa: B905 - what is left of either is looked at below
                one.put(self, value)
            for one in fields[len(given) :]:
                one.put(self, named.pop(one.name) if one.name in named else one.get_default())
            if named or len(given) > len(fields):
                raise TypeError(f"{type(self).__name__} takes {', '.join(self.__match_args__)}, each once")
            self.__post_init__()

        def __setattr__(self, name, _):
            """Refuse to. Raises: AttributeError."""
            raise AttributeError(f"{type(self).__name__}.{name} cannot be set")

        def __delattr__(self, name):
            """Refuse to. Raises: AttributeError."""
            raise AttributeError(f"{type(self).__name__}.{name} cannot be deleted")

    def __post_init__(self) -> None:
        """Do nothing: all that was given is taken."""

    def __eq__(self, other: object) -> bool:
        """Tell whether *other* is of the same class and holds the same."""
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, one.name) == getattr(other, one.name) for one in type(self)._fields)

    def __hash__(self) -> int:
        """Return a hash of what counts for it. Raises: TypeError when something in it has none."""
        return hash(tuple(getattr(self, one.name) for one in type(self)._fields if one.hashed))

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Return what makes it again: a copy of it, or it in another process."""
        return type(self), tuple(getattr(self, one.name) for one in type(self)._fields)

    def __repr__(self) -> str:
        """Return the words that make it, but for what is not to be shown."""
        shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in type(self)._fields if one.shown)
        return f"{type(self).__qualname__}({shown})"
