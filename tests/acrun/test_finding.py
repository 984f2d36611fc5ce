"""Pods by the words that people type: listed, their manifests read, waited for."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from acrun.finding import list_states, read_manifest, wait_for_end
from acspec.errors import MissingInputError
from acspec.locks import open_locked
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


def test_whoever_waits_for_a_pod_that_runs_no_more_does_not_wait(tmp_path: Path) -> None:
    wait_for_end(write_state(tmp_path, {}), UUID)
    wait_for_end(write_state(tmp_path, {}, uuid=OTHER, phase="prepare"), OTHER)  # aborted
    with pytest.raises(MissingInputError, match="no such pod"):
        wait_for_end(Pods(str(tmp_path)), "nobody")


# Phases of a pod that has not run yet, and whether its lock is held then.
EARLY = {"prepare": True, "prepared": False}


@pytest.mark.parametrize("phase", EARLY)
def test_whoever_waits_for_a_pod_that_has_not_run_yet_waits_until_it_has(tmp_path: Path, phase: str) -> None:
    pods = write_state(tmp_path, {}, phase=phase)
    before, after = tmp_path / "pods" / phase / UUID, tmp_path / "pods" / "run" / UUID
    after.parent.mkdir()
    lock = open_locked(str(before)) if EARLY[phase] else None
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(wait_for_end, pods, UUID)
        if lock is None:
            lock = open_locked(str(before))
        before.rename(after)
        assert not waiting.done()
        os.close(lock)
        waiting.result()


def test_whoever_waits_for_a_pod_hears_that_it_was_removed_instead(tmp_path: Path) -> None:
    pods = write_state(tmp_path, {}, phase="prepared", name="later")
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(wait_for_end, pods, "later")
        assert not waiting.done()
        (tmp_path / "pods" / "names" / "later").unlink()
        (tmp_path / "pods" / "prepared" / UUID).rmdir()
        with pytest.raises(MissingInputError, match=r"^later: (was removed meanwhile|no such pod)"):
            waiting.result()
