"""What the last rkt refuses although the specification allows it, each found with rkt 1.30.0 itself.

What it refuses for a reason that another rule has as well (an unknown isolator) is not said twice; and an app of scripts may mean
to be for any machine, though rkt runs none without both labels.

Source: docs/interoperability.md, Images of actool in rkt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from acspec.escape import escape
from acspec.image_manifest import Annotation
from acspec.isolator_names import APPARMOR_PROFILE, BLOCK_BANDWIDTH, BLOCK_IOPS, CPU, MEMORY, NETWORK_BANDWIDTH
from acspec.isolators import Isolator
from actool.checks.reports import Diagnostic, warning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue

_RULE = "rkt-refuses"
_RESOURCES = (BLOCK_BANDWIDTH, BLOCK_IOPS, CPU, MEMORY, NETWORK_BANDWIDTH)
_CREATED = "created"


def lint_annotations(annotations: Iterable[Annotation], place: str) -> Iterator[Diagnostic]:
    """Return which of *annotations*, a list at *place*, rkt does not read.

    Source: types.md, Timestamps Type.
    """
    for index, annotation in enumerate(annotations):
        if annotation.name == _CREATED and (not {"t", "z"}.isdisjoint(annotation.value) or annotation.value[17:19] == "60"):
            why = f'"{escape(annotation.value)}" has a "t" or "z" in lower case, or a leap second, and rkt refuses that'
            yield warning(_RULE, why, place=f"{place}[{index}].value")


def lint_isolators(isolators: Iterable[Isolator], place: str) -> Iterator[Diagnostic]:
    """Return which of *isolators*, a list at *place*, rkt does not read.

    Source: ace.md, Isolators.
    """
    for index, isolator in enumerate(isolators):
        here = f"{place}[{index}]"
        if isolator.name == APPARMOR_PROFILE:
            why = f"{APPARMOR_PROFILE} is in no released version of the specification, and rkt refuses it"
            yield warning(_RULE, why, place=f"{here}.name")
        elif isolator.name in _RESOURCES and isinstance(isolator.value, Mapping):
            yield from _lint_quantities(isolator.value, f"{here}.value")


def _lint_quantities(value: Mapping[str, JSONValue], place: str) -> Iterator[Diagnostic]:
    for key in ("request", "limit"):
        quantity = value.get(key)
        if isinstance(quantity, str) and quantity.endswith("K"):
            yield warning(_RULE, f'"{escape(quantity)}" has the suffix K, and rkt knows k only', place=f"{place}.{key}")
