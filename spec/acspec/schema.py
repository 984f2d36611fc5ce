"""All that is wrong with a manifest at once, by JSON Schema; the only module with jsonschema, which is imported when it is needed.

The schemas accept and refuse what the typed readers do, which a property test holds them to; this module only explains a refusal.
Keywords that begin with `x-appc` call the typed readers' own functions, so that both say the same in the same words:

    x-appc-type: NAME         a string (or number) that a parser must take
    x-appc-unique: KEY        no two objects of a list have the same string at KEY
    x-appc-platform: true     the labels os and arch are in the specification's table
    x-appc-conflicts: true    isolators that exclude each other
    x-appc-range: true        a range of ports ends at a port
    x-appc-why: WORDS         what to say when a standard keyword beside it is not met

Nothing is fetched: the schemas lie beside this module, and a reference to anything else is a bug.

Source: aci.md, Image Manifest Schema; pods.md, Pod Manifest Schema; JSON Schema 2020-12.
"""

from __future__ import annotations

from functools import cache

from acspec import isolators, names, volumes
from acspec.app import find_bad_range, parse_environment_name, parse_handler_name, parse_owner
from acspec.errors import FormatError
from acspec.fields import find_repeated, key_name, missing
from acspec.image_manifest import parse_boolean_text, parse_image_kind, parse_pod_kind
from acspec.jsontext import parse_json
from acspec.labels import find_bad_platform, parse_label_name
from acspec.pod_manifest import parse_dotted_quad
from acspec.quantities import parse_quantity
from acspec.timestamps import parse_timestamp
from acspec.urls import parse_http_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

    from acspec.jsontext import JSONValue

MAX_FAULTS = 100

_FILES = {names.IMAGE_KIND: "image-manifest.json", names.POD_KIND: "pod-manifest.json"}
_SHARED = "common.json"

_PARSERS: dict[str, Callable[[Any, str], object]] = {
    "text": lambda text, _: text,
    "present": isolators.parse_present,
    "identifier": names.parse_ac_identifier,
    "name": names.parse_ac_name,
    "image-id": names.parse_image_id,
    "version": names.parse_ac_version,
    "image-kind": parse_image_kind,
    "pod-kind": parse_pod_kind,
    "absolute-path": volumes.parse_absolute_path,
    "label-name": parse_label_name,
    "owner": parse_owner,
    "variable-name": parse_environment_name,
    "handler-name": parse_handler_name,
    "volume-kind": volumes.parse_volume_kind,
    "mode": volumes.parse_mode,
    "dotted-quad": parse_dotted_quad,
    "timestamp": parse_timestamp,
    "url": parse_http_url,
    "boolean-text": parse_boolean_text,
    "errno": isolators.parse_errno,
    "retained-call": isolators.parse_retained_call,
    "removed-call": isolators.parse_removed_call,
    "selinux-part": isolators.parse_selinux_part,
    "amount": parse_quantity,
    "cores": lambda value, place: parse_quantity(value, place, scale=1000),
}
_OF_NUMBERS = ("amount", "cores")

_WRONG_TYPE = {
    "string": "is not a string",
    "object": "not a JSON object",
    "array": "is not a list",
    "boolean": "is neither true nor false",
    "integer": "is not a whole number",
    "number": "is neither a string nor a number",
}


def find_faults(value: JSONValue, kind: str, what: str) -> list[FormatError]:
    """Return all that is wrong with *value*, a manifest of *kind* (ImageManifest or PodManifest) as JSON, in its order.

    *what* names the document. There is one fault for each place, and at most 100; the last of more says so.

    Source: aci.md, Image Manifest Schema; pods.md, Pod Manifest Schema.
    """
    found: dict[tuple[str | int, ...], FormatError] = {}
    cut = False
    for error in _validator(kind).iter_errors(value):
        place = tuple(error.absolute_path)
        if place not in found:
            cut = len(found) == MAX_FAULTS
            if cut:
                break
            found[place] = _translate(error, place, what)
    faults = [found[place] for place in sorted(found, key=lambda place: _position(value, place))]
    return [*faults, FormatError(what, f"more than {MAX_FAULTS} faults")] if cut else faults


@cache
def _validator(kind: str) -> Validator:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    # An integer is what the typed readers take for one: not 1.0, which JSON Schema counts as whole.
    checker = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, item: isinstance(item, int) and not isinstance(item, bool)
    )
    make: Any = extend
    own = make(Draft202012Validator, _keywords(dict(Draft202012Validator.VALIDATORS)), type_checker=checker)
    resources = []
    for file in (*_FILES.values(), _SHARED):
        schema = load_schema(file)
        del schema["$schema"]  # by this name the library would look up the standard's own keywords, without ours
        resources.append((file, DRAFT202012.create_resource(schema)))
    registry: Registry[Any] = Registry().with_resources(resources)
    validator: Validator = own({"$ref": _FILES[names.ACKind(kind)]}, registry=registry)
    return validator


def load_schema(file: str) -> dict[str, Any]:
    """Return the schema in *file*, which came with this module. Raises: OSError.

    Source: JSON Schema 2020-12.
    """
    import os

    path = os.path.join(os.path.dirname(__file__), "schemas", file)
    with open(path, "rb") as stream:
        value = parse_json(stream.read(), path)
    if not isinstance(value, dict):
        raise FormatError(path, "not a JSON object")
    return value


def _keywords(standard: dict[str, Any]) -> dict[str, Any]:
    """Return our keywords, and the standard ones that keep silent where one of ours says the same."""
    silent = {keyword: _beside_type(standard[keyword]) for keyword in ("pattern", "const", "enum", "not", "minLength", "maxLength")}
    return silent | {
        "minimum": _beside_type(_check_range),
        "maximum": _beside_type(_check_range),
        "required": _check_required,
        "x-appc-type": _check_type,
        "x-appc-unique": _check_unique,
        "x-appc-platform": _check_platform,
        "x-appc-conflicts": _check_conflicts,
        "x-appc-range": _check_ports,
    }


if TYPE_CHECKING:
    Keyword = Callable[[Validator, Any, Any, dict[str, Any]], Iterable[ValidationError]]


def _beside_type(keyword: Keyword) -> Keyword:
    def check(validator: Validator, wanted: Any, instance: Any, schema: dict[str, Any]) -> Iterable[ValidationError]:
        return () if "x-appc-type" in schema else keyword(validator, wanted, instance, schema) or ()

    return check


def _fault(why: str, *path: str | int, hint: str | None = None) -> ValidationError:
    from jsonschema.exceptions import ValidationError

    return ValidationError(why, path=path, cause=FormatError("", why, hint))


def _check_range(_: Validator, __: Any, instance: Any, schema: dict[str, Any]) -> Iterator[ValidationError]:
    low, high = schema["minimum"], schema["maximum"]
    if isinstance(instance, int) and not isinstance(instance, bool) and not low <= instance <= high:
        yield _fault(f"{instance} is not from {low} to {high}")


def _check_required(_: Validator, wanted: list[str], instance: Any, __: dict[str, Any]) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for key in wanted:
            if key not in instance:
                why, hint = missing(key, instance)
                yield _fault(why, key, hint=hint)


def _check_type(_: Validator, name: str, instance: Any, __: dict[str, Any]) -> Iterator[ValidationError]:
    if isinstance(instance, str) and "\0" in instance and name not in _OF_NUMBERS:
        yield _fault("holds a zero byte")
    elif isinstance(instance, str) or (
        name in _OF_NUMBERS and isinstance(instance, (int, float)) and not isinstance(instance, bool)
    ):
        try:
            _PARSERS[name](instance, "")
        except FormatError as error:
            yield _fault(error.why, hint=error.hint)


def _members(instance: Any, key: str) -> list[str] | None:
    """Return the strings at *key* of the objects in a list, None when it is not made of such objects."""
    if not isinstance(instance, list):
        return None
    members = [item[key] for item in instance if isinstance(item, dict) and isinstance(item.get(key), str)]
    return members if len(members) == len(instance) else None


def _check_unique(_: Validator, key: str, instance: Any, __: dict[str, Any]) -> Iterator[ValidationError]:
    for index, why in find_repeated(_members(instance, key) or ()):
        yield _fault(why, index)


def _check_platform(_: Validator, __: Any, instance: Any, ___: dict[str, Any]) -> Iterator[ValidationError]:
    keys, values = _members(instance, "name"), _members(instance, "value")
    if keys is not None and values is not None and (bad := find_bad_platform(dict(zip(keys, values, strict=True)))):
        yield _fault(bad[1], keys.index(bad[0]), "value", hint=bad[2])


def _check_conflicts(_: Validator, __: Any, instance: Any, ___: dict[str, Any]) -> Iterator[ValidationError]:
    for index, why in isolators.find_conflicts(_members(instance, "name") or ()):
        yield _fault(why, index)


def _check_ports(_: Validator, __: Any, instance: Any, ___: dict[str, Any]) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        numbers = [item for key in ("port", "count") if type(item := instance.get(key)) is int and item > 0]
        if len(numbers) == 2 and (why := find_bad_range(*numbers)):
            yield _fault(why, "count")


def _translate(error: ValidationError, place: tuple[str | int, ...], what: str) -> FormatError:
    where = _name_place(place)
    where = f"{what}: {where}" if where else what
    if isinstance(error.cause, FormatError):
        return FormatError(where, error.cause.why, error.cause.hint)
    if error.validator == "type" and error.validator_value != "null":
        return FormatError(where, _explain_type(error))
    why = error.schema.get("x-appc-why") if isinstance(error.schema, dict) else None
    return FormatError(where, str(why or "is not what the schema allows"))


def _explain_type(error: ValidationError) -> str:
    steps = [step for step in error.absolute_schema_path if step != "$ref"]
    if error.instance is None and steps[-3:-2] == ["properties"]:
        return "is required"
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    return _WRONG_TYPE["number" if "number" in wanted else str(wanted[0])]


def _name_place(place: tuple[str | int, ...]) -> str:
    """Return *place* as `app.mountPoints[2].path`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{key_name(step)}" for step in place).lstrip(".")


def _position(value: JSONValue, place: tuple[str | int, ...]) -> tuple[int, ...]:
    """Return where *place* is in *value*, as something to sort by: keys as they come, those that are missing at the end."""
    position = []
    for step in place:
        if isinstance(value, dict):
            keys = list(value)
            position.append(keys.index(str(step)) if step in value else len(keys))
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int):
            position.append(step)
            value = value[step] if step < len(value) else None
    return tuple(position)
