"""The image manifest: typed, every fault with its place, unknown keys kept.

Source: aci.md, Image Manifest Schema.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from acspec import SPEC_VERSION, limits
from acspec.app import App
from acspec.errors import FormatError
from acspec.escape import escape
from acspec.fields import Fields, check_unique
from acspec.jsontext import parse_json
from acspec.labels import Label, labels_json, read_labels
from acspec.names import (
    ACIdentifier,
    ACVersion,
    ImageID,
    parse_ac_identifier,
    parse_ac_version,
    parse_image_id,
)
from acspec.volumes import parse_absolute_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue

KIND = "ImageManifest"
OWN_VERSION = ACVersion(SPEC_VERSION)

# Kinds of drafts before 0.5, named so that a person with an old image learns what it is.
_OLD_KINDS = {
    "AppManifest": "an app manifest of specification 0.1",
    "FilesetManifest": "a fileset manifest of specification 0.1",
    "ContainerRuntimeManifest": "a container runtime manifest of a specification before 0.5",
}


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotation: a name that is an AC Identifier, and any string as value."""

    name: ACIdentifier
    value: str


@dataclass(frozen=True, slots=True)
class Dependency:
    """An image that goes below this one: its name, and what else it must match. *size* is in bytes, of the file as served."""

    image_name: ACIdentifier
    image_id: ImageID | None = None
    labels: tuple[Label, ...] = ()
    size: int | None = None
    unknown: dict[str, JSONValue] = field(default_factory=dict)

    @classmethod
    def read(cls, fields: Fields) -> Dependency:
        """Return the dependency in *fields*. Raises: FormatError. Source: aci.md, dependencies."""
        return cls(
            image_name=fields.named("imageName", parse_ac_identifier),
            image_id=fields.optional_named("imageID", parse_image_id),
            labels=read_labels(fields),
            size=fields.integer("size", 0, limits.JSON_INTEGER - 1),
            unknown=fields.unknown(),
        )

    def to_json(self) -> dict[str, JSONValue]:
        """Return the dependency as JSON. Source: aci.md, dependencies."""
        values: dict[str, JSONValue] = {"imageName": self.image_name, "imageID": self.image_id, "labels": labels_json(self.labels)}
        values = {key: value for key, value in values.items() if value}
        return values | ({} if self.size is None else {"size": self.size}) | self.unknown


@dataclass(frozen=True, slots=True)
class ImageManifest:
    """What an image is called, what it runs, what goes below it."""

    name: ACIdentifier
    labels: tuple[Label, ...] = ()
    app: App | None = None
    dependencies: tuple[Dependency, ...] = ()
    path_whitelist: tuple[str, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    ac_version: ACVersion = OWN_VERSION
    unknown: dict[str, JSONValue] = field(default_factory=dict)

    @classmethod
    def read(cls, fields: Fields) -> ImageManifest:
        """Return the manifest in *fields*. Raises: FormatError. Source: aci.md, Image Manifest Schema."""
        check_kind(fields, KIND)
        inner = fields.object("app")
        return cls(
            name=fields.named("name", parse_ac_identifier),
            ac_version=fields.named("acVersion", parse_ac_version),
            labels=read_labels(fields),
            app=None if inner is None else App.read(inner),
            dependencies=tuple(Dependency.read(item) for item in fields.objects("dependencies")),
            path_whitelist=_read_whitelist(fields),
            annotations=read_annotations(fields),
            unknown=fields.unknown(),
        )

    def to_json(self) -> dict[str, JSONValue]:
        """Return the manifest as JSON. Source: aci.md, Image Manifest Schema."""
        values: dict[str, JSONValue] = {
            "acKind": KIND,
            "acVersion": self.ac_version,
            "name": self.name,
            "labels": labels_json(self.labels),
            "app": None if self.app is None else self.app.to_json(),
            "dependencies": [item.to_json() for item in self.dependencies],
            "pathWhitelist": list(self.path_whitelist),
            "annotations": annotations_json(self.annotations),
        }
        return {key: value for key, value in values.items() if value} | self.unknown


def check_kind(fields: Fields, kind: str) -> None:
    """Check that a document is of *kind*. Raises: FormatError, which names what it is. Source: types.md, AC Kind Type."""
    found = fields.text("acKind")
    if found != kind:
        known = _OLD_KINDS.get(found)
        raise fields.fault("acKind", f"this is {known}" if known else f'"{escape(found)}" is not {kind}')


def read_annotations(fields: Fields) -> tuple[Annotation, ...]:
    """Return the annotations in *fields*. Raises: FormatError. Source: aci.md, annotations."""
    items = fields.objects("annotations")
    annotations = tuple(Annotation(item.named("name", parse_ac_identifier), item.text("value")) for item in items)
    check_unique(fields, "annotations", (annotation.name for annotation in annotations))
    return annotations


def annotations_json(annotations: tuple[Annotation, ...]) -> list[JSONValue]:
    """Return *annotations* as JSON. Source: aci.md, annotations."""
    return [{"name": item.name, "value": item.value} for item in annotations]


def _read_whitelist(fields: Fields) -> tuple[str, ...]:
    paths = fields.texts("pathWhitelist")
    return tuple(parse_absolute_path(path, fields.at(f"pathWhitelist[{index}]")) for index, path in enumerate(paths))


def parse_image_manifest(data: bytes, what: str = "manifest") -> ImageManifest:
    """Return the image manifest in *data* (UTF-8 JSON, at most 1 MiB); *what* names it in errors.

    Raises: FormatError with the place of the fault.
    Source: aci.md, Image Manifest Schema.
    """
    value = parse_json(data, what)
    if not isinstance(value, dict):
        raise FormatError(what, "is not a JSON object")
    return ImageManifest.read(Fields(value, what))
