"""Files of the configuration: what is one, and what several say together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec import limits
from acspec.configuration import ConfigFile, Said, merge, parse_config_files, read_config_files
from acspec.errors import ConfigError, FormatError


@pytest.fixture
def directories(tmp_path: Path) -> list[str]:
    for name in ("vendor", "system", "own"):
        (tmp_path / name).mkdir()
    return [str(tmp_path / name) for name in ("vendor", "system", "own")]


def write(directory: str, value: Any) -> None:
    Path(directory, "x.json").write_text(value if isinstance(value, str) else json.dumps(value))


def parse(file: ConfigFile) -> dict[str, int | None]:
    found = {name: file.fields.integer(name, 0, 9) for name in ("a", "b", "c") if file.fields.holds(name)}
    file.fields.check_known()
    return found


def read(directories: list[str]) -> dict[str, Said[int]]:
    return merge(parse_config_files(read_config_files(directories, "x.json"), parse))


def test_later_files_win_key_by_key_and_null_takes_away(directories: list[str]) -> None:
    vendor, system, own = directories
    write(vendor, {"a": 1, "b": 1, "c": 1})
    write(own, {"b": 3, "c": None})
    assert read(directories) == {"a": Said(1, f"{vendor}/x.json"), "b": Said(3, f"{own}/x.json")}
    write(system, {"a": None, "c": 2})
    assert read(directories) == {"b": Said(3, f"{own}/x.json")}
    assert read([vendor, own, system]) == {"b": Said(3, f"{own}/x.json"), "c": Said(2, f"{system}/x.json")}


def test_directories_that_are_not_there_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert read([str(tmp_path / "nowhere"), str(tmp_path / "file"), str(tmp_path)]) == {}


def test_a_link_is_followed(directories: list[str], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text('{"a": 1}')
    Path(directories[0], "x.json").symlink_to(tmp_path / "elsewhere")
    assert read(directories)["a"].value == 1


BAD = {
    "no JSON": ("nope", ":1:1", "not JSON"),
    "a list": ("[]", "", "not a JSON object"),
    "nothing": ("", ":1:1", "not JSON"),
    "a key twice": ('{"a": 1, "a": 2}', "", 'duplicate key "a"'),
    "a key that nobody knows": ('{"A": 1}', ": A", "is not known"),
    "a value of another type": ('{"a": "1"}', ": a", "is not a whole number"),
    "a value out of range": ('{"a": 10}', ": a", "10 is not from 0 to 9"),
    "more than the limit": (f'{{"a": 1{" " * limits.MANIFEST_BYTES}}}', "", "larger than the limit of 1048576 bytes"),
}


@pytest.mark.parametrize(("text", "place", "why"), BAD.values(), ids=BAD)
def test_a_file_is_bad_configuration_that_holds(text: str, place: str, why: str, directories: list[str]) -> None:
    write(directories[1], text)
    write(directories[2], {"a": 1, "b": 1, "c": 1})  # hides it, and does not help
    with pytest.raises(ConfigError, match=why) as caught:
        read(directories)
    assert caught.value.what == f"{directories[1]}/x.json{place}"


def test_what_is_no_file_is_bad_configuration_and_nobody_waits_for_it(directories: list[str]) -> None:
    path = Path(directories[0], "x.json")
    for make in (path.mkdir, lambda: os.mkfifo(path), lambda: path.symlink_to("/dev/zero")):
        make()
        with pytest.raises(ConfigError, match="is not a file"):
            read(directories)
        path.rmdir() if path.is_dir() else path.unlink()


def test_a_file_that_may_not_be_read_is_an_error_unless_it_is_to_be_skipped(directories: list[str]) -> None:
    write(directories[0], {"a": 1})
    write(directories[1], {"b": 1})
    Path(directories[0], "x.json").chmod(0)
    code = (
        "import sys; from acspec.configuration import read_config_files as read\n"
        "try: read(sys.argv[1:], 'x.json')\n"
        "except PermissionError as error: print(error.filename)\n"
        "print(*(file.path for file in read(sys.argv[1:], 'x.json', skip_closed=True)))"
    )
    held = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    said = subprocess.run([*held, sys.executable, "-c", code, *directories], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == [f"{directories[0]}/x.json", f"{directories[1]}/x.json"]


layers = st.lists(st.dictionaries(st.sampled_from("abc"), st.none() | st.integers(0, 9)), max_size=5)


@given(layers)
def test_merged_is_what_the_last_layer_with_the_key_says(values: list[dict[str, int | None]]) -> None:
    said = [{key: Said(value, str(number)) for key, value in layer.items()} for number, layer in enumerate(values)]
    merged = merge(said)
    for key in "abc":
        last = next((layer[key] for layer in reversed(said) if key in layer), None)
        assert merged.get(key) == (last if last is not None and last.value is not None else None)


@given(
    st.text(st.sampled_from('{}[]":,abc1 \\\n\x00é'), max_size=40) | st.binary(max_size=40).map(lambda data: data.decode("latin-1"))
)
def test_any_text_is_configuration_or_an_error_of_ours(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    directory = tmp_path_factory.mktemp("any")
    (directory / "x.json").write_text(text, encoding="utf-8")
    try:
        found = read([str(directory)])
    except ConfigError:
        return
    assert all(0 <= said.value <= 9 for said in found.values())


def test_a_parser_s_own_errors_come_with_their_hints(directories: list[str]) -> None:
    def refuse(file: ConfigFile) -> dict[str, int | None]:
        raise FormatError(file.path, "why", "hint")

    write(directories[0], {})
    with pytest.raises(ConfigError, match=r"x\.json: why \(hint\)"):
        list(parse_config_files(read_config_files(directories, "x.json"), refuse))
