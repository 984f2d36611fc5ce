"""From a layout directory to an image."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from acspec.archive.compression import Compression
from acspec.archive.image import ImageReader, read_image
from acspec.archive.write import ImageSettings
from acspec.errors import FormatError, MissingInputError, OutputError, ToolError, UsageError
from actool.build import BuildRequest, build
from actool.image_options import source_date_epoch
from actool.sources import SourceRequest, split_sources
from tests.support import images


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """A layout with a file of each kind that needs no privilege."""
    root = tmp_path / "layout"
    (root / "rootfs/bin").mkdir(parents=True)
    (root / "manifest").write_bytes(images.manifest_bytes())
    (root / "rootfs/bin/hello").write_bytes(b"#!/bin/sh\necho hello\n")
    (root / "rootfs/bin/hello").chmod(0o755)
    (root / "rootfs/bin/hi").symlink_to("hello")
    (root / "rootfs/bin/hey").hardlink_to(root / "rootfs/bin/hello")
    os.mkfifo(root / "rootfs/fifo")
    return root


def make(layout: Path, output: Path, *, overwrite: bool = False, settings: ImageSettings | None = None) -> str:
    request = BuildRequest(SourceRequest(str(layout)), str(output), overwrite, settings or ImageSettings())
    return build(request).image_id


def test_two_builds_of_one_layout_are_the_same_bytes(layout: Path, tmp_path: Path) -> None:
    make(layout, tmp_path / "one.aci")
    make(layout, tmp_path / "two.aci", settings=ImageSettings(threads=3))
    assert (tmp_path / "one.aci").read_bytes() == (tmp_path / "two.aci").read_bytes()


@pytest.mark.parametrize("compression", Compression)
def test_the_image_id_does_not_depend_on_the_compression(layout: Path, tmp_path: Path, compression: Compression) -> None:
    first = make(layout, tmp_path / "first.aci")
    second = make(layout, tmp_path / "second.aci", settings=ImageSettings(compression))
    with (tmp_path / "second.aci").open("rb") as file:
        scanned = read_image(file.fileno(), "second.aci")
    assert first == second == scanned.image_id
    assert scanned.compression is compression
    assert scanned.warnings == ()


def test_both_encoders_of_gzip_make_the_same_image(layout: Path, tmp_path: Path) -> None:
    ids = {make(layout, tmp_path / f"{name}.aci", settings=ImageSettings(encoder=name)) for name in ("isal", "zlib")}
    assert len(ids) == 1


def test_gnu_tar_and_gzip_read_what_is_built(layout: Path, tmp_path: Path) -> None:
    make(layout, tmp_path / "x.aci")
    listing = subprocess.run(["tar", "-tzf", tmp_path / "x.aci"], capture_output=True, text=True, check=True)
    assert listing.stderr == ""
    assert listing.stdout.split() == [
        "manifest",
        "rootfs/",
        "rootfs/bin/",
        "rootfs/bin/hello",
        "rootfs/bin/hey",
        "rootfs/bin/hi",
        "rootfs/fifo",
    ]


def test_source_date_epoch_caps_times_and_leaves_older_ones(layout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.utime(layout / "rootfs/bin/hello", (5, 5))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    make(layout, tmp_path / "x.aci", settings=ImageSettings(Compression.NONE, clamp_ns=source_date_epoch()))
    listing = subprocess.run(
        ["tar", "--full-time", "--utc", "-tvf", tmp_path / "x.aci"], capture_output=True, text=True, check=True
    ).stdout
    times = {line.split()[5]: " ".join(line.split()[3:5]) for line in listing.splitlines()}
    assert times["rootfs/bin/hello"] == "1970-01-01 00:00:05"
    assert set(times.values()) == {"1970-01-01 00:00:05", "2001-09-09 01:46:40"}


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "9" * 20, "١"])
def test_a_source_date_epoch_that_is_no_number_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH"):
        source_date_epoch()


def test_an_existing_output_stays_unless_overwriting_is_asked_for(layout: Path, tmp_path: Path) -> None:
    output = tmp_path / "x.aci"
    output.write_bytes(b"old")
    with pytest.raises(OutputError, match=r"already exists \(--overwrite replaces it\)"):
        make(layout, output)
    assert output.read_bytes() == b"old"
    make(layout, output, overwrite=True)
    assert output.read_bytes() != b"old"


def test_the_output_has_the_mode_that_the_umask_leaves(layout: Path, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        make(layout, tmp_path / "x.aci")
    finally:
        os.umask(before)
    assert (tmp_path / "x.aci").stat().st_mode & 0o777 == 0o640


def _no_manifest(layout: Path) -> None:
    (layout / "manifest").unlink()


def _bad_manifest(layout: Path) -> None:
    (layout / "manifest").write_bytes(b"{}")


def _linked_manifest(layout: Path) -> None:
    (layout / "manifest").rename(layout.parent / "elsewhere")
    (layout / "manifest").symlink_to(layout.parent / "elsewhere")


def _third_name(layout: Path) -> None:
    (layout / "README").write_text("")


def _no_rootfs(layout: Path) -> None:
    (layout / "rootfs").rename(layout.parent / "elsewhere")


def _linked_rootfs(layout: Path) -> None:
    _no_rootfs(layout)
    (layout / "rootfs").symlink_to(layout.parent / "elsewhere")


def _socket(layout: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(layout / "rootfs/sock"))


FAULTS = {
    "there is no manifest": (_no_manifest, "there is no manifest in it"),
    "the manifest is not valid": (_bad_manifest, "manifest: "),
    "the manifest is a symbolic link": (_linked_manifest, "manifest: must be a regular file"),
    "there is something else beside them": (_third_name, '"README": outside rootfs'),
    "there is no rootfs": (_no_rootfs, "there is no rootfs in it"),
    "the rootfs is a symbolic link": (_linked_rootfs, '"rootfs": must be a directory'),
    "there is a socket in it": (_socket, '"rootfs/sock": a socket'),
}


@pytest.mark.parametrize(("spoil", "message"), FAULTS.values(), ids=FAULTS)
def test_a_layout_is_refused_and_nothing_is_left_when(spoil: object, message: str, layout: Path, tmp_path: Path) -> None:
    assert callable(spoil)
    spoil(layout)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FormatError, match=message):
        make(layout, tmp_path / "x.aci")
    assert sorted(tmp_path.iterdir()) == before


def test_an_output_inside_the_rootfs_is_refused(layout: Path) -> None:
    with pytest.raises(UsageError, match=r"x.aci: lies inside .*, which is what is to be packed"):
        make(layout, layout / "rootfs/x.aci")
    assert sorted(os.listdir(layout / "rootfs")) == ["bin", "fifo"]


USAGE: dict[str, tuple[str, str, type[ToolError]]] = {
    "the output has another suffix": ("layout", "x.tar", UsageError),
    "the layout is not there": ("nowhere", "x.aci", MissingInputError),
    "the layout is a file": ("layout/manifest", "x.aci", UsageError),
    "the directory of the output is not there": ("layout", "nowhere/x.aci", OutputError),
}


@pytest.mark.parametrize(("source", "output", "error"), USAGE.values(), ids=USAGE)
@pytest.mark.usefixtures("layout")
def test_a_command_line_is_refused_when(source: str, output: str, error: type[ToolError], tmp_path: Path) -> None:
    with pytest.raises(error):
        make(tmp_path / source, tmp_path / output)


def test_a_full_disk_leaves_nothing_and_is_one_line(layout: Path, tmp_path: Path) -> None:
    (layout / "rootfs/big").write_bytes(os.urandom(1 << 20))
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536));"
        "from actool.cli import main; sys.exit(main())"
    )
    words = [sys.executable, "-c", code, "build", str(layout), str(tmp_path / "x.aci")]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert result.returncode == 74
    assert result.stderr == f"actool: {tmp_path}/x.aci: file too large\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["layout"]


def build_from(source: SourceRequest, output: Path, depfile: Path | None = None) -> list[str]:
    """Build, and return the names in the image."""
    build(BuildRequest(source, str(output), True, ImageSettings(Compression.NONE), depfile and str(depfile)))
    with output.open("rb") as file, ImageReader(file.fileno(), "x") as reader:
        return [entry.name.decode() for entry in reader]


@pytest.fixture
def apart(layout: Path, tmp_path: Path) -> Path:
    """A directory with the parts of the layout, each by another name."""
    (layout / "manifest").rename(tmp_path / "app.json")
    (layout / "rootfs").rename(tmp_path / "tree")
    layout.rmdir()
    return tmp_path


NAMES = ["manifest", "rootfs", "rootfs/bin", "rootfs/bin/hello", "rootfs/bin/hey", "rootfs/bin/hi", "rootfs/fifo"]


def test_parts_given_apart_make_the_image_of_their_layout(layout: Path, tmp_path: Path) -> None:
    first = make(layout, tmp_path / "one.aci")
    source = SourceRequest(None, manifest=str(layout / "manifest"), rootfs=str(layout / "rootfs"))
    second = build(BuildRequest(source, str(tmp_path / "two.aci"), False, ImageSettings())).image_id
    assert first == second


def test_a_manifest_from_standard_input_makes_the_same_image_each_time(layout: Path, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        reading, writing = os.pipe()
        with open(writing, "wb") as pipe:
            pipe.write(images.manifest_bytes())
        source = SourceRequest(None, manifest="-", rootfs=str(layout / "rootfs"))
        saved = os.dup(0)
        os.dup2(reading, 0)
        try:
            made.append(build(BuildRequest(source, str(tmp_path / f"{name}.aci"), False, ImageSettings())).image_id)
        finally:
            os.dup2(saved, 0)
            os.close(saved)
            os.close(reading)
    assert made[0] == made[1]
    depfile = BuildRequest(source, str(tmp_path / "x.aci"), False, ImageSettings(), str(tmp_path / "x.d"))
    with pytest.raises(UsageError, match="standard input has no name"):
        build(depfile)


def test_every_stray_file_of_a_layout_is_named_and_many_are_counted(layout: Path, tmp_path: Path) -> None:
    (layout / "a").touch()
    (layout / "b").touch()
    with pytest.raises(FormatError, match=r'"a": outside rootfs, as is "b"; a layout'):
        make(layout, tmp_path / "x.aci")
    for number in range(9):
        (layout / f"stray{number}").touch()
    with pytest.raises(FormatError, match=r'as are "b", "stray0", "stray1", "stray2", "stray3" and 5 more; a layout'):
        make(layout, tmp_path / "x.aci")


def test_one_part_takes_the_place_of_the_layout_s(apart: Path) -> None:
    (apart / "half/rootfs").mkdir(parents=True)
    (apart / "half/rootfs/other").touch()
    with_manifest = SourceRequest(str(apart / "half"), manifest=str(apart / "app.json"))
    assert build_from(with_manifest, apart / "x.aci") == ["manifest", "rootfs", "rootfs/other"]
    (apart / "half/manifest").write_bytes(images.manifest_bytes())
    assert build_from(SourceRequest(str(apart / "half"), rootfs=str(apart / "tree")), apart / "x.aci") == NAMES


SOURCES: dict[str, tuple[dict[str, str], type[ToolError], str]] = {
    "nothing at all": ({}, UsageError, "LAYOUT_DIR or image: missing argument"),
    "a manifest without a tree": ({"manifest": "app.json"}, UsageError, "LAYOUT_DIR or image: missing argument"),
    "a layout of which nothing is left": (
        {"layout": "tree", "manifest": "app.json", "rootfs": "tree"},
        UsageError,
        "nothing is left",
    ),
    "a manifest that is not there": ({"manifest": "no", "rootfs": "tree"}, MissingInputError, "no: no such file"),
    "a tree that is not there": ({"manifest": "app.json", "rootfs": "no"}, MissingInputError, "no: no such directory"),
    "a tree that is a file": ({"manifest": "app.json", "rootfs": "app.json"}, UsageError, "app.json: not a directory"),
    "a manifest that is a directory": ({"manifest": "tree", "rootfs": "tree"}, UsageError, "tree: not a regular file"),
    "a manifest that is a device": ({"manifest": "/dev/null", "rootfs": "tree"}, UsageError, "/dev/null: not a regular file"),
    "a manifest that is not valid": ({"manifest": "tree/bin/hello", "rootfs": "tree"}, FormatError, "tree/bin/hello:1:1: not JSON"),
    "a file of patterns that is not there": (
        {"manifest": "app.json", "rootfs": "tree", "ignore_file": "no"},
        MissingInputError,
        "no: no such file",
    ),
    "a file of patterns with a slip": (
        {"manifest": "app.json", "rootfs": "tree", "ignore_file": "slip"},
        FormatError,
        r'slip:2: "\[" is a pattern',
    ),
}


@pytest.mark.parametrize(("words", "error", "message"), SOURCES.values(), ids=SOURCES)
def test_sources_are_refused_that_are(
    words: dict[str, str], error: type[ToolError], message: str, apart: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(apart)
    (apart / "slip").write_text("a\n[\n")
    before = sorted(apart.iterdir())
    with pytest.raises(error, match=message):
        build_from(SourceRequest(**{"layout": None, **words}), apart / "x.aci")
    assert sorted(apart.iterdir()) == before


def test_what_patterns_fit_is_left_out_and_never_opened(layout: Path, tmp_path: Path) -> None:
    (layout / ".aciignore").write_text("# sockets of a build\n*.sock\n/cache/*\n!/cache/keep\n")
    for name in ("a.sock", "cache/keep", "cache/gone", "one", "two"):
        (layout / "rootfs" / name).parent.mkdir(exist_ok=True)
        (layout / "rootfs" / name).touch()
    _socket(layout)
    (tmp_path / "patterns").write_text("/sock\n/one\n/two\n")
    source = SourceRequest(str(layout), exclude=("!/two",), ignore_file=str(tmp_path / "patterns"))
    assert build_from(source, tmp_path / "x.aci") == [*NAMES[:6], "rootfs/cache", "rootfs/cache/keep", "rootfs/fifo", "rootfs/two"]


def test_patterns_that_fit_nothing_are_warned_of_by_their_places(layout: Path, tmp_path: Path) -> None:
    (layout / ".aciignore").write_text("# left by editors\n*.swp\nbin/hi\n")
    (tmp_path / "patterns").write_text("".join(f"/no{number}\n" for number in range(9)))
    source = SourceRequest(str(layout), exclude=("*.o", "fifo"), ignore_file=str(tmp_path / "patterns"))
    built = build(BuildRequest(source, str(tmp_path / "x.aci"), False, ImageSettings()))
    first, *others, rest = built.warnings
    assert first == f'{layout}/.aciignore:2: warning: pattern "*.swp" fits nothing'
    assert others == [f'{tmp_path}/patterns:{number + 1}: warning: pattern "/no{number}" fits nothing' for number in range(9)]
    assert rest == f"{layout}: warning: 1 more patterns fit nothing"


def test_who_forgets_the_image_is_told_that_and_not_that_a_layout_is_missing(layout: Path) -> None:
    with pytest.raises(UsageError, match=f"image: missing argument .{layout} is the layout"):
        split_sources([str(layout)], None, None, (), None)
    _, image = split_sources([str(layout / "x.aci")], "m", "r", (), None)
    assert image == str(layout / "x.aci")


def test_a_bad_pattern_of_the_command_line_is_its_own_fault(layout: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--exclude: "):
        build_from(SourceRequest(str(layout), exclude=("[",)), tmp_path / "x.aci")


def test_of_several_names_the_first_that_stays_has_the_content(layout: Path, tmp_path: Path) -> None:
    build_from(SourceRequest(str(layout), exclude=("/bin/hello",)), tmp_path / "x.aci")
    with (tmp_path / "x.aci").open("rb") as file, ImageReader(file.fileno(), "x") as reader:
        contents = {entry.name: b"".join(reader.read_chunks(entry)) for entry in reader}
    assert contents[b"rootfs/bin/hey"] == b"#!/bin/sh\necho hello\n"
    assert b"rootfs/bin/hello" not in contents


def test_the_file_of_dependencies_names_what_was_read_and_what_may_change_that(layout: Path, tmp_path: Path) -> None:
    (layout / ".aciignore").write_text("fifo\n")
    build_from(SourceRequest(str(layout)), tmp_path / "x.aci", tmp_path / "x.d")
    rule = (tmp_path / "x.d").read_text().split("\n\n")[0]
    paths = ["", "/.aciignore", "/manifest", "/rootfs", "/rootfs/bin", "/rootfs/bin/hello"]
    assert rule.split(" \\\n ")[1:] == [f"{layout}{path}" for path in paths]


def test_an_image_that_fails_leaves_the_old_file_of_dependencies(layout: Path, tmp_path: Path) -> None:
    (tmp_path / "x.d").write_text("old")
    _socket(layout)
    with pytest.raises(FormatError):
        build_from(SourceRequest(str(layout)), tmp_path / "x.aci", tmp_path / "x.d")
    assert (tmp_path / "x.d").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["layout", "x.d"]


def test_fixed_times_are_those_of_the_variable_whatever_the_files_say(
    layout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixed = ImageSettings(Compression.NONE, clamp_ns=1_000_000_000, fixed_times=True)
    first = make(layout, tmp_path / "one.aci", settings=fixed)
    for path in (layout / "manifest", layout / "rootfs/bin/hello", layout / "rootfs"):
        os.utime(path, (0, 0))
    assert make(layout, tmp_path / "two.aci", settings=fixed) == first
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    with pytest.raises(UsageError, match=r"--fixed-times: .*SOURCE_DATE_EPOCH does not say"):
        source_date_epoch(needed=True)


@pytest.mark.parametrize("output", ["x.aci", "rootfs/x.aci"])
def test_what_is_written_may_not_lie_in_what_is_packed(
    output: str, layout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(layout)
    with pytest.raises(UsageError, match=f"{output}: lies inside ., which is what is to be packed"):
        make(Path("."), Path(output))
    with pytest.raises(UsageError, match=r"x.d: lies inside"):
        build_from(SourceRequest("."), tmp_path / "x.aci", Path("x.d"))
    build_from(SourceRequest("."), tmp_path / "x.aci", tmp_path / "x.d")
