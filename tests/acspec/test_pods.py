"""The directory of pods: phases, states, names, and two processes at once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import RFC_4122, UUID

import pytest

from acspec.errors import BusyError, FormatError, MissingInputError, OutputError
from acspec.pods import Pod, Pods, new_uuid


@pytest.fixture
def pods(tmp_path: Path) -> Pods:
    return Pods(str(tmp_path))


def test_a_new_pod_is_private_locked_and_being_prepared(pods: Pods) -> None:
    pod = pods.create()
    assert pod.phase == "prepare"
    assert os.stat(pod.path).st_mode & 0o777 == 0o700
    (seen,) = pods.all()
    assert seen.state() == "preparing"
    pod.unlock()
    assert seen.state() == "aborted"


def test_nobody_else_can_put_other_pods_in_their_place_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Pods(str(tmp_path / "run")).create()
    finally:
        os.umask(before)
    for path in ("run/pods", "run/pods/run", "run/pods/names"):
        assert (tmp_path / path).stat().st_mode & 0o777 == 0o700, path


def test_the_lock_survives_every_move(pods: Pods) -> None:
    pod = pods.create()
    for phase, state in (("prepared", "preparing"), ("run", "running"), ("exited-garbage", "deleting")):
        pod.move(phase)
        (seen,) = pods.all()
        assert seen.state() == state
        with pytest.raises(BusyError):
            seen.lock()
    pod.unlock()
    assert seen.state() == "garbage"


def test_a_pod_is_found_by_name_by_uuid_and_by_a_unique_beginning(pods: Pods) -> None:
    first, second = pods.create(), pods.create()
    pods.claim_name("web", first.uuid)
    assert pods.get("web").uuid == first.uuid
    assert pods.get(second.uuid).uuid == second.uuid
    assert pods.get(first.uuid[:13]).uuid == first.uuid
    assert pods.find_name(first.uuid) == "web"
    assert pods.find_name(second.uuid) is None


def test_of_many_that_want_the_name_of_a_pod_that_is_gone_one_gets_it(pods: Pods) -> None:
    gone, *others = (pods.create() for _ in range(9))
    pods.claim_name("web", gone.uuid)
    os.rmdir(gone.path)

    def claim(pod: Pod) -> bool:
        try:
            pods.claim_name("web", pod.uuid)
        except OutputError:
            return False
        return True

    with ThreadPoolExecutor(len(others)) as pool:
        assert sorted(pool.map(claim, others)) == [False] * 7 + [True]
    for text, why in (("nobody", "no such pod"), ("", "no such pod"), ("../x", "no such pod")):
        with pytest.raises(MissingInputError, match=why):
            pods.get(text)


def test_a_beginning_that_means_two_pods_is_refused(pods: Pods) -> None:
    pods.create_directories()
    for last in "01":
        os.mkdir(os.path.join(pods.path, "run", f"01234567-0000-4000-8000-00000000000{last}"))
    with pytest.raises(MissingInputError, match="means 2 pods"):
        pods.get("0123")


def test_a_name_belongs_to_one_living_pod(pods: Pods) -> None:
    first, second = pods.create(), pods.create()
    pods.claim_name("web", first.uuid)
    with pytest.raises(OutputError, match="is the name of pod"):
        pods.claim_name("web", second.uuid)
    os.rmdir(first.path)
    pods.claim_name("web", second.uuid)
    assert pods.get("web").uuid == second.uuid
    pods.release_names(second.uuid)
    assert pods.find_name(second.uuid) is None


def test_new_uuids_are_canonical_and_version_4() -> None:
    uuid = new_uuid()
    assert str(UUID(uuid)) == uuid
    assert (UUID(uuid).version, UUID(uuid).variant) == (4, RFC_4122)


def test_nothing_is_listed_where_no_pod_ever_was(pods: Pods) -> None:
    assert list(pods.all()) == []


@pytest.mark.parametrize("name", ["../../escaped", "/etc/x", "", "a b"])
def test_a_name_that_would_lead_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    pod = Pods(str(tmp_path)).create()
    with pytest.raises(FormatError, match="is not an AC Name"):
        pod.pods.claim_name(name, pod.uuid)
    pod.unlock()


def test_a_name_that_is_a_fifo_or_a_link_is_not_waited_for_and_not_followed(pods: Pods, tmp_path: Path) -> None:
    """As another user may have put it there, for root to look at."""
    pods.create().unlock()
    place = tmp_path / "pods" / "names" / "trap"
    os.mkfifo(place)
    assert pods.names() == {}
    place.unlink()
    (tmp_path / "elsewhere").write_text(new_uuid())
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="trap"):
        pods.names()


def test_a_pod_says_what_its_apps_were_made_from(pods: Pods) -> None:
    pod = pods.create()
    assert pod.read_trees() == []
    for name, text in (("a", "key\nsha512-1\nsha512-2\n"), ("b", ""), ("c", "other\n")):
        Path(pod.path, "apps", name).mkdir(parents=True)
        Path(pod.path, "apps", name, "tree").write_text(text)
    Path(pod.path, "apps", "unfinished").mkdir()
    Path(pod.path, "apps", "odd").touch()
    assert pod.read_trees() == [["key", "sha512-1", "sha512-2"], [], ["other"]]


def test_a_pod_that_has_moved_says_nothing(pods: Pods) -> None:
    pod = pods.create()
    Path(pod.path, "apps", "a").mkdir(parents=True)
    Path(pod.path, "apps", "a", "tree").write_text("key\nsha512-1\n")
    (seen,) = pods.all()
    pod.move("run")
    assert (seen.read_trees(), pod.read_trees()) == ([], [["key", "sha512-1"]])
