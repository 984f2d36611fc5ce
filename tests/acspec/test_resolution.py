"""Which image a dependency means: one that was given, the one that a fetch resolved it to, or the newest of a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from acspec.errors import FormatError, ImageNotFoundError
from acspec.image_manifest import Dependency, parse_image_manifest
from acspec.labels import Label
from acspec.names import ACIdentifier, ImageID
from acspec.resolution import Catalogue, ImageFile, find_difference, find_home
from acspec.store import Store
from tests.support import images
from tests.support.fetched import add_image

NAME = ACIdentifier("example.com/base")


def an_id(digit: str) -> ImageID:
    return ImageID("sha512-" + digit * 128)


def file(digit: str, name: str = NAME, *, size: int | None = None, **labels: str) -> ImageFile:
    data = images.manifest_bytes(name=name, labels=[{"name": key, "value": value} for key, value in labels.items()])
    return ImageFile(an_id(digit), f"{digit}.aci", parse_image_manifest(data), data, size)


def wanted(*, image_id: ImageID | None = None, size: int | None = None, **labels: str) -> Dependency:
    return Dependency(NAME, image_id, tuple(Label(ACIdentifier(key), value) for key, value in labels.items()), size)


ROOT = file("0", "example.com/root")
DIFFERENCES: dict[str, tuple[Dependency, ImageFile, str | None]] = {
    "nothing but the name": (wanted(), file("1", version="7"), None),
    "another name": (wanted(), file("1", "example.com/other"), "name"),
    "the label asked for": (wanted(version="7"), file("1", version="7", colour="blue"), None),
    "another value": (wanted(version="7"), file("1", version="8"), 'label "version"'),
    "no such label": (wanted(version="7"), file("1"), 'label "version"'),
    "another machine": (wanted(), file("1", os="freebsd"), 'label "os"'),
    "another machine, as asked": (wanted(os="freebsd"), file("1", os="freebsd"), None),
    "the ID": (wanted(image_id=an_id("1")), file("1"), None),
    "another ID": (wanted(image_id=an_id("2")), file("1"), "image ID"),
    "the size": (wanted(size=5), file("1", size=5), None),
    "another size": (wanted(size=5), file("1", size=6), "size than 5 bytes"),
    "a size that nobody knows": (wanted(size=5), file("1"), None),
}


@pytest.mark.parametrize("case", DIFFERENCES)
def test_a_given_image_is_what_is_asked_for_or_differs_in(case: str) -> None:
    dependency, image, expected = DIFFERENCES[case]
    assert find_difference(dependency, image) == expected


def test_the_first_given_image_that_fits_comes_before_every_store(tmp_path: Path) -> None:
    stored: Any = add_image(tmp_path, images.manifest_bytes(name=NAME, labels=[]))
    store = Store.open(str(tmp_path))
    given = [file("1", version="1"), file("2", version="2"), file("3", version="2")]
    assert Catalogue([store], ROOT, given).resolve(ROOT.image_id, 0, wanted(version="2")) == an_id("2")
    assert Catalogue([store], ROOT, given).resolve(ROOT.image_id, 0, wanted()) == an_id("1")
    assert Catalogue([store], ROOT).resolve(ROOT.image_id, 0, wanted()) == stored
    assert Catalogue([store], ROOT, given).file(stored).path == store.image_path(stored)


def test_what_the_fetch_resolved_comes_before_the_newest(tmp_path: Path) -> None:
    old: Any = add_image(tmp_path, images.manifest_bytes(name=NAME, labels=[]), {"old": b""}, day=1)
    new: Any = add_image(tmp_path, images.manifest_bytes(name=NAME, labels=[]), {"new": b""}, day=2)
    root: Any = add_image(tmp_path, images.manifest_bytes(name="example.com/root", labels=[]), dependencies=(old,))
    catalogue = Catalogue([Store.open(str(tmp_path))], ROOT)
    assert catalogue.resolve(root, 0, wanted()) == old
    assert catalogue.resolve(ROOT.image_id, 0, wanted()) == new
    with pytest.raises(FormatError, match="another image than its imageID"):
        catalogue.resolve(root, 0, wanted(image_id=new))


def test_the_error_names_every_given_image_that_nearly_fits() -> None:
    catalogue = Catalogue([], ROOT, [file("1", version="1"), file("2", "example.com/other"), file("3", version="2", size=6)])
    with pytest.raises(ImageNotFoundError) as caught:
        catalogue.resolve(ROOT.image_id, 0, wanted(version="2", size=5))
    assert (caught.value.what, caught.value.hint) == ("dependency example.com/base", "acfetch example.com/base:2")
    assert caught.value.why == 'not in the store, and 1.aci has another label "version", and 3.aci has another size than 5 bytes'


def test_a_file_is_at_home_where_its_record_is(tmp_path: Path) -> None:
    own, other = Store.open(str(tmp_path / "own"), create=True), tmp_path / "other"
    image_id = add_image(other, images.manifest_bytes())
    path = other / "images" / f"{image_id}.aci"
    (tmp_path / "link.aci").symlink_to(path)
    for name in (path, tmp_path / "link.aci"):
        home = find_home(str(name), own)
        assert home is not None
        assert (home[0].path, home[1]) == (str(other), image_id)
    path.with_suffix(".json").unlink()
    assert find_home(str(path), own) is None
    assert find_home(str(tmp_path / "nowhere.aci"), own) is None
