"""The pod directory as stage1 reads it: plain values in small classes, checked as far as stage1 relies on them.

stage0 has validated the manifest; what would let a wrong one reach outside the pod is checked again here.

Source: spec/stage1.md; spec/pod-directory.md; pods.md.
"""

from __future__ import annotations

import os

from acspec import limits
from acspec.errors import FormatError
from acspec.execution import MAX_ID, MOST_BYTES, SUPPORTS_NOTIFY
from acspec.fields import Fields
from acspec.jsontext import read_json_file, read_limited
from acspec.names import parse_ac_name
from acstage1.exit_policy import ANY_FAILURE, is_exit_policy
from acstage1.idmap import IdMap
from acstage1.restarts import NO, RESTART_POLICIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from acstage1.sockets import Socket

    # The files of /proc/PID that may take it, the text for them, its name, and why it is refused when the kernel does not know it.
    Label = tuple[tuple[str, ...], str, str, str]

# 2 has filters of system calls, which a stage1 of 1 would leave out.
CONTRACT_VERSIONS = (1, 2)
PIDS_LIMIT = 4096
_LARGEST = 2**32 - 2  # of counts and seconds
_GROUPS = 65536  # NGROUPS_MAX
_LOG_BYTES = 10 << 20


class Volume:
    """A volume: its directory or file on this machine, and how it is mounted."""

    __slots__ = ("kind", "name", "read_only", "recursive", "source")

    def __init__(self, fields: Fields, pod_path: str) -> None:
        self.name: str = fields.named("name", parse_ac_name)  # safe as the name of a file
        self.kind = fields.text("kind")
        if self.kind not in ("host", "empty"):
            raise fields.fault("kind", "is neither host nor empty")
        own = os.path.join(pod_path, "volumes", self.name)
        self.source = fields.text("source") if self.kind == "host" else own
        self.read_only = bool(fields.boolean("readOnly"))
        self.recursive = fields.boolean("recursive") is not False and self.kind == "host"


class Mount:
    """A volume at a path of an app."""

    __slots__ = ("path", "read_only", "volume")

    def __init__(self, volume: Volume, path: str, read_only: bool) -> None:
        self.volume = volume
        self.path = path
        self.read_only = read_only


class CallFilter:
    """What stage0 made of an app's system calls: a program for the kernel or None, and the row for isolators.json or None."""

    __slots__ = ("isolator", "program", "state", "why")

    def __init__(self, fields: Fields | None, path: str) -> None:
        self.program: bytes | None = None
        self.isolator: str | None = None
        self.state, self.why = "enforced", None
        if fields is None:
            return
        self.isolator, self.state, self.why = fields.text("isolator"), fields.text("state"), fields.optional_text("why")
        if self.state not in ("enforced", "modified"):
            raise fields.fault("state", "is neither enforced nor modified")
        if fields.boolean("filter"):
            self.program = _read_program(path)


def _read_program(path: str) -> bytes:
    """Return a filter that the kernel could load. Raises: FormatError; OSError. Source: seccomp(2); linux/filter.h, sock_filter."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        program = read_limited(descriptor, limits.SECCOMP_FILTER_BYTES)
    finally:
        os.close(descriptor)
    if not 0 < len(program) <= limits.SECCOMP_FILTER_BYTES or len(program) % 8:
        raise FormatError(path, f"is no filter: not whole instructions, or more than {limits.SECCOMP_FILTER_BYTES} bytes")
    return program


class App:
    """One app: everything that its start needs, by itself."""

    __slots__ = (
        "backend", "environment", "exec", "filter", "gids", "group", "handlers", "ids", "isolators", "labels", "lower",
        "mounts", "name", "notify", "place", "read_only_rootfs", "sockets", "stdin", "tty", "user", "working_directory",
    )  # fmt: skip

    def __init__(
        self, fields: Fields, volumes: Mapping[str, Volume], settings: Fields, pod_path: str, ids: IdMap, restarts: bool
    ) -> None:
        self.name: str = fields.named("name", parse_ac_name)  # safe as the name of a file
        self.place = f"app {self.name}"
        self.ids = ids
        app = fields.required_object("app")
        self.exec = app.texts("exec")
        if not self.exec:
            raise app.fault("exec", "names no program")
        self.user, self.group = app.text("user"), app.text("group")
        self.gids = app.integers("supplementaryGIDs", 0, MAX_ID)
        if len(set(self.gids)) > _GROUPS:
            raise app.fault("supplementaryGIDs", f"are more than the {_GROUPS} groups that the kernel gives a process")
        self.environment = [(item.text("name"), item.text("value")) for item in app.objects("environment")]
        self.handlers = {item.text("name"): words for item in app.objects("eventHandlers") if (words := item.texts("exec"))}
        self.working_directory = app.optional_text("workingDirectory") or "/"
        self.isolators = app.items("isolators")
        self.labels: tuple[Label, ...] = ()
        self.read_only_rootfs = bool(fields.boolean("readOnlyRootFS"))
        self.mounts = _read_mounts(fields, app, volumes, pod_path)
        self.sockets: list[Socket] = []
        rootfs = settings.required_object("rootfs")
        self.backend, self.lower = rootfs.text("backend"), rootfs.optional_text("lower")
        if self.backend not in ("overlay", "copy") or (self.backend == "overlay" and self.lower is None):
            raise rootfs.fault("backend", "is neither copy nor overlay with a lower directory")
        if restarts and self.lower is None:
            raise rootfs.fault("lower", "is not there, and no app is started again without what its root is a copy of")
        self.notify = any(
            item.text("name") == SUPPORTS_NOTIFY and item.text("value") == "true" for item in fields.objects("annotations")
        )
        self.stdin, self.tty = bool(settings.boolean("stdin")), bool(settings.boolean("tty"))
        self.filter = CallFilter(settings.object("seccomp"), os.path.join(pod_path, "apps", self.name, "seccomp.bpf"))


def _read_sockets(app: Fields, exposed: Mapping[str, Fields]) -> list[Socket]:
    if not any(port.boolean("socketActivated") for port in app.objects("ports")):
        return []
    from acstage1.sockets import read_sockets

    return read_sockets(app, exposed)


def _read_mounts(fields: Fields, app: Fields, volumes: Mapping[str, Volume], pod_path: str) -> list[Mount]:
    read_only = {_clean(point.text("path")) for point in app.objects("mountPoints") if point.boolean("readOnly")}
    mounts = []
    for item in fields.objects("mounts"):
        inner = item.object("appVolume")
        volume = volumes.get(item.text("volume")) if inner is None else Volume(inner, pod_path)
        if volume is None:
            raise item.fault("volume", "is none of the pod's volumes")
        path = item.text("path")
        mounts.append(Mount(volume, path, volume.read_only or _clean(path) in read_only))
    targets = [_clean(mount.path) for mount in mounts]
    if len(set(targets)) != len(targets) or () in targets:
        raise fields.fault("mounts", "two mounts have the same path, or one has the root's")
    return sorted(mounts, key=lambda mount: len(_clean(mount.path)))


def _read_files(settings: Fields) -> dict[str, str]:
    files = settings.text_map("files")
    for path in files:
        place, _, name = path.rpartition("/")
        if place != "/etc" or name in ("", ".", ".."):
            raise settings.fault("files", "has a path that is no file's in /etc")
    return files


def _read_sizes(settings: Fields) -> dict[str, int]:
    """Return the sizes of volumes of kind empty that are file systems of their own, in bytes by name."""
    volumes = settings.object("volumes")
    sizes = {}
    for name in volumes.names() if volumes is not None else ():
        size = volumes.required_object(parse_ac_name(name, "volumes")).integer("size", 1, MOST_BYTES) if volumes else None
        if size is not None:
            sizes[name] = size
    return sizes


def _clean(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.split("/") if part not in ("", "."))


class PodDirectory:
    """A pod directory with its manifest and stage1.json read."""

    __slots__ = (
        "apps", "cgroup_parent", "exit_policy", "files", "grace_period", "hostname", "ids", "isolators", "log", "log_size",
        "path", "pids_limit", "remove", "remove_pod", "restart", "restart_limit", "sizes", "strict", "uuid",
    )  # fmt: skip

    def __init__(self, path: str) -> None:
        """Read the pod at *path*. Raises: FormatError; MissingInputError; OSError.

        Source: spec/stage1.md, stage1.json.
        """
        self.path = os.path.abspath(path)
        self.uuid = os.path.basename(self.path)
        settings = self._read("stage1.json")
        if settings.integer("version", 0, _LARGEST) not in CONTRACT_VERSIONS:
            raise settings.fault("version", f"this stage1 knows versions {' and '.join(map(str, CONTRACT_VERSIONS))}")
        if settings.optional_text("network") not in ("none", None):
            raise settings.fault("network", "this stage1 does not know that value")
        self.ids = IdMap(settings.object("idMap"))
        self.hostname = (settings.optional_text("hostname") or "appc")[:64]
        self.remove, self.remove_pod = bool(settings.boolean("remove")), bool(settings.boolean("removePod"))
        self.strict = bool(settings.boolean("strict"))
        grace = settings.integer("gracePeriod", 0, _LARGEST)
        self.log, self.grace_period = settings.optional_text("log") or "file", 10 if grace is None else grace
        if self.log not in ("file", "none"):
            raise settings.fault("log", "is neither file nor none")
        self.log_size = settings.integer("logSize", 1, MOST_BYTES) or _LOG_BYTES
        self.pids_limit = settings.integer("pidsLimit", 1, _LARGEST) or PIDS_LIMIT
        self.restart, self.restart_limit = settings.optional_text("restart") or NO, settings.integer("restartLimit", 0, _LARGEST)
        if self.restart not in RESTART_POLICIES:
            raise settings.fault("restart", "is none of no, on-failure and always")
        self.cgroup_parent = settings.optional_text("cgroupParent")
        if ".." in (self.cgroup_parent or "").split("/"):  # out of the hierarchy, to make and remove directories elsewhere
            raise settings.fault("cgroupParent", "holds ..")
        self.files, self.sizes = _read_files(settings), _read_sizes(settings)
        manifest = self._read("pod")
        self.isolators = manifest.items("isolators")
        self.apps = self._read_apps(manifest, settings.required_object("apps"))
        self.exit_policy = settings.optional_text("exitPolicy") or ANY_FAILURE
        if not is_exit_policy(self.exit_policy, tuple(app.name for app in self.apps)):
            raise settings.fault("exitPolicy", "is none of any-failure, all, first and app= with one of the apps")

    @property
    def kept(self) -> tuple[str, ...]:
        """The volumes with a size, when apps are started again: nothing on disk has their content."""
        return tuple(self.sizes) if self.restarts else ()

    @property
    def shares_memory(self) -> bool:
        """Whether the apps, which share what else processes meet by, have one /dev/shm."""
        return len(self.apps) > 1

    @property
    def restarts(self) -> bool:
        """Whether apps may be started again."""
        return self.restart != NO

    def _read(self, name: str) -> Fields:
        return Fields(read_json_file(os.path.join(self.path, name)), name)

    def _read_apps(self, manifest: Fields, settings: Fields) -> list[App]:
        volumes = {volume.name: volume for volume in (Volume(item, self.path) for item in manifest.objects("volumes"))}
        exposed = {port.text("name"): port for port in manifest.objects("ports")}
        apps = []
        for item in manifest.objects("apps"):
            own = settings.required_object(item.named("name", parse_ac_name))
            apps.append(App(item, volumes, own, self.path, self.ids, self.restart != NO))
            apps[-1].sockets = _read_sockets(item.required_object("app"), exposed)
        if not apps or len({app.name for app in apps}) != len(apps):
            raise manifest.fault("apps", "there is no app, or two have the same name")
        return apps
