"""Where a passphrase comes from."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.errors import MissingInputError, ToolError, UsageError
from acspec.limits import PASSPHRASE_BYTES
from acspec.passphrase import Passphrase
from tests.support import images
from tests.support.terminal import ACTOOL, alone, at_terminal


def from_pipe(data: bytes) -> bytes:
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    try:
        return Passphrase(reading).read()
    finally:
        os.close(reading)


def from_file(path: Path, data: bytes) -> bytes:
    path.write_bytes(data)
    return Passphrase(None, str(path)).read()


LINES = {
    "a line": (b"secret\n", b"secret"),
    "no end of a line": (b"secret", b"secret"),
    "an end as DOS has it": (b"secret\r\n", b"secret"),
    "more lines": (b"secret\nnot this\n", b"secret"),
    "blanks, which count": (b"  secret \n", b"  secret "),
    "bytes that are not UTF-8": (b"\xff\xfe\n", b"\xff\xfe"),
    "as much as it may": (b"x" * PASSPHRASE_BYTES, b"x" * PASSPHRASE_BYTES),
}


@pytest.mark.parametrize("case", LINES)
def test_a_passphrase_is_the_first_line(case: str, tmp_path: Path) -> None:
    data, passphrase = LINES[case]
    assert from_pipe(data) == from_file(tmp_path / "file", data) == passphrase


REFUSED: dict[str, tuple[bytes, type[ToolError], str]] = {
    "nothing": (b"", UsageError, "holds no passphrase"),
    "an empty line": (b"\nsecret\n", UsageError, "holds no passphrase"),
    "a zero byte": (b"sec\0ret\n", UsageError, "cannot hold a NUL byte"),
    "too much": (b"x" * (PASSPHRASE_BYTES + 1), UsageError, "larger than the limit of 1024 bytes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_source_is_refused_that_holds(case: str, tmp_path: Path) -> None:
    data, kind, why = REFUSED[case]
    with pytest.raises(kind, match=why):
        from_pipe(data)
    with pytest.raises(kind, match=f"file: {why}|file: a passphrase {why}"):
        from_file(tmp_path / "file", data)


@given(st.binary(max_size=PASSPHRASE_BYTES + 2))
def test_any_bytes_are_a_passphrase_or_refused(data: bytes) -> None:
    try:
        found = from_pipe(data)
    except UsageError:
        return
    assert found
    assert data.startswith(found)
    assert not set(found) & set(b"\0\n")


def test_a_pipe_may_stay_open_after_the_line() -> None:
    reading, writing = os.pipe()
    try:
        thread = threading.Thread(target=os.write, args=(writing, b"secret\n"))
        thread.start()
        assert Passphrase(reading).read() == b"secret"
        thread.join()
    finally:
        os.close(reading)
        os.close(writing)


def test_a_descriptor_is_read_once(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"secret\n")
    os.close(writing)
    passphrase = Passphrase(reading)
    assert passphrase.read() == passphrase.read() == b"secret"
    os.close(reading)


def test_what_is_named_wrongly_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        Passphrase(0, "file")
    with pytest.raises(UsageError, match="--passphrase-fd 9999: is not open"):
        Passphrase(9999)
    with pytest.raises(UsageError, match="--passphrase-fd -1: is not open"):
        Passphrase(-1)
    with pytest.raises(MissingInputError, match="nowhere: no such file"):
        Passphrase(None, str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="a directory, not a file"):
        Passphrase(None, str(tmp_path))
    with open(tmp_path / "written", "wb") as file, pytest.raises(UsageError, match="is open for writing only"):
        Passphrase(file.fileno())


ENCRYPT = ("encrypt", "--quiet", "x.aci", "e.aci")


def test_nobody_is_asked_where_there_is_no_terminal(tmp_path: Path) -> None:
    images.write_image(tmp_path / "x.aci")
    ended = alone(*ENCRYPT, place=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert ended.stderr == b"actool: passphrase: none is given (--passphrase-file FILE or --passphrase-fd N)\n"


@pytest.mark.parametrize("secret", ["sesam öffne dich", " blanks "])
def test_a_person_is_asked_twice_for_a_new_passphrase_and_once_for_an_old_one(tmp_path: Path, secret: str) -> None:
    identity = images.write_image(tmp_path / "x.aci")
    with at_terminal([*ACTOOL, *ENCRYPT], tmp_path) as terminal:
        terminal.wait_for("Passphrase: ")
        assert not terminal.echoes()
        terminal.answer("Passphrase: ", secret)
        terminal.answer("The same again: ", secret)
        assert terminal.end() == 0
        assert secret not in terminal.shown
    with at_terminal([*ACTOOL, "id", "e.aci", "x.aci", "e.aci"], tmp_path) as terminal:
        terminal.answer("Passphrase: ", secret)
        assert terminal.end() == 0
        assert terminal.shown.split() == [identity] * 3
    (tmp_path / "secret").write_text(secret)
    assert alone("id", "--passphrase-file", "secret", "e.aci", place=tmp_path).stdout.decode().strip() == identity


def test_a_person_is_asked_while_the_image_comes_through_a_pipe(tmp_path: Path) -> None:
    identity = images.write_image(tmp_path / "x.aci")
    words = [*ACTOOL, "encrypt", "--quiet", "-", "e.aci"]
    with (tmp_path / "x.aci").open("rb") as image, at_terminal(words, tmp_path, stdin=image) as one:
        one.answer("Passphrase: ", "secret")
        one.answer("The same again: ", "secret")
        assert one.end() == 0
    with (tmp_path / "e.aci").open("rb") as image, at_terminal([*ACTOOL, "id", "-"], tmp_path, stdin=image) as other:
        other.answer("Passphrase: ", "secret")
        assert other.end() == 0
        assert other.shown.strip() == identity


TYPED = {
    "two that differ": (["one", "two"], "passphrase: the two that were typed differ"),
    "one and nothing": (["one", ""], "passphrase: the two that were typed differ"),
    "nothing": ([""], "passphrase: holds no passphrase"),
    "too much": (["x" * 1025], "passphrase: larger than the limit of 1024 bytes"),
}


@pytest.mark.parametrize("case", TYPED)
def test_a_person_may_type_something_wrong(case: str, tmp_path: Path) -> None:
    lines, said = TYPED[case]
    images.write_image(tmp_path / "x.aci")
    with at_terminal([*ACTOOL, *ENCRYPT], tmp_path) as terminal:
        for question, line in zip(("Passphrase: ", "The same again: "), lines, strict=False):
            terminal.answer(question, line)
        assert terminal.end() in (2, 65)
        assert said in terminal.shown
    assert [path.name for path in tmp_path.iterdir()] == ["x.aci"]


@pytest.mark.parametrize(("key", "code"), [(b"\x03", 130), (b"\x04", 2)], ids=["Ctrl-C", "Ctrl-D"])
def test_a_person_may_give_up(key: bytes, code: int, tmp_path: Path) -> None:
    images.write_image(tmp_path / "x.aci")
    with at_terminal([*ACTOOL, *ENCRYPT], tmp_path) as terminal:
        terminal.wait_for("Passphrase: ")
        terminal.press(key)
        assert terminal.process.wait() == code
        assert terminal.echoes()
    assert [path.name for path in tmp_path.iterdir()] == ["x.aci"]
