"""AppArmor and the pods of an ordinary user, who may not see which profiles there are. Only tests/vm/run.py selects this file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from acspec.isolator_names import APPARMOR_PROFILE
from tests.support.ann import Ann
from tests.support.apparmor import CONFINED, LOOK, loaded_profiles
from tests.support.desk import app_image, userland
from tests.support.images import Node


@pytest.fixture(scope="module", autouse=True)
def profiles() -> Iterator[None]:
    """Load the profiles."""
    with loaded_profiles():
        yield


def put_image(ann: Ann, profile: str) -> None:
    """Give Ann an image that asks for a profile."""
    isolators = [{"name": APPARMOR_PROFILE, "value": {"profile": profile}}]
    files = {**userland("cat"), "secret": Node(b"told\n")}
    ann.put("app.aci", app_image("example.com/app", LOOK, files, app={"isolators": isolators}))


def test_her_app_has_the_profile_that_its_image_asks_for(ann: Ann) -> None:
    put_image(ann, "appc-test")
    ended = ann.shell("acrun --strict ./app.aci")
    assert (ended.code, ended.stdout, ended.stderr) == (0, CONFINED, "")
    ended = ann.shell("acrun ./app.aci -- /secret")
    assert (ended.code, ended.stdout) == (1, CONFINED)
    assert ended.stderr == "cat: can't open '/secret': Permission denied\n"


@pytest.mark.parametrize("profile", ["appc-absent", "unconfined", ":root:appc-test", "appc-test//&appc-nothing", "appc-test "])
def test_what_is_no_profile_that_is_loaded_starts_nothing(ann: Ann, profile: str) -> None:
    put_image(ann, profile)
    ended = ann.shell("acrun ./app.aci")
    assert (ended.code, ended.stdout) == (125, "")
    assert ended.stderr.endswith(f"AppArmor profile {profile}: is not loaded on this host\n")
    assert len(ended.stderr.splitlines()) == 1
