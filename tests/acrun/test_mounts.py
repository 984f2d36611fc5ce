"""Mount points, volumes and mounts brought together."""

from __future__ import annotations

from pathlib import Path

import pytest

from acrun.errors import MountError, VolumeSourceError
from acrun.mounts import MountPlan, plan_mounts, resolve_sources
from acspec.app import App
from acspec.names import ACName
from acspec.volumes import Mount, MountPoint, Volume

APP = ACName("app")


def point(name: str, path: str) -> MountPoint:
    return MountPoint(ACName(name), path)


def volume(name: str) -> Volume:
    return Volume(ACName(name), "empty")


def mount(name: str, path: str) -> Mount:
    return Mount(ACName(name), path)


def plan(
    points: list[MountPoint], volumes: list[Volume] | None = None, wanted: list[Mount] | None = None,
    *, strict: bool = False, nested: bool = False,
) -> MountPlan:  # fmt: skip
    app = App(exec=("/x",), user="0", group="0", mount_points=tuple(points))
    by_name = {item.name: item for item in volumes or []}
    return plan_mounts(APP, app, wanted or [], by_name, strict=strict, nested=nested)


def test_a_mount_point_takes_the_volume_of_its_name() -> None:
    result = plan([point("data", "/data")], [volume("data")])
    assert result == MountPlan((mount("data", "/data"),), (), ())


def test_a_mount_for_its_path_wins_however_the_path_is_written() -> None:
    result = plan([point("data", "/var//data/")], [volume("data"), volume("other")], [mount("other", "/var/data")])
    assert result.mounts == (mount("other", "/var/data"),)


def test_a_mount_point_without_volume_gets_one_of_its_own_and_a_line_says_so() -> None:
    result = plan([point("data", "/data")])
    assert result.mounts == (mount("app-data", "/data"),)
    assert result.volumes == (volume("app-data"),)
    assert "--volume data,kind=host,source=PATH" in result.notes[0]


def test_strict_makes_that_an_error() -> None:
    with pytest.raises(MountError, match="no volume was given"):
        plan([point("data", "/data")], strict=True)


def test_a_mount_of_no_volume_is_refused() -> None:
    with pytest.raises(MountError, match="no volume has this name"):
        plan([], [], [mount("data", "/data")])


OVERLAPS = {
    "one inside the other": (["/a", "/a/b"], True),
    "deep inside the other": (["/a/b/c/d", "/a"], True),
    "the root": (["/"], True),
    "a parent in the target": (["/a/../b"], True),
    "only a common beginning of the text": (["/a", "/ab"], False),
    "siblings": (["/a/b", "/a/c"], False),
}


@pytest.mark.parametrize("case", OVERLAPS)
def test_overlapping_targets_are_refused(case: str) -> None:
    paths, refused = OVERLAPS[case]
    points = [point(f"p{number}", path) for number, path in enumerate(paths)]
    if not refused:
        assert len(plan(points).mounts) == len(paths)
        return
    with pytest.raises(MountError):
        plan(points)


def test_nested_mounts_come_outer_first_when_allowed() -> None:
    result = plan([point("inner", "/a/b"), point("outer", "/a")], nested=True)
    assert [item.path for item in result.mounts] == ["/a", "/a/b"]


def host(source: Path) -> Volume:
    return Volume(ACName("v"), "host", source=str(source))


def test_sources_must_exist_and_hold_no_link(tmp_path: Path) -> None:
    (tmp_path / "real" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    assert resolve_sources([host(tmp_path / "real")], follow_links=False) == (host(tmp_path / "real"),)
    for source, why in (("absent", "no such file"), ("link", "is a symbolic link"), ("link/inner", "link is a symbolic link")):
        with pytest.raises(VolumeSourceError, match=why):
            resolve_sources([host(tmp_path / source)], follow_links=False)
    assert not (tmp_path / "absent").exists()


def test_links_are_followed_when_that_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("nowhere")
    assert resolve_sources([host(tmp_path / "link")], follow_links=True) == (host(tmp_path / "real"),)
    with pytest.raises(VolumeSourceError):
        resolve_sources([host(tmp_path / "dangling")], follow_links=True)


@pytest.mark.parametrize("path", ["/proc", "/proc/self", "//proc/./1", "/sys", "/dev/"])
def test_nothing_is_mounted_over_what_the_kernel_shows(path: str) -> None:
    with pytest.raises(MountError, match="nothing may be mounted there"):
        plan([point("data", path)], [volume("data")])
