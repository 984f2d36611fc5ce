"""One image read once, and read again by path: hundreds of unusual images, sparse files, and images that change meanwhile."""

from __future__ import annotations

import io
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from acspec.archive.image import ImageReader
from acspec.archive.index import ImageIndex
from acspec.archive.spool import Spool
from acspec.errors import FormatError, StorageError
from tests.support import images, sparse
from tests.support.corpus import CORPUS, FILE, with_parts
from tests.support.rendered import hold, rendered, write

ACCEPTED = [sentence for sentence, case in CORPUS.items() if not case.refused]
REFUSED = [sentence for sentence, case in CORPUS.items() if case.refused]


@pytest.mark.parametrize("mode", [0o644, 0o666], ids=["read again in place", "put aside"])
@pytest.mark.parametrize("sentence", ACCEPTED)
def test_an_unusual_image_holds_the_same_when_it_is_written_anew(sentence: str, mode: int, tmp_path: Path) -> None:
    data = CORPUS[sentence].data
    (tmp_path / "x.aci").write_bytes(data)
    (tmp_path / "x.aci").chmod(mode)
    with ImageReader(io.BytesIO(data), "x.aci", hashed=False) as reader:
        expected = hold(reader)
        manifest = reader.manifest_bytes
    with rendered([tmp_path / "x.aci"], manifest=manifest) as image:
        assert hold(image) == expected
    with rendered([tmp_path / "x.aci"], manifest=manifest) as image:
        write(tmp_path / "y.aci", image)
    with (tmp_path / "y.aci").open("rb") as file, ImageReader(file.fileno(), "y.aci") as reader:
        assert hold(reader) == expected
        assert reader.warnings == ()


@pytest.mark.parametrize("sentence", REFUSED)
def test_what_is_refused_is_refused_in_the_same_words(sentence: str, tmp_path: Path) -> None:
    (tmp_path / "x.aci").write_bytes(CORPUS[sentence].data)
    expected = _refusal(lambda: list(ImageReader(io.BytesIO(CORPUS[sentence].data), "x.aci", hashed=False)))
    before = len(os.listdir("/proc/self/fd"))
    assert _refusal(lambda: rendered([tmp_path / "x.aci"]).__enter__()) == expected
    assert len(os.listdir("/proc/self/fd")) == before


def _refusal(read: Callable[[], object]) -> str:
    with pytest.raises(FormatError) as caught:
        read()
    return str(caught.value)


@pytest.mark.parametrize("mode", [0o644, 0o666], ids=["read again in place", "put aside"])
@pytest.mark.parametrize("form", sparse.FORMS)
def test_the_holes_of_a_sparse_file_are_left_out(form: str, mode: int, tmp_path: Path) -> None:
    (tmp_path / "x.aci").write_bytes(with_parts(FILE, sparse.FORMS[form]()))
    (tmp_path / "x.aci").chmod(mode)
    with rendered([tmp_path / "x.aci"]) as image:
        pieces = {entry.name: [(start, bytes(data)) for start, data in image.read_pieces(entry)] for entry in image if entry.size}
    assert pieces[b"rootfs/s"] == [(4096, b"a" * 1024), (12_288, b"b" * 512)]


def _index(path: Path, spool: Spool) -> ImageIndex:
    with path.open("rb") as file:
        return ImageIndex(file.fileno(), path.name, spool)


def test_an_image_that_changes_after_it_was_read_is_noticed(tmp_path: Path) -> None:
    images.write_image(tmp_path / "x.aci", {"f": b"content"}, compression="none")
    (tmp_path / "x.aci").chmod(0o644)
    with rendered([tmp_path / "x.aci"]) as image:
        content = (tmp_path / "x.aci").read_bytes()
        (tmp_path / "x.aci").write_bytes(content.replace(b"content", b"trouble"))
        with pytest.raises(StorageError, match=r"x\.aci: changed while it was read \(try again\)"):
            hold(image)


def test_an_image_that_is_cut_short_after_it_was_read_is_noticed(tmp_path: Path) -> None:
    images.write_image(tmp_path / "x.aci", {"f": bytes(10_000)}, compression="none")
    (tmp_path / "x.aci").chmod(0o644)
    with rendered([tmp_path / "x.aci"]) as image:
        os.truncate(tmp_path / "x.aci", 5_000)
        with pytest.raises(StorageError, match="changed while it was read"):
            hold(image)


def test_what_others_can_write_to_counts_as_it_was_hashed(tmp_path: Path) -> None:
    images.write_image(tmp_path / "x.aci", {"f": b"content"}, compression="none")
    (tmp_path / "x.aci").chmod(0o664)
    with rendered([tmp_path / "x.aci"]) as image:
        content = (tmp_path / "x.aci").read_bytes()
        (tmp_path / "x.aci").write_bytes(content.replace(b"content", b"trouble"))
        assert hold(image).files[b"rootfs/f"][1] == b"content"


def test_a_file_is_read_from_where_it_stands_and_stays_there(tmp_path: Path) -> None:
    tar = images.tar({"f": b"content"})
    (tmp_path / "x").write_bytes(b"before" + tar)
    (tmp_path / "x").chmod(0o644)
    with (tmp_path / "x").open("rb", buffering=0) as file, Spool() as spool:
        file.seek(6)
        index = ImageIndex(file.fileno(), "x", spool)
        assert file.tell() == 6
        assert index.image_id == images.image_id(tar)
        (place,) = [place for key, place, _ in index.paths() if key == b"f"]
        assert [bytes(data) for _, data in index.read_pieces(index.get(place))] == [b"content"]
        index.close()


def test_paths_come_with_a_directory_right_before_its_contents_and_with_all_parents(tmp_path: Path) -> None:
    files: images.Files = {"a-b": b"", "a/x/y/z": b"", "a": None, "b/c": b"", "a/x.d": b"", "a.b/c": b""}
    images.write_image(tmp_path / "x.aci", files)
    with Spool() as spool:
        found = [
            (key.replace(b"\0", b"/"), bool(place), is_directory)
            for key, place, is_directory in _index(tmp_path / "x.aci", spool).paths()
        ]
    assert found == [
        (b"", True, True), (b"a", True, True), (b"a/x", False, True), (b"a/x/y", False, True), (b"a/x/y/z", True, False),
        (b"a/x.d", True, False), (b"a-b", True, False), (b"a.b", False, True), (b"a.b/c", True, False), (b"b", False, True),
        (b"b/c", True, False),
    ]  # fmt: skip


def test_images_that_wait_to_be_rendered_hold_no_paths_in_memory(tmp_path: Path) -> None:
    images.write_image(tmp_path / "x.aci", {f"directory/file-number-{number}": b"" for number in range(5_000)})
    with Spool() as spool:
        waiting = [_index(tmp_path / "x.aci", spool)]
        tracemalloc.start()
        waiting += [_index(tmp_path / "x.aci", spool) for _ in range(2)]
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        for index in waiting:
            index.close()
    assert held < 600_000, "one spool's 256 KiB and little more, not 200 bytes a path"
