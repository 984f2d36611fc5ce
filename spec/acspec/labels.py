"""Labels, and when the labels asked for match those of an image.

Source: aci.md, labels; discovery.md, Validation.
"""

from __future__ import annotations

import os

from acspec.errors import FormatError
from acspec.escape import escape
from acspec.fields import Fields, check_unique
from acspec.names import ACIdentifier, parse_ac_identifier
from acspec.values import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from acspec.jsontext import JSONValue

# The combinations that the specification's own table allows, under the names it gives to architectures.
KNOWN_PLATFORMS = {
    "linux": ("amd64", "i386", "aarch64", "aarch64_be", "armv6l", "armv7l", "armv7b", "ppc64", "ppc64le", "s390x"),
    "freebsd": ("amd64", "i386", "arm"),
    "darwin": ("x86_64", "i386"),
}

_MACHINES = {"x86_64": "amd64", "i486": "i386", "i586": "i386", "i686": "i386"}


class Label(Value):
    """A label: a name that is an AC Identifier but not "name", and any string as value."""

    name: ACIdentifier
    value: str
    unknown: dict[str, JSONValue] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Check the name. Raises: FormatError."""
        parse_label_name(self.name, "label")


def read_labels(fields: Fields, key: str = "labels") -> tuple[Label, ...]:
    """Return the labels in the list at *key*.

    Raises: FormatError, also for a name that comes twice, and for an os or arch that is not in the table.
    Source: aci.md, labels.
    """
    labels = tuple(Label(item.named("name", parse_label_name), item.text("value"), item.unknown()) for item in fields.objects(key))
    check_unique(fields, key, (label.name for label in labels))
    named = label_map(labels)
    if bad := find_bad_platform(named):
        index = next(index for index, label in enumerate(labels) if label.name == bad[0])
        raise fields.fault(f"{key}[{index}].value", *bad[1:])
    if "arch" in named and "os" not in named:
        fields.warn(key, "arch means something only beside os, which is not there", "arch-without-os")
    return labels


def parse_label_name(text: str, place: str) -> ACIdentifier:
    """Return *text* when it can name a label. Raises: FormatError. Source: aci.md, labels."""
    if text == "name":
        raise FormatError(place, 'a label cannot be called "name", which is the image\'s own')
    return parse_ac_identifier(text, place)


def find_bad_platform(labels: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Return which of the labels os and arch is not in the table: its name, why, and a hint; None when both are well.

    Source: aci.md, labels: os, arch; schema/types/labels.go, ValidOSArch.
    """
    system, machine = labels.get("os"), labels.get("arch")
    if system is None:
        return None
    machines = KNOWN_PLATFORMS.get(system)
    if machines is None:
        return "os", f'"{escape(system)}" is no os that the specification knows', f"it knows {', '.join(KNOWN_PLATFORMS)}"
    if machine is not None and machine not in machines:
        return (
            "arch",
            f'"{escape(machine)}" is no arch that the specification knows for {system}',
            f"it knows {', '.join(machines)}",
        )
    return None


def labels_json(labels: tuple[Label, ...]) -> list[JSONValue]:
    """Return *labels* as JSON. Source: aci.md, labels."""
    return [{"name": label.name, "value": label.value, **label.unknown} for label in labels]


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


def find_mismatch(asked: Mapping[str, str], labels: tuple[Label, ...]) -> tuple[str, str, str | None] | None:
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
