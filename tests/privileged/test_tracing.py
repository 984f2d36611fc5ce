"""An app that may look into other processes: into its own, and into none of those that could start or end what is not its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from acspec.isolator_names import RETAIN_SET
from acstage1.linux.security import can_bound_tracing
from tests.support.poddirs import AppSpec, enter, read_line, run, start, write_pod

pytestmark = pytest.mark.skipif(not can_bound_tracing(), reason="this kernel has no Landlock")
EACCES, EPERM, ENOENT = 13, 1, 2


def tracer(words: list[str], *more: str, user: str = "0") -> AppSpec:
    kept = ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_SYS_CHROOT", *more]
    app: dict[str, Any] = {"isolators": [{"name": RETAIN_SET, "value": {"set": kept}}], "user": user, "group": "0"}
    return AppSpec(words, app)


@pytest.mark.parametrize("user", ["0", "1000"])
@pytest.mark.parametrize(
    "attack",
    [
        ("trace", "1"),
        ("write-to", "/proc/1/mem"),
        ("try", "/proc/1/root"),
        ("try", "/proc/1/exe"),
        ("try", "/proc/1/environ"),
        ("try", "/proc/1/fd/0"),
    ],
)
def test_pod_init_is_out_of_its_reach(tmp_path: Path, rootfs: Path, attack: tuple[str, str], user: str) -> None:
    result = run(write_pod(tmp_path, rootfs, {"app": tracer(["/bin/probe", *attack], user=user)}))
    assert int(result.stdout) in (EACCES, EPERM), result.stderr
    assert result.stderr == ""


def test_with_mounting_it_is_not_and_that_is_told(tmp_path: Path, rootfs: Path) -> None:
    """Who may mount is root on the host anyway; this shows that the attacks above reach init when nothing stands in the way."""
    result = run(write_pod(tmp_path, rootfs, {"app": tracer(["/bin/probe", "try", "/proc/1/root"], "CAP_SYS_ADMIN")}))
    assert result.stdout == "0\n"
    assert "it can take over the pod's first process" in result.stderr


def test_its_own_processes_are_in_its_reach(tmp_path: Path, rootfs: Path) -> None:
    assert run(write_pod(tmp_path, rootfs, {"app": tracer(["/bin/probe", "trace", "0"])})).stdout == "0\n"


def test_no_other_process_of_the_pod_is_for_the_app_and_for_who_enters_it(tmp_path: Path, rootfs: Path) -> None:
    script = "for process in /proc/[0-9]*; do [ $process = /proc/$$ ] || /bin/probe try $process/mem; done"
    apps = {"app": tracer(["/bin/probe", "trap", "0"]), "other": AppSpec(["/bin/probe", "trap", "0"])}
    pod = write_pod(tmp_path, rootfs, apps)
    with start(pod) as monitor:
        assert all(read_line(monitor).endswith("waiting\n") for _ in apps)
        seen = enter(pod, "app", "/bin/sh", "-c", script)
        monitor.terminate()
    codes = [int(line) for line in seen.stdout.split()]
    assert len(codes) >= 3, seen.stderr
    assert set(codes) <= {EACCES, EPERM, ENOENT}
    assert codes.count(ENOENT) <= 1  # what looks is gone when its successor looks


def test_files_can_be_moved_linked_and_made_as_ever(tmp_path: Path, rootfs: Path) -> None:
    volume = {"name": "v", "kind": "empty"}
    script = (
        "cd /tmp; mkdir a b; echo x > a/file; /bin/busybox mv a/file b/file; ln b/file a/other; cat a/other;"
        "/bin/busybox mv /etc/passwd /passwd; ls /passwd; cd /data; mkdir d; echo y > file; /bin/busybox mv file d/; cat d/file"
    )
    spec = tracer(["/bin/sh", "-c", script])
    spec.runtime = {"mounts": [{"volume": "v", "path": "/data"}]}
    result = run(write_pod(tmp_path, rootfs, {"app": spec}, manifest={"volumes": [volume]}))
    assert (result.stdout, result.stderr) == ("x\n/passwd\ny\n", "")
