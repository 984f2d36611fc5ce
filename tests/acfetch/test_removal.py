"""Images taken out of the store: all that are named or none, never one that something needs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from acfetch.errors import NeededError
from acfetch.removal import remove_images
from acspec.errors import BusyError, FormatError, MissingInputError, ToolError, UsageError
from acspec.pods import PHASES
from acspec.store import Store
from tests.support.stores import add_image, check_store, listed, make_pod, names_of, start, wait_until_blocked


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def remove(data: Path, *texts: str) -> list[str]:
    """Remove images and return the names of those that were."""
    return names_of(remove_images(texts, str(data), str(data)))


def test_nothing_is_left_of_an_image(data: Path) -> None:
    keep, go = add_image(data, "example.com/keep"), add_image(data, "example.com/go", signature=b"signature")
    assert remove(data, go) == ["example.com/go"]
    assert sorted(os.listdir(data / "images")) == [f"{keep}.aci", f"{keep}.json"]
    assert sorted(os.listdir(data)) == ["images", "lock", "partial", "tmp", "version"]


WORDS: dict[str, Callable[[Path, str], str]] = {
    "its ID": lambda _, image_id: image_id,
    "a beginning of its ID": lambda _, image_id: image_id[: len("sha512-") + 12],
    "its name": lambda *_: "example.com/app",
    "its name and version": lambda *_: "example.com/app:1.0",
    "its name and ID": lambda _, image_id: f"example.com/app@{image_id}",
    "the path that acfetch printed": lambda data, image_id: f"{data}/images/{image_id}.aci",
    "another path to the same": lambda data, image_id: f"{data}/images/../images/{image_id}.aci",
}


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_an_image_goes_by(word: Callable[[Path, str], str], data: Path) -> None:
    image_id = add_image(data, "example.com/app", labels=[{"name": "version", "value": "1.0"}])
    add_image(data, "example.com/application")
    assert remove(data, word(data, image_id)) == ["example.com/app"]
    assert len(listed(data)) == 1


def test_of_several_with_a_name_the_last_import_is_meant_as_in_acrun(data: Path) -> None:
    old = add_image(data, "example.com/app", content=b"old", imported="2026-01-01T00:00:00Z")
    new = add_image(data, "example.com/app", content=b"new", imported="2026-02-01T00:00:00Z")
    assert remove(data, "example.com/app") == ["example.com/app"]
    assert listed(data) == {old}
    assert new not in listed(data)


UNKNOWN: dict[str, tuple[str, type[ToolError]]] = {
    "a name that is not there": ("example.com/nowhere", MissingInputError),
    "a version that is not there": ("example.com/app:2", MissingInputError),
    "an ID that is not there": ("sha512-" + "0" * 128, MissingInputError),
    "a name with the ID of another": ("example.com/other@{id}", MissingInputError),
    "a file outside": ("/etc/passwd", MissingInputError),
    "a URL": ("https://example.com/app.aci", UsageError),
    "too few digits": ("sha512-0123", UsageError),
    "nothing": ("", UsageError),
}


@pytest.mark.parametrize(("text", "error"), UNKNOWN.values(), ids=UNKNOWN)
def test_nothing_goes_when_one_word_is(text: str, error: type[ToolError], data: Path) -> None:
    image_id = add_image(data, "example.com/app")
    with pytest.raises(error):
        remove(data, image_id, text.replace("{id}", image_id))
    assert listed(data) == {image_id}


def test_the_beginning_of_two_ids_means_none(data: Path) -> None:
    add_image(data, "example.com/app")
    (data / "images" / f"sha512-{'0' * 127}1.json").write_text("{}")
    (data / "images" / f"sha512-{'0' * 127}2.json").write_text("{}")
    with pytest.raises(MissingInputError, match="means 2 images"):
        remove(data, "sha512-" + "0" * 12)


def test_what_another_image_depends_on_stays_and_that_one_is_named(data: Path) -> None:
    base = add_image(data, "example.com/base")
    middle = add_image(data, "example.com/middle", base, labels=[{"name": "version", "value": "3"}])
    other = add_image(data, "example.com/other")
    with pytest.raises(NeededError) as raised:
        remove(data, other, base)
    assert str(raised.value) == f"example.com/base ({base[:19]}): is needed by example.com/middle:3 ({middle[:19]})"
    assert raised.value.exit_code == 75
    assert listed(data) == {base, middle, other}


def test_many_dependents_are_counted(data: Path) -> None:
    base = add_image(data, "example.com/base")
    for number in range(5):
        add_image(data, f"example.com/app{number}", base)
    with pytest.raises(NeededError, match=r"is needed by (example\.com/app\d \(sha512-\w{12}\)(, )?){3} and 2 more$"):
        remove(data, base)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_what_is_removed_in_the_same_run_needs_nothing(order: tuple[int, ...], data: Path) -> None:
    base = add_image(data, "example.com/base")
    middle = add_image(data, "example.com/middle", base)
    chain = [base, middle, add_image(data, "example.com/top", middle, base)]
    assert len(remove(data, *(chain[index] for index in order))) == 3
    assert os.listdir(data / "images") == []


@pytest.mark.parametrize("phase", PHASES[1:])
def test_an_image_that_a_pod_was_made_from_stays_and_the_pod_is_named(phase: str, data: Path, tmp_path: Path) -> None:
    base = add_image(data, "example.com/base")
    app = add_image(data, "example.com/app")
    pod = make_pod(tmp_path / "run", phase, base, app)
    for image_id in (base, app):
        with pytest.raises(NeededError, match=f"is needed by pod {pod.uuid}.*acrun rm {pod.uuid[:8]}"):
            remove_images([image_id], str(data), str(tmp_path / "run"))
    assert remove_images([app], str(data), str(tmp_path / "other")) != []


def test_an_image_in_use_stays_and_so_do_the_others(data: Path) -> None:
    used, other = add_image(data, "example.com/used"), add_image(data, "example.com/other")
    lock = Store.open(str(data)).hold(used)
    with pytest.raises(BusyError, match=r"example\.com/used \(sha512-\w{12}\): in use by another process"):
        remove(data, other, used)
    assert listed(data) == {used, other}
    os.close(lock)
    assert len(remove(data, other, used)) == 2


def test_an_image_whose_record_is_damaged_is_told(data: Path) -> None:
    image_id = add_image(data, "example.com/app")
    (data / "images" / f"{image_id}.json").write_text("{")
    with pytest.raises(FormatError, match="acfetch images verify sets it aside"):
        remove(data, image_id)


def test_an_image_named_twice_goes_once(data: Path) -> None:
    image_id = add_image(data, "example.com/app")
    assert remove(data, image_id, "example.com/app", image_id[:30]) == ["example.com/app"]


def add_from_elsewhere(data: Path, tmp_path: Path, base: str) -> str:
    """Put an image that depends on *base* into a store by hand: whoever holds the store's lock may."""
    elsewhere = tmp_path / "elsewhere"
    image_id = add_image(elsewhere, "example.com/app", base)
    for suffix in (".aci", ".json"):
        (elsewhere / "images" / f"{image_id}{suffix}").rename(data / "images" / f"{image_id}{suffix}")
    return image_id


NEEDED_NOW: dict[str, Callable[[Path, Path, str], object]] = {
    "a pod that was made": lambda data, _, base: make_pod(data, "run", base),
    "an image that was added": add_from_elsewhere,
}


@pytest.mark.parametrize("happen", NEEDED_NOW.values(), ids=NEEDED_NOW)
def test_an_image_stays_that_became_needed_while_its_removal_waited_by(
    happen: Callable[[Path, Path, str], object], data: Path, tmp_path: Path
) -> None:
    base = add_image(data, "example.com/base")
    with ExitStack() as lock:
        lock.enter_context(Store.open(str(data)).changing())
        process = start("images", "rm", "--dir", str(data), base, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_until_blocked(process)
        happen(data, tmp_path, base)
    out, err = process.communicate()
    assert (process.returncode, out) == (75, "")
    assert "is needed by" in err
    assert base in check_store(data)


def test_two_that_remove_the_same_end_with_one_removal(data: Path) -> None:
    image_id = add_image(data, "example.com/app")
    with ExitStack() as lock:
        lock.enter_context(Store.open(str(data)).changing())
        words = ("images", "rm", "--dir", str(data), image_id)
        both = [start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
        for process in both:
            wait_until_blocked(process)
    ended = [process.communicate() for process in both]
    assert sorted(process.returncode for process in both) == [0, 66]
    assert sorted(bool(out) for out, _ in ended) == [False, True]
    assert os.listdir(data / "images") == []
