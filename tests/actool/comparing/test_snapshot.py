"""All that an image says of its files, taken down and given back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from tempfile import TemporaryFile

from hypothesis import given
from hypothesis import strategies as some

from acspec.archive.entry import Entry, Kind
from actool.comparing.content_digest import digest_content
from actool.comparing.snapshot import NO_DIGEST, Snapshot, read_snapshot
from actool.inputs import Input
from tests.support.images import Node, compress, hard_link, image_id, manifest_bytes, tar

KEY = bytes(16)
NUMBERS = some.integers(0, 2**32 - 2)


@given(
    some.builds(
        Entry,
        some.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name),
        some.sampled_from([kind for kind in Kind if kind not in (Kind.HARD_LINK, Kind.SYMLINK)]),
        some.integers(0, 0o7777),
        NUMBERS,
        NUMBERS,
        some.integers(-(2**62) * 10**9, 2**62 * 10**9),
        some.integers(0, 2**63 - 1),
        some.just(b""),
        some.integers(0, 4095),
        some.integers(0, 2**20 - 1),
        some.dictionaries(some.binary(min_size=1, max_size=255), some.binary(max_size=500), max_size=3),
        some.just(0),
    ),
    some.binary(min_size=32, max_size=32),
)
def test_whatever_is_taken_down_is_given_back(entry: Entry, digest: bytes) -> None:
    with closing(Snapshot(KEY)) as snapshot:
        snapshot.add(entry, digest)
        items = list(snapshot)
        assert [item.path for item in items] == [entry.name]
        assert snapshot.get(items[0].place) == (entry._replace(name=b""), digest, b"")


@given(some.binary(min_size=1, max_size=70_000))
def test_a_target_of_any_length_is_given_back(target: bytes) -> None:
    with closing(Snapshot(KEY)) as snapshot:
        snapshot.add(Entry(b"a", Kind.SYMLINK, 0o644, link_name=target), NO_DIGEST)
        (item,) = snapshot
        assert snapshot.get(item.place).entry.link_name == target


PATHS = some.lists(some.binary(min_size=1, max_size=3).filter(lambda part: not {0, 0x2F} & set(part)), min_size=1, max_size=4)


@given(some.lists(PATHS.map(b"/".join), unique=True))
def test_what_is_in_a_directory_comes_right_behind_it(paths: list[bytes]) -> None:
    with closing(Snapshot(KEY)) as snapshot:
        for path in paths:
            snapshot.add(Entry(path, Kind.FILE), NO_DIGEST)
        assert [item.path for item in snapshot] == sorted(paths, key=lambda path: path.split(b"/"))


@contextmanager
def taken(data: bytes, key: bytes = KEY) -> Iterator[Snapshot]:
    with closing(Snapshot(key)) as snapshot, TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        read_snapshot(snapshot, Input(file.fileno(), "x.aci"))
        yield snapshot


FILES: Mapping[str, Node | bytes | str | None] = {"b": b"data", "a": hard_link("b"), "a-": Node(b"", mode=0o600), "d/e": "a"}


def test_an_image_is_taken_down_in_the_order_of_a_tree() -> None:
    data = tar(FILES)
    with taken(compress(data, "xz")) as snapshot:
        assert snapshot.image_id == image_id(data)
        assert snapshot.manifest_bytes == manifest_bytes()
        items = {item.path: item for item in snapshot}
        assert list(items) == [b"manifest", b"rootfs", b"rootfs/a", b"rootfs/a-", b"rootfs/b", b"rootfs/d/e"]
        assert items[b"rootfs/a"].place == items[b"rootfs/b"].place
        assert list(snapshot.shared) == [items[b"rootfs/b"].place]
        assert snapshot.get(items[b"rootfs/b"].place).digest == digest_content([(0, b"data")], 4)
        assert snapshot.get(items[b"rootfs/a-"].place).entry.mode == 0o600


def fingerprints(key: bytes) -> list[bytes]:
    with taken(tar(FILES), key) as snapshot:
        return [item.fingerprint for item in snapshot]


def test_fingerprints_are_equal_for_equal_files_and_one_key() -> None:
    assert fingerprints(KEY) == fingerprints(KEY) != fingerprints(b"k" * 16)


def sequence(files: Mapping[str, bytes]) -> bytes:
    with taken(tar(files)) as snapshot:
        return snapshot.sequence


def test_the_order_of_an_archive_is_known() -> None:
    assert sequence({"a": b"", "b": b""}) == sequence({"a": b"", "b": b"x"}) != sequence({"b": b"", "a": b""})
