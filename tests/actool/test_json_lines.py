"""Results as lines of JSON: every name in them can be had back, and no line moves a terminal."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from actool.json_lines import decode_name, dump_line


@given(st.binary())
def test_any_name_is_one_line_of_printable_ascii_and_can_be_had_back(name: bytes) -> None:
    line = dump_line({"name": decode_name(name)})
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["name"].encode("utf-8", "surrogateescape") == name
