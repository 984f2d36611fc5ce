"""The pod manifest: the apps of a pod, its volumes, ports and isolators.

A manifest read here may still be a template; `acrun` reifies it.

Source: pods.md, Pod Manifest Schema.
"""

from __future__ import annotations

from acspec.app import MAX_PORT, App, Port
from acspec.errors import FormatError
from acspec.fields import Fields, Oddity, check_unique, find_repeated
from acspec.image_manifest import (
    OWN_VERSION,
    Annotation,
    annotations_json,
    check_kind,
    read_annotations,
    read_version,
    warn_of_millicores,
)
from acspec.isolators import Isolator, read_isolators
from acspec.jsontext import parse_json
from acspec.labels import Label, labels_json, read_labels
from acspec.names import (
    POD_KIND,
    ACIdentifier,
    ACName,
    ACVersion,
    ImageID,
    parse_ac_identifier,
    parse_ac_name,
    parse_image_id,
)
from acspec.values import Value, field
from acspec.volumes import Mount, Volume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue


class RuntimeImage(Value):
    """The image of an app in a pod: its ID, and what else is known of it."""

    id: ImageID
    name: ACIdentifier | None = None
    labels: tuple[Label, ...] = ()
    unknown: dict[str, JSONValue] = field(default_factory=dict, hash=False)

    @classmethod
    def read(cls, fields: Fields) -> RuntimeImage:
        """Return the image in *fields*. Raises: FormatError. Source: pods.md, apps: image."""
        return cls(
            id=fields.named("id", parse_image_id),
            name=fields.optional_named("name", parse_ac_identifier),
            labels=read_labels(fields),
            unknown=fields.unknown(),
        )

    def to_json(self) -> dict[str, JSONValue]:
        """Return the image as JSON. Source: pods.md, apps: image."""
        values: dict[str, JSONValue] = {"name": self.name, "id": self.id, "labels": labels_json(self.labels)}
        return {key: value for key, value in values.items() if value} | self.unknown


class RuntimeApp(Value):
    """One app of a pod: its name there, its image, and what replaces the image's own `app`."""

    name: ACName
    image: RuntimeImage
    app: App | None = None
    read_only_rootfs: bool = False
    mounts: tuple[Mount, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    unknown: dict[str, JSONValue] = field(default_factory=dict)

    @classmethod
    def read(cls, fields: Fields) -> RuntimeApp:
        """Return the app in *fields*. Raises: FormatError. Source: pods.md, apps."""
        app = fields.object("app")
        return cls(
            name=fields.named("name", parse_ac_name),
            image=RuntimeImage.read(fields.required_object("image")),
            app=None if app is None else App.read(app),
            read_only_rootfs=bool(fields.boolean("readOnlyRootFS")),
            mounts=tuple(Mount.read(item) for item in fields.objects("mounts")),
            annotations=read_annotations(fields),
            unknown=fields.unknown(),
        )

    def to_json(self) -> dict[str, JSONValue]:
        """Return the app as JSON. Source: pods.md, apps."""
        values: dict[str, JSONValue] = {
            "name": self.name,
            "image": self.image.to_json(),
            "app": None if self.app is None else self.app.to_json(),
            "readOnlyRootFS": self.read_only_rootfs,
            "mounts": [item.to_json() for item in self.mounts],
            "annotations": annotations_json(self.annotations),
        }
        return {key: value for key, value in values.items() if value} | self.unknown


class ExposedPort(Value):
    """A port of an app to be reached through the host."""

    name: ACName
    host_port: int
    host_ip: str | None = None
    pod_port: Port | None = None
    unknown: dict[str, JSONValue] = field(default_factory=dict, hash=False)

    @classmethod
    def read(cls, fields: Fields) -> ExposedPort:
        """Return the port in *fields*. Raises: FormatError. Source: pods.md, ports."""
        fields.required("hostPort")
        inner = fields.object("podPort")
        return cls(
            name=fields.named("name", parse_ac_name),
            host_port=fields.integer("hostPort", 1, MAX_PORT) or 0,
            host_ip=fields.optional_named("hostIP", parse_dotted_quad),
            pod_port=None if inner is None else Port.read(inner),
            unknown=fields.unknown(),
        )

    def to_json(self) -> dict[str, JSONValue]:
        """Return the port as JSON. Source: pods.md, ports."""
        pod_port = None if self.pod_port is None else self.pod_port.to_json()
        values: dict[str, JSONValue] = {"name": self.name, "hostPort": self.host_port, "hostIP": self.host_ip, "podPort": pod_port}
        return {key: value for key, value in values.items() if value is not None} | self.unknown


def parse_dotted_quad(text: str, place: str) -> str:
    """Return *text* when it is an IPv4 address in dotted-quad notation. Raises: FormatError. Source: pods.md, ports: hostIP."""
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) <= 3 and int(part) < 256 for part in parts):
        raise FormatError(place, "is not an IPv4 address in dotted-quad notation")
    return text


class PodManifest(Value):
    """A pod: its apps, and what they share."""

    apps: tuple[RuntimeApp, ...]
    volumes: tuple[Volume, ...] = ()
    isolators: tuple[Isolator, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    ports: tuple[ExposedPort, ...] = ()
    user_annotations: dict[str, str] = field(default_factory=dict)
    user_labels: dict[str, str] = field(default_factory=dict)
    ac_version: ACVersion = OWN_VERSION
    unknown: dict[str, JSONValue] = field(default_factory=dict)

    @classmethod
    def read(cls, fields: Fields) -> PodManifest:
        """Return the manifest in *fields*. Raises: FormatError. Source: pods.md, Pod Manifest Schema."""
        check_kind(fields, POD_KIND)
        version = read_version(fields)
        fields.required("apps")
        apps = tuple(RuntimeApp.read(item) for item in fields.objects("apps"))
        check_unique(fields, "apps", (app.name for app in apps))
        volumes = tuple(Volume.read(item) for item in fields.objects("volumes"))
        check_unique(fields, "volumes", (volume.name for volume in volumes))
        isolators = read_isolators(fields, pod=True)
        _warn(fields, apps, isolators, version)
        return cls(
            ac_version=version,
            apps=apps,
            volumes=volumes,
            isolators=isolators,
            annotations=read_annotations(fields),
            ports=tuple(ExposedPort.read(item) for item in fields.objects("ports")),
            user_annotations=fields.text_map("userAnnotations"),
            user_labels=fields.text_map("userLabels"),
            unknown=fields.unknown(),
        )

    def to_json(self) -> dict[str, JSONValue]:
        """Return the manifest as JSON. Source: pods.md, Pod Manifest Schema."""
        values: dict[str, JSONValue] = {
            "acVersion": self.ac_version,
            "acKind": POD_KIND,
            "apps": [item.to_json() for item in self.apps],
            "volumes": [item.to_json() for item in self.volumes],
            "isolators": [item.to_json() for item in self.isolators],
            "annotations": annotations_json(self.annotations),
            "ports": [item.to_json() for item in self.ports],
            "userAnnotations": {**self.user_annotations},
            "userLabels": {**self.user_labels},
        }
        return {key: value for key, value in values.items() if value or key == "apps"} | self.unknown


def _warn(fields: Fields, apps: tuple[RuntimeApp, ...], isolators: tuple[Isolator, ...], version: ACVersion) -> None:
    """Warn of names that apps share, and of isolators whose unit has changed."""
    warn_of_millicores(fields, isolators, version)
    places, names = [], []
    for index, item in enumerate(fields.objects("apps")):
        app, inner = apps[index].app, item.object("app")
        if app is None or inner is None:
            continue
        warn_of_millicores(inner, app.isolators, version)
        places += [f"apps[{index}].app.ports[{number}]" for number in range(len(app.ports))]
        names += [port.name for port in app.ports]
    for number, why in find_repeated(names):
        fields.warn(places[number], f"{why}: the names of ports must be unique in a pod to be exposed", "port-name")


def parse_pod_manifest(data: bytes, what: str = "pod manifest", warnings: list[Oddity] | None = None) -> PodManifest:
    """Return the pod manifest in *data* (UTF-8 JSON, at most 1 MiB); *what* names it in errors.

    *warnings* takes what is odd about it without being wrong, each with its place.

    Raises: FormatError with the place of the fault.
    Source: pods.md, Pod Manifest Schema.
    """
    return PodManifest.read(Fields(parse_json(data, what), what, warnings=warnings))
