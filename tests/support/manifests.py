"""Manifests made at random, as JSON: good ones, and good ones that were damaged in one or several places.

@given(image_manifests())              what every reader must take
@given(damaged(image_manifests()))     what it may take or refuse, but all readers alike
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

ID = "sha512-" + "0123456789abcdef" * 8

IDENTIFIERS = st.sampled_from(["a", "example.com/app", "a-b_c~d", "x9"]) | st.from_regex(
    r"[a-z0-9]+([-._~/][a-z0-9]+)*", fullmatch=True
)
NAMES = st.sampled_from(["a", "work", "a-b-9"]) | st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=6)
PATHS = TEXTS.map(lambda text: f"/{text}")
QUANTITIES = (
    st.sampled_from(["1", "250m", "2Gi", "0.3", "1K", "1k", "1e3", ".5", "9Ei", "1u", "+3"]) | st.integers(0, 9) | st.just(0.3)
)
IDS = st.integers(0, 2**32 - 2)
PORT_NUMBERS = st.integers(1, 65535)
VERSIONS = st.sampled_from(["0.8.11", "0.5.1", "0.1.1", "0.8.4+git", "0.8.11-alpha.1", "0.7.99"])
TEXT_MAPS = st.dictionaries(st.text(max_size=4), TEXTS, max_size=2)
ANYTHING = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | TEXTS, lambda inner: st.lists(inner, max_size=2))
TIMES = st.sampled_from(["2014-10-27T19:32:27.67021798Z", "2000-02-29t00:00:00-00:00", "2016-12-31T23:59:60Z"])
URLS = st.sampled_from(["https://example.com", "HTTP://[::1]:80/a?b#c", "http://user@example.com/%20"])
FLAGS = st.booleans() | st.none()
CAPABILITIES = st.sampled_from(["CAP_KILL", "CAP_SYS_ADMIN", "CAP_PONIES"])


def _objects(required: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects with some of the optional keys, now and then with null, and now and then with a key of another's."""
    known = {key: value | st.none() for key, value in (optional or {}).items()}
    return st.builds(
        lambda value, more: {**more, **value},
        st.fixed_dictionaries(required, optional=known),
        st.dictionaries(st.just("com.example/own"), ANYTHING, max_size=1),
    )


def _lists(items: st.SearchStrategy[Any], key: str = "name", size: int = 2) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, max_size=size, unique_by=lambda item: item[key])


def _set_of(names: st.SearchStrategy[str], **more: Any) -> st.SearchStrategy[Any]:
    return _objects({"set": st.lists(names, min_size=1, max_size=2)}, more)


_BY_DEVICE = _objects({"default": st.just(True)}, {"limit": QUANTITIES})
_OF_HOST = _objects({}, {"default": st.just(False), "request": QUANTITIES, "limit": QUANTITIES})
_ERRNO = st.sampled_from(["", "EPERM", "EACCESS"])
_PARTS = st.sampled_from(["system_u", "x"])

ISOLATOR_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "resource/block-bandwidth": _BY_DEVICE,
    "resource/block-iops": _BY_DEVICE,
    "resource/network-bandwidth": _BY_DEVICE,
    "resource/cpu": _OF_HOST,
    "resource/memory": _OF_HOST,
    "os/linux/seccomp-retain-set": _set_of(st.sampled_from(["read", "@appc.io/all", "@own/x"]), errno=_ERRNO),
    "os/linux/seccomp-remove-set": _set_of(st.sampled_from(["reboot", "@appc.io/empty", "@own/x"]), errno=_ERRNO),
    "os/linux/capabilities-retain-set": _set_of(CAPABILITIES),
    "os/linux/capabilities-remove-set": _set_of(CAPABILITIES),
    "os/linux/selinux-context": _objects({"user": _PARTS, "role": _PARTS, "type": _PARTS, "level": st.just("s0-s0:c0")}),
    "os/linux/apparmor-profile": _objects({"profile": _PARTS}),
    "os/linux/no-new-privileges": st.booleans(),
    "os/linux/oom-score-adj": st.integers(-1000, 1000),
    "os/linux/cpu-shares": st.integers(2, 262144),
    "os/unix/sysctl": TEXT_MAPS,
    "com.example/own": ANYTHING,
}


def _isolator(name: str) -> st.SearchStrategy[dict[str, Any]]:
    return _objects({"name": st.just(name), "value": ISOLATOR_VALUES[name]})


def _without_conflicts(isolators: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = {isolator["name"] for isolator in isolators}
    return [
        item
        for item in isolators
        if item["name"].replace("remove", "retain") == item["name"] or not names & {item["name"].replace("remove", "retain")}
    ]


ISOLATORS = _lists(st.sampled_from(list(ISOLATOR_VALUES)).flatmap(_isolator), size=4).map(_without_conflicts)
LABEL_NAMES = IDENTIFIERS.filter(lambda name: name not in ("name", "os", "arch"))
LABELS = st.builds(
    lambda own, platform: own + platform,
    _lists(_objects({"name": LABEL_NAMES, "value": TEXTS})),
    st.sampled_from(
        [[], [{"name": "os", "value": "linux"}], [{"name": "arch", "value": "s390x"}, {"name": "os", "value": "linux"}]]
    ),
)
ANNOTATIONS = _lists(
    _objects({"name": IDENTIFIERS.filter(lambda name: name not in ("created", "homepage", "documentation")), "value": TEXTS})
    | _objects({"name": st.just("created"), "value": TIMES})
    | _objects({"name": st.sampled_from(["homepage", "documentation"]), "value": URLS})
    | _objects({"name": st.just("appc.io/executor/supports-systemd-notify"), "value": st.sampled_from(["true", "false"])})
)
PORTS = st.builds(
    lambda port, first, count: {**port, "port": first, **({} if count is None else {"count": min(count, 65536 - first)})},
    _objects({"name": NAMES, "protocol": TEXTS}, {"socketActivated": FLAGS}),
    PORT_NUMBERS,
    st.none() | st.integers(0, 9),
)
HANDLERS = _objects(
    {"name": st.sampled_from(["pre-start", "post-stop"]), "exec": st.lists(TEXTS, min_size=1, max_size=2)},
)
VARIABLES = _objects({"name": st.sampled_from(["A", "_a.b-c", "x9"]), "value": TEXTS})
OWNERS = TEXTS.filter(bool)
APPS = _objects(
    {"user": OWNERS, "group": OWNERS},
    {
        "exec": st.lists(TEXTS, max_size=2),
        "supplementaryGIDs": st.lists(IDS, max_size=2),
        "supplementaryGids": st.lists(IDS, max_size=2),
        "eventHandlers": _lists(HANDLERS),
        "workingDirectory": PATHS,
        "environment": _lists(VARIABLES),
        "isolators": ISOLATORS,
        "mountPoints": _lists(_objects({"name": NAMES, "path": PATHS}, {"readOnly": FLAGS})),
        "ports": _lists(PORTS),
        "userAnnotations": TEXT_MAPS,
        "userLabels": TEXT_MAPS,
    },
)
DEPENDENCIES = _objects({"imageName": IDENTIFIERS}, {"imageID": st.just(ID), "labels": LABELS, "size": st.integers(0, 2**62)})
_MODES = st.sampled_from(["0755", "7", "01777"])
VOLUMES = _objects(
    {"name": NAMES, "kind": st.just("host"), "source": PATHS}, {"readOnly": FLAGS, "recursive": FLAGS, "uid": IDS}
) | _objects({"name": NAMES, "kind": st.just("empty")}, {"readOnly": FLAGS, "mode": _MODES, "uid": IDS, "gid": IDS})


def image_manifests() -> st.SearchStrategy[dict[str, Any]]:
    """Return image manifests that keep every rule."""
    return _objects(
        {"acKind": st.just("ImageManifest"), "acVersion": VERSIONS, "name": IDENTIFIERS},
        {
            "labels": LABELS,
            "app": APPS,
            "dependencies": st.lists(DEPENDENCIES, max_size=2),
            "pathWhitelist": st.lists(PATHS, max_size=2),
            "annotations": ANNOTATIONS,
        },
    )


def pod_manifests() -> st.SearchStrategy[dict[str, Any]]:
    """Return pod manifests that keep every rule."""
    image = _objects({"id": st.just(ID)}, {"name": IDENTIFIERS, "labels": LABELS})
    mount = _objects({"volume": NAMES, "path": PATHS}, {"appVolume": VOLUMES})
    app = _objects(
        {"name": NAMES, "image": image},
        {"app": APPS, "readOnlyRootFS": FLAGS, "mounts": st.lists(mount, max_size=2), "annotations": ANNOTATIONS},
    )
    port = _objects({"name": NAMES, "hostPort": PORT_NUMBERS}, {"hostIP": st.just("203.0.113.23"), "podPort": PORTS})
    return _objects(
        {"acKind": st.just("PodManifest"), "acVersion": VERSIONS, "apps": _lists(app)},
        {
            "volumes": _lists(VOLUMES),
            "isolators": ISOLATORS,
            "annotations": ANNOTATIONS,
            "ports": st.lists(port, max_size=2),
            "userAnnotations": TEXT_MAPS,
            "userLabels": TEXT_MAPS,
        },
    )


# What is wrong in most places, and right in some.
JUNK: list[Any] = [
    None, True, False, 0, 1, -1, 1.5, 65535, 65536, 2**32, 2**62, 1e300,
    "", "a", "A", "/", "a\0b", "a\n", "\u202e", "1", "-1", "1e3", "1e999999999", "0.8.12", "0.9.0", "1.0.0", "0.0.0",
    "name", "os", "arch", "beos", "created", "homepage", "yesterday", "2015-02-29T00:00:00Z", "ftp://example.com", "true",
    "host", "empty", "pre-start", "0999", "1.2.3.4", "1.2.3.256", "@appc.io/all", "@appc.io/empty", "@x", "EPERM", "eperm", "a:b",
    "PodManifest", "ImageManifest", "AppManifest", *ISOLATOR_VALUES,
    [], [None], ["a"], ["/a"], [7], [{}], {}, {"a": 1}, {"a": "b"}, {"set": []}, {"default": True}, {"limit": "x"},
]  # fmt: skip


_CONTEXT = {"user": "a", "role": "b", "type": "c", "level": "s0"}
_CALLS = {"set": ["read", "@own/x"], "errno": "EPERM"}
_HOST_VOLUME = {"name": "a", "kind": "host", "source": "/a", "readOnly": True, "recursive": False}
_EMPTY_VOLUME = {"name": "b", "kind": "empty", "readOnly": None, "mode": "0755", "uid": 1, "gid": 2}
_PORT = {"name": "a", "protocol": "tcp", "port": 65000, "count": 500, "socketActivated": True}
_ISOLATORS: list[list[dict[str, Any]]] = [
    [{"name": "resource/block-iops", "value": {"default": True, "limit": "1"}}, {"name": "resource/cpu", "value": {"limit": 1}}],
    [
        {"name": "resource/memory", "value": {"default": False, "request": "1", "limit": 0.5}},
        {"name": "com.example/own", "value": 1},
    ],
    [
        {"name": "os/linux/seccomp-retain-set", "value": _CALLS},
        {"name": "os/linux/capabilities-retain-set", "value": {"set": ["A"]}},
    ],
    [
        {"name": "os/linux/seccomp-remove-set", "value": _CALLS},
        {"name": "os/linux/capabilities-remove-set", "value": {"set": ["A"]}},
    ],
    [{"name": "os/linux/selinux-context", "value": _CONTEXT}, {"name": "os/linux/apparmor-profile", "value": {"profile": "a"}}],
    [{"name": "os/linux/no-new-privileges", "value": True}, {"name": "os/linux/oom-score-adj", "value": 1000}],
    [{"name": "os/linux/cpu-shares", "value": 262144}, {"name": "os/unix/sysctl", "value": {"a": "b"}}],
]
_FRAME = ("acKind", "acVersion", "name", "exec", "user", "group")
_APP = {"exec": ["/a"], "user": "0", "group": "0"}
_APPS: list[dict[str, Any]] = [
    {"supplementaryGIDs": [1], "supplementaryGids": [2], "workingDirectory": "/", "userAnnotations": {"a": "b"}},
    {"supplementaryGids": [2**32 - 2], "userLabels": {"a": "b"}, "environment": [{"name": "A", "value": "b"}]},
    {"eventHandlers": [{"name": "pre-start", "exec": ["/a"]}], "mountPoints": [{"name": "a", "path": "/a", "readOnly": True}]},
    {"ports": [_PORT]},
    *({"isolators": isolators} for isolators in _ISOLATORS),
]
_LABELS = [{"name": "os", "value": "linux"}, {"name": "arch", "value": "amd64"}, {"name": "a", "value": ""}]
_IMAGES: list[dict[str, Any]] = [
    {"labels": _LABELS},
    {
        "dependencies": [{"imageName": "a", "imageID": ID, "labels": [{"name": "a", "value": "b"}], "size": 1}],
        "pathWhitelist": ["/a"],
    },
    {"annotations": [{"name": "created", "value": "2015-05-18T13:49:28Z"}, {"name": "a", "value": "b"}]},
    {"annotations": [{"name": "homepage", "value": "http://a"}, {"name": "documentation", "value": "http://a"}]},
    {"annotations": [{"name": "appc.io/executor/supports-systemd-notify", "value": "true"}]},
    *({"app": {**_APP, **more}} for more in _APPS),
]
_RUNTIME_APP = {"name": "a", "image": {"id": ID, "name": "a", "labels": [{"name": "a", "value": "b"}]}}
_PODS: list[dict[str, Any]] = [
    {"apps": [{**_RUNTIME_APP, "readOnlyRootFS": True}, {"name": "b", "image": {"id": ID}, "app": _APP}]},
    {"apps": [{**_RUNTIME_APP, "annotations": [{"name": "a", "value": "b"}]}], "annotations": [{"name": "a", "value": "b"}]},
    {"apps": [{**_RUNTIME_APP, "mounts": [{"volume": "a", "path": "/a", "appVolume": _EMPTY_VOLUME}]}], "userLabels": {"a": "b"}},
    {"apps": [], "volumes": [_HOST_VOLUME, _EMPTY_VOLUME], "userAnnotations": {"a": "b"}},
    {"apps": [], "ports": [{"name": "a", "hostPort": 1, "hostIP": "1.2.3.4", "podPort": _PORT}], "isolators": _ISOLATORS[1]},
]
# Small manifests that between them have every key.
SEEDS: list[dict[str, Any]] = [
    *({"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "a", **more} for more in _IMAGES),
    *({"acKind": "PodManifest", "acVersion": "0.8.11", **more} for more in _PODS),
]


def spoilt(seed: dict[str, Any], *, frame: bool) -> Iterator[dict[str, Any]]:
    """Return *seed* with each place removed, repeated, and made everything in JUNK; with *frame*, also the places that all have."""
    for number, (outer, name) in enumerate(_places(seed)):
        if not frame and name in _FRAME and (outer is seed or outer is seed.get("app")):
            continue
        for junk in (..., "repeat", *JUNK):
            manifest = copy.deepcopy(seed)
            holder, key = list(_places(manifest))[number]
            if junk is ...:
                del holder[key]
            elif junk == "repeat" and isinstance(holder, list):
                holder.append(copy.deepcopy(holder[key]))
            else:
                holder[key] = copy.deepcopy(junk)
            yield manifest


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Return each place inside *value*, as the object or list that it is in and its key or index."""
    if isinstance(value, (dict, list)):
        for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from _places(item)


@st.composite
def damaged(draw: st.DrawFn, manifests: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """Return manifests in which one to three places hold something else, are gone, or come twice."""
    manifest = copy.deepcopy(draw(manifests))
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(manifest))
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        how = draw(st.sampled_from(["replace", "replace", "remove", "repeat", "rename"]))
        if how == "remove":
            del holder[key]
        elif how == "repeat" and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif how == "rename" and isinstance(holder, dict):
            holder[key.upper()] = holder.pop(key)
        else:
            holder[key] = copy.deepcopy(draw(st.sampled_from(JUNK)))
    return manifest


def changed(manifest: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy of *manifest* with the value at *path* (`app.ports.0.port`) replaced; ... removes it."""
    result = copy.deepcopy(manifest)
    *parents, last = path.split(".")
    target: Any = result
    for part in parents:
        target = target[int(part)] if isinstance(target, list) else target[part]
    key: Any = int(last) if isinstance(target, list) else last
    if value is ...:
        del target[key]
    else:
        target[key] = value
    return result
