"""flock on directories: one owner, instant probes, and no lock on what is no longer there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acspec.errors import BusyError
from acspec.locks import is_locked, iterate_unlocked, open_locked, open_owned
from tests.support.stores import wait_until_blocked

HOLDER = "import sys, acspec.locks as l; l.open_locked(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


def _hold(path: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_held_lock_is_seen_and_refused_and_ends_with_its_holder(tmp_path: Path) -> None:
    with _hold(tmp_path) as holder:
        assert is_locked(str(tmp_path))
        with pytest.raises(BusyError, match="in use by another process"):
            open_locked(str(tmp_path))
        holder.kill()
    assert not is_locked(str(tmp_path))


def test_shared_locks_stand_beside_each_other(tmp_path: Path) -> None:
    first = open_locked(str(tmp_path), shared=True)
    second = open_locked(str(tmp_path), shared=True)
    with pytest.raises(BusyError):
        open_locked(str(tmp_path))
    os.close(first)
    os.close(second)


def test_an_owner_lets_who_only_looks_have_their_instant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look = open_locked(str(tmp_path), shared=True)
    monkeypatch.setattr("acspec.locks.time.sleep", lambda _: os.close(look))
    os.close(open_owned(str(tmp_path)))


def test_an_owner_waits_for_nobody_who_holds_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = open_locked(str(tmp_path), shared=True)
    with pytest.raises(BusyError):
        open_owned(str(tmp_path))
    os.close(reader)
    monkeypatch.setattr("acspec.locks.time.sleep", lambda _: pytest.fail("waits"))
    owner = open_owned(str(tmp_path))
    with pytest.raises(BusyError):
        open_owned(str(tmp_path))
    os.close(owner)


def test_a_directory_that_was_replaced_while_waiting_is_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "d"
    path.mkdir()
    old = open_locked(str(path))
    waiter = subprocess.Popen(
        [sys.executable, "-c", "import sys, os, acspec.locks as l; fd = l.open_locked(sys.argv[1], wait=True);"
         "print(os.fstat(fd).st_ino)", str(path)], stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until_blocked(waiter)
    path.rename(tmp_path / "elsewhere")
    path.mkdir()
    os.close(old)
    output, _ = waiter.communicate()
    assert int(output) == path.stat().st_ino


def test_the_descriptor_does_not_survive_exec(tmp_path: Path) -> None:
    descriptor = open_locked(str(tmp_path))
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(OSError, match=r"symbolic|directory"):
        open_locked(str(tmp_path / "link"))


def test_what_nobody_holds_is_given_locked_one_after_the_other(tmp_path: Path) -> None:
    names = ["a", "b", "c"]
    for name in names:
        (tmp_path / name).mkdir()
    paths = [str(tmp_path / name) for name in ("a", "gone", "b", "c")]
    held = open_locked(paths[2])
    seen = []
    for path in iterate_unlocked(paths):
        assert [name for name in names if is_locked(str(tmp_path / name))] == sorted({os.path.basename(path), "b"})
        seen.append(path)
    os.close(held)
    assert seen == [paths[0], paths[3]]
    assert not any(is_locked(str(tmp_path / name)) for name in names)


def test_a_caller_that_fails_leaves_no_lock(tmp_path: Path) -> None:
    def fail() -> None:
        for path in iterate_unlocked([str(tmp_path)]):
            raise OSError(28, "no space", path)

    with pytest.raises(OSError, match="no space"):
        fail()
    assert not is_locked(str(tmp_path))
