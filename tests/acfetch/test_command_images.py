"""`acfetch images`, as typed: what comes out, in which form, and with which exit code."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from acspec.store import Store
from tests.acfetch.customer import WITHOUT_PRIVILEGE
from tests.support.stores import PROGRAM, add_image, listed, make_pod

Ended = subprocess.CompletedProcess[str]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("APPC_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


def acfetch(*words: str, code: int = 0, held_to_modes: bool = False) -> Ended:
    """Run acfetch, which must end with *code*."""
    before = WITHOUT_PRIVILEGE if held_to_modes and os.geteuid() == 0 else ()
    ended = subprocess.run([*before, *PROGRAM, *words], capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stderr
    return ended


def refused(code: int, *words: str) -> str:
    """Run acfetch, which must say one line and end with *code*."""
    ended = acfetch(*words, code=code)
    assert ended.stdout == ""
    assert ended.stderr.startswith("acfetch: ")
    assert ended.stderr.count("\n") == 1
    return ended.stderr.removeprefix("acfetch: ").rstrip("\n")


def damage(data: Path, image_id: str) -> None:
    os.truncate(data / "images" / f"{image_id}.aci", 1000)


def test_images_alone_lists_them(data: Path) -> None:
    add_image(data, "example.com/b", labels=[{"name": "version", "value": "2"}], signer="f" * 40)
    add_image(data, "example.com/a")
    line = "unsigned          2026-01-01T00:00:00Z  example.com/a"
    out = acfetch("images").stdout
    assert [text[21:] for text in out.splitlines()] == [line, f"{'f' * 16}  2026-01-01T00:00:00Z  example.com/b:2"]
    assert acfetch("images", "list").stdout == out
    assert acfetch("images", "--dir", str(data)).stdout == out
    assert acfetch("images", "--json").stdout == acfetch("images", "list", "--json").stdout


def test_the_long_list_has_sizes_and_last_use(data: Path) -> None:
    image_id = add_image(data, "example.com/a")
    os.utime(data / "images" / f"{image_id}.json", (0, 86400))
    (line,) = acfetch("images", "--long").stdout.splitlines()
    assert line == f"{image_id[:19]}  unsigned          2026-01-01T00:00:00Z  1970-01-02T00:00:00Z     3.5 KiB  example.com/a"
    assert acfetch("images", "list", "-l").stdout == f"{line}\n"


def test_objects_are_records_with_size_and_last_use(data: Path) -> None:
    image_id = add_image(data, "example.com/a", origin="https://example.com/a.aci", signer="f" * 40, served_size=9)
    os.utime(data / "images" / f"{image_id}.json", (0, 86400))
    (line,) = acfetch("images", "--json").stdout.splitlines()
    record = json.loads((data / "images" / f"{image_id}.json").read_text())
    assert json.loads(line) == record | {"size": 3584, "used": "1970-01-02T00:00:00Z"}


def test_a_damaged_record_hides_its_own_image_only_and_is_told(data: Path) -> None:
    good, bad = add_image(data, "example.com/good"), add_image(data, "example.com/bad")
    (data / "images" / f"{bad}.json").write_text("{")
    ended = acfetch("images")
    assert ended.stdout.startswith(good[:19])
    assert ended.stdout.count("\n") == ended.stderr.count("\n") == 1
    assert f"{bad}.json:1:2: not JSON" in ended.stderr
    assert "(acfetch images verify sets it aside)" in ended.stderr


def test_of_no_store_nothing_is_listed_and_none_is_made(data: Path) -> None:
    for words in (("images",), ("images", "verify"), ("images", "verify", "--json"), ("gc",)):
        ended = acfetch(*words)
        assert (ended.stdout, ended.stderr) == ("", "")
    assert "not in the store" in refused(66, "images", "rm", "example.com/app")
    assert not data.exists()


def test_what_is_removed_is_told_as_lines_or_objects(data: Path) -> None:
    one = add_image(data, "example.com/one", labels=[{"name": "note", "value": "\x1b[31mred"}])
    two = add_image(data, "example.com/two")
    assert acfetch("images", "rm", one).stdout == f"image  {one[:19]}     3.5 KiB  example.com/one,note=\\x1b[31mred\n"
    ended = acfetch("images", "rm", "--json", two)
    assert json.loads(ended.stdout) == {"id": two, "name": "example.com/two", "labels": [], "size": 3584}
    assert listed(data) == set()


def test_what_is_needed_is_refused_in_one_line(data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    base = add_image(data, "example.com/base")
    app = add_image(data, "example.com/app", base)
    line = f"example.com/base ({base[:19]}): is needed by example.com/app ({app[:19]})"
    assert refused(75, "images", "rm", base) == line
    monkeypatch.setenv("APPC_RUN", str(tmp_path / "run"))
    pod = make_pod(tmp_path / "run", "run", base, app)
    assert f"is needed by pod {pod.uuid}" in refused(75, "images", "rm", base, app)
    lock = Store.open(str(data)).hold(app)
    assert "in use by another process" in refused(75, "images", "rm", app)
    os.close(lock)
    assert listed(data) == {base, app}


def test_a_store_that_may_not_be_changed_is_told(data: Path) -> None:
    image_id = add_image(data, "example.com/app")
    (data / "lock").unlink()
    data.chmod(0o555)
    (data / "images").chmod(0o555)
    try:
        for words in (("images", "rm", image_id), ("gc", "--keep-for", "0")):
            ended = acfetch(*words, code=77, held_to_modes=True)
            assert (ended.stdout, ended.stderr) == ("", f"acfetch: {data}/lock: permission denied\n")
        assert acfetch("gc", "--dry-run", "--keep-for", "0", held_to_modes=True).stdout.count("\n") == 1
        assert listed(data) == {image_id}
    finally:
        data.chmod(0o755)
        (data / "images").chmod(0o755)


def test_good_images_are_verified_with_exit_code_0(data: Path) -> None:
    image_id = add_image(data, "example.com/app")
    ended = acfetch("images", "verify")
    assert (ended.stdout, ended.stderr) == (f"{image_id[:19]}  good        example.com/app\n", "")


def test_damaged_ones_are_told_and_set_aside_with_exit_code_1(data: Path) -> None:
    base = add_image(data, "example.com/base")
    app = add_image(data, "example.com/app", base)
    damage(data, base)
    ended = acfetch("images", "verify", code=1)
    assert sorted(ended.stdout.splitlines()) == sorted(
        [f"{base[:19]}  damaged     example.com/base", f"{app[:19]}  incomplete  example.com/app"]
    )
    told = {line.split(": ")[2]: line for line in ended.stderr.splitlines()}
    assert told["damaged"].startswith(f"acfetch: example.com/base ({base[:19]}): damaged: its content is that of sha512-")
    assert told["damaged"].endswith(f"… (set aside in {data}/damaged)")
    assert told["incomplete"].endswith(f"needs {base[:19]}…, not in the store (fetch it again)")
    assert listed(data) == {app}


def test_only_the_images_that_are_named_are_verified(data: Path) -> None:
    one, two = add_image(data, "example.com/one"), add_image(data, "example.com/two")
    damage(data, two)
    assert acfetch("images", "verify", "example.com/one", one[:30]).stdout.count("\n") == 1
    assert "damaged" in acfetch("images", "verify", two[:30], code=1).stdout
    assert "not in the store" in refused(66, "images", "verify", one, "example.com/two")


def test_a_damaged_record_is_found_by_the_id_that_is_typed(data: Path) -> None:
    image_id = add_image(data, "example.com/app")
    (data / "images" / f"{image_id}.json").write_text("{")
    assert acfetch("images", "verify", image_id[:19], code=1).stdout == f"{image_id[:19]}  damaged     -\n"


def test_findings_as_objects(data: Path) -> None:
    base = add_image(data, "example.com/base")
    app = add_image(data, "example.com/app", base)
    good = add_image(data, "example.com/good")
    damage(data, base)
    found = {item["id"]: item for item in map(json.loads, acfetch("images", "verify", "--json", code=1).stdout.splitlines())}
    assert found[good] == {
        "id": good, "name": "example.com/good", "labels": [], "state": "good", "fault": None, "missing": [], "setAside": None,
    }  # fmt: skip
    assert (found[app]["state"], found[app]["missing"]) == ("incomplete", [base])
    assert (found[base]["state"], found[base]["setAside"]) == ("damaged", True)


def test_a_store_that_may_not_be_changed_is_verified_and_that_is_told(data: Path) -> None:
    image_id = add_image(data, "example.com/app")
    damage(data, image_id)
    (data / "lock").unlink()
    data.chmod(0o555)
    try:
        ended = acfetch("images", "verify", code=1, held_to_modes=True)
        assert ended.stderr.endswith("(not set aside: permission denied)\n")
        (finding,) = acfetch("images", "verify", "--json", code=1, held_to_modes=True).stdout.splitlines()
        assert json.loads(finding)["setAside"] is False
    finally:
        data.chmod(0o755)
    assert listed(data) == {image_id}


def test_a_file_without_a_record_is_told_and_nobodys_fault(data: Path) -> None:
    image_id = add_image(data, "example.com/app")
    (data / "images" / f"{image_id}.json").unlink()
    ended = acfetch("images", "verify")
    assert (ended.stdout, ended.stderr) == (
        "", f"acfetch: {data}/images/{image_id}.aci: belongs to no image (acfetch gc removes it)\n",
    )  # fmt: skip


def test_a_bar_is_shown_on_a_terminal_unless_quiet(data: Path) -> None:
    add_image(data, "example.com/app", content=bytes(4 << 20))
    assert b"\x1b[" in at_a_terminal("images", "verify")
    assert at_a_terminal("images", "verify", "--quiet") == b""


def at_a_terminal(*words: str) -> bytes:
    """Return what acfetch writes to a terminal that is its standard error."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen([*PROGRAM, *words], stdout=subprocess.DEVNULL, stderr=theirs, env=environment):
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # the other side is closed
            pass
    os.close(ours)
    return shown


def test_an_export_goes_to_a_file_or_down_a_pipe(data: Path, tmp_path: Path) -> None:
    image_id = add_image(data, "example.com/app", signature=b"signature", signer="f" * 40, served_digest="sha512-" + "0" * 128)
    note = "acfetch: out.aci: without the signature, which is over the file as it was served\n"
    ended = acfetch("images", "export", "example.com/app", "out.aci")
    assert (ended.stdout, ended.stderr) == ("", note)
    assert acfetch("images", "export", "-q", "--overwrite", image_id, "out.aci").stderr == ""
    assert refused(73, "images", "export", image_id, "out.aci") == "out.aci: already exists (--overwrite replaces it)"
    piped = subprocess.run([*PROGRAM, "images", "export", image_id, "-"], capture_output=True, check=True)
    assert piped.stderr == b""
    for content in ((tmp_path / "out.aci").read_bytes(), piped.stdout):
        assert f"sha512-{hashlib.sha512(content).hexdigest()}" == image_id


def test_an_export_to_a_terminal_is_refused(data: Path) -> None:
    image_id = add_image(data, "example.com/app")
    ours, theirs = pty.openpty()
    ended = subprocess.run([*PROGRAM, "images", "export", image_id, "-"], stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    os.close(ours)
    assert (ended.returncode, ended.stderr.count(b"\n")) == (2, 1)


def test_a_reader_that_goes_away_ends_an_export_quietly(data: Path) -> None:
    image_id = add_image(data, "example.com/app", content=bytes(1 << 20))
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run([*PROGRAM, "images", "export", image_id, "-"], stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")


USAGE = {
    "another command": ("images", "remove"),
    "a name behind it": ("images", "example.com/app"),
    "an option before the command": ("images", "--json", "rm", "example.com/app"),
    "no image to remove": ("images", "rm"),
    "no output": ("images", "export", "example.com/app"),
    "a compression that is none": ("images", "export", "--compression", "zip", "example.com/app", "x.aci"),
    "an argument too many": ("images", "list", "example.com/app"),
}


@pytest.mark.parametrize("words", USAGE.values(), ids=USAGE)
def test_a_usage_error_is(words: tuple[str, ...], data: Path) -> None:
    add_image(data, "example.com/app")
    refused(2, *words)
    assert len(listed(data)) == 1


def test_a_list_imports_no_archive_reader(data: Path) -> None:
    add_image(data, "example.com/app")
    code = "import sys; from acfetch.cli import main; main(); print(*(n for n in sys.modules if 'archive' in n), file=sys.stderr)"
    ended = subprocess.run([PROGRAM[0], "-c", code, "images", "--long"], capture_output=True, text=True, check=True)
    assert ended.stderr == "\n"
