"""Lock files: the same images another day, or a refusal that leaves the store as it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acfetch.lockfile import read_lock
from acspec.errors import FormatError
from tests.acfetch.customer import ARCH, Customer, app, id_of

NAME, LIB = "example.com/app", "example.com/lib"
LIBRARY, APP = app(LIB), app(dependencies=[{"imageName": LIB}])
OTHER = app(LIB, labels={"os": "linux", "arch": ARCH, "version": "2"})


@pytest.fixture
def locked(customer: Customer) -> Customer:
    """Give the test a customer with a lock file and an empty store."""
    customer.publish(NAME, APP)
    customer.publish(LIB, LIBRARY)
    customer.fetch("--lock", "lock.json", NAME)
    shutil.rmtree(customer.store)
    customer.store.mkdir()
    return customer


def test_a_lock_file_says_all_that_came(locked: Customer) -> None:
    value = json.loads((locked.path / "lock.json").read_bytes())
    assert value["asked"] == [{"ref": NAME, "id": id_of(APP)}]
    assert [(one["name"], one["id"], one["size"], one["dependencies"]) for one in value["images"]] == [
        (NAME, id_of(APP), len(APP), [id_of(LIBRARY)]),
        (LIB, id_of(LIBRARY), len(LIBRARY), []),
    ]
    assert {one["signer"] for one in value["images"]} == {locked.publisher.fingerprint.lower()}


def test_what_is_locked_comes_and_once_there_needs_no_network(locked: Customer) -> None:
    lines = locked.fetch("--locked", "lock.json", NAME)
    locked.server.clear()
    assert locked.fetch("--locked", "lock.json", NAME) == lines
    assert locked.fetch("--offline", "--locked", "lock.json", NAME) == lines
    assert locked.server.asked == []


def test_a_lock_file_that_is_not_there_yet_is_written_and_enforced_from_then_on(locked: Customer) -> None:
    locked.fetch("--locked", "first.json", NAME)
    assert (locked.path / "first.json").read_bytes() == (locked.path / "lock.json").read_bytes()
    shutil.rmtree(locked.store)
    locked.publish(LIB, OTHER)
    assert "the image is" in locked.refused(77, "--locked", "first.json", NAME)


def test_a_lock_is_the_same_whether_images_came_or_were_there(locked: Customer) -> None:
    locked.fetch("--lock", "again.json", NAME)
    locked.fetch("--pull=new", "--lock", "there.json", NAME)
    texts = {(locked.path / name).read_bytes() for name in ("lock.json", "again.json", "there.json")}
    assert len(texts) == 1


def test_another_dependency_is_refused(locked: Customer) -> None:
    locked.publish(LIB, OTHER)
    assert f"asked for {id_of(LIBRARY)}, the image is {id_of(OTHER)}" in locked.refused(77, "--locked", "lock.json", NAME)


def test_another_image_is_refused(locked: Customer) -> None:
    locked.publish(NAME, app())
    assert f"the image is {id_of(app())}" in locked.refused(77, "--locked", "lock.json", NAME)


def test_a_word_that_is_not_locked_is_refused(locked: Customer) -> None:
    message = f"acfetch: {LIB}: is not in the lock file lock.json (--lock writes another)"
    assert locked.refused(77, "--locked", "lock.json", LIB) == message


def _change(place: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda lock: lock["images"][1].update({place: value})


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another size": (_change("size", 1), f"{LIB}: has another size than the lock file"),
    "another signer": (_change("signer", "0" * 40), f"{LIB}: has another signer than the lock file"),
    "nobody for a signer": (_change("signer", None), f"{LIB}: has another signer than the lock file"),
    "an image less": (lambda lock: lock["images"].pop(1), "is not in the lock file"),
    "a dependency less": (lambda lock: lock["images"][0].update(dependencies=[]), f"{LIB}: is not in the lock file"),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
def test_everything_is_refused_when_the_lock_file_says(
    change: Callable[[dict[str, Any]], object], message: str, locked: Customer
) -> None:
    file = locked.path / "lock.json"
    value = json.loads(file.read_bytes())
    change(value)
    file.write_text(json.dumps(value))
    assert message in locked.refused(77, "--locked", "lock.json", NAME)


def test_a_lock_file_that_is_bad_is_told(customer: Customer) -> None:
    (customer.path / "bad.json").write_text('{"version": 2}')
    assert "bad.json: version: this program knows 1" in customer.refused(65, "--locked", "bad.json", NAME)
    assert "cannot be given with --locked" in customer.refused(2, "--lock", "x", "--locked", "y", NAME)


VALUES = st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(st.fixed_dictionaries({"version": st.just(1), "asked": VALUES, "images": VALUES}))
def test_what_is_no_lock_file_is_refused_with_our_own_error(value: Any) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(value, file)
        file.flush()
        try:
            read_lock(file.name)
        except FormatError:
            pass
