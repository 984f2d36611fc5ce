"""Files that appear whole or not at all, and trees that go away."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from acspec.durable import NewFile, change_mode, make_directories, remove_tree, sweep_new_files, write_file
from acspec.errors import OutputError


def test_a_file_has_its_content_and_mode_and_leaves_nothing_beside(tmp_path: Path) -> None:
    write_file(str(tmp_path / "f"), b"new", mode=0o444)
    assert (tmp_path / "f").read_bytes() == b"new"
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o444
    assert os.listdir(tmp_path) == ["f"]


def test_an_existing_file_is_kept_unless_it_may_be_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "f")
    write_file(path, b"old")
    with pytest.raises(OutputError, match="already exists"):
        write_file(path, b"new", overwrite=False)
    assert (tmp_path / "f").read_bytes() == b"old"
    write_file(path, b"new")
    assert (tmp_path / "f").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["f"]


def test_a_file_that_is_not_committed_is_gone(tmp_path: Path) -> None:
    with NewFile(str(tmp_path / "f")) as file:
        file.write(b"x" * 100_000)
    assert os.listdir(tmp_path) == []


def test_what_a_killed_writer_left_is_swept_and_a_living_one_is_not_disturbed(tmp_path: Path) -> None:
    code = "import os, sys; from acspec.durable import NewFile; NewFile(sys.argv[1]).write(b'half'); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "dead")], check=True)
    (tmp_path / ".hidden").touch()
    with NewFile(str(tmp_path / "alive")) as file:
        assert len(os.listdir(tmp_path)) == 3
        sweep_new_files(str(tmp_path))
        assert len(os.listdir(tmp_path)) == 2
        file.write(b"whole")
        file.commit()
    assert sorted(os.listdir(tmp_path)) == [".hidden", "alive"]
    sweep_new_files(str(tmp_path / "nowhere"))


def test_a_directory_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be created: no such file or directory"):
        NewFile(str(tmp_path / "absent" / "f"))


def test_directories_above_are_as_closed_as_the_last_one_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        for _ in range(2):
            make_directories(str(tmp_path / "a/b/c"), 0o750)
    finally:
        os.umask(before)
    assert [(tmp_path / path).stat().st_mode & 0o777 for path in ("a", "a/b", "a/b/c")] == [0o750] * 3


def test_a_file_or_a_link_to_nowhere_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    for path in ("file", "file/a", "link", "link/a"):
        with pytest.raises((FileExistsError, NotADirectoryError)):
            make_directories(str(tmp_path / path), 0o755)


def test_where_the_kernel_makes_no_directories_that_is_the_answer() -> None:
    with pytest.raises(FileNotFoundError, match="/proc/data"):
        make_directories("/proc/data/appc", 0o755)


def test_what_an_app_forbade_to_change_is_removed(tmp_path: Path) -> None:
    deep = tmp_path / "tree" / "closed" / "deep" / "deeper"
    deep.mkdir(parents=True)
    (deep / "file").touch()
    (deep / "log").touch()
    for flag, path in (("i", deep / "file"), ("a", deep / "log"), ("i", deep), ("a", deep.parent), ("i", deep.parents[1])):
        done = subprocess.run(["chattr", f"+{flag}", str(path)], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("needs root, and a file system with such flags")
    remove_tree(str(tmp_path / "tree"))
    assert os.listdir(tmp_path) == []


REMOVE_WATCHED = """
import ctypes, os, sys
from acspec.durable import remove_tree
IN_OPEN = 0x20
libc = ctypes.CDLL(None, use_errno=True)
watch = libc.inotify_init1(os.O_CLOEXEC)
if libc.inotify_add_watch(watch, os.fsencode(sys.argv[1] + "/it"), IN_OPEN) < 0:
    raise OSError(ctypes.get_errno(), "inotify_add_watch")
try:
    remove_tree(sys.argv[1])
except PermissionError:
    os.set_blocking(watch, False)
    try:
        os.read(watch, 4096)
        print("opened")
    except BlockingIOError:
        print("left alone")
"""
CLEARED = {"a file": (stat.S_IFREG, "opened"), "a FIFO": (stat.S_IFIFO, "left alone"), "a device": (stat.S_IFCHR, "left alone")}


@pytest.mark.parametrize("kind", CLEARED)
def test_of_what_cannot_be_removed_nothing_is_opened_that_does_something_when_it_is(kind: str, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("making a device takes root")
    type_, expected = CLEARED[kind]
    os.mkdir(tmp_path / "tree")
    os.mknod(tmp_path / "tree" / "it", type_ | 0o666, os.makedev(1, 3))
    os.chown(tmp_path / "tree", 65534, 65534)  # where root without its capability can remove nothing
    command = ["setpriv", "--bounding-set=-dac_override", sys.executable, "-c", REMOVE_WATCHED, str(tmp_path / "tree")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"{expected}\n"


def test_a_mode_is_changed_of_whatever_is_there_and_of_nothing_that_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir(mode=0)
    (tmp_path / "file").touch(mode=0)
    os.mkfifo(tmp_path / "fifo", 0)
    (tmp_path / "link").symlink_to("file")
    for name in ("directory", "fifo"):
        change_mode(str(tmp_path / name), 0o640)
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o640
    with pytest.raises(OSError, match="link"):
        change_mode(str(tmp_path / "link"), 0o640)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0


def test_a_tree_is_removed_without_following_its_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "link").symlink_to(outside)
    (tree / "dangling").symlink_to("nowhere")
    remove_tree(str(tree))
    assert not tree.exists()
    assert (outside / "kept").read_text() == "kept"
    remove_tree(str(tree))


def test_a_link_at_the_top_is_removed_and_not_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    remove_tree(str(tmp_path / "link"))
    assert sorted(os.listdir(tmp_path)) == ["real"]


DEPTH = 3000
MAKE_DEEP = f"""
import os, sys
os.chdir(sys.argv[1])
for _ in range({DEPTH}):
    os.mkdir("directory-with-a-long-name")
    os.chdir("directory-with-a-long-name")
    os.mkdir("empty")
open("file", "w").close()
"""


def test_a_tree_deeper_than_any_path_can_name_is_removed_with_few_descriptors(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", MAKE_DEEP, str(tmp_path)], check=True)
    code = "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20));"
    code += "from acspec.durable import remove_tree; remove_tree(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "directory-with-a-long-name")], check=True)
    assert os.listdir(tmp_path) == []


REMOVE_AS_NOBODY = """
import os, sys
from acspec.durable import remove_tree
os.setgroups([]); os.setgid(65534); os.setuid(65534)
os.chdir(sys.argv[1])
os.makedirs("tree/work/work/inner")
open("tree/work/work/inner/file", "w").close()
os.chmod("tree/work/work/inner", 0)
os.chmod("tree/work/work", 0)
os.chmod("tree/work", 0o555)
remove_tree("tree")
print(os.listdir("."))
"""


def test_an_ordinary_user_removes_directories_without_any_permission(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("becoming another user takes root")
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents[:3]:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/tmp"):
            parent.chmod(0o755)
    command = [sys.executable, "-c", REMOVE_AS_NOBODY, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stdout.strip() == "[]", result.stderr
