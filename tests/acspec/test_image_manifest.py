"""The image manifest: what is read, what is refused and where, and that nothing is lost on the way back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.errors import FormatError
from acspec.image_manifest import ImageManifest, parse_image_manifest
from acspec.jsontext import dump_json
from acspec.schema import find_faults
from tests.support import manifests

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
    """Return the full manifest with the value at *path* replaced; ... removes it."""
    return manifests.changed(FULL, path, value)


def test_a_full_manifest_comes_back_as_it_was() -> None:
    assert json.loads(dump_json(parse(FULL).to_json())) == FULL


def test_a_manifest_may_hold_hardly_anything() -> None:
    manifest = parse(MINIMAL)
    assert manifest.app is None
    assert json.loads(dump_json(manifest.to_json())) == MINIMAL


def test_unknown_keys_are_kept_and_written_back() -> None:
    places = ("labels.0", "app.ports.0", "app.mountPoints.0", "app.isolators.0", "app.environment.0", "app.eventHandlers.0")
    for path in ("new", "app.new", "dependencies.0.new", "annotations.0.new", *(f"{place}.new" for place in places)):
        value = changed(path, {"deep": [1, None]})
        assert json.loads(dump_json(parse(value).to_json())) == value, path


def test_both_spellings_of_the_supplementary_groups_are_read() -> None:
    value = changed("app.supplementaryGIDs", ...)
    value["app"]["supplementaryGids"] = [7]
    app = parse(value).app
    assert app is not None
    assert app.supplementary_gids == (7,)


def test_of_both_spellings_the_one_of_the_text_counts_also_after_a_round_trip() -> None:
    value = changed("app.supplementaryGIDs", [])
    value["app"]["supplementaryGids"] = [7]
    manifest = parse(value)
    for again in (manifest, parse(json.loads(dump_json(manifest.to_json())))):
        assert again.app is not None
        assert again.app.supplementary_gids == ()
        assert again.app.unknown == {"supplementaryGids": [7]}


def test_a_missing_key_that_is_there_but_for_case_is_hinted_at() -> None:
    value = {**changed("name", ...), "Name": "x"}
    with pytest.raises(FormatError, match=r'name: is required \(there is "Name", but case matters\)'):
        parse(value)


def test_count_0_means_1_as_converted_images_have_it() -> None:
    app = parse(changed("app.ports.1.count", 0)).app
    assert app is not None
    assert app.ports[1].count == 1


ODD = {
    "a version that never was": ("acVersion", "0.7.99", "acVersion: version 0.7.99 of the specification was never released"),
    "an older unit": (
        "acVersion",
        "0.6.1",
        "app.isolators[0]: counts as cores; version 0.6.1 of the specification had thousandths",
    ),
    "a key known but for case": ("app.workingdirectory", "/", 'app.workingdirectory: is not known; "workingDirectory" is'),
    "the other spelling of the groups": (
        "app.supplementaryGids",
        [1],
        'app.supplementaryGids: is not known; "supplementaryGIDs" is',
    ),
    "an arch without os": ("labels", [{"name": "arch", "value": "x"}], "labels: arch means something only beside os"),
    "count 0": ("app.ports.1.count", 0, "app.ports[1].count: is 0, which counts as 1"),
    "an isolator that is not known": (
        "app.isolators.0",
        {"name": "x", "value": None},
        'app.isolators[0].name: "x" is not an isolator',
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_what_is_odd_is_warned_of(case: str) -> None:
    path, value, words = ODD[case]
    warnings: list[str] = []
    parse_image_manifest(json.dumps(changed(path, value)).encode(), "m", warnings)
    assert len(warnings) == 1
    assert warnings[0].startswith(words)


def test_nothing_is_odd_about_the_full_manifest() -> None:
    warnings: list[str] = []
    parse_image_manifest(json.dumps(FULL).encode(), "m", warnings)
    assert warnings == []


def test_null_is_an_absent_key() -> None:
    assert parse({**MINIMAL, "app": None, "labels": None, "dependencies": None}) == parse(MINIMAL)


REFUSED = {
    "no kind": ("acKind", ..., "acKind: is required"),
    "another kind": ("acKind", "PodManifest", 'acKind: "PodManifest" is not ImageManifest'),
    "a kind of long ago": ("acKind", "FilesetManifest", "a fileset manifest of a draft before 0.1.1"),
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
    "a negative count": ("app.ports.1.count", -1, "app.ports[1].count: -1 is not from 0"),
    "a name that begins with a digit": ("app.environment.0.name", "0DEBUG", "app.environment[0].name"),
    "a name that begins with a hyphen": ("app.environment.0.name", "-x", "app.environment[0].name"),
    "a bad isolator": ("app.isolators.0.value.limit", "lots", 'app.isolators[0].value.limit: "lots" is not a quantity'),
    "an event without the key exec": ("app.eventHandlers.0.exec", ..., "app.eventHandlers[0].exec: is required"),
    "an arch that is not listed": ("labels.1.value", "arm64", 'labels[1].value: "arm64" is no arch'),
    "an os that is not listed": ("dependencies.0.labels.0.value", "beos", 'dependencies[0].labels[0].value: "beos" is no os'),
    "a date that is none": ("annotations.0.value", "garbage", 'annotations[0].value: "garbage" is not a timestamp'),
    "a homepage that is none": ("annotations.0", {"name": "homepage", "value": "not-A$@#URL"}, "annotations[0].value: "),
    "documents by ftp": ("annotations.0", {"name": "documentation", "value": "ftp://x.com"}, "annotations[0].value: "),
    "a switch that is none": (
        "annotations.0",
        {"name": "appc.io/executor/supports-systemd-notify", "value": "yes"},
        'annotations[0].value: "yes" is neither "true" nor "false"',
    ),
    "an annotation twice": ("annotations", [{"name": "a", "value": "b"}] * 2, 'annotations[1]: a second "a"'),
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
    faults = find_faults(changed(path, value), "ImageManifest", "manifest")
    assert [str(fault) for fault in faults] == [str(caught.value)], "the schema says the same, and nothing else"


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


TYPOS = {"enviroment": "environment", "workingDir": "workingDirectory", "mountpoint": "mountPoints", "homepage": None}


@pytest.mark.parametrize(("typed", "meant"), TYPOS.items())
def test_a_key_that_looks_like_a_known_one_is_warned_of(typed: str, meant: str | None) -> None:
    value = changed("app.vendor", {})
    value["app"][typed] = []
    warnings: list[str] = []
    manifest = parse_image_manifest(json.dumps(value).encode(), "f", warnings)
    assert manifest.app is not None
    assert manifest.app.unknown == {"vendor": {}, typed: []}
    expected = [] if meant is None else [f'app.{typed}: is not known; was "{meant}" meant?']
    assert [warning for warning in warnings if "vendor" in warning or typed in warning] == expected
