"""Image arguments into images: files, names and IDs, with all they depend on, and nothing fetched."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from acrun.resolve import ResolvedImage, resolve_image
from acspec.errors import BusyError, FormatError, ImageNotFoundError, UsageError
from acspec.image_manifest import parse_image_manifest
from acspec.locks import open_locked
from acspec.store import ImageRecord, Store
from tests.support import images


def manifest(name: str, *, dependencies: list[dict[str, Any]] | None = None) -> bytes:
    return images.manifest_bytes(name=name, dependencies=dependencies or [], labels=[])


def add(data: Path, name: str, *dependencies: str, wanted: list[dict[str, Any]] | None = None) -> str:
    """Put an image into a store and return its ID; *dependencies* are the IDs that those of its manifest were resolved to."""
    content = manifest(name, dependencies=wanted)
    tar = images.tar({"file": name.encode()}, content)
    image_id = images.image_id(tar)
    parsed = parse_image_manifest(content)
    record = ImageRecord(id=image_id, name=parsed.name, dependencies=dependencies, imported="2026-01-01T00:00:00Z")  # type: ignore[arg-type]
    with Store.open(str(data), create=True).new_image() as image:
        image.write(tar)
        image.publish(record, None)
    return image_id


def resolve(text: str, data: Path) -> ResolvedImage:
    return resolve_image(text, str(data))


def test_a_name_an_id_and_a_path_mean_the_same_image(tmp_path: Path) -> None:
    image_id = add(tmp_path / "data", "example.com/app")
    for text in ("example.com/app", image_id, image_id[:24], str(tmp_path / "data" / "images" / f"{image_id}.aci")):
        assert resolve(text, tmp_path / "data").image.image_id == image_id


def test_a_file_of_the_user_s_is_known_by_its_content(tmp_path: Path) -> None:
    content = images.tar({"file": b"x"}, manifest("example.com/own"))
    (tmp_path / "own.aci").write_bytes(images.compress(content, "xz"))
    assert resolve(str(tmp_path / "own.aci"), tmp_path / "data").image.image_id == images.image_id(content)


def test_a_pipe_is_no_image(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.aci")
    with pytest.raises(UsageError, match="is no regular file"):  # and nobody waits for who might write
        resolve(str(tmp_path / "x.aci"), tmp_path / "data")


def test_what_is_missing_comes_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(ImageNotFoundError, match=r"not in the store .*data \(acfetch example.com/app\)"):
        resolve("example.com/app", tmp_path / "data")
    with pytest.raises(UsageError, match=r"acfetch 'https://example.com/a.aci' \| acrun"):
        resolve("https://example.com/a.aci", tmp_path / "data")


WORDS = {
    "a word that is no whole name": ("nope", r"nope: no command, and no image in the store .*such as example.com/nope, or a file"),
    "the last word of the name of an image": ("app", r"app: no command, and no image .* \(did you mean example.com/app\?\)"),
    "a word within a name": ("example", r"such as example.com/example, or"),
}


@pytest.mark.parametrize("sentence", WORDS)
def test_what_a_word_may_have_meant_is_said(tmp_path: Path, sentence: str) -> None:
    add(tmp_path / "data", "example.com/app")
    word, said = WORDS[sentence]
    with pytest.raises(ImageNotFoundError, match=said):
        resolve(word, tmp_path / "data")


def test_a_dependency_is_the_one_that_the_fetch_resolved(tmp_path: Path) -> None:
    data = tmp_path / "data"
    base = add(data, "example.com/base")
    app = add(data, "example.com/app", base, wanted=[{"imageName": "example.com/base"}])
    assert [layer.image_id for layer in resolve("example.com/app", data).layers] == [base, app]


def test_a_dependency_must_have_the_id_that_the_manifest_asks_for(tmp_path: Path) -> None:
    data = tmp_path / "data"
    base, other = add(data, "example.com/base"), add(data, "example.com/other")
    add(data, "example.com/app", other, wanted=[{"imageName": "example.com/base", "imageID": base}])
    with pytest.raises(FormatError, match=r"dependencies\[0\].*another image than its imageID"):
        resolve("example.com/app", data)


def test_a_missing_dependency_is_named_with_its_labels(tmp_path: Path) -> None:
    labels = [{"name": "version", "value": "2"}]
    content = images.tar({}, manifest("example.com/own", dependencies=[{"imageName": "example.com/base", "labels": labels}]))
    (tmp_path / "own.aci").write_bytes(content)
    with pytest.raises(ImageNotFoundError, match=r"dependency example.com/base: not in the store \(acfetch example.com/base:2\)"):
        resolve(str(tmp_path / "own.aci"), tmp_path / "data")


def test_an_image_of_another_store_brings_its_dependencies_along(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    base = add(theirs, "example.com/base")
    app = add(theirs, "example.com/app", base, wanted=[{"imageName": "example.com/base"}])
    resolved = resolve(str(theirs / "images" / f"{app}.aci"), ours)
    assert [file.path for file in resolved.files.values()] == [str(theirs / "images" / f"{name}.aci") for name in (base, app)]
    assert not ours.exists()


def test_a_damaged_record_hides_its_own_image_only(tmp_path: Path) -> None:
    data = tmp_path / "data"
    good, bad = add(data, "example.com/app"), add(data, "example.com/other")
    (data / "images" / f"{bad}.json").write_bytes(b"{")
    assert resolve("example.com/app", data).image.image_id == good


def test_the_witnesses_are_the_image_and_the_stores_that_were_asked(tmp_path: Path) -> None:
    data = tmp_path / "data"
    image_id = add(data, "example.com/app")
    assert set(resolve("example.com/app", data).witnesses) == {str(data / "images" / f"{image_id}.aci"), str(data / "images")}
    (tmp_path / "own.aci").write_bytes(images.image({}))
    assert set(resolve(str(tmp_path / "own.aci"), data).witnesses) == {str(tmp_path / "own.aci")}


def is_held(path: str) -> bool:
    try:
        os.close(open_locked(path))
    except BusyError:
        return True
    return False


def test_every_image_that_lies_in_a_store_is_held_and_dated(tmp_path: Path) -> None:
    data = tmp_path / "data"
    base = add(data, "example.com/base")
    app = add(data, "example.com/app", base, wanted=[{"imageName": "example.com/base"}])
    other = add(data, "example.com/other")
    store = Store.open(str(data))
    for image_id in (base, app, other):
        os.utime(store.record_path(image_id), (0, 0))
    resolved = resolve("example.com/app", data)
    paths = {image_id: store.image_path(image_id) for image_id in (base, app, other)}
    assert sorted(resolved.held()) == sorted([paths[base], paths[app]])
    assert {image_id for image_id, path in paths.items() if is_held(path)} == {base, app}
    assert {image_id for image_id in paths if store.last_used(image_id) > 0} == {base, app}
    for file in resolved.files.values():
        assert file.descriptor is not None
        os.close(file.descriptor)
    assert not any(map(is_held, paths.values()))


def test_a_file_of_the_user_s_is_not_held_but_what_it_needs_of_the_store_is(tmp_path: Path) -> None:
    base = add(tmp_path / "data", "example.com/base")
    content = images.tar({"file": b"x"}, manifest("example.com/own", dependencies=[{"imageName": "example.com/base"}]))
    own = tmp_path / "own.aci"
    own.write_bytes(content)
    own.with_suffix(".json").touch()
    os.utime(own.with_suffix(".json"), (0, 0))
    assert resolve(str(own), tmp_path / "data").held() == [Store.open(str(tmp_path / "data")).image_path(base)]
    assert not is_held(str(own))
    assert own.with_suffix(".json").stat().st_mtime == 0


def test_a_name_with_the_id_of_another_image_means_none(tmp_path: Path) -> None:
    image_id = add(tmp_path / "data", "example.com/app")
    with pytest.raises(ImageNotFoundError):
        resolve(f"example.com/other@{image_id}", tmp_path / "data")


def test_an_image_that_somebody_has_locked_is_run_all_the_same(tmp_path: Path) -> None:
    """Whoever may read an image can lock it; that must not keep its owner from running it."""
    image_id = add(tmp_path / "data", "example.com/app")
    lock = open_locked(Store.open(str(tmp_path / "data")).image_path(image_id))
    assert resolve("example.com/app", tmp_path / "data").image.image_id == image_id
    os.close(lock)
