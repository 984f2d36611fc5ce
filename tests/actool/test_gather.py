"""Which images one image is made of: those named, those of a store, and what is said of those that are nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acspec.errors import (
    DamagedImageError,
    FormatError,
    ImageNotFoundError,
    MissingInputError,
    ToolError,
    UsageError,
)
from tests.support import images
from tests.support.desk import snapshot
from tests.support.fetched import add_image
from tests.support.flattening import content, depends, manifest, names, rendered


def chain(store: Path, *names: str) -> None:
    """Put images into a store, each of which depends on those behind it, and holds a file of its own."""
    for number, name in reversed(list(enumerate(names))):
        add_image(store, manifest(name, dependencies=depends(*names[number + 1 :])), {f"from-{number}": b"", "last": name.encode()})


def test_what_is_not_named_comes_from_the_store_in_the_order_of_the_specification(render_place: Path) -> None:
    chain(render_place / "data", "example.com/a", "example.com/b", "example.com/c")
    rendered("example.com/a")
    assert names() == {"from-0", "from-1", "from-2", "last"}
    assert content("last") == b"example.com/a"


def test_a_store_may_be_named_and_is_not_written_to(render_place: Path) -> None:
    chain(render_place / "elsewhere", "example.com/a", "example.com/b")
    before = snapshot(render_place / "elsewhere")
    rendered("example.com/a", directory="elsewhere")
    assert snapshot(render_place / "elsewhere") == before
    assert not (render_place / "data").exists()


def test_an_image_in_another_store_brings_its_dependencies_along(render_place: Path) -> None:
    chain(render_place / "theirs", "example.com/a", "example.com/b")
    (path,) = [path for path in (render_place / "theirs/images").glob("*.aci") if b"from-0" in path.read_bytes()]
    rendered(str(path))
    assert names() == {"from-0", "from-1", "last"}


def test_an_id_or_its_beginning_names_an_image(render_place: Path) -> None:
    image_id = add_image(render_place / "data", manifest("example.com/x"), {"f": b""})
    assert rendered(image_id).image_id == rendered(image_id[:19], output="again.aci").image_id


def test_images_that_are_named_come_before_those_of_the_store(render_place: Path) -> None:
    old = add_image(render_place / "data", manifest("example.com/base"), {"which": b"stored"})
    add_image(render_place / "data", manifest("example.com/a", dependencies=depends("example.com/base")), dependencies=(old,))
    rendered("example.com/a")
    assert content("which") == b"stored"
    images.write_image("mine.aci", {"which": b"mine"}, manifest("example.com/base"))
    images.write_image("second.aci", {"which": b"second"}, manifest("example.com/base"))
    assert rendered("example.com/a", "mine.aci", "second.aci", overwrite=True).warnings == [
        "second.aci: warning: not used, nothing depends on it"
    ]
    assert content("which") == b"mine"


def test_a_name_can_say_which_image_of_the_store_is_meant(render_place: Path) -> None:
    for version, day in (("1", 1), ("2", 2)):
        add_image(render_place / "data", manifest("example.com/base", version), {"which": version.encode()}, day=day)
    add_image(render_place / "data", manifest("example.com/a", dependencies=depends("example.com/base")))
    rendered("example.com/a")
    assert content("which") == b"2"
    rendered("example.com/a", "example.com/base:1", overwrite=True)
    assert content("which") == b"1"


@pytest.mark.usefixtures("render_place")
def test_labels_an_id_and_a_size_choose_among_files_of_one_name() -> None:
    ids = {v: images.write_image(f"{v}.aci", {"which": v.encode() * 999 * int(v)}, manifest("example.com/base", v)) for v in "123"}
    files = [f"{version}.aci" for version in ids]
    for wanted, version in (
        (depends("example.com/base:2"), "2"),
        (depends("example.com/base", imageID=ids["3"]), "3"),
        (depends("example.com/base", size=os.path.getsize("2.aci")), "2"),
        (depends("example.com/base"), "1"),
    ):
        images.write_image("a.aci", {}, manifest("example.com/a", dependencies=wanted))
        rendered("a.aci", *files, overwrite=True)
        assert content("which")[:1] == version.encode()


ID = "sha512-" + "0" * 128
UNFIT: dict[str, tuple[list[dict[str, Any]], str]] = {
    "no label": (
        depends("example.com/base:2"),
        'not in the store, and base.aci has another label "version" (acfetch example.com/base:2)',
    ),
    "another image ID": (
        depends("example.com/base", imageID=ID),
        f"not in the store, and base.aci has another image ID (acfetch example.com/base@{ID})",
    ),
    "another size": (
        depends("example.com/base", size=5),
        "not in the store, and base.aci has another size than 5 bytes (acfetch example.com/base)",
    ),
    "another name": (depends("example.com/other"), "not in the store (acfetch example.com/other)"),
}


@pytest.mark.parametrize(("wanted", "message"), UNFIT.values(), ids=UNFIT)
@pytest.mark.usefixtures("render_place")
def test_a_dependency_that_is_nowhere_is_named_with_the_command_that_fetches_it(wanted: list[dict[str, Any]], message: str) -> None:
    images.write_image("a.aci", {}, manifest("example.com/a", dependencies=wanted))
    with pytest.raises(ImageNotFoundError) as caught:
        rendered("a.aci", "base.aci")
    assert str(caught.value) == f"dependency {wanted[0]['imageName']}: {message}"
    assert sorted(os.listdir()) == ["a.aci", "app.aci", "base.aci"]


# What is refused


def _damage(render_place: Path) -> str:
    image_id = add_image(render_place / "data", manifest("example.com/base"), {"f": b"content"})
    path = render_place / "data/images" / f"{image_id}.aci"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"content", b"trouble"))
    return "app.aci"


def _cycle(render_place: Path) -> str:
    add_image(render_place / "data", manifest("example.com/base", dependencies=depends("example.com/other")))
    add_image(render_place / "data", manifest("example.com/other", dependencies=depends("example.com/base")))
    return "app.aci"


def _file(render_place: Path) -> str:
    (render_place / "app").write_bytes(images.image({}))
    return "app"


def _two_inputs(render_place: Path) -> str:
    return "- -"


def _directory(render_place: Path) -> str:
    (render_place / "layout").mkdir()
    return "./layout"


def _bad_manifest(render_place: Path) -> str:
    images.write_image(render_place / "x.aci", {}, b'{"acKind": "ImageManifest"}')
    return "x.aci"


REFUSED: dict[str, tuple[Callable[[Path], str], type[ToolError], str]] = {
    "an image of the store is damaged": (_damage, DamagedImageError, r"its content is not that of sha512-.* \(fetch it again\)"),
    "dependencies go round": (_cycle, FormatError, "dependency cycle example.com/base -> example.com/other -> example.com/base"),
    "standard input is named twice": (_two_inputs, UsageError, "can be read only once"),
    "an image is a directory": (_directory, FormatError, "a directory, not an image archive"),
    "the manifest is not valid": (_bad_manifest, FormatError, "x.aci: manifest: "),
    "a file is not there": (lambda _: "nowhere.aci", MissingInputError, "nowhere.aci: no such file"),
    "a name is not in the store": (
        lambda _: "example.com/x:2", ImageNotFoundError, r"not in the store .*/data \(acfetch example.com/x:2\)",
    ),
    "a file is named like an image": (_file, ImageNotFoundError, r"app: not in the store .*/data \(./app is the file\)"),
    "an ID is not in the store": (lambda _: ID, ImageNotFoundError, r"not in the store .* \(acfetch images lists"),
    "an image is a URL": (
        lambda _: "https://example.com/x.aci", UsageError, r"actool fetches nothing \(acfetch 'https://example.com/x.aci'\)",
    ),
    "an image is no word at all": (lambda _: "", UsageError, "names no image"),
}  # fmt: skip


@pytest.mark.parametrize("output", ["out.aci", "out"])
@pytest.mark.parametrize(("prepare", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_nothing_is_left_when(
    prepare: Callable[[Path], str], error: type[ToolError], message: str, output: str, render_place: Path
) -> None:
    words = prepare(render_place).split(" ")
    before = sorted(render_place.iterdir())
    with pytest.raises(error, match=message):
        rendered(*words, output=output)
    assert sorted(render_place.iterdir()) == before
