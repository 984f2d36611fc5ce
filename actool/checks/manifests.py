"""A manifest checked for all that is wrong with it and for what is odd: of one that is at fault, as far as it could be read.

A manifest that the typed reader takes is good. Only when it refuses one are the schemas asked, to name all faults at once.

Source: aci.md, Image Manifest Schema; pods.md, Pod Manifest Schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from acspec.errors import FormatError
from acspec.fields import Oddity
from acspec.image_manifest import ImageManifest, parse_image_manifest
from acspec.jsontext import parse_json
from acspec.names import IMAGE_KIND, POD_KIND, ACKind
from acspec.pod_manifest import PodManifest, parse_pod_manifest
from acspec.values import replace
from actool.checks.lint_manifest import lint_image_manifest, lint_pod_manifest
from actool.checks.reports import Diagnostic, Severity, warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from acspec.jsontext import JSONValue

    T = TypeVar("T")


def check_image_manifest(data: bytes, name: str, entry: str = "") -> tuple[ImageManifest | None, list[Diagnostic]]:
    """Return the image manifest in *data*, None when it is at fault, and all that is wrong or odd about it.

    *name* is that of the file it is in; *entry* is its name there, when it is in an image.

    Source: aci.md, Image Manifest Schema.
    """
    return _check(data, name, entry, IMAGE_KIND, parse_image_manifest, lint_image_manifest)


def check_pod_manifest(data: bytes, name: str) -> tuple[PodManifest | None, list[Diagnostic]]:
    """Return the pod manifest in *data*, None when it is at fault, and all that is wrong or odd about it.

    Source: pods.md, Pod Manifest Schema.
    """
    return _check(data, name, "", POD_KIND, parse_pod_manifest, lint_pod_manifest)


def is_pod_manifest(data: bytes) -> bool:
    """Tell whether *data* calls itself a pod manifest; what is none, and what is no JSON, is held to be one of an image.

    Source: pods.md, acKind.
    """
    try:
        value = parse_json(data, "")
    except FormatError:
        return False
    return isinstance(value, dict) and value.get("acKind") == POD_KIND


def add_positions(data: bytes, diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return *diagnostics*, those about a place in the manifest *data* with the line and column of that.

    Source: RFC 8259.
    """
    places = {diagnostic.place for diagnostic in diagnostics if diagnostic.place}
    if not places:
        return tuple(diagnostics)
    from actool.checks.positions import get_positions

    found = get_positions(data.decode(), places)
    return tuple(_at(diagnostic, *found[diagnostic.place]) if diagnostic.place else diagnostic for diagnostic in diagnostics)


def _at(diagnostic: Diagnostic, line: int, column: int) -> Diagnostic:
    return replace(diagnostic, line=line, column=column)


def _check(
    data: bytes,
    name: str,
    entry: str,
    kind: ACKind,
    parse: Callable[[bytes, str, list[Oddity]], T],
    lint: Callable[[T], Iterator[Diagnostic]],
) -> tuple[T | None, list[Diagnostic]]:
    document = f"{name}: {entry}" if entry else name
    odd: list[Oddity] = []
    try:
        manifest = parse(data, document, odd)
    except FormatError as error:
        faults = list(_explain(error, data, document, kind, entry))
        return None, [*faults, *(_tell_odd(odd, entry) if faults[0].rule == "manifest-schema" else [])]
    return manifest, [*_tell_odd(odd, entry), *(replace(diagnostic, entry=entry) for diagnostic in lint(manifest))]


def _tell_odd(odd: Iterable[Oddity], entry: str) -> list[Diagnostic]:
    return [warning(oddity.rule, oddity.why, entry=entry, place=oddity.place) for oddity in odd]


def _explain(error: FormatError, data: bytes, document: str, kind: ACKind, entry: str) -> Iterable[Diagnostic]:
    """Return all that is wrong with a manifest that *error* refused; of one of another kind, that alone is said."""
    try:
        value = parse_json(data, document)
    except FormatError:
        return [_fault(error, document, "manifest-json", entry)]
    if _is_other_kind(value, kind):
        return [_fault(error, document, "manifest-kind", entry)]
    from acspec.schema import find_faults

    return [_fault(fault, document, "manifest-schema", entry) for fault in find_faults(value, kind, document) or [error]]


def _is_other_kind(value: JSONValue, kind: ACKind) -> bool:
    return isinstance(value, dict) and isinstance(value.get("acKind"), str) and value["acKind"] != kind


def _fault(error: FormatError, document: str, rule: str, entry: str) -> Diagnostic:
    place = error.what.removeprefix(document)
    fault = Diagnostic(rule, Severity.ERROR, error.why, entry, place.removeprefix(": "), error.hint)
    numbers = place[1:].split(":")
    if len(numbers) == 2 and all(number.isdigit() for number in numbers):  # FILE:LINE:COLUMN
        return replace(fault, place="", line=int(numbers[0]), column=int(numbers[1]))
    return fault
