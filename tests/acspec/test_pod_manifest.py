"""The pod manifest: what is read, what is refused and where."""

from __future__ import annotations

import json
from typing import Any

import pytest

from acspec.errors import FormatError
from acspec.jsontext import dump_json
from acspec.pod_manifest import PodManifest, parse_pod_manifest
from acspec.schema import find_faults
from tests.support import manifests

ID = "sha512-" + "0123456789abcdef" * 8

FULL: dict[str, Any] = {
    "acVersion": "0.8.11",
    "acKind": "PodManifest",
    "apps": [
        {
            "name": "reduce-worker",
            "image": {"name": "example.com/reduce-worker", "id": ID, "labels": [{"name": "version", "value": "1.0.0"}]},
            "app": {"exec": ["/bin/reduce-worker"], "user": "0", "group": "0"},
            "readOnlyRootFS": True,
            "mounts": [
                {"volume": "worklib", "path": "/var/lib/work"},
                {
                    "volume": "own",
                    "path": "/own",
                    "appVolume": {"name": "own", "kind": "empty", "mode": "0700", "uid": 3, "gid": 4},
                },
            ],
            "annotations": [{"name": "foo", "value": "baz"}],
        },
        {"name": "register", "image": {"id": ID}},
    ],
    "volumes": [{"name": "worklib", "kind": "host", "source": "/opt/tenant1/work", "readOnly": True, "recursive": False}],
    "isolators": [{"name": "resource/memory", "value": {"limit": "4G"}}],
    "annotations": [{"name": "ip-address", "value": "10.1.2.3"}],
    "ports": [{"name": "ftp", "hostPort": 2121, "hostIP": "203.0.113.23", "podPort": {"name": "f", "protocol": "tcp", "port": 21}}],
    "userAnnotations": {"a": "b"},
    "userLabels": {"c": "d"},
}


def parse(value: Any) -> PodManifest:
    return parse_pod_manifest(json.dumps(value).encode(), "pod")


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the full manifest with the value at *path* replaced; ... removes it."""
    return manifests.changed(FULL, path, value)


def test_a_full_manifest_comes_back_as_it_was() -> None:
    assert json.loads(dump_json(parse(FULL).to_json())) == FULL


def test_a_recursive_that_nobody_gave_is_not_made_up() -> None:
    assert parse(changed("volumes.0.recursive", ...)).volumes[0].recursive is None


REFUSED = {
    "an image manifest": ("acKind", "ImageManifest", 'acKind: "ImageManifest" is not PodManifest'),
    "no apps": ("apps", ..., "apps: is required"),
    "a source of an empty volume": (
        "apps.0.mounts.1.appVolume.source",
        "/x",
        "appVolume.source: a volume of kind empty has no source",
    ),
    "a bad isolator": ("isolators.0.value.limit", "lots", 'isolators[0].value.limit: "lots" is not a quantity'),
    "parameters twice": ("isolators", [{"name": "os/unix/sysctl", "value": {}}] * 2, "isolators[1]: a second os/unix/sysctl"),
    "a date that is none": ("annotations.0", {"name": "created", "value": "today"}, "annotations[0].value: "),
    "a label of the image twice": (
        "apps.0.image.labels",
        [{"name": "a", "value": "b"}] * 2,
        'apps[0].image.labels[1]: a second "a"',
    ),
    "a port of the pod beyond the last": ("ports.0.podPort.count", 65535, "ports[0].podPort.count: the range ends at 65555"),
    "an app without image": ("apps.1.image", ..., "apps[1].image: is required"),
    "an app by name only": ("apps.1.image", {"name": "x"}, "apps[1].image.id: is required"),
    "two apps of one name": ("apps.1.name", "reduce-worker", 'apps[1]: a second "reduce-worker"'),
    "an app whose name is no AC Name": ("apps.0.name", "a.b", "apps[0].name"),
    "a relative mount": ("apps.0.mounts.0.path", "var", "apps[0].mounts[0].path: is not an absolute path"),
    "a mount of nothing": ("apps.0.mounts.0.volume", ..., "apps[0].mounts[0].volume: is required"),
    "an app volume of no kind": ("apps.0.mounts.1.appVolume.kind", "tmpfs", "apps[0].mounts[1].appVolume.kind"),
    "a host volume without source": ("volumes.0.source", ..., "volumes[0].source: is required"),
    "a host volume with a relative source": ("volumes.0.source", "opt", "volumes[0].source: is not an absolute path"),
    "a mode that is no mode": ("apps.0.mounts.1.appVolume.mode", "0999", "appVolume.mode: is not an octal mode"),
    "a mode that is a number": ("apps.0.mounts.1.appVolume.mode", 448, "appVolume.mode: is not a string"),
    "an owner that cannot be": ("apps.0.mounts.1.appVolume.uid", 2**32, "appVolume.uid"),
    "a host port of 0": ("ports.0.hostPort", 0, "ports[0].hostPort: 0 is not from 1"),
    "an address that is none": ("ports.0.hostIP", "203.0.113.256", "ports[0].hostIP: is not an IPv4 address"),
    "a user annotation that is a list": ("userAnnotations.a", [], "userAnnotations.a: is not a string"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_each_fault_is_refused_at_its_place(case: str) -> None:
    path, value, words = REFUSED[case]
    with pytest.raises(FormatError) as caught:
        parse(changed(path, value))
    assert words in str(caught.value)
    faults = find_faults(changed(path, value), "PodManifest", "pod")
    assert [str(fault) for fault in faults] == [str(caught.value)], "the schema says the same, and nothing else"


def test_unknown_keys_are_kept_and_written_back() -> None:
    places = (
        "apps.0",
        "apps.0.image",
        "apps.0.image.labels.0",
        "apps.0.mounts.0",
        "apps.0.mounts.1.appVolume",
        "apps.0.annotations.0",
    )
    for place in (*places, "volumes.0", "isolators.0", "annotations.0", "ports.0", "ports.0.podPort"):
        value = changed(f"{place}.new", {"deep": [1, None]})
        assert json.loads(dump_json(parse(value).to_json())) == value, place


PORT = {"name": "http", "protocol": "tcp", "port": 80}
ODD = {
    "a mode of a host's directory": ("volumes.0.mode", "0755", "volumes[0].mode: means nothing for a volume of kind host"),
    "recursion of nothing": ("apps.0.mounts.1.appVolume.recursive", True, "apps[0].mounts[1].appVolume.recursive: means nothing"),
    "an app's isolator": (
        "isolators.0",
        {"name": "os/linux/no-new-privileges", "value": True},
        "isolators[0].name: os/linux/no-new",
    ),
    "a version that never was": ("acVersion", "0.8.4-alpha+x.1", None),
    "a key known but for case": ("apps.0.readOnlyRootfs", True, 'apps[0].readOnlyRootfs: is not known; "readOnlyRootFS" is'),
}


@pytest.mark.parametrize("case", ODD)
def test_what_is_odd_is_warned_of(case: str) -> None:
    path, value, words = ODD[case]
    warnings: list[str] = []
    parse_pod_manifest(json.dumps(changed(path, value)).encode(), "m", warnings)
    assert len(warnings) == (0 if words is None else 1)
    assert words is None or warnings[0].startswith(words)


def test_a_port_name_that_two_apps_share_is_odd() -> None:
    app = {"exec": ["/x"], "user": "0", "group": "0", "ports": [PORT]}
    value = changed("apps.1.app", app)
    value["apps"][0]["app"] = app
    warnings: list[str] = []
    parse_pod_manifest(json.dumps(value).encode(), "m", warnings)
    assert warnings == ['apps[1].app.ports[0]: a second "http": the names of ports must be unique in a pod to be exposed']


def test_an_older_unit_is_told_for_apps_and_for_the_pod() -> None:
    value = changed("isolators", [{"name": "resource/cpu", "value": {"limit": "250"}}])
    value["apps"][0]["app"]["isolators"] = value["isolators"]
    value["acVersion"] = "0.6.0"
    warnings: list[str] = []
    parse_pod_manifest(json.dumps(value).encode(), "m", warnings)
    assert [warning.split(":")[0] for warning in warnings] == ["isolators[0]", "apps[0].app.isolators[0]"]


def test_two_volumes_of_one_name_are_refused() -> None:
    with pytest.raises(FormatError, match=r"volumes\[1\]: a second"):
        parse(changed("volumes", FULL["volumes"] * 2))
