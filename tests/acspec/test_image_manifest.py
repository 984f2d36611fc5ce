"""The image manifest: what is read, what is refused and where, and that nothing is lost on the way back."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.errors import FormatError
from acspec.image_manifest import ImageManifest, parse_image_manifest
from acspec.jsontext import dump_json

ID = "sha512-" + "0123456789abcdef" * 8

FULL: dict[str, Any] = {
    "acKind": "ImageManifest",
    "acVersion": "0.8.11",
    "name": "example.com/reduce-worker",
    "labels": [{"name": "version", "value": "1.0.0"}, {"name": "arch", "value": "amd64"}, {"name": "os", "value": "linux"}],
    "app": {
        "exec": ["/usr/bin/reduce-worker", "--quiet"],
        "user": "100",
        "group": "300",
        "supplementaryGIDs": [400, 500],
        "eventHandlers": [{"name": "pre-start", "exec": ["/usr/bin/data-downloader"]}, {"name": "post-stop", "exec": ["/x"]}],
        "workingDirectory": "/opt/work",
        "environment": [{"name": "REDUCE_WORKER_DEBUG", "value": "true"}, {"name": "a.b-c", "value": ""}],
        "isolators": [{"name": "resource/cpu", "value": {"request": "250m", "limit": "500m"}}],
        "mountPoints": [{"name": "work", "path": "/var/lib/work", "readOnly": True}],
        "ports": [
            {"name": "health", "protocol": "tcp", "port": 4000, "socketActivated": True},
            {"name": "ftp-data", "protocol": "tcp", "port": 20000, "count": 1000},
        ],
        "userAnnotations": {"Any Key": "any value"},
        "userLabels": {"x": "y"},
    },
    "dependencies": [{"imageName": "example.com/base", "imageID": ID, "labels": [{"name": "os", "value": "linux"}], "size": 22}],
    "pathWhitelist": ["/etc/ca/example.com/crt", "/usr/bin/map-reduce-worker"],
    "annotations": [{"name": "created", "value": "2014-10-27T19:32:27.67021798Z"}],
}

MINIMAL: dict[str, Any] = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/x"}


def parse(value: Any) -> ImageManifest:
    return parse_image_manifest(json.dumps(value).encode())


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the full manifest with the value at *path* (`app.ports.0.port`) replaced; ... removes it."""
    result = copy.deepcopy(FULL)
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


def test_a_full_manifest_comes_back_as_it_was() -> None:
    assert json.loads(dump_json(parse(FULL).to_json())) == FULL


def test_a_manifest_may_hold_hardly_anything() -> None:
    manifest = parse(MINIMAL)
    assert manifest.app is None
    assert json.loads(dump_json(manifest.to_json())) == MINIMAL


def test_unknown_keys_are_kept_and_written_back() -> None:
    for path in ("new", "app.new", "app.ports.0.new", "app.mountPoints.0.new", "dependencies.0.new"):
        value = changed(path, {"deep": [1, None]})
        assert json.loads(dump_json(parse(value).to_json())) == value, path


def test_both_spellings_of_the_supplementary_groups_are_read() -> None:
    value = changed("app.supplementaryGIDs", ...)
    value["app"]["supplementaryGids"] = [7]
    app = parse(value).app
    assert app is not None
    assert app.supplementary_gids == (7,)


def test_null_is_an_absent_key() -> None:
    assert parse({**MINIMAL, "app": None, "labels": None, "dependencies": None}) == parse(MINIMAL)


REFUSED = {
    "no kind": ("acKind", ..., "acKind: is required"),
    "another kind": ("acKind", "PodManifest", 'acKind: "PodManifest" is not ImageManifest'),
    "a kind of long ago": ("acKind", "FilesetManifest", "fileset manifest of specification 0.1"),
    "no version": ("acVersion", ..., "acVersion: is required"),
    "a newer version": ("acVersion", "0.9.0", "acVersion: version 0.9.0 of the specification is newer"),
    "no name": ("name", ..., "name: is required"),
    "a bad name": ("name", "Example", 'name: "Example" is not an AC Identifier'),
    "a name that is a number": ("name", 3, "name: is not a string"),
    "a label twice": ("labels.2.name", "arch", 'labels[2]: a second "arch"'),
    "a label called name": ("labels.0.name", "name", "labels[0].name: a label cannot be called"),
    "a label without value": ("labels.1.value", ..., "labels[1].value: is required"),
    "labels that are no list": ("labels", {}, "labels: is not a list"),
    "an app that is no object": ("app", [], "app: not a JSON object"),
    "no user": ("app.user", ..., "app.user: is required"),
    "an empty group": ("app.group", "", "app.group: is empty"),
    "a user that is a number": ("app.user", 0, "app.user: is not a string"),
    "exec that is a string": ("app.exec", "/bin/sh -c x", "app.exec: is not a list"),
    "exec with a zero byte": ("app.exec", ["/bin/\0"], "app.exec[0]: holds a zero byte"),
    "a negative group": ("app.supplementaryGIDs", [-1], "app.supplementaryGIDs[0]: -1 is not from 0"),
    "a group that is true": ("app.supplementaryGIDs", [True], "is not a whole number"),
    "an unknown event": ("app.eventHandlers.0.name", "pre-stop", "app.eventHandlers[0].name"),
    "an event twice": ("app.eventHandlers.1.name", "pre-start", "app.eventHandlers[1]: a second"),
    "an event without program": ("app.eventHandlers.0.exec", [], "app.eventHandlers[0].exec: names no program"),
    "a relative working directory": ("app.workingDirectory", "opt", "app.workingDirectory: is not an absolute path"),
    "a bad variable name": ("app.environment.0.name", "A=B", "app.environment[0].name"),
    "an empty variable name": ("app.environment.0.name", "", "app.environment[0].name"),
    "a variable twice": ("app.environment.1.name", "REDUCE_WORKER_DEBUG", "app.environment[1]: a second"),
    "an isolator without value": ("app.isolators.0.value", ..., "app.isolators[0].value: is required"),
    "an isolator with a bad name": ("app.isolators.0.name", "A", "app.isolators[0].name"),
    "a relative mount point": ("app.mountPoints.0.path", "var", "app.mountPoints[0].path: is not an absolute path"),
    "a mount point whose name is no AC Name": ("app.mountPoints.0.name", "a.b", "app.mountPoints[0].name"),
    "readOnly that is a string": ("app.mountPoints.0.readOnly", "yes", "app.mountPoints[0].readOnly: is neither"),
    "port 0": ("app.ports.0.port", 0, "app.ports[0].port: 0 is not from 1 to 65535"),
    "no port": ("app.ports.0.port", ..., "app.ports[0].port: is required"),
    "no protocol": ("app.ports.0.protocol", ..., "app.ports[0].protocol: is required"),
    "count 0": ("app.ports.1.count", 0, "app.ports[1].count: 0 is not from 1"),
    "a range beyond the last port": ("app.ports.1.count", 60000, "app.ports[1].count: the range ends at 79999"),
    "a user label that is a number": ("app.userLabels", {"x": 1}, "app.userLabels.x: is not a string"),
    "a dependency without name": ("dependencies.0.imageName", ..., "dependencies[0].imageName: is required"),
    "a dependency with a short ID": ("dependencies.0.imageID", ID[:71], "dependencies[0].imageID"),
    "a dependency of negative size": ("dependencies.0.size", -1, "dependencies[0].size"),
    "a size that is a fraction": ("dependencies.0.size", 1.5, "dependencies[0].size: is not a whole number"),
    "a relative whitelist path": ("pathWhitelist.1", "usr", "pathWhitelist[1]: is not an absolute path"),
    "an annotation with a bad name": ("annotations.0.name", "A B", "annotations[0].name"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_each_fault_is_refused_at_its_place(case: str) -> None:
    path, value, words = REFUSED[case]
    with pytest.raises(FormatError) as caught:
        parse(changed(path, value))
    assert str(caught.value).startswith(f"manifest: {words}") or words in str(caught.value)


JSON = st.recursive(st.none() | st.booleans() | st.integers(-5, 70000) | st.text(max_size=4), lambda x: st.lists(x, max_size=2))
PATHS = [path for path, _, _ in REFUSED.values()]


@given(st.sampled_from(PATHS), JSON | st.just({"a": 1}))
def test_any_value_anywhere_is_read_and_comes_back_or_is_refused_with_our_error(path: str, value: Any) -> None:
    try:
        manifest = parse(changed(path, value))
    except FormatError:
        return
    again = parse(json.loads(dump_json(manifest.to_json())))
    assert again == manifest
