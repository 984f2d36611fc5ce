"""The app of an image: what to execute, as whom, where, with which environment, mount points, ports and isolators.

Isolators are kept as they are written; `acspec.isolators` gives them meaning.

Source: aci.md, app.
"""

from __future__ import annotations

from acspec.errors import FormatError
from acspec.escape import escape
from acspec.execution import MAX_ID
from acspec.fields import Fields, check_unique
from acspec.isolators import Isolator, read_isolators
from acspec.names import ACName, parse_ac_name
from acspec.values import Value, field
from acspec.volumes import MountPoint, parse_absolute_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue

HANDLER_NAMES = ("pre-start", "post-stop")
MAX_PORT = 65535
NO_PROGRAM = "names no program"

_ENVIRONMENT_START = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_ENVIRONMENT_NAME = _ENVIRONMENT_START | frozenset("0123456789.-")


def parse_environment_name(text: str, place: str) -> str:
    """Return *text* when it can name an environment variable.

    Raises: FormatError.
    Source: aci.md, environment: name; IEEE Std 1003.1-2008, 8.1, for the first character.
    """
    if not text or not _ENVIRONMENT_NAME.issuperset(text):
        raise FormatError(place, f'"{escape(text)}" is not letters, digits, "_", "." and "-"')
    if text[0] not in _ENVIRONMENT_START:
        raise FormatError(place, f'"{escape(text)}" does not begin with a letter or "_"')
    return text


def parse_owner(text: str, place: str) -> str:
    """Return *text* when it can be the user or group of an app. Raises: FormatError. Source: aci.md, user, group."""
    if not text:
        raise FormatError(place, "is empty")
    return text


def parse_handler_name(text: str, place: str) -> str:
    """Return *text* when it names an event. Raises: FormatError. Source: aci.md, eventHandlers."""
    if text not in HANDLER_NAMES:
        raise FormatError(place, f'"{escape(text)}" is neither pre-start nor post-stop')
    return text


def find_bad_range(port: int, count: int) -> str | None:
    """Return what to say of *count* ports from *port* on, None when they are ports. Source: aci.md, ports: count."""
    last = port + count - 1
    return f"the range ends at {last}, beyond {MAX_PORT}" if last > MAX_PORT else None


class EnvironmentVariable(Value):
    """One environment variable; its value is never evaluated."""

    name: str
    value: str
    unknown: dict[str, JSONValue] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Check the name. Raises: FormatError."""
        parse_environment_name(self.name, "environment")


class EventHandler(Value):
    """A program that runs before the app starts (pre-start) or after it ended (post-stop)."""

    name: str
    exec: tuple[str, ...]
    unknown: dict[str, JSONValue] = field(default_factory=dict, hash=False)

    @classmethod
    def read(cls, fields: Fields) -> EventHandler:
        """Return the event handler in *fields*. Raises: FormatError. Source: aci.md, eventHandlers."""
        name = fields.named("name", parse_handler_name)
        fields.required("exec")
        program = fields.texts("exec")
        if not program:
            raise fields.fault("exec", NO_PROGRAM)
        return cls(name, program, fields.unknown())

    def to_json(self) -> dict[str, JSONValue]:
        """Return the event handler as JSON. Source: aci.md, eventHandlers."""
        return {"name": self.name, "exec": list(self.exec), **self.unknown}


class Port(Value):
    """A port, or *count* ports from *port* on, that an app listens on."""

    name: ACName
    protocol: str
    port: int
    count: int = 1
    socket_activated: bool = False
    unknown: dict[str, JSONValue] = field(default_factory=dict)

    @classmethod
    def read(cls, fields: Fields) -> Port:
        """Return the port in *fields*. Raises: FormatError. Source: aci.md, ports."""
        fields.required("port")
        port = fields.integer("port", 1, MAX_PORT) or 0
        count = fields.integer("count", 0, MAX_PORT)
        if count == 0:  # as docker2aci writes every port
            fields.warn("count", "is 0, which counts as 1", "port-count")
        if bad := find_bad_range(port, count or 1):
            raise fields.fault("count", bad)
        return cls(
            name=fields.named("name", parse_ac_name),
            protocol=fields.text("protocol"),
            port=port,
            count=count or 1,
            socket_activated=bool(fields.boolean("socketActivated")),
            unknown=fields.unknown(),
        )

    def to_json(self) -> dict[str, JSONValue]:
        """Return the port as JSON. Source: aci.md, ports."""
        values: dict[str, JSONValue] = {"name": self.name, "protocol": self.protocol, "port": self.port}
        if self.count != 1:
            values["count"] = self.count
        if self.socket_activated:
            values["socketActivated"] = True
        return values | self.unknown


class App(Value):
    """What an image runs by default, or what a pod runs in its stead."""

    exec: tuple[str, ...]
    user: str
    group: str
    supplementary_gids: tuple[int, ...] = ()
    event_handlers: tuple[EventHandler, ...] = ()
    working_directory: str | None = None
    environment: tuple[EnvironmentVariable, ...] = ()
    isolators: tuple[Isolator, ...] = ()
    mount_points: tuple[MountPoint, ...] = ()
    ports: tuple[Port, ...] = ()
    user_annotations: dict[str, str] = field(default_factory=dict)
    user_labels: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, JSONValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what an option could have broken. Raises: FormatError."""
        if self.working_directory is not None:
            parse_absolute_path(self.working_directory, "app.workingDirectory")
        for name, value in (("user", self.user), ("group", self.group)):
            if not value:
                raise FormatError(f"app.{name}", "is empty")

    @classmethod
    def read(cls, fields: Fields) -> App:
        """Return the app in *fields*. Raises: FormatError. Source: aci.md, app."""
        handlers = tuple(EventHandler.read(item) for item in fields.objects("eventHandlers"))
        check_unique(fields, "eventHandlers", (handler.name for handler in handlers))
        points = tuple(MountPoint.read(item) for item in fields.objects("mountPoints"))
        check_unique(fields, "mountPoints", (point.name for point in points))
        ports = tuple(Port.read(item) for item in fields.objects("ports"))
        check_unique(fields, "ports", (port.name for port in ports))
        app = cls(
            exec=fields.texts("exec"),
            user=fields.named("user", parse_owner),
            group=fields.named("group", parse_owner),
            supplementary_gids=_read_gids(fields),
            event_handlers=handlers,
            working_directory=fields.optional_named("workingDirectory", parse_absolute_path),
            environment=_read_environment(fields),
            isolators=read_isolators(fields),
            mount_points=points,
            ports=ports,
            user_annotations=fields.text_map("userAnnotations"),
            user_labels=fields.text_map("userLabels"),
        )
        object.__setattr__(app, "unknown", fields.unknown())
        if not app.exec or not app.exec[0]:  # as docker2aci and acbuild make of no command
            fields.warn("exec", "names no program to run", "exec-empty")
        return app

    def to_json(self) -> dict[str, JSONValue]:
        """Return the app as JSON. Source: aci.md, app."""
        values: dict[str, JSONValue] = {
            "exec": list(self.exec),
            "user": self.user,
            "group": self.group,
            "supplementaryGIDs": list(self.supplementary_gids),
            "eventHandlers": [item.to_json() for item in self.event_handlers],
            "workingDirectory": self.working_directory,
            "environment": [{"name": item.name, "value": item.value, **item.unknown} for item in self.environment],
            "isolators": [item.to_json() for item in self.isolators],
            "mountPoints": [item.to_json() for item in self.mount_points],
            "ports": [item.to_json() for item in self.ports],
            "userAnnotations": {**self.user_annotations},
            "userLabels": {**self.user_labels},
        }
        required = {"exec", "user", "group"}
        if "supplementaryGids" in self.unknown:  # which would count if this one were not there
            required.add("supplementaryGIDs")
        return {key: value for key, value in values.items() if value or key in required} | self.unknown


def _read_gids(fields: Fields) -> tuple[int, ...]:
    # The specification's text says supplementaryGIDs, its own example supplementaryGids: both are read, the former first.
    by_example = (
        () if fields.has("supplementaryGIDs") or not fields.has("supplementaryGids") else _read_gids_at(fields, "supplementaryGids")
    )
    return _read_gids_at(fields, "supplementaryGIDs") or by_example


def _read_gids_at(fields: Fields, key: str) -> tuple[int, ...]:
    return fields.integers(key, 0, MAX_ID)


def _read_environment(fields: Fields) -> tuple[EnvironmentVariable, ...]:
    items = fields.objects("environment")
    variables = tuple(
        EnvironmentVariable(item.named("name", parse_environment_name), item.text("value"), item.unknown()) for item in items
    )
    check_unique(fields, "environment", (variable.name for variable in variables))
    return variables
