"""What stage1 said of a pod, as its file has it: nothing, a little, or more than anybody reads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrun.messages import read_messages

MESSAGES: dict[str, tuple[bytes | None, list[str]]] = {
    "no file": (None, []),
    "nothing": (b"", []),
    "two lines": (b"acstage1: a\nacstage1: b\n", ["acstage1: a", "acstage1: b"]),
    "a line that is not ended": (b"a\nb", ["a", "b"]),
    "no UTF-8": (b"\xff\n", ["\ufffd"]),
    "more than is shown, of which the last whole lines count": (b"x" * 20_000 + b"\nlast\n", ["last"]),
}


@pytest.mark.parametrize("sentence", MESSAGES)
def test_messages_are_read(tmp_path: Path, sentence: str) -> None:
    data, lines = MESSAGES[sentence]
    if data is not None:
        (tmp_path / "messages").write_bytes(data)
    assert read_messages(str(tmp_path)) == lines


@given(data=st.binary(max_size=40_000))
def test_whatever_is_in_there_is_lines(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    place = tmp_path_factory.getbasetemp() / "messages"
    place.write_bytes(data)
    assert all("\n" not in line and line for line in read_messages(str(place.parent)))


def test_of_another_user_s_pod_no_link_is_followed_and_no_fifo_waited_for(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret\n")
    (tmp_path / "messages").symlink_to("secret")
    with pytest.raises(OSError, match="symbolic links"):
        read_messages(str(tmp_path))
    (tmp_path / "messages").unlink()
    os.mkfifo(tmp_path / "messages")
    with pytest.raises(OSError, match="is no regular file"):
        read_messages(str(tmp_path))
