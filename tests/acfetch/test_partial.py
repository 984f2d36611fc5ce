"""What is kept of a broken download: whose, of what, and what is not taken for it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from acfetch.partial import HEAD, WORTH, Partial
from acfetch.ranges import Version

URL = "https://example.com/x.aci"
VERSION = Version('"x"', WORTH)


def opened(directory: Path, url: str = URL, given_up: tuple[str, ...] = (), *, is_signed: bool = True) -> Partial:
    return Partial(str(directory), url, given_up, is_signed=is_signed)


def body(version: Version | None = VERSION) -> Any:
    """Return as much of a body as matters here."""
    return SimpleNamespace(version=version)


def keep(directory: Path, data: bytes = b"abc", version: Version | None = VERSION) -> None:
    with opened(directory) as partial:
        partial.begin(body(version))
        partial.write(data)


def kept(directory: Path, **options: Any) -> bytes | None:
    with opened(directory, **options) as partial:
        return None if partial.version is None else partial.read(0, partial.size)


def test_what_was_kept_is_there_again_and_can_be_gone_on_with(tmp_path: Path) -> None:
    keep(tmp_path)
    with opened(tmp_path) as partial:
        assert (partial.version, partial.size, partial.read(1, 9)) == (VERSION, 3, b"bc")
        partial.go_on(2)
        partial.write(b"de")
    assert kept(tmp_path) == b"abde"
    assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]


def test_two_never_have_it_at_once(tmp_path: Path) -> None:
    keep(tmp_path)
    with opened(tmp_path) as first, opened(tmp_path) as second:
        assert (first.size, second.version) == (3, None)
        second.begin(body())
        second.write(b"no")
        second.clear()
        second.discard()
    assert kept(tmp_path) == b"abc"


def test_nothing_is_left_of_what_has_no_bytes_or_is_done_with(tmp_path: Path) -> None:
    opened(tmp_path).close()
    keep(tmp_path, b"")
    keep(tmp_path, version=None)
    keep(tmp_path, version=Version('"x"', WORTH - 1))
    keep(tmp_path, version=Version('"' + "x" * HEAD + '"', WORTH))
    assert list(tmp_path.iterdir()) == []
    keep(tmp_path)
    opened(tmp_path).discard()
    assert list(tmp_path.iterdir()) == []


def test_what_came_unverified_is_not_gone_on_with_as_if_it_had_been(tmp_path: Path) -> None:
    with opened(tmp_path, given_up=("tls",)) as partial:
        partial.begin(body())
        partial.write(b"evil")
    assert kept(tmp_path) is None
    assert kept(tmp_path, given_up=("tls",)) == b"evil"
    assert kept(tmp_path, url=f"{URL}\ntls") is None


def test_what_a_power_cut_may_have_damaged_is_for_what_is_signed(tmp_path: Path) -> None:
    keep(tmp_path)
    (file,) = tmp_path.iterdir()
    head = json.loads(file.read_bytes()[:HEAD])
    head["boot"] = "another"
    file.write_bytes(json.dumps(head).encode().ljust(HEAD) + b"abc")
    assert kept(tmp_path) == b"abc"
    assert kept(tmp_path, is_signed=False) is None


HEADS: dict[str, bytes] = {
    "nothing": b"",
    "less than a head": b"{}",
    "no JSON": b"x" * HEAD,
    "a list": b"[]".ljust(HEAD),
    "no URL": b"{}".ljust(HEAD),
    "another URL": b'{"url":"https://example.com/y","validator":"\\"x\\"","boot":"","size":9}'.ljust(HEAD),
    "a size below nothing": b'{"url":"https://example.com/x.aci","validator":"\\"x\\"","boot":"","size":-9}'.ljust(HEAD),
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_a_file_is_as_good_as_none_that_holds(head: bytes, tmp_path: Path) -> None:
    keep(tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(head + b"abc")
    assert kept(tmp_path) is None
    keep(tmp_path, b"new")
    assert kept(tmp_path) == b"new"


def test_a_file_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    keep(tmp_path)
    (file,) = tmp_path.iterdir()
    file.chmod(0o666)
    assert kept(tmp_path) is None
    keep(tmp_path, b"new")
    assert file.read_bytes()[HEAD:] == b"abc"


def test_what_is_no_file_is_not_used(tmp_path: Path) -> None:
    keep(tmp_path)
    (file,) = tmp_path.iterdir()
    for make in (os.mkfifo, os.mkdir, lambda path: os.symlink("/etc/passwd", path)):
        file.rmdir() if file.is_dir() and not file.is_symlink() else file.unlink()
        make(file)
        keep(tmp_path)
        assert kept(tmp_path) is None


def test_a_directory_that_is_not_there_keeps_nothing(tmp_path: Path) -> None:
    keep(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_ends_what_is_kept_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    limit = HEAD + 4
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        keep(tmp_path, b"abcdef")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert kept(tmp_path) == b"abcd"
