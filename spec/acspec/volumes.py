"""Volumes, mount points and mounts: what an app expects, what a pod offers, and which meets which.

Source: aci.md, mountPoints; pods.md, volumes and mounts.
"""

from __future__ import annotations

from acspec.errors import FormatError
from acspec.escape import escape
from acspec.execution import MAX_ID
from acspec.fields import Fields
from acspec.names import ACName, parse_ac_name
from acspec.values import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue

HOST = "host"
EMPTY = "empty"
NO_SOURCE = "a volume of kind empty has no source"

_ONLY_FOR = {HOST: ("recursive",), EMPTY: ("mode", "uid", "gid")}  # the rest is "only interpreted if kind is" the other
_MODE_DIGITS = 8


def parse_absolute_path(text: str, place: str) -> str:
    """Return *text* when it is an absolute path. Raises: FormatError. Source: aci.md, mountPoints: path."""
    if not text.startswith("/"):
        raise FormatError(place, "is not an absolute path")
    return text


class MountPoint(Value):
    """A place where an app expects data: a name, an absolute path inside the rootfs, and whether it is read-only."""

    name: ACName
    path: str
    read_only: bool = False
    unknown: dict[str, JSONValue] = field(default_factory=dict)

    @classmethod
    def read(cls, fields: Fields) -> MountPoint:
        """Return the mount point in *fields*. Raises: FormatError. Source: aci.md, mountPoints."""
        return cls(
            name=fields.named("name", parse_ac_name),
            path=fields.named("path", parse_absolute_path),
            read_only=bool(fields.boolean("readOnly")),
            unknown=fields.unknown(),
        )

    def to_json(self) -> dict[str, JSONValue]:
        """Return the mount point as JSON. Source: aci.md, mountPoints."""
        return {"name": self.name, "path": self.path, **({"readOnly": True} if self.read_only else {}), **self.unknown}


class Volume(Value):
    """A volume of a pod: kind host with a source on this machine, or kind empty with mode and owner. None: not said."""

    name: ACName
    kind: str
    source: str | None = None
    read_only: bool | None = None
    recursive: bool | None = None
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    unknown: dict[str, JSONValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that kind and source fit. Raises: FormatError."""
        if self.kind not in (HOST, EMPTY):
            raise FormatError(f"volume {self.name}: kind", f'"{escape(self.kind)}" is neither host nor empty')
        if self.kind == HOST and (self.source is None or not self.source.startswith("/")):
            raise FormatError(f"volume {self.name}: source", "a volume of kind host needs an absolute path")

    @classmethod
    def read(cls, fields: Fields) -> Volume:
        """Return the volume in *fields*. Raises: FormatError. Source: pods.md, volumes."""
        kind = fields.named("kind", parse_volume_kind)
        if kind == HOST:
            fields.required("source")
        elif fields.has("source"):
            raise fields.fault("source", NO_SOURCE)
        for key in _ONLY_FOR[EMPTY if kind == HOST else HOST]:
            if fields.has(key):
                fields.warn(key, f"means nothing for a volume of kind {kind}", "volume-key")
        return cls(
            name=fields.named("name", parse_ac_name),
            kind=kind,
            source=fields.optional_named("source", parse_absolute_path),
            read_only=fields.boolean("readOnly"),
            recursive=fields.boolean("recursive"),
            mode=fields.optional_named("mode", parse_mode),
            uid=fields.integer("uid", 0, MAX_ID),
            gid=fields.integer("gid", 0, MAX_ID),
            unknown=fields.unknown(),
        )

    def to_json(self) -> dict[str, JSONValue]:
        """Return the volume as JSON. Source: pods.md, volumes."""
        mode = None if self.mode is None else f"{self.mode:04o}"
        values: dict[str, JSONValue] = {
            "name": self.name, "kind": self.kind, "source": self.source, "readOnly": self.read_only,
            "recursive": self.recursive, "mode": mode, "uid": self.uid, "gid": self.gid,
        }  # fmt: skip
        return {key: value for key, value in values.items() if value is not None} | self.unknown


def parse_volume_kind(text: str, place: str) -> str:
    """Return *text* when it is host or empty. Raises: FormatError. Source: pods.md, volumes: kind."""
    if text not in (HOST, EMPTY):
        raise FormatError(place, f'"{escape(text)}" is neither host nor empty')
    return text


def parse_mode(text: str, place: str) -> int:
    """Return the permission bits that *text* means in octal. Raises: FormatError. Source: pods.md, volumes: mode."""
    if not text or len(text) > _MODE_DIGITS or not set(text) <= set("01234567") or int(text, 8) > 0o7777:
        raise FormatError(place, "is not an octal mode such as 0755")
    return int(text, 8)


class Mount(Value):
    """A volume mounted at a path of an app; *app_volume*, when given, stands in for the pod's volume of that name."""

    volume: ACName
    path: str
    app_volume: Volume | None = None
    unknown: dict[str, JSONValue] = field(default_factory=dict)

    @classmethod
    def read(cls, fields: Fields) -> Mount:
        """Return the mount in *fields*. Raises: FormatError. Source: pods.md, mounts."""
        inner = fields.object("appVolume")
        return cls(
            volume=fields.named("volume", parse_ac_name),
            path=fields.named("path", parse_absolute_path),
            app_volume=None if inner is None else Volume.read(inner),
            unknown=fields.unknown(),
        )

    def to_json(self) -> dict[str, JSONValue]:
        """Return the mount as JSON. Source: pods.md, mounts."""
        volume = {} if self.app_volume is None else {"appVolume": self.app_volume.to_json()}
        return {"volume": self.volume, "path": self.path, **volume, **self.unknown}
