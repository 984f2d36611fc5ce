"""The schemas: all faults at once, and the same answers as the typed readers give."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from acspec.errors import FormatError
from acspec.image_manifest import parse_image_manifest
from acspec.isolators import KNOWN
from acspec.jsontext import dump_json, parse_json
from acspec.pod_manifest import parse_pod_manifest
from acspec.schema import MAX_FAULTS, find_faults, load_schema
from tests.support.manifests import ID, SEEDS, damaged, image_manifests, pod_manifests, spoilt

FILES = ("common.json", "image-manifest.json", "pod-manifest.json")
PARSERS: dict[str, Any] = {"ImageManifest": parse_image_manifest, "PodManifest": parse_pod_manifest}


def refusal(data: bytes, kind: str) -> FormatError | None:
    try:
        PARSERS[kind](data, "m")
    except FormatError as error:
        return error
    return None


def plain_validator(file: str) -> Validator:
    """Return what somebody else's program makes of our schemas, knowing none of our keywords."""
    registry: Registry[Any] = Registry().with_resources([(name, DRAFT202012.create_resource(load_schema(name))) for name in FILES])
    return Draft202012Validator({"$ref": file}, registry=registry)


PLAIN = {"ImageManifest": plain_validator("image-manifest.json"), "PodManifest": plain_validator("pod-manifest.json")}


def agree(value: dict[str, Any], kind: str) -> list[FormatError]:
    """Hold the schema to the typed reader, and return the faults that both see; a program without our keywords is no stricter."""
    data = json.dumps(value).encode()
    error = refusal(data, kind)
    faults = find_faults(parse_json(data, "m"), kind, "m")
    assert bool(faults) == (error is not None), (faults, error)
    if error is None:
        PLAIN[kind].validate(value)
    else:
        assert (error.what, error.why) in {(fault.what, fault.why) for fault in faults}
    assert not [fault for fault in faults if "schema" in fault.why], "a fault without words of ours"
    assert len({fault.what for fault in faults}) == len(faults), "two faults at one place"
    return faults


@given(image_manifests())
def test_both_take_every_good_image_manifest_and_nothing_of_it_is_lost(value: dict[str, Any]) -> None:
    assert agree(value, "ImageManifest") == []
    manifest = parse_image_manifest(json.dumps(value).encode())
    assert parse_image_manifest(dump_json(manifest.to_json())) == manifest


@given(pod_manifests())
def test_both_take_every_good_pod_manifest_and_nothing_of_it_is_lost(value: dict[str, Any]) -> None:
    assert agree(value, "PodManifest") == []
    manifest = parse_pod_manifest(json.dumps(value).encode())
    assert parse_pod_manifest(dump_json(manifest.to_json())) == manifest


@given(damaged(image_manifests()))
def test_both_take_or_refuse_a_damaged_image_manifest_alike(value: dict[str, Any]) -> None:
    agree(value, "ImageManifest")


@given(damaged(pod_manifests()))
def test_both_take_or_refuse_a_damaged_pod_manifest_alike(value: dict[str, Any]) -> None:
    agree(value, "PodManifest")


FRAMED = (5, len(SEEDS) - 1)  # an image with an app, and a pod


@pytest.mark.parametrize("number", range(len(SEEDS)))
def test_both_take_or_refuse_everything_in_every_place_alike(number: int) -> None:
    seed = SEEDS[number]
    assert agree(seed, seed["acKind"]) == []
    for value in spoilt(seed, frame=number in FRAMED):
        agree(value, seed["acKind"])


@pytest.mark.parametrize("file", FILES)
def test_the_schemas_are_json_schema_and_refer_to_nothing_outside(file: str) -> None:
    Draft202012Validator.check_schema(load_schema(file))
    references = {part.split('"')[0] for part in json.dumps(load_schema(file)).split('"$ref": "')[1:]}
    assert {reference.split("#")[0] for reference in references} <= {"", "common.json"}


@pytest.mark.parametrize(
    "value", [{}, {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "A"}, {"acKind": "ImageManifest", "app": []}]
)
def test_a_validator_without_our_keywords_still_sees_much(value: dict[str, Any]) -> None:
    assert not PLAIN["ImageManifest"].is_valid(value)


def test_the_schema_has_a_rule_for_each_isolator_that_is_known() -> None:
    rules = load_schema("common.json")["$defs"]["isolator"]["allOf"]
    assert {rule["if"]["properties"]["name"]["const"] for rule in rules} == KNOWN


LABELS = [{"name": "version", "value": "1.0.0"}, {"name": "arch", "value": "amd64"}, {"name": "os", "value": "linux"}]
LIMIT = {"name": "resource/memory", "value": {"limit": "1G"}}


def pod_app(name: str, **more: Any) -> dict[str, Any]:
    image = {"name": f"example.com/{name}", "id": ID, "labels": [{"name": "version", "value": "1.0.0"}]}
    return {"name": name, "image": image, **more}


def started(program: str, point: str, path: str, **more: Any) -> dict[str, Any]:
    return {"exec": [program, "--debug=true"], "group": "0", "user": "0", "mountPoints": [{"name": point, "path": path}], **more}


# The manifests that the specification shows, with whole image IDs for its dots.
EXAMPLES: dict[str, dict[str, Any]] = {
    "an image, aci.md": {
        "acKind": "ImageManifest",
        "acVersion": "0.8.11",
        "name": "example.com/reduce-worker",
        "labels": LABELS,
        "app": {
            "exec": ["/usr/bin/reduce-worker", "--quiet"],
            "user": "100",
            "group": "300",
            "supplementaryGids": [400, 500],
            "eventHandlers": [
                {"exec": ["/usr/bin/data-downloader"], "name": "pre-start"},
                {"exec": ["/usr/bin/deregister-worker", "--verbose"], "name": "post-stop"},
            ],
            "workingDirectory": "/opt/work",
            "environment": [{"name": "REDUCE_WORKER_DEBUG", "value": "true"}],
            "isolators": [
                {"name": "resource/cpu", "value": {"request": "250m", "limit": "500m"}},
                {"name": "resource/memory", "value": {"request": "1G", "limit": "2G"}},
                {"name": "os/linux/capabilities-retain-set", "value": {"set": ["CAP_NET_BIND_SERVICE"]}},
            ],
            "mountPoints": [{"name": "work", "path": "/var/lib/work", "readOnly": False}],
            "ports": [
                {"name": "health", "port": 4000, "protocol": "tcp", "socketActivated": True},
                {"name": "ftp-data", "port": 20000, "count": 1000, "protocol": "tcp"},
            ],
        },
        "dependencies": [
            {
                "imageName": "example.com/reduce-worker-base",
                "imageID": ID,
                "labels": [{"name": "os", "value": "linux"}, {"name": "env", "value": "canary"}],
                "size": 22017258,
            }
        ],
        "pathWhitelist": ["/etc/ca/example.com/crt", "/usr/bin/map-reduce-worker", "/etc/systemd/system/"],
        "annotations": [
            {
                "name": "authors",
                "value": "Carly Container <carly@example.com>, Nat Network <[nat@example.com](mailto:nat@example.com)>",
            },
            {"name": "created", "value": "2014-10-27T19:32:27.67021798Z"},
            {"name": "documentation", "value": "https://example.com/docs"},
            {"name": "homepage", "value": "https://example.com"},
            {"name": "appc.io/executor/supports-systemd-notify", "value": "false"},
        ],
    },
    "an image with calls removed, examples/image.json": {
        "acKind": "ImageManifest",
        "acVersion": "0.8.11",
        "name": "example.com/reduce-worker",
        "labels": LABELS,
        "app": {
            "exec": ["/usr/bin/reduce-worker", "--quiet"],
            "user": "100",
            "group": "300",
            "isolators": [
                {"name": "resource/cpu", "value": {"limit": "20m"}},
                LIMIT,
                {"name": "os/linux/capabilities-retain-set", "value": {"set": ["CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE"]}},
                {"name": "os/linux/no-new-privileges", "value": True},
                {"name": "os/linux/seccomp-remove-set", "value": {"errno": "EACCESS", "set": ["clock_settime", "reboot"]}},
            ],
        },
    },
    "a pod, pods.md": {
        "acVersion": "0.8.11",
        "acKind": "PodManifest",
        "apps": [
            pod_app(
                "reduce-worker",
                app=started("/bin/reduce-worker", "work", "/var/lib/work"),
                readOnlyRootFS=True,
                mounts=[{"volume": "worklib", "path": "/var/lib/work"}],
            ),
            pod_app(
                "backup",
                app=started("/bin/reduce-backup", "backup", "/mnt/bar", isolators=[LIMIT]),
                mounts=[{"volume": "worklib", "path": "/mnt/bar"}],
                annotations=[{"name": "foo", "value": "baz"}],
            ),
            pod_app("register"),
        ],
        "volumes": [{"name": "worklib", "kind": "host", "source": "/opt/tenant1/work", "readOnly": True, "recursive": True}],
        "isolators": [{"name": "resource/memory", "value": {"limit": "4G"}}],
        "annotations": [{"name": "ip-address", "value": "10.1.2.3"}],
        "ports": [{"name": "ftp", "hostPort": 2121}],
    },
    "a running pod, examples/pod_runtime.json": {
        "acKind": "PodManifest",
        "acVersion": "0.8.11",
        "apps": [pod_app("backup", mounts=[{"volume": "buildoutput", "path": "/mnt/out"}])],
        "volumes": [
            {"name": "dbvolume", "kind": "host", "source": "/opt/tenant1/database", "readOnly": True},
            {"name": "buildoutput", "kind": "empty", "mode": "0777", "uid": 0, "gid": 0},
        ],
        "isolators": [LIMIT, {"name": "os/unix/sysctl", "value": {"net.ipv4.tcp_fin_timeout": "6"}}],
    },
}


@pytest.mark.parametrize("case", EXAMPLES)
def test_both_take_the_examples_of_the_specification(case: str) -> None:
    assert agree(EXAMPLES[case], EXAMPLES[case]["acKind"]) == []


def test_a_template_that_names_no_image_ids_is_refused_where_they_are_missing() -> None:
    apps = [
        pod_app("reduce-worker"),
        {"name": "backup", "image": {"name": "example.com/worker-backup"}},
        {"name": "x", "image": {}},
    ]
    faults = agree({"acVersion": "0.3.0", "acKind": "PodManifest", "apps": apps}, "PodManifest")
    assert [str(fault) for fault in faults] == ["m: apps[1].image.id: is required", "m: apps[2].image.id: is required"]


MANY = {
    "acKind": "ImageManifest",
    "acVersion": "0.9.0",
    "Name": "x",
    "labels": [{"name": "os", "value": "linux"}, {"name": "os", "value": 3}],
    "app": {
        "exec": ["a\0"],
        "user": "",
        "group": None,
        "mountPoints": [{"name": "a", "path": "/a"}, {"name": "b", "path": "b"}],
        "isolators": [{"name": "resource/cpu", "value": {"limit": -1}}, {"name": "resource/block-iops", "value": {}}],
    },
}


def test_all_faults_come_at_once_in_the_order_of_the_document() -> None:
    assert [str(fault) for fault in find_faults(MANY, "ImageManifest", "f")] == [
        "f: acVersion: version 0.9.0 of the specification is newer than 0.8.11, which this program knows",
        'f: labels[1]: a second "os"',
        "f: labels[1].value: is not a string",
        "f: app.exec[0]: holds a zero byte",
        "f: app.user: is empty",
        "f: app.group: is required",
        "f: app.mountPoints[1].path: is not an absolute path",
        'f: app.isolators[0].value.limit: "-1" is negative',
        "f: app.isolators[1].value.default: is required",
        'f: name: is required (there is "Name", but case matters)',
    ]


def test_faults_have_an_end_and_say_so() -> None:
    value = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "x", "pathWhitelist": ["x"] * 5000}
    faults = find_faults(value, "ImageManifest", "f")
    assert len(faults) == MAX_FAULTS + 1
    assert str(faults[-1]) == f"f: more than {MAX_FAULTS} faults"


def test_a_fault_shows_no_more_of_a_value_than_a_line_and_nothing_that_moves_a_terminal() -> None:
    value = {"acKind": "ImageManifest", "acVersion": "\x1b[2J" * 9999, "name": {"x": "y" * 9999}, "labels": [{"name": "\u202e"}]}
    faults = find_faults(value, "ImageManifest", "f")
    assert len(faults) == 4
    assert all(len(str(fault)) < 1000 and str(fault).isprintable() for fault in faults)


def test_what_is_no_object_has_one_fault() -> None:
    assert [str(fault) for fault in find_faults([], "PodManifest", "f")] == ["f: not a JSON object"]


def test_jsonschema_is_imported_by_nothing_but_an_explanation() -> None:
    code = (
        "import sys; import acspec.schema, actool.checks.validate; assert 'jsonschema' not in sys.modules;"
        "assert 'referencing' not in sys.modules;"
        "acspec.schema.find_faults({}, 'ImageManifest', 'f'); assert 'jsonschema' in sys.modules;"
        "assert not {'requests', 'socket', 'urllib.request'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
