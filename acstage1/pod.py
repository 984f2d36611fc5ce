"""The pod directory as stage1 reads it: plain values in small classes, checked as far as stage1 relies on them.

stage0 has validated the manifest; what would let a wrong one reach outside the pod is checked again here.

Source: spec/stage1.md; spec/pod-directory.md; pods.md.
"""

from __future__ import annotations

import os

from acspec.jsontext import read_json_file
from acstage1.errors import PodError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue

CONTRACT_VERSION = 1
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


class Object:
    """A JSON object with its place: typed access, every fault a PodError."""

    __slots__ = ("place", "values")

    def __init__(self, value: JSONValue, place: str) -> None:
        if not isinstance(value, dict):
            raise PodError(place, "not a JSON object")
        self.values = value
        self.place = place

    def text(self, key: str, default: str | None = None) -> str:
        """Return the string at *key*. Raises: PodError."""
        value = self.values.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or "\0" in value:
            raise PodError(f"{self.place}.{key}", "is not a string")
        return value

    def optional_text(self, key: str) -> str | None:
        """Return the string at *key*, or None. Raises: PodError."""
        return None if self.values.get(key) is None else self.text(key)

    def flag(self, key: str, default: bool = False) -> bool:
        """Return the boolean at *key*. Raises: PodError."""
        value = self.values.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise PodError(f"{self.place}.{key}", "is neither true nor false")
        return value

    def number(self, key: str, default: int) -> int:
        """Return the whole number at *key*. Raises: PodError."""
        value = self.values.get(key)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise PodError(f"{self.place}.{key}", "is not a whole number")
        return value

    def items(self, key: str) -> list[JSONValue]:
        """Return the list at *key*, empty when absent. Raises: PodError."""
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise PodError(f"{self.place}.{key}", "is not a list")
        return value

    def objects(self, key: str) -> list[Object]:
        """Return the objects in the list at *key*. Raises: PodError."""
        return [Object(item, f"{self.place}.{key}[{index}]") for index, item in enumerate(self.items(key))]

    def texts(self, key: str) -> list[str]:
        """Return the strings in the list at *key*. Raises: PodError."""
        values = [item for item in self.items(key) if isinstance(item, str) and "\0" not in item]
        if len(values) != len(self.items(key)):
            raise PodError(f"{self.place}.{key}", "is not a list of strings")
        return values

    def name(self, key: str = "name") -> str:
        """Return the AC Name at *key*, which is safe as the name of a file. Raises: PodError."""
        text = self.text(key)
        if not text or not _NAME.issuperset(text) or text[0] == "-":
            raise PodError(f"{self.place}.{key}", "is not an AC Name")
        return text


class Volume:
    """A volume: its directory or file on this machine, and how it is mounted."""

    __slots__ = ("kind", "name", "read_only", "recursive", "source")

    def __init__(self, value: Object, pod_path: str) -> None:
        self.name = value.name()
        self.kind = value.text("kind")
        if self.kind not in ("host", "empty"):
            raise PodError(f"{value.place}.kind", "is neither host nor empty")
        own = os.path.join(pod_path, "volumes", self.name)
        self.source = value.text("source") if self.kind == "host" else own
        self.read_only = value.flag("readOnly")
        self.recursive = value.flag("recursive", default=True) and self.kind == "host"


class Mount:
    """A volume at a path of an app."""

    __slots__ = ("path", "read_only", "volume")

    def __init__(self, volume: Volume, path: str, read_only: bool) -> None:
        self.volume = volume
        self.path = path
        self.read_only = read_only


class App:
    """One app: everything that its start needs, by itself."""

    __slots__ = (
        "backend", "environment", "exec", "gids", "group", "handlers", "isolators", "lower", "mounts", "name",
        "place", "read_only_rootfs", "stdin", "user", "working_directory",
    )  # fmt: skip

    def __init__(self, value: Object, volumes: dict[str, Volume], settings: Object, pod_path: str) -> None:
        self.name = value.name()
        self.place = f"app {self.name}"
        app = Object(value.values.get("app"), f"{value.place}.app")
        self.exec = app.texts("exec")
        if not self.exec:
            raise PodError(f"{app.place}.exec", "names no program")
        self.user, self.group = app.text("user"), app.text("group")
        self.gids = [gid for gid in app.items("supplementaryGIDs") if isinstance(gid, int)]
        self.environment = [(item.text("name"), item.text("value")) for item in app.objects("environment")]
        self.handlers = {item.text("name"): words for item in app.objects("eventHandlers") if (words := item.texts("exec"))}
        self.working_directory = app.text("workingDirectory", "/")
        self.isolators = app.items("isolators")
        self.read_only_rootfs = value.flag("readOnlyRootFS")
        self.mounts = _mounts(value, app, volumes, pod_path)
        rootfs = Object(settings.values.get("rootfs"), f"{settings.place}.rootfs")
        self.backend, self.lower = rootfs.text("backend"), rootfs.optional_text("lower")
        if self.backend not in ("overlay", "copy") or (self.backend == "overlay" and self.lower is None):
            raise PodError(f"{rootfs.place}.backend", "is neither copy nor overlay with a lower directory")
        self.stdin = settings.flag("stdin")


def _mounts(value: Object, app: Object, volumes: dict[str, Volume], pod_path: str) -> list[Mount]:
    read_only = {_clean(point.text("path")) for point in app.objects("mountPoints") if point.flag("readOnly")}
    mounts = []
    for item in value.objects("mounts"):
        inner = item.values.get("appVolume")
        volume = volumes.get(item.text("volume")) if inner is None else Volume(Object(inner, f"{item.place}.appVolume"), pod_path)
        if volume is None:
            raise PodError(f"{item.place}.volume", "is none of the pod's volumes")
        path = item.text("path")
        mounts.append(Mount(volume, path, volume.read_only or _clean(path) in read_only))
    targets = [_clean(mount.path) for mount in mounts]
    if len(set(targets)) != len(targets) or () in targets:
        raise PodError(f"{value.place}.mounts", "two mounts have the same path, or one has the root's")
    return sorted(mounts, key=lambda mount: len(_clean(mount.path)))


def _clean(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part not in ("", "."))


class PodDirectory:
    """A pod directory with its manifest and stage1.json read."""

    __slots__ = (
        "apps", "cgroup_parent", "grace_period", "hostname", "isolators", "log", "path", "remove", "strict", "uuid",
    )  # fmt: skip

    def __init__(self, path: str) -> None:
        """Read the pod at *path*. Raises: PodError; MissingInputError; FormatError; OSError.

        Source: spec/stage1.md, stage1.json.
        """
        self.path = os.path.abspath(path)
        self.uuid = os.path.basename(self.path)
        settings = Object(read_json_file(os.path.join(self.path, "stage1.json")), "stage1.json")
        if settings.number("version", 0) != CONTRACT_VERSION:
            raise PodError("stage1.json.version", f"this stage1 knows version {CONTRACT_VERSION}")
        for key, known in (("network", "none"), ("idMap", None)):
            if settings.values.get(key, known) not in (known, None):
                raise PodError(f"stage1.json.{key}", "this stage1 does not know that value")
        self.hostname = settings.text("hostname", "appc")[:64]
        self.remove, self.strict = settings.flag("remove"), settings.flag("strict")
        self.log, self.grace_period = settings.text("log", "file"), settings.number("gracePeriod", 10)
        if self.log not in ("file", "none"):
            raise PodError("stage1.json.log", "is neither file nor none")
        self.cgroup_parent = settings.optional_text("cgroupParent")
        manifest = Object(read_json_file(os.path.join(self.path, "pod")), "pod")
        self.isolators = manifest.items("isolators")
        self.apps = self._read_apps(manifest, Object(settings.values.get("apps"), "stage1.json.apps"))

    def _read_apps(self, manifest: Object, settings: Object) -> list[App]:
        volumes = {volume.name: volume for volume in (Volume(item, self.path) for item in manifest.objects("volumes"))}
        apps = []
        for item in manifest.objects("apps"):
            name = item.name()
            place = f"{settings.place}.{name}"
            apps.append(App(item, volumes, Object(settings.values.get(name), place), self.path))
        if not apps or len({app.name for app in apps}) != len(apps):
            raise PodError("pod.apps", "there is no app, or two have the same name")
        return apps
