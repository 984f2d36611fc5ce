"""The image manifest: typed, every fault with its place, unknown keys kept.

Source: aci.md, Image Manifest Schema.
"""

from __future__ import annotations

from acspec import SPEC_VERSION, limits
from acspec.app import App
from acspec.errors import FormatError
from acspec.escape import escape
from acspec.execution import SUPPORTS_NOTIFY
from acspec.fields import Fields, Oddity, check_unique
from acspec.isolator_names import CPU
from acspec.isolators import Isolator
from acspec.jsontext import parse_json
from acspec.labels import Label, labels_json, read_labels
from acspec.names import (
    IMAGE_KIND,
    POD_KIND,
    RELEASED_VERSIONS,
    ACIdentifier,
    ACKind,
    ACVersion,
    ImageID,
    parse_ac_identifier,
    parse_ac_kind,
    parse_ac_version,
    parse_image_id,
    version_numbers,
)
from acspec.timestamps import parse_timestamp
from acspec.urls import parse_http_url
from acspec.values import Value, field
from acspec.volumes import parse_absolute_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from acspec.jsontext import JSONValue

OWN_VERSION = ACVersion(SPEC_VERSION)
MILLICORES_BEFORE = (0, 7, 0)  # until then the unit of resource/cpu was a thousandth of a core


def parse_boolean_text(text: str, place: str) -> str:
    """Return *text* when it is "true" or "false". Raises: FormatError.

    Source: aci.md, annotations: appc.io/executor/supports-systemd-notify.
    """
    if text not in ("true", "false"):
        raise FormatError(place, f'"{escape(text)}" is neither "true" nor "false"')
    return text


# Annotations whose values have a form, by what checks it.
ANNOTATIONS: dict[str, Callable[[str, str], object]] = {
    "created": parse_timestamp,
    "homepage": parse_http_url,
    "documentation": parse_http_url,
    SUPPORTS_NOTIFY: parse_boolean_text,
}


class Annotation(Value):
    """An annotation: a name that is an AC Identifier, and any string as value."""

    name: ACIdentifier
    value: str
    unknown: dict[str, JSONValue] = field(default_factory=dict, hash=False)


class Dependency(Value):
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


class ImageManifest(Value):
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
        check_kind(fields, IMAGE_KIND)
        inner = fields.object("app")
        manifest = cls(
            name=fields.named("name", parse_ac_identifier),
            ac_version=read_version(fields),
            labels=read_labels(fields),
            app=None if inner is None else App.read(inner),
            dependencies=tuple(Dependency.read(item) for item in fields.objects("dependencies")),
            path_whitelist=_read_whitelist(fields),
            annotations=read_annotations(fields),
            unknown=fields.unknown(),
        )
        if inner is not None and manifest.app is not None:
            warn_of_millicores(inner, manifest.app.isolators, manifest.ac_version)
        return manifest

    def to_json(self) -> dict[str, JSONValue]:
        """Return the manifest as JSON. Source: aci.md, Image Manifest Schema."""
        values: dict[str, JSONValue] = {
            "acKind": IMAGE_KIND,
            "acVersion": self.ac_version,
            "name": self.name,
            "labels": labels_json(self.labels),
            "app": None if self.app is None else self.app.to_json(),
            "dependencies": [item.to_json() for item in self.dependencies],
            "pathWhitelist": list(self.path_whitelist),
            "annotations": annotations_json(self.annotations),
        }
        return {key: value for key, value in values.items() if value} | self.unknown


def check_kind(fields: Fields, kind: ACKind) -> None:
    """Check that a document is of *kind*. Raises: FormatError, which names what it is. Source: types.md, AC Kind Type."""
    parse = parse_image_kind if kind == IMAGE_KIND else parse_pod_kind
    fields.named("acKind", parse)


def parse_image_kind(text: str, place: str) -> ACKind:
    """Return *text* when it is ImageManifest. Raises: FormatError. Source: aci.md, acKind."""
    return _parse_kind(text, place, IMAGE_KIND)


def parse_pod_kind(text: str, place: str) -> ACKind:
    """Return *text* when it is PodManifest. Raises: FormatError. Source: pods.md, acKind."""
    return _parse_kind(text, place, POD_KIND)


def _parse_kind(text: str, place: str, wanted: ACKind) -> ACKind:
    if parse_ac_kind(text, place) != wanted:
        raise FormatError(place, f'"{text}" is not {wanted}')
    return wanted


def read_version(fields: Fields) -> ACVersion:
    """Return the version in *fields*, with a warning for one that was never released. Raises: FormatError.

    Source: types.md, AC Version Type.
    """
    version = fields.named("acVersion", parse_ac_version)
    if ".".join(map(str, version_numbers(version) or ())) not in RELEASED_VERSIONS:
        fields.warn("acVersion", f"version {escape(version)} of the specification was never released", "unreleased-version")
    return version


def warn_of_millicores(fields: Fields, isolators: tuple[Isolator, ...], version: ACVersion) -> None:
    """Warn of a resource/cpu in *fields* that its author may have meant in the older unit. Source: CHANGELOG.md, v0.7.0."""
    for index, isolator in enumerate(isolators):
        if isolator.name == CPU and (version_numbers(version) or MILLICORES_BEFORE) < MILLICORES_BEFORE:
            why = f"counts as cores; version {version} of the specification had thousandths of one"
            fields.warn(f"isolators[{index}]", why, "cpu-unit")


def read_annotations(fields: Fields) -> tuple[Annotation, ...]:
    """Return the annotations in *fields*; those that the specification knows are checked. Raises: FormatError.

    Source: aci.md, annotations.
    """
    annotations = []
    for item in fields.objects("annotations"):
        name = item.named("name", parse_ac_identifier)
        value = item.text("value")
        if name in ANNOTATIONS:
            ANNOTATIONS[name](value, item.at("value"))
        annotations.append(Annotation(name, value, item.unknown()))
    check_unique(fields, "annotations", (annotation.name for annotation in annotations))
    return tuple(annotations)


def annotations_json(annotations: tuple[Annotation, ...]) -> list[JSONValue]:
    """Return *annotations* as JSON. Source: aci.md, annotations."""
    return [{"name": item.name, "value": item.value, **item.unknown} for item in annotations]


def _read_whitelist(fields: Fields) -> tuple[str, ...]:
    paths = fields.texts("pathWhitelist")
    return tuple(parse_absolute_path(path, fields.at(f"pathWhitelist[{index}]")) for index, path in enumerate(paths))


def parse_image_manifest(data: bytes, what: str = "manifest", warnings: list[Oddity] | None = None) -> ImageManifest:
    """Return the image manifest in *data* (UTF-8 JSON, at most 1 MiB); *what* names it in errors.

    *warnings* takes what is odd about it without being wrong, each with its place.

    Raises: FormatError with the place of the fault.
    Source: aci.md, Image Manifest Schema.
    """
    return ImageManifest.read(Fields(parse_json(data, what), what, warnings=warnings))
