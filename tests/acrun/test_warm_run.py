"""A command line that is typed again: the same pod, the same words for people and the same exit code, from the note of its plan.

Stage1 is a recorder here: it keeps the pod directory as acrun hands it over, and the words that it was called with.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import rmtree

import pytest

from acspec.jsontext import dump_json
from tests.support import images

ACRUN = [sys.executable, "-X", "importtime", "-c", "import sys; from acrun.cli import main; sys.exit(main())"]
RECORDER = """#!/bin/sh
ready= previous=
for word; do
    test "$previous" = --ready-fd && ready=$word
    case $previous in --*-fd) echo FD ;; *) echo "$word" ;; esac
    previous=$word
done > "$RECORD.words"
cp -a "$word" "$RECORD"
test -z "$ready" || echo started > "/proc/self/fd/$ready"
exit 3
"""
POINTS = [{"name": "data", "path": "/data"}]
PORTS = [{"name": "web", "protocol": "tcp", "port": 80, "socketActivated": True}]


class Place:
    """A directory with the images of a *shelf* and what options name, a RUN of its own, and what was seen of one acrun in it."""

    def __init__(self, path: Path, shelf: Path) -> None:
        self.path = path
        self.data = path / "appc"
        for image in shelf.iterdir():
            (path / image.name).symlink_to(image)
        (path / "variables").write_text("A=B\n")
        (path / "source").mkdir()
        (path / "link").symlink_to("source")
        (path / "pod.json").write_bytes(dump_json({"acVersion": "0.8.11", "acKind": "PodManifest", "apps": []}))
        stage1 = path / "stage1"
        stage1.write_text(RECORDER)
        stage1.chmod(0o755)

    def run(self, words: Sequence[str], stdin: int | bytes = subprocess.DEVNULL) -> tuple[object, ...]:
        """Run acrun and return all that there is to be seen, without what every pod has of its own; then the pod goes."""
        record = self.path / "record"
        how = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
        environment = {**os.environ, "APPC_DIR": str(self.data), "RECORD": str(record)}
        command = [*ACRUN, "--stage1", "./stage1", *words]
        ended = subprocess.run(command, cwd=self.path, env=environment, capture_output=True, check=False, **how)  # type: ignore[call-overload]
        lines = ended.stderr.splitlines(keepends=True)
        self.modules = {line.rpartition(b"|")[2].strip().decode() for line in lines if line.startswith(b"import time:")}
        said = b"".join(line for line in lines if not line.startswith(b"import time:"))
        saved, called = self.path / "uuid", record.with_suffix(".words")
        uuid = os.path.basename(called.read_bytes().splitlines()[-1]) if called.exists() else b"no pod"
        seen = [ended.stdout, said, *(path.read_bytes() for path in (called, saved) if path.exists())]
        tree = dict(_entry(record, path) for path in sorted(record.rglob("*")))
        rmtree(record, ignore_errors=True)
        rmtree(self.data / "pods", ignore_errors=True)
        for path in (called, saved):
            path.unlink(missing_ok=True)
        return ended.returncode, *(text.replace(uuid, b"UUID") for text in seen), tree

    @property
    def asked_the_parser(self) -> bool:
        """Whether the last acrun imported what reads options, or works a plan out."""
        return bool(self.modules & {"typer", "acrun.run"})

    def run_until_noted(self, words: Sequence[str], stdin: int | bytes = subprocess.DEVNULL) -> tuple[object, ...]:
        """Run until there is a note: nothing is noted of images that are only just written."""
        while True:
            seen = self.run(words, stdin)
            if (self.data / "plans").exists():
                return seen

    def forget(self) -> None:
        """Remove all notes."""
        rmtree(self.data / "plans", ignore_errors=True)


def _entry(root: Path, path: Path) -> tuple[str, tuple[int, bytes]]:
    content = path.read_bytes() if path.is_file() else b""
    return str(path.relative_to(root)), (path.stat().st_mode, content)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shelf")
    for name in ("one", "two"):
        app = {"exec": ["/bin/hello", name], "user": "0", "group": "0", "mountPoints": POINTS, "ports": PORTS}
        manifest = images.manifest_bytes(name=f"example.com/{name}", app=app)
        (path / f"{name}.aci").write_bytes(images.image({"bin/hello": images.Node(b"#!", mode=0o755)}, manifest))
    return path


@pytest.fixture
def place(tmp_path: Path, shelf: Path) -> Place:
    return Place(tmp_path, shelf)


NOTED: dict[str, list[str]] = {
    "an image": ["one.aci"],
    "an option of the run": ["--rm", "one.aci"],
    "options in one word": ["-qd", "one.aci"],
    "arguments": ["--keep", "one.aci", "--", "-v", "--", "x"],
    "a name and a host name": ["--name=web", "--hostname", "www.example.com", "one.aci"],
    "a pod that nobody sits at": ["-d", "--rm", "one.aci"],
    "standard input and a stage1 that says what it does": ["-i", "--debug", "one.aci"],
    "a volume in short": ["-v", "./source:/data:ro", "one.aci"],
    "a volume in full, through a link": ["--allow-symlink-volumes", "--volume", "data,kind=host,source=link", "one.aci"],
    "a volume of a size, with its mount": ["-v", "x,kind=empty,size=1Mi,mode=0700", "--mount", "volume=x,target=/x", "one.aci"],
    "a volume that no app uses, which is told": ["-v", "x,kind=empty", "one.aci"],
    "the same, and no word for people": ["-q", "-v", "x,kind=empty", "one.aci"],
    "a mount inside a mount": ["--allow-nested-mounts", "-v", "./source:/data/x", "one.aci"],
    "surroundings": ["--dns", "192.0.2.1", "--hosts-entry", "192.0.2.2=a,b", "one.aci"],
    "surroundings of the host": ["--dns", "host", "--hosts-entry", "host", "one.aci"],
    "a port of the host": ["-p", "web:8080", "one.aci"],
    "limits and supervision": [
        "--memory=64Mi", "--cpu=500m", "--pids-limit=99", "--cgroup-parent=x", "--log=none", "--log-size=1Mi", "--grace-period=1",
        "--restart=always:3", "--exit-policy=all", "one.aci",
    ],
    "a copy in place of an overlay": ["--no-overlay", "one.aci"],
    "an annotation": ["--annotation", "example.com/x=1", "one.aci", "--annotation", "y=2"],
    "a file for the UUID": ["--uuid-file-save", "uuid", "one.aci"],
    "options of the app": [
        "one.aci", "--name", "x", "--exec", "/bin/y", "--user", "1", "--group", "2", "--supplementary-gids", "3,4",
        "--working-dir", "/", "--readonly-rootfs", "--port", "p,port=1", "--mount", "volume=x,target=/x", "--", "a",
    ],
    "isolators of the app": [
        "one.aci", "--cap-retain", "CAP_CHOWN,CAP_KILL", "--seccomp", "mode=remove,reboot", "--memory", "32Mi", "--cpu", "1",
    ],
    "several images": ["--rm", "one.aci", "---", "two.aci", "--user", "1", "--", "the last one's"],
}  # fmt: skip
NOTED["options of the app"][:0] = ["-v", "x,kind=empty"]


@pytest.mark.parametrize("words", NOTED.values(), ids=NOTED)
def test_what_is_typed_again_comes_to_the_same_without_the_parser(place: Place, words: list[str]) -> None:
    first = place.run_until_noted(words)
    assert place.asked_the_parser
    again = place.run(words)
    assert not place.asked_the_parser
    assert again == first
    assert first[0] == (0 if {"-d", "-qd"} & set(words) else 3), "stage1 was not reached"


NOT_NOTED: dict[str, list[str]] = {
    "a variable, which may be a secret": ["-e", "A=B", "one.aci"],
    "a variable of the app": ["one.aci", "--env", "A=B"],
    "variables of a file": ["--env-file", "variables", "one.aci"],
    "another directory": ["--dir", "elsewhere", "one.aci"],
    "images behind arguments": ["one.aci", "--", "x", "---", "two.aci"],
    "an image behind the end of all options": ["--rm", "--", "one.aci"],
    "an option's value that looks like the end of all options": ["--uuid-file-save", "--", "one.aci"],
}


@pytest.mark.parametrize("words", NOT_NOTED.values(), ids=NOT_NOTED)
def test_what_depends_on_more_than_its_words_is_worked_out_anew(place: Place, words: list[str]) -> None:
    place.run_until_noted(["one.aci"])
    place.forget()
    assert place.run(words) == place.run(words)
    assert place.asked_the_parser
    assert not (place.data / "plans").exists()


def test_images_from_standard_input_are_those_of_this_time(place: Place) -> None:
    place.run_until_noted(["one.aci"])
    for words in (["--rm"], ["--rm", "-"], ["--rm", "-", "--", "-"], []):
        assert place.run(words, b"./one.aci\n") != place.run(words, b"./two.aci\n")


def test_arguments_are_those_of_this_time(place: Place) -> None:
    words = ["--rm", "one.aci"]
    place.run_until_noted([*words, "--", "secret"])
    assert b"secret" not in b"".join(note.read_bytes() for note in (place.data / "plans").iterdir())
    for arguments in (["--", "another", "-"], ["--"], [], ["--", "---x", "---"]):
        noted = place.run([*words, *arguments])
        notes = list((place.data / "plans").iterdir())
        place.forget()
        assert place.run([*words, *arguments]) == noted, arguments
        assert notes
        place.run_until_noted(words)


# Whatever was noted for the first line must not be what the second one means.
ALIKE: dict[str, tuple[list[str], list[str]]] = {
    "another image": (["--rm", "one.aci"], ["--rm", "two.aci"]),
    "words cut elsewhere": (["--name", "x", "one.aci"], ["--name", "xone.aci"]),
    "a separator that is a value": (["--uuid-file-save", "---", "one.aci"], ["--uuid-file-save", "--", "x", "---", "one.aci"]),
    "an end of options that is a value": (["--uuid-file-save", "--", "one.aci"], ["--uuid-file-save", "--", "two.aci"]),
    "an end of options": (["--rm", "--", "one.aci"], ["--rm", "--", "two.aci"]),
    "an option that became wrong": (["--rm", "one.aci"], ["--rmm", "one.aci"]),
    "an option too many": (["--rm", "one.aci"], ["--rm", "one.aci", "--", "x", "---", "--rm"]),
    "arguments that are no text": (["--rm", "one.aci"], ["--rm", "one.aci", "--", "\udcff"]),
    "an option that excludes another": (["--rm", "one.aci"], ["--keep", "--rm", "one.aci"]),
}


@pytest.mark.parametrize(("noted", "words"), ALIKE.values(), ids=ALIKE)
def test_a_line_that_looks_alike_means_what_it_means_without_notes(place: Place, noted: list[str], words: list[str]) -> None:
    place.run_until_noted(["one.aci"])
    place.run(noted)
    with_notes = place.run(words)
    place.forget()
    assert place.run(words) == with_notes


@pytest.mark.parametrize("words", [["-qe", "A=\udcff", "one.aci"], ["-q", "one.aci", "--", "\udcff"]], ids=["variable", "argument"])
def test_a_word_that_is_no_text_is_told_in_one_line(place: Place, words: list[str]) -> None:
    for _ in ("worked out", "perhaps noted"):
        code, _, said, *_ = place.run(words)
        assert (code, said) == (125, b"acrun: pod: a word of the command line or a path in it is not UTF-8, as JSON has to be\n")
        place.run_until_noted(["-q", "one.aci"])


def _leave(name: str) -> Callable[[Place], object]:
    return lambda place: (place.path / name).rename(place.path / "gone")


def _put_a_link_in_place_of_the_source(place: Place) -> None:
    (place.path / "source").rename(place.path / "target")
    (place.path / "source").symlink_to("target")


def _lead_the_link_elsewhere(place: Place) -> None:
    (place.path / "link").unlink()
    (place.path / "link").symlink_to("/")


def _replace_the_image(place: Place) -> None:
    os.replace(place.path / "two.aci", place.path / "one.aci")


CHANGES: dict[str, tuple[list[str], Callable[[Place], object]]] = {
    "the image is another": (["--rm", "one.aci"], _replace_the_image),
    "the image is gone": (["--rm", "one.aci"], _leave("one.aci")),
    "the source of a volume is gone": (["-v", "./source:/data", "one.aci"], _leave("source")),
    "the source of a volume is a link": (["-v", "./source:/data", "one.aci"], _put_a_link_in_place_of_the_source),
    "the link to a source leads elsewhere": (
        ["--allow-symlink-volumes", "-v", "./link:/data", "one.aci"],
        _lead_the_link_elsewhere,
    ),
    "stage1 is gone": (["--rm", "one.aci"], _leave("stage1")),
    "the place for the UUID is gone": (["--uuid-file-save", "source/uuid", "one.aci"], _leave("source")),
    "trees are gone": (["--rm", "one.aci"], _leave("appc/trees")),
    "filters are gone": (["--rm", "one.aci"], _leave("appc/filters")),
}


@pytest.mark.parametrize(("words", "change"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_seen_as_it_is_without_notes(place: Place, words: list[str], change: Callable[[Place], object]) -> None:
    place.run_until_noted(words)
    change(place)
    with_notes = place.run(words)
    place.forget()
    assert place.run(words) == with_notes


@pytest.mark.parametrize("options", [b"null", b"[]", b"[{},{},{}]", b'[{"surroundings":[1]},{},{}]'])
def test_a_note_with_damaged_options_is_none(place: Place, options: bytes) -> None:
    first = place.run_until_noted(["--rm", "one.aci"])
    (note,) = (place.data / "plans").iterdir()
    before, key, _ = note.read_bytes().partition(b'"options":')
    note.write_bytes(before + key + options + b"}\n")
    assert place.run(["--rm", "one.aci"]) == first
    assert place.asked_the_parser


def test_a_name_that_is_taken_is_refused_alike(place: Place) -> None:
    words = ["--name", "web", "one.aci"]
    place.run_until_noted(words)
    holder = "00000000-0000-4000-8000-000000000000"
    seen = []
    for notes in ("with", "without"):
        (place.data / "pods" / "run" / holder).mkdir(parents=True)
        (place.data / "pods" / "names").mkdir()
        (place.data / "pods" / "names" / "web").write_text(f"{holder}\n")
        seen.append(place.run(words))
        assert ("acspec.commands" in place.modules) is (notes == "without")
        place.forget()
    assert seen[0] == seen[1]
    assert seen[0][0] == 125


def test_a_terminal_that_is_gone_is_missed_alike(place: Place) -> None:
    terminal, other = os.openpty()
    place.run_until_noted(["-it", "one.aci"], other)
    with_notes = place.run(["-it", "one.aci"])
    assert "acspec.commands" not in place.modules
    place.forget()
    assert place.run(["-it", "one.aci"]) == with_notes
    assert with_notes[0] == 125
    os.close(terminal)
    os.close(other)
