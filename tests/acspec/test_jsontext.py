"""Strict JSON: what is read, what is refused and with which words, and that what we write we read back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec import limits
from acspec.errors import FormatError, MissingInputError
from acspec.jsontext import dump_json, dump_like, dump_pretty, parse_json, read_json_file

SPEC = Path(__file__).resolve().parents[2] / "spec"

REFUSED = {
    "a key given twice": (b'{"a": 1, "a": 2}', 'duplicate key "a"'),
    "a key given twice deep inside": (b'[{"x": {"b": 1, "b": 1}}]', 'duplicate key "b"'),
    "not a number": (b"[NaN]", "NaN is not JSON"),
    "infinity": (b"[-Infinity]", "-Infinity is not JSON"),
    "a float that overflows": (b"1e999", "out of range"),
    "an integer beyond 64 bits": (b"9223372036854775808", "beyond 64 bits"),
    "an integer of 5000 digits": (b"1" * 5000, "beyond 64 bits"),
    "a trailing comma": (b'{"a": 1,}', "not JSON: "),  # Python 3.13 has words of its own for it, and points at the comma
    "a missing colon": (b'{"a" 1}', "m:1:6: not JSON: expecting ':'"),
    "a missing value": (b'{\n"a":', "m:2:5: not JSON: a value is missing"),
    "nothing at all": (b"", "m:1:1: not JSON: a value is missing"),
    "more after the value": (b"{} {}", "m:1:4: not JSON: there is more after the value"),
    "a control character in a string": (b'"\x01"', "invalid control character"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "byte order mark"),
    "UTF-16": ('{"a": 1}'.encode("utf-16-le"), "not JSON"),
    "bytes that are not UTF-8": (b'"\xff"', "not UTF-8 at byte 1"),
    "half of a surrogate pair": (b'"\\ud800"', "half of a surrogate pair"),
    "half of a surrogate pair as a key": (b'{"\\udfff": 1}', "half of a surrogate pair"),
    "lists nested too deep": (b"[" * 65 + b"]" * 65, "deeper than the limit of 64"),
    "a bomb of brackets": (b"[" * 500_000, "deeper than the limit of 64"),
    "more bytes than allowed": (b" " * (limits.MANIFEST_BYTES + 1), "larger than the limit of 1048576 bytes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_with_its_place_and_reason(case: str) -> None:
    data, words = REFUSED[case]
    with pytest.raises(FormatError) as caught:
        parse_json(data, "m")
    assert words in str(caught.value)


def test_nesting_up_to_the_limit_is_read_even_with_brackets_in_strings() -> None:
    data = b"[" * 63 + b'"' + b"[" * 100 + b'\\""' + b"]" * 63
    assert parse_json(data, "m") == json.loads(data)


def test_a_refusal_is_one_line_even_when_the_key_is_hostile() -> None:
    with pytest.raises(FormatError) as caught:
        parse_json(b'{"\\u001b[2J\\n": 1, "\\u001b[2J\\n": 2}', "m")
    assert str(caught.value).isprintable()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_back(value: object) -> None:
    assert parse_json(dump_json(value), "m") == value  # type: ignore[arg-type]
    assert parse_json(dump_pretty(value), "m") == value  # type: ignore[arg-type]
    assert json.loads(dump_json(value)) == value  # type: ignore[arg-type]


LAYOUTS = {
    "on one line": b'{"a":[1,{"b":2}]}',
    "on one line with an end": b'{"a":[1,{"b":2}]}\n',
    "two spaces": b'{\n  "a": [\n    1,\n    {\n      "b": 2\n    }\n  ]\n}\n',
    "four spaces": dump_pretty({"a": [1, {"b": 2}]}),
    "tabs": b'{\n\t"a": [\n\t\t1,\n\t\t{\n\t\t\t"b": 2\n\t\t}\n\t]\n}\n\n',
    "no indentation": b'{\n"a": [\n1,\n{\n"b": 2\n}\n]\n}',
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_value_is_laid_out_as_its_model(layout: str) -> None:
    assert dump_like({"a": [1, {"b": 2}]}, LAYOUTS[layout]) == LAYOUTS[layout]


def test_a_model_of_nothing_but_spaces_does_not_make_a_value_swell() -> None:
    value = dict.fromkeys(map(str, range(1000)))
    assert len(dump_like(value, b"{\n" + b" " * 900_000 + b'"a": 1}')) < 30_000


@given(VALUES, st.text(alphabet=" \t\r\n", max_size=20), st.text(alphabet=" \t\r\n", max_size=20))
def test_what_is_written_like_any_model_is_read_back(value: object, space: str, end: str) -> None:
    model = f'{{{space}"a": 1}}{end}'.encode()
    assert parse_json(dump_like(value, model), "m") == value  # type: ignore[arg-type]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_as_json_reads_them_or_refused_with_our_error(data: bytes) -> None:
    try:
        value = parse_json(data, "m")
    except FormatError:
        return
    assert json.loads(data.decode("utf-8")) == value


@given(
    st.text(
        st.sampled_from(["a", "\u00e9", "\u3000", "\x1b", "\x7f", "\x9b", "\u200d", "\u202e", "\u2028", "\ufeff", "\U0001f600"])
    )
)
def test_nothing_that_is_written_commands_a_terminal_or_hides_from_who_reads_it(text: str) -> None:
    for data in (dump_json({text: text}), dump_pretty({text: text}), dump_like({text: text}, b"{}")):
        assert parse_json(data, "m") == {text: text}
        assert set(data.decode()) <= set('a\u00e9\u3000\U0001f6000123456789abcdefu\\nrt \n{}:",')


def test_a_link_is_not_followed_and_an_absent_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"{}")
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(OSError, match="symbolic"):
        read_json_file(str(tmp_path / "link"))
    with pytest.raises(MissingInputError):
        read_json_file(str(tmp_path / "absent"))


def test_reading_imports_neither_json_nor_re() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(SPEC)!r}); from acspec import jsontext, durable, locks, pods, program;"
        "jsontext.parse_json(b'{\"a\": [1]}', 'm'); jsontext.dump_json({'a': 1});"
        "print(*sorted({'json', 're', 'enum', 'dataclasses', 'typing', 'argparse', 'socket', 'signal', 'subprocess', 'pathlib'}"
        " & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
