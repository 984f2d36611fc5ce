"""What the words behind the options for manifests mean, and how those that mean nothing are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acspec.app import EnvironmentVariable, EventHandler, Port
from acspec.errors import UsageError
from acspec.image_manifest import Annotation, Dependency
from acspec.labels import Label
from acspec.names import ACIdentifier, ACName
from acspec.volumes import MountPoint
from actool.changes.manifest_options import (
    check_text,
    parse_annotation,
    parse_app_owner,
    parse_command,
    parse_dependency,
    parse_groups,
    parse_handler,
    parse_label,
    parse_mounts,
    parse_name,
    parse_path,
    parse_ports,
    parse_user_annotation,
    parse_user_label,
    parse_variable,
)


def command(text: str) -> tuple[str, ...]:
    return parse_command("--exec", text)


def user(text: str) -> str:
    return parse_app_owner("--user", text)


def path(text: str) -> str:
    return parse_path("--working-dir", text)


def pre_start(text: str) -> EventHandler:
    return parse_handler("pre-start", text)


ID = "sha512-" + "0" * 128
HTTP = Port(ACName("http"), "tcp", 80)
Parse = Callable[[str], object]

# The parser of an option, its words, what they mean. Those of the reference's own help and tests are among them.
GOOD: dict[str, tuple[Parse, str, object]] = {
    "a name": (parse_name, "example.com/app", "example.com/app"),
    "a label": (parse_label, "version=1=2", Label(ACIdentifier("version"), "1=2")),
    "an empty label": (parse_label, "channel=", Label(ACIdentifier("channel"), "")),
    "an annotation": (parse_annotation, "authors=A <a@b.c>", Annotation(ACIdentifier("authors"), "A <a@b.c>")),
    "a variable": (parse_variable, "PATH=/bin:/x y", EnvironmentVariable("PATH", "/bin:/x y")),
    "a user label": (parse_user_label, "Any Key=x", ("Any Key", "x")),
    "a user annotation": (parse_user_annotation, "a=b", ("a", "b")),
    "a command, as the reference splits it": (command, "/app --debug", ("/app", "--debug")),
    "a command with quotes": (command, """/bin/sh -c "echo 'a b'" c\\ d ''""", ("/bin/sh", "-c", "echo 'a b'", "c d", "")),
    "a command in which nothing is substituted": (command, "echo $HOME `x` * #x", ("echo", "$HOME", "`x`", "*", "#x")),
    "a handler": (pre_start, "/bin/prepare -v", EventHandler("pre-start", ("/bin/prepare", "-v"))),
    "a user": (user, "/usr/bin/ping", "/usr/bin/ping"),
    "groups": (parse_groups, "0,100,4294967294", (0, 100, 4294967294)),
    "a path": (path, "/opt/work", "/opt/work"),
    "a mount point": (parse_mounts, "work,path=/opt", (MountPoint(ACName("work"), "/opt"),)),
    "two mount points": (
        parse_mounts,
        "work,path=/opt,readOnly=true:work2,path=/a=b,readOnly=0",
        (MountPoint(ACName("work"), "/opt", True), MountPoint(ACName("work2"), "/a=b")),
    ),
    "a mount point in JSON": (parse_mounts, '{"name": "w", "path": "/a:b,c"}', (MountPoint(ACName("w"), "/a:b,c"),)),
    "two ports": (
        parse_ports,
        "http,protocol=tcp,port=80:dns,protocol=udp,port=53,count=3,socketActivated=T",
        (HTTP, Port(ACName("dns"), "udp", 53, 3, True)),
    ),
    "a port in JSON": (parse_ports, '{"name":"http","protocol":"tcp","port":80}', (HTTP,)),
    "a dependency": (parse_dependency, "example.com/os", Dependency(ACIdentifier("example.com/os"))),
    "a dependency with all that it can have": (
        parse_dependency,
        f"example.com/os:1,os=linux@{ID}",
        Dependency(
            ACIdentifier("example.com/os"),
            ID,  # type: ignore[arg-type]
            (Label(ACIdentifier("version"), "1"), Label(ACIdentifier("os"), "linux")),
        ),
    ),
    "a dependency in JSON": (parse_dependency, '{"imageName":"a","size":5}', Dependency(ACIdentifier("a"), size=5)),
}


@pytest.mark.parametrize("case", GOOD)
def test_the_value_of_an_option_means_a_value_of_the_manifest(case: str) -> None:
    parse, text, value = GOOD[case]
    assert parse(text) == value


# The parser of an option, its words, the line of their refusal.
BAD: dict[str, tuple[Parse, str, str]] = {
    "a name with capitals": (parse_name, "App", '--name: "App" is not an AC Identifier'),
    "a label without a value": (parse_label, "version", "--label version: not of the form NAME=VALUE"),
    "a label called name": (parse_label, "name=x", '--label name: a label cannot be called "name"'),
    "a label with a bad name": (parse_label, "A=x", '--label A: "A" is not an AC Identifier'),
    "an annotation with a bad name": (parse_annotation, "A=x", '--annotation A: "A" is not an AC Identifier'),
    "a home page that is none": (parse_annotation, "homepage=ftp://x", "--annotation homepage: "),
    "a time that is none": (parse_annotation, "created=now", "--annotation created: "),
    "a variable that begins with a digit": (parse_variable, "1A=secret", '--env 1A: "1A" does not begin with'),
    "a variable without a value": (parse_variable, "A", "--env A: not of the form NAME=VALUE"),
    "a user label without a value": (parse_user_label, "a", "--user-label a: not of the form"),
    "a user annotation without a name": (parse_user_annotation, "=a", "--user-annotation =a: not of the form"),
    "an empty command": (command, "", "--exec: names no program (--remove exec takes it out)"),
    "a command of spaces": (command, " ", "--exec: names no program"),
    "a program without a name": (command, "'' a", "--exec: names no program"),
    "a quote that does not end": (command, "/app 'x", "--exec /app 'x: no closing quotation"),
    "a backslash at the end": (command, "/app \\", "--exec /app \\: no escaped character"),
    "an empty handler": (pre_start, "", "--pre-start: names no program (--remove pre-start takes it out)"),
    "an empty user": (user, "", "--user: is empty"),
    "a group by name": (parse_groups, "1,wheel", "--supplementary-groups 1,wheel: supplementaryGIDs[1]: is not a whole number"),
    "a negative group": (parse_groups, "-1", "-1 is not from 0 to 4294967294"),
    "a group of 5,000 digits": (parse_groups, "1" * 5000, "is not a whole number"),
    "no groups": (parse_groups, "", "--supplementary-groups: supplementaryGIDs[0]: is not a whole number"),
    "a relative path": (path, "x", "--working-dir x: is not an absolute path"),
    "an empty path": (path, "", "--working-dir: is not an absolute path"),
    "a mount point without a path": (parse_mounts, "work", "--mounts work: path: is required"),
    "a mount point with a relative path": (parse_mounts, "work,path=x", "--mounts work,path=x: path: is not an absolute path"),
    "a second mount point that is bad": (parse_mounts, "a,path=/x:B,path=/y", '--mounts B,path=/y: name: "B" is not an AC Name'),
    "a mount point with a setting of its own": (parse_mounts, "w,path=/x,colour=red", "colour is no setting of it"),
    "a mount point with a path twice": (parse_mounts, "w,path=/x,path=/x", "path is given twice"),
    "a mount point that may be read-only": (parse_mounts, "w,path=/x,readOnly=yes", "readOnly: is neither true nor false"),
    "no mount point": (parse_mounts, "", '--mounts: name: "" is not an AC Name'),
    "a mount point that is no JSON": (parse_mounts, "{", "--mounts:1:2: not JSON: "),
    "a mount point in JSON without a path": (parse_mounts, '{"name": "w"}', "--mounts: path: is required"),
    "a port without a number": (parse_ports, "http,protocol=tcp", "--ports http,protocol=tcp: port: is required"),
    "a port without a protocol": (parse_ports, "http,port=80", "--ports http,port=80: protocol: is required"),
    "a port beyond the last": (parse_ports, "h,protocol=tcp,port=65536", "port: 65536 is not from 1 to 65535"),
    "a port that is no number": (parse_ports, "h,protocol=tcp,port=http", "port: is not a whole number"),
    "a range beyond the last port": (parse_ports, "h,protocol=tcp,port=65535,count=2", "the range ends at 65536"),
    "a dependency with capitals": (parse_dependency, "App", '--dependency App: "App" is not an AC Identifier'),
    "a dependency with a short image ID": (parse_dependency, "a@sha512-00", "--dependency a@sha512-00: an image ID has 128"),
    "a dependency for no machine": (parse_dependency, "a,os=plan9", '--dependency a,os=plan9: labels[0].value: "plan9"'),
}


@pytest.mark.parametrize("case", BAD)
def test_words_are_refused_for(case: str) -> None:
    parse, text, line = BAD[case]
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert line in str(caught.value)


def test_the_value_of_a_variable_is_nothing_for_a_log() -> None:
    with pytest.raises(UsageError) as caught:
        parse_variable("1A=secret")
    assert "secret" not in str(caught.value)


def test_what_is_not_utf_8_is_refused() -> None:
    check_text("--env", "A=é")
    with pytest.raises(UsageError, match="--env: is not UTF-8"):
        check_text("--env", "A=\udcff")


PARSERS = sorted({parse for parse, _, _ in GOOD.values()}, key=lambda parse: getattr(parse, "__name__", ""))


@given(some.sampled_from(PARSERS), some.text() | some.text(alphabet="a1A,=:/\"'\\{} @0\0.pathoruelncdyk"))
def test_any_words_mean_something_or_are_refused_with_our_error(parse: Parse, text: str) -> None:
    try:
        parse(text)
    except UsageError:
        return
