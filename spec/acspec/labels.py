"""Labels, and when the labels asked for match those of an image.

Source: aci.md, labels; discovery.md, Validation.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from acspec.errors import FormatError
from acspec.fields import Fields, check_unique
from acspec.names import ACIdentifier, parse_ac_identifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from acspec.jsontext import JSONValue

# The combinations that the specification lists, under the names it gives to architectures.
KNOWN_PLATFORMS = {
    "linux": ("amd64", "i386", "aarch64", "aarch64_be", "armv6l", "armv7l", "armv7b", "ppc64", "ppc64le", "s390x"),
    "freebsd": ("amd64", "i386", "arm"),
    "darwin": ("x86_64", "i386"),
}

_MACHINES = {"x86_64": "amd64", "i486": "i386", "i586": "i386", "i686": "i386"}


@dataclass(frozen=True, slots=True)
class Label:
    """A label: a name that is an AC Identifier but not "name", and any string as value."""

    name: ACIdentifier
    value: str

    def __post_init__(self) -> None:
        """Check the name. Raises: FormatError."""
        parse_ac_identifier(self.name, "label")
        if self.name == "name":
            raise FormatError("label", 'a label cannot be called "name", which is the image\'s own')


def read_labels(fields: Fields, key: str = "labels") -> tuple[Label, ...]:
    """Return the labels in the list at *key*.

    Raises: FormatError, also for a name that comes twice, and for an arch without an os.
    Source: aci.md, labels.
    """
    labels = []
    for item in fields.objects(key):
        name = item.named("name", parse_ac_identifier)
        if name == "name":
            raise item.fault("name", 'a label cannot be called "name", which is the image\'s own')
        labels.append(Label(name, item.text("value")))
    check_unique(fields, key, (label.name for label in labels))
    return tuple(labels)


def labels_json(labels: tuple[Label, ...]) -> list[JSONValue]:
    """Return *labels* as JSON. Source: aci.md, labels."""
    return [{"name": label.name, "value": label.value} for label in labels]


def label_map(labels: tuple[Label, ...]) -> dict[str, str]:
    """Return *labels* as a mapping from name to value. Source: aci.md, labels."""
    return {label.name: label.value for label in labels}


def host_platform() -> dict[str, str]:
    """Return the labels os and arch of this machine, by the specification's names.

    Source: aci.md, labels: os, arch.
    """
    machine = os.uname().machine
    return {"os": "linux", "arch": _MACHINES.get(machine, machine)}


def host_architecture() -> str:
    """Return the label arch of this machine. Source: aci.md, labels: arch."""
    return host_platform()["arch"]


def first_mismatch(asked: Mapping[str, str], labels: tuple[Label, ...]) -> tuple[str, str, str | None] | None:
    """Return the first label asked for that an image does not have: its name, the value asked, the image's value or None.

    None when all match. os and arch that nobody asked for may be absent from the image, or this machine's.

    Source: discovery.md, Validation.
    """
    present = label_map(labels)
    for name, value in asked.items():
        if present.get(name) != value:
            return name, value, present.get(name)
    for name, value in host_platform().items():
        if name not in asked and present.get(name, value) != value:
            return name, value, present[name]
    return None
