"""What the documents say is what the programs, the code and the tree hold: links, options, commands, codes, limits, man pages."""

from __future__ import annotations

import ast
import re
import shlex
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from acspec import limits
from tests.support.sources import ROOT, load_script, modules

SPEC = ROOT / "spec"
DECISIONS = ROOT / "docs/decisions"
BINARIES = Path(sys.executable).parent
FOLDERS = ("spec", "docs", "examples", "bench", "tests")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))])
PROGRAMS = ("actool", "acfetch", "acrun", "acstage1")
# What a first word means that is no command.
SHORT_FOR = {"acfetch": "fetch", "acrun": "run"}
# What stands so far to the right is part of a picture.
DRAWN = 12
EVERYWHERE = {"-h", "--help", "-V", "--version"}
BY_SIGNAL = {130, 141}
# No failure: done, and the answer no.
ANSWERS = {0, 1}

Helps = dict[tuple[str, ...], Any]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def _lines(path: Path) -> tuple[tuple[str, bool], ...]:
    """Return the lines of a document, each with whether it is code (indented by four, or fenced)."""
    found, fenced, before = [], False, ""
    for line in path.read_text(encoding="utf-8").split("\n"):
        fence = line.startswith("```")
        fenced ^= fence
        indented = line.startswith("    ") and (not before.strip() or before.startswith("    "))
        before = line
        if not fence:
            found.append((line, fenced or indented))
    return tuple(found)


def _prose(path: Path) -> str:
    return "\n".join(line for line, is_code in _lines(path) if not is_code)


@cache
def _headings(path: Path) -> tuple[str, ...]:
    return tuple(match[1].strip() for match in re.finditer(r"^#+ (.*)$", _prose(path), re.MULTILINE))


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _generator() -> ModuleType:
    return load_script("docs/man/make.py")


@pytest.fixture(scope="module")
def helps() -> Helps:
    """Return what every command of every program says with --help, asked once."""
    found: Helps = _generator().gather(BINARIES)
    return found


# Links


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_links_lead_to_files_and_headings_that_are_there(path: Path) -> None:
    broken = []
    for match in re.finditer(r"\[[^\]]*\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", _prose(path))):
        target, _, anchor = match[1].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = path.parent / target if target else path
        if not file.exists() or (anchor and anchor not in map(_slug, _headings(file))):
            broken.append(match[1])
    assert not broken


REFERENCE = re.compile(r"spec/([a-z0-9-]+\.md)(?:, (.+?))?(?=;|\.?$|\. |\)| \()", re.MULTILINE)


def _sources() -> Iterator[tuple[str, str, str]]:
    """Yield the place, the page and the heading of every reference to a page of spec/ in a docstring."""
    for module in modules().values():
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                continue
            for match in REFERENCE.finditer(ast.get_docstring(node) or ""):
                yield f"{module.place}: {match[0]}", match[1], match[2] or ""


def test_sources_in_docstrings_name_headings_of_the_pages_of_spec() -> None:
    found = list(_sources())
    assert len(found) > 50
    wrong = []
    for place, page, heading in found:
        file = SPEC / page
        titles = _headings(file) if file.exists() else ()
        wanted = [heading] if heading in titles or not heading else heading.split(" and ")
        if not file.exists() or not all(text in titles for text in wanted if text):
            wrong.append(place)
    assert not wrong


def test_the_index_of_spec_lists_every_page() -> None:
    listed = set(re.findall(r"\]\(([a-z0-9-]+\.md)\)", _prose(SPEC / "README.md")))
    assert listed == {path.name for path in SPEC.glob("*.md")} - {"README.md"}


# Commands and options


def _commands(line: str) -> Iterator[list[str]]:
    """Yield the words of each command line of ours in a line of a shell: behind prompts, variables, sudo and pipes."""
    if len(line) - len(line.lstrip()) > DRAWN:
        return
    for part in re.split(r"\|\|?|&&|;|\$\(", line):
        try:
            words = shlex.split(re.sub(r"^\s*[$#] ", "", part).rstrip(") "), comments=True)
        except ValueError:  # a quotation that goes on in the next line
            continue
        while words and (words[0] in ("sudo", "[", "exec", "then", "do") or re.match(r"\w+=", words[0])):
            words.pop(0)
        if words and words[0] in PROGRAMS:
            yield words


def _known(words: list[str], helps: Helps) -> set[str] | None:
    """Return the options of the command that *words* begin with; None when there is no such command."""
    key: tuple[str, ...] = (words[0],)
    for word in words[1:]:
        if (*key, word) not in helps:
            break
        key = (*key, word)
    if words[0] == "acstage1":
        verbs = {term for term, _ in helps[key].lists["Commands"]}
        return helps[key].options() if len(words) < 2 or words[1] in verbs or words[1].startswith("-") else None
    if len(key) == 1 and words[1:] and words[1] not in EVERYWHERE:
        if words[0] not in SHORT_FOR:
            return None
        key = (*key, SHORT_FOR[words[0]])
    known: set[str] = helps[key].options()
    return known | helps["acrun", "run", "IMAGE"].options() if key == ("acrun", "run") else known


def _is_known(option: str, known: set[str]) -> bool:
    """Tell whether a word is an option that is known, or several of one letter in one."""
    return option in known or (option[1] != "-" and all(f"-{letter}" in known for letter in option[1:]))


def _faults(words: list[str], helps: Helps) -> Iterator[str]:
    known = _known(words, helps)
    if known is None:
        yield f"no such command: {shlex.join(words[:2])}"
        return
    in_arguments = False
    for word in words[1:]:
        in_arguments = word == "--" or (in_arguments and word != "---")
        option = word.partition("=")[0]
        if re.match(r"--?[a-z]", word) and not in_arguments and not _is_known(option, known | EVERYWHERE):
            yield f"no such option: {shlex.join(words)}: {option}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_commands_in_documents_are_commands_with_options_of_the_programs(path: Path, helps: Helps) -> None:
    code = [line for line, is_code in _lines(path) if is_code]
    spans = [span for span in re.findall(r"`([^`\n]+)`", _prose(path)) if "…" not in span.split()[0]]
    faults = [fault for line in [*code, *spans] for words in _commands(line) for fault in _faults(words, helps)]
    assert not faults


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_options_in_documents_are_options_of_a_program(path: Path, helps: Helps) -> None:
    known = EVERYWHERE.union(*(told.options() for told in helps.values()))
    spans = re.findall(r"`(-[^`\n]+)`", _prose(path))
    named = {option for span in spans for option in re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", span)}
    assert not named - known


def test_readme_has_commands_to_check() -> None:
    found = [words for line, is_code in _lines(ROOT / "README.md") if is_code for words in _commands(line)]
    assert {words[0] for words in found} >= {"actool", "acfetch", "acrun"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_make_targets_in_documents_are_in_the_makefile(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    code = "\n".join(line.strip() for line, is_code in _lines(path) if is_code)
    named = re.findall(r"`make ([a-z]+)`", _prose(path)) + re.findall(r"^make ([a-z]+)\b", code, re.MULTILINE)
    assert set(named) <= targets


# Tables


def _codes(text: str) -> set[int]:
    return {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}


def _declared(module: str) -> set[int]:
    """Return the exit codes that the classes of a module set themselves."""
    classes = [node for node in ast.walk(modules()[module].tree) if isinstance(node, ast.ClassDef)]
    set_here = [ast.unparse(statement) for node in classes for statement in node.body if isinstance(statement, ast.Assign)]
    return {int(text.removeprefix("exit_code = ")) for text in set_here if text.startswith("exit_code = ")}


def test_exit_codes_are_those_of_the_code() -> None:
    general, _, own = _prose(SPEC / "exit-codes.md").partition("## Programs that run an app")
    assert _codes(general) == _declared("acspec.errors") | BY_SIGNAL | ANSWERS
    assert _codes(own) == _declared("acstage1.errors")
    for tool in ("actool", "acfetch", "acrun"):
        assert _declared(f"{tool}.errors") <= _codes(general)


@pytest.mark.parametrize("program", PROGRAMS)
def test_exit_codes_of_man_pages_are_known(program: str) -> None:
    found = _codes(_prose(ROOT / f"docs/man/{program}.md"))
    assert found
    assert found <= _codes(_prose(SPEC / "exit-codes.md"))


def test_limits_are_those_of_the_code() -> None:
    units = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "": 1}
    told = {}
    for name, text in re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", _prose(SPEC / "limits.md"), re.MULTILINE):
        number, _, unit = text.partition(" ")
        base, _, exponent = number.partition("^")
        told[name] = int(base) ** int(exponent or 1) * units[unit]
    assert told == {name: value for name, value in vars(limits).items() if name.isupper() and name not in ("KIB", "MIB", "GIB")}


# What documents name in the tree


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path.parent != SPEC], ids=_name)
def test_files_that_documents_name_are_there(path: Path) -> None:
    named = re.findall(r"`((?:actool|acfetch|acrun|acstage1|spec|tests|docs|examples|bench)/[\w./-]+)`", _prose(path))
    assert not [name for name in named if not (ROOT / name).exists()]


STATES = ("met", "partly", "not yet", "departs", "authors")


def test_rows_of_conformance_have_a_state_and_what_proves_it() -> None:
    rows = [line.strip("|").split("|") for line, _ in _lines(ROOT / "docs/conformance.md") if line.startswith("| ")]
    rows = [[cell.strip() for cell in row] for row in rows if row[0].strip() not in ("paragraph", "---")]
    assert len(rows) > 60
    assert not [row for row in rows if len(row) != 5 or not row[2].startswith(STATES)]
    assert not [row for row in rows if row[2].startswith(("met", "departs", "partly")) and not (row[3] and row[4])]


def test_decisions_are_numbered_and_listed_under_their_titles() -> None:
    files = sorted(DECISIONS.glob("0*.md"))
    numbers = [int(file.name[:4]) for file in files]
    assert numbers == list(range(1, len(files) + 1))
    listed = re.findall(r"^\| (\d+) \| \[(.*)\]\((.*)\) \|$", _prose(DECISIONS / "README.md"), re.MULTILINE)
    titles = [_headings(file)[0].partition(". ")[2] for file in files]
    assert listed == [(str(number), title, file.name) for number, title, file in zip(numbers, titles, files, strict=True)]


@pytest.mark.parametrize("path", sorted(DECISIONS.glob("0*.md")), ids=_name)
def test_a_decision_has_its_four_parts(path: Path) -> None:
    parts = re.findall(r"^\*\*(\w+)\.\*\*", _prose(path), re.MULTILINE)
    assert parts == ["Question", "Decision", "Why", "Where"]


# Man pages


@pytest.mark.parametrize("program", PROGRAMS)
def test_man_pages_are_what_the_programs_say_now(program: str, helps: Helps) -> None:
    made = _generator().make_page(program, helps)
    assert (ROOT / f"docs/man/{program}.1").read_text(encoding="ascii") == made, "make man"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_man_page_names_every_option_of_its_program(program: str, helps: Helps) -> None:
    page = (ROOT / f"docs/man/{program}.1").read_text(encoding="ascii")
    page = re.sub(r"\\f[BIP]", "", page).replace("\\-", "-")
    options = {option for words, told in helps.items() if words[0] == program for option in told.options()}
    assert len(options) > 2
    assert not [option for option in options if not re.search(rf"(?<![\w-]){option}(?![\w-])", page)]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_list_of_commands_says_of_each_a_whole_sentence(program: str, helps: Helps) -> None:
    told = [text for words, page in helps.items() if words[0] == program for _, text in page.lists.get("Commands", ())]
    assert told
    assert [text for text in told if text.endswith("...")] == []


@pytest.mark.parametrize("path", [*DOCUMENTS, *sorted((ROOT / "docs/man").glob("*.1"))], ids=_name)
def test_documents_name_no_place_of_the_machine_that_they_were_written_on(path: Path) -> None:
    assert str(ROOT) not in path.read_text(encoding="utf-8")


def test_tests_that_documents_name_are_there() -> None:
    text = "".join(document.read_text() for document in DOCUMENTS)
    named = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)))
    assert named
    assert [f"{path}::{name}" for path, name in named if f"\ndef {name}(" not in (ROOT / path).read_text()] == []
