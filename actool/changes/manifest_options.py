"""Values of the options for manifests, parsed. What a value may be, `acspec` says, as it does for manifests.

The reference's syntax is read as it reads it, but for commands, whose words may be quoted. In place of the words for a mount point,
port, isolator or dependency stands, where somebody likes it better, the JSON object of the manifest.

Source: aci.md, Image Manifest Schema; the reference's actool/manifest.go.
"""

from __future__ import annotations

from collections.abc import Callable

from acspec.app import EnvironmentVariable, EventHandler, Port, parse_environment_name, parse_owner
from acspec.errors import FormatError, UsageError
from acspec.execution import MAX_ID
from acspec.fields import Fields
from acspec.image_manifest import ANNOTATIONS, Annotation, Dependency
from acspec.jsontext import parse_json
from acspec.labels import Label, parse_label_name
from acspec.names import ACIdentifier, parse_ac_identifier
from acspec.option_words import integer_or_text, parse_pair, parse_settings, typed
from acspec.references import parse_reference
from acspec.volumes import MountPoint, parse_absolute_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from acspec.jsontext import JSONValue

    Object = dict[str, JSONValue]
    Thing = TypeVar("Thing")

# As Go's strconv.ParseBool has them, for command lines that were written for the reference.
_BOOLEANS = {
    **dict.fromkeys(("true", "TRUE", "True", "t", "T", "1"), True),
    **dict.fromkeys(("false", "FALSE", "False", "f", "F", "0"), False),
}


def check_text(option: str, text: str) -> None:
    """Check that *text* can stand in a manifest, which is UTF-8. Raises: UsageError. Source: aci.md, Image Manifest Schema."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(option, "is not UTF-8") from None


def parse_name(text: str) -> ACIdentifier:
    """Return the name of an image. Raises: UsageError. Source: aci.md, name."""
    with typed():
        return parse_ac_identifier(text, "--name")


def parse_label(text: str) -> Label:
    """Return the label that `NAME=VALUE` means. Raises: UsageError. Source: aci.md, labels."""
    name, value = parse_pair("--label", text)
    with typed():
        return Label(parse_label_name(name, f"--label {name}"), value)


def parse_annotation(text: str) -> Annotation:
    """Return the annotation that `NAME=VALUE` means. Raises: UsageError. Source: aci.md, annotations."""
    name, value = parse_pair("--annotation", text)
    place = f"--annotation {name}"
    with typed():
        annotation = Annotation(parse_ac_identifier(name, place), value)
        if annotation.name in ANNOTATIONS:
            ANNOTATIONS[annotation.name](value, place)
    return annotation


def parse_variable(text: str) -> EnvironmentVariable:
    """Return the environment variable that `NAME=VALUE` means. Raises: UsageError. Source: aci.md, environment."""
    name, value = parse_pair("--env", text)
    with typed():
        return EnvironmentVariable(parse_environment_name(name, f"--env {name}"), value)


def parse_user_label(text: str) -> tuple[str, str]:
    """Return name and value of a user label. Raises: UsageError. Source: aci.md, userLabels."""
    return parse_pair("--user-label", text)


def parse_user_annotation(text: str) -> tuple[str, str]:
    """Return name and value of a user annotation. Raises: UsageError. Source: aci.md, userAnnotations."""
    return parse_pair("--user-annotation", text)


def parse_command(option: str, text: str) -> tuple[str, ...]:
    """Return the words of *text*, split and unquoted as a shell does; nothing in them is substituted. Raises: UsageError.

    Source: aci.md, exec; POSIX.1-2017, Shell Command Language, Quoting.
    """
    import shlex

    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"{option} {text}", str(error).lower()) from None
    if not words or not words[0]:
        raise UsageError(option, "names no program", f"--remove {option.removeprefix('--')} takes it out")
    return words


def parse_handler(event: str, text: str) -> EventHandler:
    """Return the handler of *event* that runs the words of *text*. Raises: UsageError. Source: aci.md, eventHandlers."""
    return EventHandler(event, parse_command(f"--{event}", text))


def parse_app_owner(option: str, text: str) -> str:
    """Return the user or group of an app. Raises: UsageError. Source: aci.md, user, group."""
    with typed():
        return parse_owner(text, option)


def parse_groups(text: str) -> tuple[int, ...]:
    """Return the numbers in `GID,GID,…`. Raises: UsageError. Source: aci.md, supplementaryGIDs."""
    values: Object = {"supplementaryGIDs": [integer_or_text(word) for word in text.split(",")]}
    with typed():
        return Fields(values, _place("--supplementary-groups", text)).integers("supplementaryGIDs", 0, MAX_ID)


def parse_path(option: str, text: str) -> str:
    """Return an absolute path inside an image. Raises: UsageError. Source: aci.md, workingDirectory, pathWhitelist."""
    with typed():
        return parse_absolute_path(text, _place(option, text))


def parse_mounts(text: str) -> tuple[MountPoint, ...]:
    """Return the mount points in `NAME,path=PATH[,readOnly=true][:NAME,…]`. Raises: UsageError. Source: aci.md, mountPoints."""
    return tuple(read_typed("--mounts", piece, MountPoint.read, _spell_mount) for piece in split_list(text))


def _spell_mount(place: str, text: str) -> Object:
    name, *words = text.split(",")
    settings = parse_settings(place, words, ("path", "readOnly"))
    return {"name": name, **{key: spell_boolean(value) if key == "readOnly" else value for key, value in settings.items()}}


def parse_ports(text: str) -> tuple[Port, ...]:
    """Return the ports in `NAME,protocol=tcp,port=80[,count=N][,socketActivated=true][:NAME,…]`. Raises: UsageError.

    Source: aci.md, ports.
    """
    return tuple(read_typed("--ports", piece, Port.read, _spell_port) for piece in split_list(text))


def _spell_port(place: str, text: str) -> Object:
    name, *words = text.split(",")
    settings = parse_settings(place, words, tuple(_PORT_SETTINGS))
    return {"name": name, **{key: _PORT_SETTINGS[key](value) for key, value in settings.items()}}


def parse_dependency(text: str) -> Dependency:
    """Return the dependency that `NAME[:VERSION][,LABEL=VALUE…][@IMAGE-ID]` means. Raises: UsageError.

    Source: aci.md, dependencies; spec/store.md, Image arguments.
    """
    return read_typed("--dependency", text, Dependency.read, _spell_dependency)


def _spell_dependency(place: str, text: str) -> Object:
    try:
        reference = parse_reference(text)
    except FormatError as error:  # which names the word alone
        raise FormatError(place, error.why, error.hint) from None
    labels: list[JSONValue] = [{"name": name, "value": value} for name, value in reference.labels.items()]
    values: Object = {"imageName": reference.name, "labels": labels, "imageID": reference.image_id}
    return {key: value for key, value in values.items() if value}


def split_list(text: str) -> list[str]:
    """Return the pieces of a list with colons between them; an object in JSON is one piece. Source: the reference's actool."""
    return [text] if text.startswith("{") else text.split(":")


def read_typed(option: str, text: str, read: Callable[[Fields], Thing], spell: Callable[[str, str], Object]) -> Thing:
    """Return what *text* means: an object in JSON, or words that *spell* makes one of; *read* checks it. Raises: UsageError.

    Source: aci.md, Image Manifest Schema.
    """
    place = _place(option, text)
    with typed():
        if text.startswith("{"):
            return read(Fields(parse_json(text.encode("utf-8"), option), option))
        return read(Fields(spell(place, text), place))


def spell_boolean(word: str) -> bool | str:
    """Return a boolean as the manifest has it; any other word as it is, for whoever checks it to refuse.

    Source: the reference's actool, which reads it as Go does.
    """
    return _BOOLEANS.get(word, word)


_PORT_SETTINGS: dict[str, Callable[[str], bool | int | str]] = {
    "protocol": str,
    "port": integer_or_text,
    "count": integer_or_text,
    "socketActivated": spell_boolean,
}


def _place(option: str, text: str) -> str:
    return f"{option} {text}" if text else option
