"""`acrun cp`, as typed: from and into pods that run, have ended, or wait to be run, whatever their files are."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.desk import Desk, app_image, assert_refused, snapshot, userland
from tests.support.images import Node
from tests.support.running import staying_shell
from tests.support.terminal import at_terminal

ACRUN = str(Path(sys.executable).parent / "acrun")

APPLETS = ("sh", "echo", "sleep", "mkdir", "ln", "mkfifo", "mknod", "chmod", "chown", "cat", "ls", "rm", "mv", "stat", "touch")
FILES = {**userland(*APPLETS), "etc": None, "etc/conf": Node(b"from the image\n", mode=0o640, uid=12, gid=34), "etc/old": b"old\n"}


@pytest.fixture
def shelf(shelf: Desk) -> Desk:
    """Return the shelf with some files more in its shell."""
    (shelf.path / "sh.aci").write_bytes(app_image("example.com/sh", ["/bin/sh", "-c"], FILES))
    return shelf


def left_behind(desk: Desk) -> list[str]:
    """Return the names of temporary files here and in all pods."""
    return [str(path) for path in desk.path.rglob(".*") if path.name.endswith(".tmp")]


def test_files_come_out_of_a_running_pod_with_their_properties(shelf: Desk) -> None:
    script = "mkdir -p /d/sub; echo new > /d/file; ln /d/file /d/hard; ln -s file /d/link; chmod 700 /d/sub; chown 5:6 /d/sub"
    with staying_shell(shelf, script):
        ended = shelf.shell("acrun cp stay:/d . && acrun cp stay:/etc/conf . && acrun cp stay:/etc/conf renamed")
        assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
    assert (shelf.path / "d" / "file").read_text() == "new\n"
    assert os.path.samefile(shelf.path / "d" / "file", shelf.path / "d" / "hard")
    assert os.readlink(shelf.path / "d" / "link") == "file"
    status = (shelf.path / "d" / "sub").stat()
    assert (oct(status.st_mode), status.st_uid, status.st_gid) == ("0o40700", 5, 6)
    for name in ("conf", "renamed"):
        status = (shelf.path / name).stat()
        assert (oct(status.st_mode), status.st_uid, status.st_gid) == ("0o100640", 12, 34)
    assert left_behind(shelf) == []


def test_files_come_out_of_a_pod_that_has_ended_when_they_were_kept(shelf: Desk) -> None:
    script = "rm /etc/old; echo new > /etc/new; mv /etc/conf /etc/moved"
    assert shelf.run("acrun", "--keep", "--name", "kept", "./sh.aci", "--", script).code == 0
    assert shelf.run("acrun", "--keep", "--no-overlay", "--name", "copied", "./sh.aci", "--", script).code == 0
    for name in ("kept", "copied"):
        assert shelf.run("acrun", "cp", f"{name}:/etc", name).code == 0
        assert {path.name for path in (shelf.path / name).iterdir()} >= {"new", "moved"}
        assert not {"old", "conf"} & {path.name for path in (shelf.path / name).iterdir()}
    assert shelf.run("acrun", "--name", "gone", "./sh.aci", "--", script).code == 0
    words = "gone: its files went when it ended (acrun run --keep keeps them)"
    assert_refused(shelf.run("acrun", "cp", "gone:/etc", "x"), 66, words, "acrun")


def test_files_go_into_a_running_pod(shelf: Desk) -> None:
    (shelf.path / "conf").write_text("from here\n")
    (shelf.path / "conf").chmod(0o604)
    (shelf.path / "tree" / "sub").mkdir(parents=True)
    (shelf.path / "tree" / "sub" / "file").write_text("deep\n")
    with staying_shell(shelf):
        line = "acrun cp conf stay:/etc/conf && acrun cp tree stay:/ && acrun cp tree/. stay:/etc && acrun cp tree stay:/other"
        ended = shelf.shell(line)
        assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
        shown = shelf.run("acrun", "enter", "stay", "--", "/bin/sh", "-c", "cat /etc/conf; stat -c %a /etc/conf; cat /etc/old")
        assert shown.stdout == "from here\n604\nold\n"
        inside = "cat /tree/sub/file /etc/sub/file /other/sub/file; ls -A / | cat"
        shown = shelf.run("acrun", "enter", "stay", "--", "/bin/sh", "-c", inside)
        assert shown.stdout.startswith("deep\n" * 3)
        assert ".tmp" not in shown.stdout


def test_files_go_into_a_pod_that_has_ended_and_come_out_again(shelf: Desk) -> None:
    (shelf.path / "file").write_text("text\n")
    for option in ("--overlay", "--no-overlay"):
        assert shelf.run("acrun", "--keep", option, "--name", "kept", "./sh.aci", "--", "rm -r /etc; mkdir /etc").code == 0
        assert shelf.shell("acrun cp file kept:/etc/new && acrun cp file kept:/bin && acrun cp kept:/etc etc").code == 0
        assert [path.name for path in (shelf.path / "etc").iterdir()] == ["new"]
        assert shelf.shell("rm -r etc; acrun cp kept:/bin/file - | tar -xO").stdout == "text\n"
        assert json.loads(shelf.run("acrun", "status", "--json", "kept").stdout)["state"] == "exited"
        assert shelf.run("acrun", "rm", "kept").code == 0
    assert left_behind(shelf) == []


def test_archives_go_through_pipes(shelf: Desk) -> None:
    (shelf.path / "tree").mkdir()
    (shelf.path / "tree" / "file").write_text("text\n")
    with staying_shell(shelf, "mkdir /in"):
        assert shelf.shell("tar -c tree | acrun cp - stay:/in && tar -cz tree | acrun cp - stay:/").code == 0
        listing = shelf.shell("acrun cp stay:/in - | tar -t")
        assert (listing.code, listing.stdout) == (0, "in/\nin/tree/\nin/tree/file\n")
        assert shelf.shell("acrun cp stay:/in/. - | tar -t").stdout == "tree/\ntree/file\n"
        assert shelf.shell("acrun cp stay:/tree/file - | tar -xO").stdout == "text\n"
        assert_refused(shelf.shell("echo nonsense | acrun cp - stay:/in"), 65, "standard input: ", "acrun")
        assert_refused(shelf.shell("tar -c tree | acrun cp - stay:/etc/conf"), 2, "is no directory", "acrun")
        cut = shelf.shell("tar -c tree | head -c 1100 | acrun cp - stay:/etc")
        assert (cut.code, cut.stdout) == (65, "")
        assert "tree" not in shelf.run("acrun", "enter", "stay", "--", "/bin/ls", "-A", "/etc").stdout
    whole = shelf.shell("(acrun --keep --name a ./sh.aci -- 'echo x > /x') && acrun cp a:/ - | tar -t | head -3")
    assert whole.stdout == "bin/\nbin/busybox\nbin/cat\n"


def test_links_of_an_app_never_lead_out(shelf: Desk) -> None:
    (shelf.path / "secret").mkdir()
    (shelf.path / "secret" / "file").write_text("of the host\n")
    secret = shelf.path / "secret"
    script = (
        f"ln -s {secret} /out; ln -s ../../../../../../..{secret} /up; ln -s /proc/1/root{secret} /magic; ln -s {secret}/file /f"
    )
    (shelf.path / "mine").write_text("mine\n")
    before = snapshot(secret)
    with staying_shell(shelf, script):
        for link in ("out", "up", "magic"):
            assert shelf.run("acrun", "cp", f"stay:/{link}/file", "stolen").code != 0
            assert shelf.run("acrun", "cp", "-L", f"stay:/{link}", "stolen").code != 0
            assert shelf.run("acrun", "cp", "mine", f"stay:/{link}/file").code != 0
        assert shelf.run("acrun", "cp", "-L", "stay:/f", "stolen").code == 66
        assert shelf.run("acrun", "cp", "stay:/f", "link").code == 0
    assert os.readlink(shelf.path / "link") == f"{secret}/file"
    assert not (shelf.path / "stolen").exists()
    assert snapshot(secret) == before


def test_what_an_app_made_to_trap_the_host_is_left_out(shelf: Desk) -> None:
    script = "mkdir /d; mknod /d/disk b 8 0; mknod /d/null c 1 3; mkfifo /d/fifo; echo x > /d/su; chmod 6755 /d/su"
    with staying_shell(shelf, script):
        ended = shelf.run("acrun", "cp", "stay:/d", "out")
        assert ended.code == 0
        powers = "set-user-ID bits, set-group-ID bits or file capabilities (1)"
        assert ended.stderr == f"acrun: stay:/d: warning: left out or not kept: device nodes (2), {powers}\n"
        modes = {path.name: path.lstat().st_mode for path in (shelf.path / "out").iterdir()}
        assert modes.keys() == {"fifo", "su"}
        assert (stat.S_ISFIFO(modes["fifo"]), oct(modes["su"])) == (True, "0o100755")
        assert "disk" in shelf.shell("acrun cp stay:/d - | tar -t").stdout
        why = "stay:/d/disk: is a device node, and none comes out of a pod"
        assert_refused(shelf.run("acrun", "cp", "stay:/d/disk", "disk"), 2, why, "acrun")
        assert shelf.shell("acrun cp stay:/d/disk - | tar -tv").stdout.startswith("b")


def test_a_socket_is_told_rather_than_left_out_when_it_is_all_that_was_asked_for(shelf: Desk) -> None:
    os.mknod(shelf.path / "socket", stat.S_IFSOCK | 0o600)
    with staying_shell(shelf, "", "--volume", f"{shelf.path}:/v"):
        for words in (["socket", "stay:/"], ["stay:/v/socket", "copy"], ["stay:/v/socket", "-"]):
            refused = shelf.run("acrun", "cp", *words)
            assert_refused(refused, 2, f"{words[0]}: is a socket, of which there is nothing to copy", "acrun")


def test_file_systems_of_the_kernel_stay_where_they_are(shelf: Desk) -> None:
    with staying_shell(shelf):
        words = "lies on a file system of the kernel, which holds no files"
        assert_refused(shelf.run("acrun", "cp", "stay:/proc/1/environ", "x"), 2, words, "acrun")
        (shelf.path / "file").touch()
        assert_refused(shelf.run("acrun", "cp", "file", "stay:/proc/sys/x"), 2, words, "acrun")
        everything = shelf.shell("acrun cp stay:/ - | tar -t")
        assert "proc/1" not in everything.stdout
        assert "warning: left out or not kept: file systems of the kernel" in everything.stderr


def test_volumes_are_seen_as_the_app_sees_them(shelf: Desk) -> None:
    (shelf.path / "volume").mkdir()
    (shelf.path / "volume" / "file").write_text("on the volume\n")
    (shelf.path / "mine").touch()
    volume = f"v,kind=host,source={shelf.path}/volume,readOnly=true"
    with staying_shell(shelf, "", "--volume", volume, "--mount", "volume=v,target=/v"):
        assert shelf.run("acrun", "cp", "stay:/v/file", "copy").code == 0
        assert_refused(shelf.run("acrun", "cp", "mine", "stay:/v"), 73, "read-only file system", "acrun")
    assert (shelf.path / "copy").read_text() == "on the volume\n"
    assert os.listdir(shelf.path / "volume") == ["file"]


def test_which_of_several_apps_is_meant_must_be_said(shelf: Desk) -> None:
    line = "acrun --keep --name two ./sh.aci --name a -- 'echo a > /f' --- ./sh.aci --name b -- 'echo b > /f'"
    assert shelf.shell(line).code == 0
    assert shelf.shell("acrun cp two:b:/f - | tar -xO").stdout == "b\n"
    assert_refused(shelf.run("acrun", "cp", "two:/f", "x"), 2, "two: has 2 apps (two:a|b:/f)", "acrun")
    assert_refused(shelf.run("acrun", "cp", "two:c:/f", "x"), 66, "c: no such app in this pod (a, b)", "acrun")


REFUSALS = {
    "no pod": ("file ./other", 2, "neither is in a pod"),
    "two pods": ("kept:/a kept:/b", 2, "both are in pods"),
    "a pod that is not there": ("nobody:/a x", 66, "nobody: no such pod"),
    "a file that is not there": ("kept:/etc/none x", 66, "/etc/none: no such file"),
    "a way through a file": ("kept:/etc/conf/x x", 66, "kept:sh:/etc/conf/x: "),
    "a relative path in a pod": ("kept:etc x", 2, "is neither POD:/PATH nor POD:APP:/PATH"),
    "a source that is not there": ("none kept:/etc", 66, "none: no such file"),
    "a place that is not there": ("file kept:/none/x", 66, "no such file"),
    "a directory onto a file": ("kept:/etc file", 73, "file: is no directory"),
    "something that is no file": ("kept:/etc/conf /dev/null", 73, "/dev/null: is neither a file nor a directory"),
}


@pytest.fixture(scope="module")
def kept_desk(machine: object, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Return a desk with a pod that has ended and kept its files, by the name of `kept`."""
    desk = Desk(machine, tmp_path_factory.mktemp("kept"))  # type: ignore[arg-type]
    (desk.path / "sh.aci").write_bytes(app_image("example.com/sh", ["/bin/sh", "-c"], FILES))
    (desk.path / "file").write_text("text\n")
    assert desk.run("acrun", "--keep", "--name", "kept", "./sh.aci", "--", "echo").code == 0
    return desk


@pytest.mark.parametrize(("words", "code", "said"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_copied_is_refused_in_one_line(words: str, code: int, said: str, kept_desk: Desk) -> None:
    before = snapshot(kept_desk.path)
    assert_refused(kept_desk.run("acrun", "cp", *words.split()), code, said, "acrun")
    assert snapshot(kept_desk.path) == before


def test_a_pod_is_not_removed_while_files_come_out_of_it(kept_desk: Desk) -> None:
    words, environment = [ACRUN, "cp", "kept:/", "-"], {**os.environ, **kept_desk.environment}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment, cwd=kept_desk.path) as copy:
        assert copy.stdout is not None
        assert copy.stdout.read(1)  # it has begun, and waits for a reader now
        refused = kept_desk.run("acrun", "rm", "kept")
        assert (refused.code, "kept" in kept_desk.run("acrun", "list").stdout) == (75, True)
        assert copy.stdout.read()
    assert copy.returncode == 0


def test_a_terminal_gets_no_archive(kept_desk: Desk) -> None:
    with at_terminal([ACRUN, "cp", "kept:/etc", "-"], kept_desk.path, kept_desk.environment) as terminal:
        assert terminal.end() == 2
        assert "an archive is not for a terminal" in terminal.shown
