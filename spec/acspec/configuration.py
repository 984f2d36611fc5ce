"""Files of the configuration: read from each directory of CONFIG, and merged key by key, later directories winning.

Reading and merging know no key: what a file may say is for those to say who parse it. A key that is null takes away what earlier
files say. Each value knows the file that says it, so that whoever acts on it can name that.

Source: spec/configuration.md.
"""

from __future__ import annotations

import os
import stat

from acspec import limits
from acspec.errors import ConfigError, FormatError
from acspec.fields import Fields
from acspec.jsontext import parse_json, read_limited
from acspec.typed import Generic, TypeVar
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

T = TypeVar("T")


class Said(Value, Generic[T]):
    """What a key of the configuration says, and the file that says it."""

    value: T
    file: str


class ConfigFile(Value):
    """A file of the configuration as it was read: its path, its keys, its owner and mode."""

    path: str
    fields: Fields
    status: os.stat_result


def read_config_files(directories: Sequence[str], name: str, *, skip_closed: bool = False) -> list[ConfigFile]:
    """Return the files called *name* in those of *directories* that have one, in order.

    With *skip_closed*, those that the caller may not read are as if they were not there.

    Raises: ConfigError for what is no file, or no JSON object; OSError.
    Source: spec/configuration.md, Files.
    """
    return [file for directory in directories if (file := _find_file(os.path.join(directory, name), skip_closed)) is not None]


def _find_file(path: str, skip_closed: bool) -> ConfigFile | None:
    # A symbolic link is followed, unlike in a store: there are systems whose whole /etc is made of them.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        if skip_closed:
            return None
        raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(path, "is not a file")
        data = read_limited(descriptor, limits.MANIFEST_BYTES)
    finally:
        os.close(descriptor)
    try:
        return ConfigFile(path, Fields(parse_json(data, path), path), status)
    except FormatError as error:
        raise _as_configuration(error) from None


def parse_config_files(
    files: Iterable[ConfigFile], parse: Callable[[ConfigFile], Mapping[str, T | None]]
) -> Iterator[dict[str, Said[T | None]]]:
    """Yield what each of *files* says as *parse* reads it, each value with its file. Raises: ConfigError.

    Source: spec/configuration.md, Files.
    """
    for file in files:
        try:
            found = parse(file)
        except FormatError as error:
            raise _as_configuration(error) from None
        yield {key: Said(value, file.path) for key, value in found.items()}


def _as_configuration(error: FormatError) -> ConfigError:
    """Return the error of a bad format as that of bad configuration: nobody typed the name of this file."""
    return ConfigError(error.what, error.why, error.hint)


def merge(layers: Iterable[Mapping[str, Said[T | None]]]) -> dict[str, Said[T]]:
    """Return what *layers* say together: of each key what the last of them says, nothing when that is null.

    Source: spec/configuration.md, Files.
    """
    merged: dict[str, Said[T]] = {}
    for layer in layers:
        for key, said in layer.items():
            merged.pop(key, None)
            if said.value is not None:
                merged[key] = Said(said.value, said.file)
    return merged
