"""Images as attackers: what stands in them where the start of an app looks, makes or imports something."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acstage1.linux.libc import AT_FDCWD, syscall
from tests.support.poddirs import AppSpec, Result, run, write_pod

RENAMEAT2, RENAME_EXCHANGE = 316 if platform.machine() == "x86_64" else 276, 2


def shell(tmp_path: Path, rootfs: Path, script: str, **app: Any) -> Result:
    return run(write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/sh", "-c", script], app)}))


@pytest.mark.parametrize("name", ["dev", "proc", "sys"])
@pytest.mark.parametrize("target", ["CANARY", "../../../../../../CANARY", "/nowhere", "/proc/self/root", "."])
def test_a_link_in_the_place_of_what_the_kernel_shows_leads_nowhere(
    tmp_path: Path, own_rootfs: Path, name: str, target: str
) -> None:
    canary = tmp_path / "canary"
    canary.mkdir()
    (own_rootfs / name).symlink_to(target.replace("CANARY", str(canary)))
    result = shell(tmp_path, own_rootfs, f"test -d /{name} && ! test -L /{name} && ls /dev/null /proc/self/status /sys/kernel")
    assert result.code == 0, result.stderr
    assert os.listdir(canary) == []


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def _outside(path: Path) -> None:
    canary = path.parents[2] / "canary"
    canary.write_text("daemon:x:1:1::/:/bin/sh\n")
    path.symlink_to("../" * 12 + str(canary).lstrip("/"))


DATABASES: dict[str, Callable[[Path], None]] = {
    "a FIFO": _fifo,
    "a directory": Path.mkdir,
    "a link in circles": lambda path: path.symlink_to(path.name),
    "a link to what never ends": lambda path: path.symlink_to("/dev/zero"),
    "a link out": _outside,
    "a link to a file of the first process": lambda path: path.symlink_to("/proc/1/environ"),
    "a link through the first process": lambda path: path.symlink_to("/proc/1/root/etc/passwd"),
    "larger than any": _huge,
}


@pytest.mark.parametrize("case", DATABASES)
@pytest.mark.parametrize("name", ["passwd", "group"])
def test_a_database_of_users_that_is_none_holds_up_nothing_and_tells_nothing(
    tmp_path: Path, own_rootfs: Path, case: str, name: str
) -> None:
    (own_rootfs / "etc" / name).unlink()
    DATABASES[case](own_rootfs / "etc" / name)
    numbers = run(write_pod(tmp_path, own_rootfs, {"app": AppSpec(["/bin/probe"], {"user": "7", "group": "8"})}))
    named = {"passwd": {"user": "daemon"}, "group": {"group": "daemon"}}[name]
    assert run(write_pod(tmp_path, own_rootfs, {"app": AppSpec(["/bin/probe"], named)})).code == 125
    if case == "larger than any":
        assert (numbers.code, numbers.stdout) == (125, "")
        assert "larger than the limit" in numbers.stderr
    else:
        assert numbers.code == 0, numbers.stderr
        assert (numbers.report["uids"], numbers.report["gids"]) == ([7] * 3, [8] * 3)


def test_modules_of_the_image_are_never_imported(tmp_path: Path, own_rootfs: Path) -> None:
    """In every directory that the interpreter looks into there is one for every name: whichever is imported ends the start."""
    names = sorted({*sys.stdlib_module_names, "acspec", "acstage1", "sitecustomize", "usercustomize"})
    code = "import os; os.write(2, b'taken'); os._exit(99)\n"
    import_path = subprocess.run(
        [sys.executable, "-I", "-S", "-c", "import sys; print(*sys.path, sep='\\n')"], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    places = [place for place in [*import_path, str(Path(__file__).parents[2]), str(Path(__file__).parents[2] / "spec")] if place]
    for place in places:
        directory = own_rootfs / place.lstrip("/")
        directory.mkdir(parents=True, exist_ok=True)
        for name in names:
            (directory / f"{name}.py").write_text(code)
    cases: list[dict[str, Any]] = [{}, {"user": "nobody"}, {"user": "/bin/sh", "group": "/bin"}, {"workingDirectory": "/no"}]
    for app in [*cases, {"exec": ["x"]}]:
        result = run(write_pod(tmp_path, own_rootfs, {"app": AppSpec(app.get("exec", ["/bin/true"]), app)}))
        assert result.code in (0, 125, 127)
        assert "taken" not in result.stderr


def _exchange(one: Path, other: Path) -> None:
    syscall("renameat2", RENAMEAT2, AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE)


def test_a_target_that_others_swap_for_a_link_meanwhile_leads_nowhere(tmp_path: Path, own_rootfs: Path) -> None:
    """Another pod shares the outer volume, and exchanges a directory in it for a link while targets in it are mounted on."""
    shared, canary, inner = (tmp_path / name for name in ("shared", "canary", "inner"))
    for directory in (shared / "target", canary, inner):
        directory.mkdir(parents=True)
    (shared / "link").symlink_to("../" * 12 + str(canary).lstrip("/"))
    stop, swapped = threading.Event(), []

    def swap() -> None:
        while not stop.is_set():
            _exchange(shared / "target", shared / "link")
            swapped.append(None)

    racer = threading.Thread(target=swap)
    racer.start()
    try:
        volumes = [{"name": name, "kind": "host", "source": str(tmp_path / name)} for name in ("shared", "inner")]
        mounts = [{"volume": "shared", "path": "/v"}, {"volume": "inner", "path": "/v/target/deep"}]
        app = AppSpec(["/bin/sh", "-c", "echo x > /v/target/deep/made"], runtime={"mounts": mounts})
        rounds = 0
        while rounds < 20 or len(swapped) <= 1000:
            rounds += 1
            assert racer.is_alive()
            assert run(write_pod(tmp_path, own_rootfs, {"app": app}, manifest={"volumes": volumes})).code in (0, 1, 125)
    finally:
        stop.set()
        racer.join()
    assert os.listdir(canary) == []
    assert str(canary) not in Path("/proc/self/mountinfo").read_text()
