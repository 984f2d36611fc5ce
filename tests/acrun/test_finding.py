"""Pods by the words that people type: listed, their manifests read, waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from acrun.finding import list_states, read_manifest, wait_for_end
from acspec.errors import MissingInputError
from acspec.pods import Pods
from tests.support.states import MANIFEST, OTHER, UUID, write_state


def test_pods_are_listed_the_last_one_first_each_with_its_name(tmp_path: Path) -> None:
    write_state(tmp_path, {"pod": MANIFEST}, name="old")
    pods = write_state(tmp_path, {"pod": MANIFEST}, uuid=OTHER, phase="prepared", name="new")
    os.utime(tmp_path / "pods" / "run" / UUID / "pod", (5, 5))
    assert [(state.uuid, state.name, state.state) for state in list_states(pods)] == [
        (OTHER, "new", "prepared"),
        (UUID, "old", "exited"),
    ]


def test_a_manifest_is_read_as_it_is_stored_or_for_people(tmp_path: Path) -> None:
    pods = write_state(tmp_path, {"pod": '{"apps":[]}'})
    assert read_manifest(pods, UUID[:4], pretty=False) == b'{"apps":[]}'
    assert read_manifest(pods, UUID, pretty=True) == b'{\n    "apps": []\n}\n'
    with pytest.raises(MissingInputError, match="has no manifest"):
        read_manifest(write_state(tmp_path, {}, uuid=OTHER, phase="prepare"), OTHER, pretty=False)


def test_a_manifest_that_is_a_link_is_not_shown(tmp_path: Path) -> None:
    pods = write_state(tmp_path, {"pod": "{}"})
    path = pods.get(UUID).path
    os.rename(f"{path}/pod", f"{path}/secret")
    os.symlink("secret", f"{path}/pod")
    with pytest.raises(OSError, match="symbolic links"):
        read_manifest(pods, UUID, pretty=False)


def test_whoever_waits_for_a_pod_that_does_not_run_does_not_wait(tmp_path: Path) -> None:
    wait_for_end(write_state(tmp_path, {}), UUID)
    wait_for_end(write_state(tmp_path, {}, uuid=OTHER, phase="prepared"), OTHER)
    with pytest.raises(MissingInputError, match="no such pod"):
        wait_for_end(Pods(str(tmp_path)), "nobody")
