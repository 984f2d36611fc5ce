"""Changes made in a manifest: those that were asked for, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acspec.errors import FormatError, UsageError
from acspec.image_manifest import parse_image_manifest
from acspec.jsontext import dump_json
from acspec.values import replace
from actool.changes.manifest_changes import ManifestChanges, apply_changes, change_manifest
from actool.changes.removals import parse_removal
from actool.command_changes import read_changes

# Everything that a manifest can have, with keys that nobody knows everywhere, and in an order of its own.
FULL: dict[str, Any] = {
    "x-tool": {"made": [1, 2.50, None]},
    "app": {
        "user": "0",
        "exec": ["/bin/app", "-v"],
        "group": "0",
        "supplementaryGids": [5],
        "x-app": True,
        "isolators": [
            {"value": {"limit": "1G"}, "name": "resource/memory", "x-unit": "G"},
            {"name": "os/linux/capabilities-remove-set", "value": {"set": ["CAP_MKNOD"]}},
            {"name": "resource/memory", "value": {"limit": "2G"}},
        ],
        "ports": [{"port": 80, "protocol": "tcp", "name": "http", "count": 1, "x-tls": False}],
        "mountPoints": [{"name": "work", "path": "/work"}, {"path": "/logs", "name": "logs"}],
        "environment": [{"value": "/bin", "name": "PATH", "x-why": "é"}, {"name": "LANG", "value": "C"}],
        "eventHandlers": [{"name": "post-stop", "exec": ["/bin/stop"]}],
        "workingDirectory": "/work",
        "userLabels": {"a": "1", "b": "2"},
        "userAnnotations": None,
    },
    "name": "example.com/app",
    "acVersion": "0.8.11",
    "acKind": "ImageManifest",
    "labels": [{"name": "version", "value": "1"}, {"name": "os", "value": "linux", "x-abi": 5}],
    "dependencies": [{"imageName": "example.com/os", "size": 7, "x-why": "libc"}, {"imageName": "example.com/lib"}],
    "pathWhitelist": ["/bin/app", "/work"],
    "annotations": [{"name": "authors", "value": "A"}],
}
BARE = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/base"}


def changes(*removed: str, **options: Any) -> ManifestChanges:
    """Return what options mean, by the names of their parameters: `label=["version=2"]`, `program="/bin/sh"`."""
    return replace(read_changes(**options), removals=tuple(map(parse_removal, removed)))


def at(value: Any, place: str) -> Any:
    for key in place.split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


# Options, and what stands at each place afterwards; "…" stands for a key that is not there. All the rest is as it was.
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the name": ({"name": "example.com/b"}, {"name": "example.com/b"}),
    "a label that is there": ({"label": ["version=2"]}, {"labels.0.value": "2"}),
    "a label that is there and has keys of its own": ({"label": ["os=darwin"]}, {"labels.1.value": "darwin"}),
    "a new label": ({"label": ["channel=beta"]}, {"labels": [*FULL["labels"], {"name": "channel", "value": "beta"}]}),
    "one label twice": ({"label": ["version=2", "version=3"]}, {"labels.0.value": "3"}),
    "a variable": ({"env": ["PATH=/x"]}, {"app.environment.0.value": "/x"}),
    "an annotation": ({"annotation": ["authors=B"]}, {"annotations.0.value": "B"}),
    "exec": ({"program": "/bin/sh -c 'a b'"}, {"app.exec": ["/bin/sh", "-c", "a b"]}),
    "user and group": ({"user": "app", "group": "1"}, {"app.user": "app", "app.group": "1"}),
    "the working directory": ({"working_dir": "/"}, {"app.workingDirectory": "/"}),
    "groups, under the specification's own spelling": (
        {"supplementary_groups": ["1,2", "3"]},
        {"app.supplementaryGids": "…", "app.supplementaryGIDs": [1, 2, 3]},
    ),
    "a handler that is there": ({"post_stop": "/bin/end -q"}, {"app.eventHandlers.0.exec": ["/bin/end", "-q"]}),
    "a new handler": (
        {"pre_start": "/a"},
        {"app.eventHandlers": [*FULL["app"]["eventHandlers"], {"name": "pre-start", "exec": ["/a"]}]},
    ),
    "a mount point in its place": ({"mounts": ["work,path=/w"]}, {"app.mountPoints.0": {"name": "work", "path": "/w"}}),
    "two mount points in one option": (
        {"mounts": ["logs,path=/l,readOnly=true:tmp,path=/tmp"]},
        {
            "app.mountPoints": [
                {"name": "work", "path": "/work"},
                {"name": "logs", "path": "/l", "readOnly": True},
                {"name": "tmp", "path": "/tmp"},
            ]
        },
    ),
    "a port, whose unknown keys stay": (
        {"ports": ["http,protocol=tcp,port=81"]},
        {"app.ports.0": {"name": "http", "protocol": "tcp", "port": 81, "x-tls": False}},
    ),
    "a port that means the same already": ({"ports": ["http,protocol=tcp,port=80"]}, {}),
    "an isolator, once, in the place of the first": (
        {"isolators": ["resource/memory,limit=3G"]},
        {
            "app.isolators": [
                {"name": "resource/memory", "value": {"limit": "3G"}, "x-unit": "G"},
                {"name": "os/linux/capabilities-remove-set", "value": {"set": ["CAP_MKNOD"]}},
            ]
        },
    ),
    "capabilities in place of those that exclude them": (
        {"capability": ["CAP_CHOWN"]},
        {
            "app.isolators": [
                FULL["app"]["isolators"][0],
                FULL["app"]["isolators"][2],
                {"name": "os/linux/capabilities-retain-set", "value": {"set": ["CAP_CHOWN"]}},
            ]
        },
    ),
    "a dependency in its place": (
        {"dependency": ["example.com/os:2"]},
        {"dependencies.0": {"imageName": "example.com/os", "labels": [{"name": "version", "value": "2"}], "x-why": "libc"}},
    ),
    "a path": ({"path_whitelist": ["/etc", "/work"]}, {"pathWhitelist": ["/bin/app", "/work", "/etc"]}),
    "a user label": ({"user_label": ["a=3", "c=4"]}, {"app.userLabels": {"a": "3", "b": "2", "c": "4"}}),
    "a user annotation where there is null": ({"user_annotation": ["a=1"]}, {"app.userAnnotations": {"a": "1"}}),
    "nothing": ({}, {}),
    "what is so already": ({"name": "example.com/app", "user": "0", "env": ["LANG=C"], "path_whitelist": ["/work"]}, {}),
}


def expected(value: dict[str, Any], places: Mapping[str, Any]) -> dict[str, Any]:
    value = json.loads(json.dumps(value))
    for place, new in places.items():
        path, _, key = place.rpartition(".")
        owner = at(value, path) if path else value
        if isinstance(owner, list):
            owner[int(key)] = new
        elif new == "…":
            del owner[key]
        else:
            owner[key] = new
    return value


@pytest.mark.parametrize("case", CHANGES)
def test_nothing_but_what_was_asked_for_changes_with(case: str) -> None:
    options, places = CHANGES[case]
    before = json.dumps(FULL)
    changed = apply_changes(FULL, changes(**options))
    assert dump_json(changed) == dump_json(expected(FULL, places))  # the order of keys included
    assert json.dumps(FULL) == before
    parse_image_manifest(dump_json(changed))


REMOVALS: dict[str, tuple[str, dict[str, Any]]] = {
    "a label": ("label=version", {"labels": FULL["labels"][1:]}),
    "all labels": ("label", {"labels": "…"}),
    "the last annotation, and with it the list": ("annotation=authors", {"annotations": "…"}),
    "a dependency": ("dependency=example.com/os", {"dependencies": [{"imageName": "example.com/lib"}]}),
    "a path": ("path-whitelist=/work", {"pathWhitelist": ["/bin/app"]}),
    "the app": ("app", {"app": "…"}),
    "exec": ("exec", {"app.exec": "…"}),
    "groups, under any spelling": ("supplementary-groups", {"app.supplementaryGids": "…"}),
    "the working directory": ("working-dir", {"app.workingDirectory": "…"}),
    "a variable": ("env=PATH", {"app.environment": [{"name": "LANG", "value": "C"}]}),
    "a handler": ("post-stop", {"app.eventHandlers": "…"}),
    "a mount point": ("mounts=work", {"app.mountPoints": [{"path": "/logs", "name": "logs"}]}),
    "all ports": ("ports", {"app.ports": "…"}),
    "all isolators of a name": ("isolators=resource/memory", {"app.isolators": [FULL["app"]["isolators"][1]]}),
    "capabilities": ("revoke-capability", {"app.isolators": FULL["app"]["isolators"][::2]}),
    "a user label": ("user-label=a", {"app.userLabels": {"b": "2"}}),
}


@pytest.mark.parametrize("case", REMOVALS)
def test_nothing_but_what_was_named_goes_with(case: str) -> None:
    removed, places = REMOVALS[case]
    changed = apply_changes(FULL, changes(removed))
    assert dump_json(changed) == dump_json(expected(FULL, places))
    parse_image_manifest(dump_json(changed))


ABSENT = ["label=arch", "annotation=x", "dependency=x", "path-whitelist=/x", "pre-start", "env=X", "mounts=x", "ports=x"]
ABSENT += ["isolators=x", "capability", "seccomp-set", "user-annotation", "user-annotation=x", "user-label=x"]


@pytest.mark.parametrize("removed", ABSENT)
def test_what_is_not_there_cannot_be_removed(removed: str) -> None:
    with pytest.raises(UsageError, match=f"--remove {removed}: there is no such thing in the manifest"):
        apply_changes(FULL, changes(removed))


@pytest.mark.parametrize("removed", ["app", "exec", "env", "label", "env=X"])
def test_nothing_can_be_removed_from_where_nothing_is(removed: str) -> None:
    with pytest.raises(UsageError, match="there is no such thing"):
        apply_changes(dict(BARE), changes(removed))


def test_removals_come_first_so_that_a_list_can_be_replaced() -> None:
    changed = apply_changes(FULL, changes("mounts", "env=PATH", mounts=["a,path=/a"], env=["PATH=/x"]))
    assert at(changed, "app.mountPoints") == [{"name": "a", "path": "/a"}]
    assert at(changed, "app.environment") == [{"name": "LANG", "value": "C"}, {"name": "PATH", "value": "/x"}]


def test_exec_makes_an_app_where_there_is_none() -> None:
    assert apply_changes(dict(BARE), changes(program="/a"))["app"] == {"exec": ["/a"], "user": "0", "group": "0"}
    changed = apply_changes(dict(BARE), changes(program="/a", user="7", env=["A=1"]))
    assert changed["app"] == {"exec": ["/a"], "user": "7", "group": "0", "environment": [{"name": "A", "value": "1"}]}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"user": "1"}, "--user"),
        ({"env": ["A=1"]}, "--env"),
        ({"capability": ["CAP_KILL"]}, "options for isolators"),
        ({"post_stop": "/x"}, "--pre-start and --post-stop"),
    ],
)
def test_nothing_else_makes_an_app(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=rf"^{named}: there is no app in the manifest \(--exec makes one\)$"):
        apply_changes(dict(BARE), changes(**options))


LAYOUTS: dict[str, tuple[dict[str, Any], str]] = {
    "on one line": ({"separators": (",", ":")}, ""),
    "for people": ({"indent": 4}, "\n"),
    "with tabs": ({"indent": "\t"}, "\n\n"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_manifest_keeps_its_layout(layout: str) -> None:
    how, end = LAYOUTS[layout]
    before, after = (
        json.dumps(value, ensure_ascii=False, **how).encode() + end.encode()
        for value in (FULL, expected(FULL, {"labels.0.value": "2", "app.environment.1.value": "de"}))
    )
    assert change_manifest(before, "m", changes(label=["version=2"], env=["LANG=de"])) == after


def test_a_manifest_in_which_nothing_changes_stays_as_it_is_spelt() -> None:
    data = b' {"acKind" :"ImageManifest","x":[1.50, 1e3,"\\u00e9\\/"],\n"acVersion":"0.8.11",   "name":"example.com\\/app"}  '
    assert change_manifest(data, "m", changes(name="example.com/app")) is data


def test_a_manifest_that_is_not_valid_is_not_changed() -> None:
    with pytest.raises(FormatError, match="m: acVersion: is required"):
        change_manifest(b'{"acKind": "ImageManifest", "name": "a"}', "m", changes(label=["version=1"]))


INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "no machine": ({"label": ["arch=vax"]}, 'labels[2].value: "vax" is no arch'),
    "a manifest beyond the limit": ({"label": ["a=" + "x" * 2**20]}, "larger than the limit of 1048576 bytes"),
}


@pytest.mark.parametrize("case", INVALID)
def test_changes_that_would_make_something_invalid_are_refused(case: str) -> None:
    options, words = INVALID[case]
    with pytest.raises(UsageError) as caught:
        change_manifest(json.dumps(FULL).encode(), "m", changes(**options))
    assert words in str(caught.value)


def test_all_isolators_of_one_name_become_one() -> None:
    many = [{"name": "resource/memory", "value": {"limit": str(number)}} for number in range(2000)]
    manifest = {**BARE, "app": {"exec": ["/a"], "user": "0", "group": "0", "isolators": many}}
    changed = apply_changes(manifest, changes(isolators=["resource/memory,limit=1"]))
    assert at(changed, "app.isolators") == [{"name": "resource/memory", "value": {"limit": "1"}}]


PAIRS = some.builds("{}={}".format, some.sampled_from(["os", "arch", "version", "PATH", "homepage", "a"]), some.text(max_size=5))
NAMES = some.sampled_from(["http", "work", "a", "A"])
WORDS: dict[str, some.SearchStrategy[Any]] = {
    "name": some.sampled_from(["example.com/app", "b", "B"]),
    "program": some.sampled_from(["/a", "/a 'b c'", "'"]) | some.text(max_size=5),
    "user": some.text(max_size=3),
    "working_dir": some.sampled_from(["/", "/a", "a"]),
    "pre_start": some.sampled_from(["/a", ""]),
    "seccomp_mode": some.sampled_from(["retain", "remove,errno=EPERM"]),
    **{key: some.lists(PAIRS, max_size=2) for key in ("label", "annotation", "env", "user_label", "user_annotation")},
    "supplementary_groups": some.lists(some.integers(-1, 2**33).map(str), max_size=2),
    "mounts": some.lists(some.builds("{},path=/{}".format, NAMES, NAMES), max_size=2),
    "ports": some.lists(
        some.builds("{},protocol=tcp,port={},count={}".format, NAMES, some.integers(0, 65536), some.integers(0, 3))
    ),
    "isolators": some.lists(some.sampled_from(["resource/memory,limit=1:resource/cpu,limit=1", "os/linux/no-new-privileges,true"])),
    "capability": some.lists(some.sampled_from(["CAP_KILL", "CAP_CHOWN,CAP_KILL", "x"]), max_size=2),
    "seccomp_set": some.lists(some.sampled_from(["read", "a,b", "@appc.io/all", ""]), max_size=2),
    "dependency": some.lists(some.sampled_from(["example.com/os:1", "a,os=linux", '{"imageName":"a","x":1}', "a,arch=x,os=linux"])),
    "path_whitelist": some.lists(some.sampled_from(["/a", "/work", "x"]), max_size=2),
}


@given(some.sampled_from([FULL, BARE]), some.fixed_dictionaries({}, optional=WORDS))
def test_any_options_make_a_valid_manifest_or_are_refused_with_our_error(manifest: dict[str, Any], options: dict[str, Any]) -> None:
    data = json.dumps(manifest).encode()
    try:
        changed = change_manifest(data, "m", changes(**options))
    except UsageError:
        return
    parse_image_manifest(changed)
    assert json.loads(changed).get("x-tool") == manifest.get("x-tool")
    assert change_manifest(changed, "m", changes(**options)) == changed, "the same options change nothing the second time"


@given(some.lists(some.sampled_from([removed for removed, _ in REMOVALS.values()]) | some.text(max_size=8), max_size=4))
def test_any_removals_leave_a_valid_manifest_or_are_refused_with_our_error(removed: list[str]) -> None:
    try:
        changed = apply_changes(FULL, changes(*removed))
    except UsageError:
        return
    parse_image_manifest(dump_json(changed))
