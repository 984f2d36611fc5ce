"""Volumes as an app sees them: sources of the host, targets made, files that give way, links that lead nowhere new."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.poddirs import AppSpec, Result, run, write_pod


def run_with(
    tmp_path: Path, rootfs: Path, script: str, path: str, volume: dict[str, Any], points: tuple[dict[str, Any], ...] = ()
) -> Result:
    """Run a shell script in an app with one volume at *path*."""
    app = AppSpec(["/bin/sh", "-c", script], {"mountPoints": list(points)}, {"mounts": [{"volume": "v", "path": path}]})
    return run(write_pod(tmp_path, rootfs, {"app": app}, manifest={"volumes": [{"name": "v", **volume}]}))


def host(source: Path, **more: Any) -> dict[str, Any]:
    return {"kind": "host", "source": str(source), **more}


def test_a_directory_of_the_host_is_shared_both_ways(tmp_path: Path, rootfs: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "given").write_text("from outside\n")
    assert run_with(tmp_path, rootfs, "cat /data/given; echo inside > /data/made", "/data", host(source)).stdout == "from outside\n"
    assert (source / "made").read_text() == "inside\n"


def test_a_single_file_can_be_a_volume(tmp_path: Path, rootfs: Path) -> None:
    (tmp_path / "conf").write_text("a = 1\n")
    result = run_with(tmp_path, rootfs, "cat /etc/app/conf", "/etc/app/conf", host(tmp_path / "conf"))
    assert (result.stdout, result.stderr) == ("a = 1\n", "")


READ_ONLY = {"of the volume": ({"readOnly": True}, False), "of the mount point": ({}, True)}


@pytest.mark.parametrize("case", READ_ONLY)
def test_what_is_read_only_is_so_all_the_way_down(tmp_path: Path, rootfs: Path, case: str) -> None:
    more, point = READ_ONLY[case]
    source = tmp_path / "source"
    (source / "below").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(source / "below")], check=True)
    try:
        points = ({"name": "v", "path": "/data", "readOnly": True},) if point else ()
        script = "touch /data/a; touch /data/below/b; grep -c /data/below /proc/self/mounts"
        result = run_with(tmp_path, rootfs, script, "/data", host(source, **more), points)
        assert os.listdir(source / "below") == []
    finally:
        subprocess.run(["umount", str(source / "below")], check=True)
    assert result.stdout == "1\n"  # recursive unless it says otherwise, and read-only all the way down
    assert result.stderr.count("Read-only file system") == 2
    assert os.listdir(source) == ["below"]


def test_what_is_mounted_below_stays_outside_when_not_recursive(tmp_path: Path, rootfs: Path) -> None:
    source = tmp_path / "source"
    (source / "below").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(source / "below")], check=True)
    try:
        (source / "below" / "file").touch()
        result = run_with(tmp_path, rootfs, "ls /data/below; id -u", "/data", host(source, recursive=False))
    finally:
        subprocess.run(["umount", str(source / "below")], check=True)
    assert result.stdout == "0\n"


def test_a_target_that_is_missing_is_made_with_its_parents(tmp_path: Path, rootfs: Path) -> None:
    script = "stat -c '%u:%g %a' /deep /deep/er"
    before = os.umask(0o077)
    try:
        result = run_with(tmp_path, rootfs, script, "/deep/er/data", {"kind": "empty"})
    finally:
        os.umask(before)
    assert result.stdout == "0:0 755\n0:0 755\n"
    assert result.stderr == ""


def _file(path: Path) -> None:
    path.write_text("in the way\n")


def _full_directory(path: Path) -> None:
    path.mkdir()
    (path / "old").touch()


def _empty_directory(path: Path) -> None:
    path.mkdir()


def _empty_file(path: Path) -> None:
    path.touch()


TARGETS: dict[str, tuple[Callable[[Path], None], bool]] = {
    "a file with content": (_file, True),
    "a directory with content": (_full_directory, True),
    "an empty directory": (_empty_directory, False),
    "an empty file": (_empty_file, False),
}


@pytest.mark.parametrize("case", TARGETS)
def test_what_the_image_has_at_the_target_is_hidden_and_said_so(tmp_path: Path, own_rootfs: Path, case: str) -> None:
    make, told = TARGETS[case]
    make(own_rootfs / "data")
    result = run_with(tmp_path, own_rootfs, "ls -A /data; touch /data/new && ls /data", "/data", {"kind": "empty"})
    assert result.stdout == "new\n"
    assert result.stderr == ("acstage1: volume v hides what the image has at /data\n" if told else "")
    assert (own_rootfs / "data").exists()


LINKS = {
    "to the host's root": "/",
    "upwards": "../../../../../..",
    "to a directory of the image": "/tmp",
}


@pytest.mark.parametrize("case", LINKS)
def test_a_link_at_the_target_stays_inside(tmp_path: Path, own_rootfs: Path, case: str) -> None:
    (own_rootfs / "link").symlink_to(LINKS[case])
    canary = tmp_path / "volume"
    canary.mkdir()
    result = run_with(tmp_path, own_rootfs, "touch /link/new/made; ls /link/new", "/link/new", host(canary))
    assert result.stdout == "made\n"
    assert os.listdir(canary) == ["made"]
    assert not Path("/new").exists()


def test_a_target_longer_than_any_path_is_refused_in_a_line(tmp_path: Path, own_rootfs: Path) -> None:
    """It is in the name of the step, too, and there is no room for both in a message to the monitor."""
    result = run_with(tmp_path, own_rootfs, "true", "/deep" * 9999, host(tmp_path))
    assert result.code == 125
    assert result.stderr.startswith("acstage1: app: mount volume v on /deep/deep")
    assert len(result.stderr.splitlines()) == 1


FORBIDDEN = {"of the root": "/", "of the kernel's processes": "/proc", "into them": "proc/self", "of the devices": "/dev"}


@pytest.mark.parametrize("case", FORBIDDEN)
def test_a_target_that_leads_over_what_the_start_relies_on_is_refused(tmp_path: Path, own_rootfs: Path, case: str) -> None:
    (own_rootfs / "link").symlink_to(FORBIDDEN[case])
    result = run_with(tmp_path, own_rootfs, "true", "/link", {"kind": "empty"})
    assert (result.code, result.stdout) == (125, "")
    assert result.stderr.splitlines()[-1].endswith("/link: nothing may be mounted there"), result.stderr


def test_a_source_that_became_a_link_is_refused(tmp_path: Path, rootfs: Path) -> None:
    """acrun has looked at the source before; what counts is what stage1 opens."""
    (tmp_path / "source").symlink_to("/etc")
    result = run_with(tmp_path, rootfs, "ls /data", "/data", host(tmp_path / "source"))
    assert (result.code, result.stdout) == (125, "")
    assert "open volume v" in result.stderr


CGROUP_LINKS = {"/proc": "/proc", "the root": "/", "a directory of its own": "own"}


@pytest.mark.parametrize("target", CGROUP_LINKS.values(), ids=CGROUP_LINKS)
def test_a_link_in_the_place_of_the_cgroups_leads_nowhere(tmp_path: Path, rootfs: Path, target: str) -> None:
    source = tmp_path / "source"
    (source / "own").mkdir(parents=True)
    (source / "cgroup").symlink_to(target)
    look = "ls /sys/fs/cgroup/ | grep -x -e cpu -e pids -e cgroup.procs; ls -d /proc/self/status && touch /here"
    result = run_with(tmp_path, rootfs, look, "/sys/fs", host(source))
    assert (result.code, result.stdout) == (0, "/proc/self/status\n"), result.stderr


def test_a_volume_in_the_place_of_the_cgroups_is_what_is_seen(tmp_path: Path, rootfs: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").touch()
    assert run_with(tmp_path, rootfs, "ls /sys/fs/cgroup", "/sys/fs/cgroup", host(source)).stdout == "file\n"
    assert os.listdir(source) == ["file"]


@pytest.mark.parametrize("target", ["/v/file", "/file"])
def test_what_an_app_forbids_to_remove_goes_with_the_pod(tmp_path: Path, rootfs: Path, target: str) -> None:
    retain = {"name": "os/linux/capabilities-retain-set", "value": {"set": ["CAP_LINUX_IMMUTABLE"]}}
    mounts = {"mounts": [{"volume": "v", "path": "/v"}]}
    app = AppSpec(["/bin/probe", "forbid", target], {"isolators": [retain]}, mounts, copy=True)
    pod = write_pod(tmp_path, rootfs, {"app": app}, manifest={"volumes": [{"name": "v", "kind": "empty"}]}, remove=True)
    result = run(pod)
    assert (result.code, result.stdout, result.stderr) == (0, "0\n", "")
    assert not (pod / "volumes" / "v").exists()
    assert not (pod / "apps" / "app" / "rootfs").exists()


def test_a_device_on_a_volume_cannot_be_opened(tmp_path: Path, rootfs: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    os.mknod(source / "null", 0o20666, os.makedev(1, 3))
    assert "Permission denied" in run_with(tmp_path, rootfs, "cat /data/null", "/data", host(source)).stderr


def test_hosts_are_written_where_there_are_none_and_left_where_there_are(tmp_path: Path, own_rootfs: Path) -> None:
    pod = write_pod(tmp_path, own_rootfs, {"app": AppSpec(["/bin/cat", "/etc/hosts"])}, hostname="shop")
    assert run(pod).stdout.splitlines()[0] == "127.0.0.1\tlocalhost shop"
    assert not (own_rootfs / "etc" / "hosts").exists()
    (own_rootfs / "etc" / "hosts").write_text("10.0.0.1 own\n")
    pod = write_pod(tmp_path, own_rootfs, {"app": AppSpec(["/bin/cat", "/etc/hosts"])})
    assert run(pod).stdout == "10.0.0.1 own\n"


def test_a_volume_with_a_size_holds_no_more_and_goes_with_the_pod(tmp_path: Path, rootfs: Path) -> None:
    """Two apps share it; its mode and owner are those of its directory; neither bytes nor empty files go beyond."""
    script = "stat -c '%a %u:%g' /v; head -c 1048576 /dev/zero > /v/a; head -c 9 /dev/zero > /v/b; stat -c %s /v/a /v/b; > /v/c"
    many = "while [ ! -e /v/c ]; do sleep 0.01; done; n=0; while > /v/f$n; do n=$((n+1)); done; echo $((n < 1000))"
    apps = {"a": AppSpec(["/bin/sh", "-c", script]), "b": AppSpec(["/bin/sh", "-c", many])}
    for app in apps.values():
        app.runtime["mounts"] = [{"volume": "v", "path": "/v"}]
    volume = {"name": "v", "kind": "empty"}
    pod = write_pod(tmp_path, rootfs, apps, manifest={"volumes": [volume]}, volumes={"v": {"size": 1 << 20}})
    os.chown(pod / "volumes" / "v", 7, 8)
    (pod / "volumes" / "v").chmod(0o1770)
    result = run(pod)
    assert result.stdout.splitlines()[:3] == ["a | 1770 7:8", "a | 1048576", "a | 0"], result
    assert "b | 1" in result.stdout
    assert "No space left on device" in result.stderr
    assert list((pod / "volumes" / "v").iterdir()) == []


def test_an_app_s_own_volume_stands_in_for_the_pod_s(tmp_path: Path, rootfs: Path) -> None:
    """Source: pods.md, mounts: appVolume."""
    for name in ("pods", "apps"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    own = {"name": "v", **host(tmp_path / "apps")}
    app = AppSpec(["/bin/ls", "/data"], runtime={"mounts": [{"volume": "v", "path": "/data", "appVolume": own}]})
    pod = write_pod(tmp_path, rootfs, {"app": app}, manifest={"volumes": [{"name": "v", **host(tmp_path / "pods")}]})
    assert run(pod).stdout == "apps\n"
