"""Values of options, parsed: --volume, --mount, --env and such. What a value may be, `acspec` says.

Source: pods.md, volumes and mounts; docs/man/acrun.1.
"""

from __future__ import annotations

import os

from acrun.mounts import free_name
from acspec import limits
from acspec.app import parse_environment_name
from acspec.errors import FormatError, UsageError
from acspec.execution import MAX_ID, MOST_BYTES
from acspec.fields import Fields, Oddity
from acspec.image_manifest import Annotation
from acspec.names import parse_ac_identifier, parse_ac_name, sanitise_ac_name
from acspec.option_words import BOOLEANS, integer_or_text, parse_pair, parse_settings, typed
from acspec.quantities import parse_quantity
from acspec.volumes import Mount, Volume, parse_absolute_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from acspec.jsontext import JSONValue
    from acspec.names import ACName

_VOLUME_KEYS = ("kind", "source", "readOnly", "recursive", "mode", "uid", "gid", "size")
_PAGE = os.sysconf("SC_PAGESIZE")


def parse_volumes(words: Sequence[str]) -> tuple[tuple[Volume, ...], tuple[Mount, ...]]:
    """Return the volumes that the words behind --volume mean, and the mounts of those of the short form `SOURCE:TARGET[:ro]`.

    Raises: UsageError.
    Source: pods.md, volumes and mounts.
    """
    volumes = [parse_volume(word) for word in words if not _is_short(word)]
    mounts: list[Mount] = []
    for word in filter(_is_short, words):
        volume, mount = _parse_short(word, {volume.name: volume for volume in volumes})
        if any(os.path.normpath(mount.path) == os.path.normpath(other.path) for other in mounts):
            raise UsageError(f"--volume {word}", f"another volume goes to {mount.path}, too")
        volumes += [volume] if volume is not None else []
        mounts.append(mount)
    return tuple(volumes), tuple(mounts)


def _is_short(word: str) -> bool:
    return _is_path(word) or ":" in word.partition(",")[0]


def _is_path(source: str) -> bool:
    return source.startswith(("/", "./", "../")) or source in (".", "..")


def _parse_short(word: str, others: Mapping[ACName, Volume]) -> tuple[Volume | None, Mount]:
    """Return the volume (None: one that is named) and the mount of `SOURCE:TARGET`, `SOURCE:TARGET:ro` or `NAME:TARGET`."""
    option = f"--volume {word}"
    source, target, access = (*word.split(":"), "rw")[:3] if word.count(":") in (1, 2) else ("", "", "")
    if not source or access not in ("ro", "rw"):
        raise UsageError(option, "not of the form SOURCE:TARGET, SOURCE:TARGET:ro or NAME,kind=…")
    with typed():
        parse_absolute_path(target, f"{option}: {target}")
        if _is_path(source):
            name = free_name(sanitise_ac_name(f"bind {target.replace('/', ' ')}"), others)
            volume = Volume(name, "host", os.path.abspath(source), read_only=access == "ro" or None)
            return volume, Mount(name, target)
        if access == "ro":
            raise UsageError(
                option, "a volume by name is read-only when its own --volume says so", f"--volume {source},readOnly=true,…"
            )
        return None, Mount(parse_ac_name(source, option), target)


def parse_user(text: str | None) -> str | None:
    """Return what `--user` means. Raises: UsageError for `USER:GROUP`, which no /etc/passwd can hold. Source: aci.md, user."""
    if text is not None and ":" in text and not text.startswith("/"):
        user, _, group = text.partition(":")
        raise UsageError(f"--user {text}", "names a group, too", f"--user {user} --group {group}")
    return text


def parse_volume(text: str) -> Volume:
    """Return the volume that `NAME,kind=host,source=PATH,readOnly=true,recursive=false` means, or `NAME,kind=empty,mode=0750,…`.

    Raises: UsageError.
    Source: pods.md, volumes.
    """
    option = f"--volume {text}"
    if "," not in text and "/" in text:
        raise UsageError(option, "not of the form NAME,kind=host,source=PATH", "SOURCE:TARGET says where, too")
    name, *words = text.split(",")
    settings = parse_settings(option, words, _VOLUME_KEYS)
    settings.pop("size", None)  # no word of a manifest's: `parse_volume_size` reads it
    values: dict[str, JSONValue] = {"name": name, "kind": "host" if "source" in settings else "empty"}
    values |= {key: _as_json(key, value) for key, value in settings.items()}
    warnings: list[Oddity] = []
    with typed():
        volume = Volume.read(Fields(values, option, warnings=warnings))
    if warnings:  # who types it means something by it
        raise UsageError(option, warnings[0])
    return volume


def parse_volume_size(text: str) -> tuple[str, int] | None:
    """Return name and size in bytes of a volume that is given one (`NAME,kind=empty,size=64M`), else None. Raises: UsageError."""
    option = f"--volume {text}"
    name, *words = text.split(",")
    settings = parse_settings(option, words, _VOLUME_KEYS) if not _is_short(text) else {}
    if "size" not in settings:
        return None
    if settings.get("kind", "empty") != "empty" or "source" in settings:
        raise UsageError(option, "size is for a volume of kind empty")
    with typed():
        size = parse_quantity(settings["size"], option).amount
    if not _PAGE <= size <= MOST_BYTES:
        raise UsageError(option, f"the size is not from {_PAGE} bytes to 1 PiB")
    return name, size


def _as_json(key: str, value: str) -> JSONValue:
    """Return a word as the manifest would have it; one that means nothing stays as it is, for the reader to refuse."""
    if key in ("readOnly", "recursive"):
        return BOOLEANS.get(value, value)
    if key in ("uid", "gid"):
        return integer_or_text(value)
    return os.path.abspath(value) if key == "source" and value else value


def parse_mount(text: str) -> Mount:
    """Return the mount that `volume=NAME,target=PATH` means. Raises: UsageError.

    Source: pods.md, mounts.
    """
    option = f"--mount {text}"
    settings = parse_settings(option, text.split(","), ("volume", "target"))
    if len(settings) != 2:
        raise UsageError(option, "not of the form volume=NAME,target=PATH")
    with typed():
        return Mount(parse_ac_name(settings["volume"], option), parse_absolute_path(settings["target"], option))


def parse_variable(text: str) -> tuple[str, str]:
    """Return name and value of `NAME=VALUE`. Raises: UsageError. Source: aci.md, environment."""
    return parse_pair("--env", text)


def read_variables(path: str) -> list[tuple[str, str]]:
    """Return the variables in the file *path*: `NAME=VALUE` a line, values as they stand; empty lines and `# …` are passed over.

    Raises: MissingInputError; FormatError with the line at fault; OSError.
    Source: aci.md, environment; docs/man/acrun.1.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(limits.MANIFEST_BYTES + 1)
    except IsADirectoryError:
        raise FormatError(path, "is a directory") from None
    if len(data) > limits.MANIFEST_BYTES:
        raise FormatError(path, f"larger than the limit of {limits.MANIFEST_BYTES} bytes")
    return [_read_variable(line, f"{path}:{number}") for number, line in enumerate(data.split(b"\n"), 1) if _says_something(line)]


def _says_something(line: bytes) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith(b"#")


def _read_variable(line: bytes, place: str) -> tuple[str, str]:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError(place, "is not UTF-8") from None
    name, equals, value = text.partition("=")
    if not equals or "\0" in text:
        raise FormatError(place, "not of the form NAME=VALUE")
    return parse_environment_name(name, place), value


def parse_variables(typed: Sequence[str] | None, files: Sequence[str] | None) -> tuple[tuple[str, str], ...]:
    """Return the variables of *files* and those that were *typed*, which win by coming last. Raises: UsageError; OSError."""
    return (*(variable for file in files or () for variable in read_variables(file)), *map(parse_variable, typed or ()))


def parse_annotation(text: str) -> Annotation:
    """Return the annotation that `NAME=VALUE` means. Raises: UsageError. Source: pods.md, apps: annotations."""
    name, value = parse_pair("--annotation", text)
    with typed():
        return Annotation(parse_ac_identifier(name, f"--annotation {text}"), value)


def parse_gids(text: str | None) -> tuple[int, ...]:
    """Return the numbers of groups in `GID,GID,…`, none for None. Raises: UsageError. Source: aci.md, supplementaryGIDs."""
    if text is None:
        return ()
    numbers = [integer_or_text(word) for word in text.split(",")]
    if not all(isinstance(number, int) and 0 <= number <= MAX_ID for number in numbers):
        raise UsageError(f"--supplementary-gids {text}", f"not numbers from 0 to {MAX_ID} with commas between them")
    return tuple(number for number in numbers if isinstance(number, int))
