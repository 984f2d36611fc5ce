"""Make the man pages: what the programs say of themselves with --help, between two halves of prose. `make man` runs this.

`docs/man/PROGRAM.md` holds the prose. Its sections up to Description come first, then the commands and options as the programs
print them, then the rest. Nothing here knows an option; tests/test_documents.py fails when the pages are not what this makes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAMS = ("actool", "acfetch", "acrun", "acstage1")
# The one help that no list of commands leads to: options of an app stand behind its image.
APP_OPTIONS = ("acrun", "run", "IMAGE")

_ENTRY = re.compile(r"^  (\S.*?)(?:\s{2,}(\S.*))?$")
_HEADING = re.compile(r"^([A-Z][a-z]+):$")


@dataclass(slots=True)
class Help:
    """What one command prints with --help: usage lines, paragraphs, and its lists (term and text) by their headings."""

    words: tuple[str, ...]
    usages: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    lists: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def options(self) -> set[str]:
        """Return every option, as it is typed."""
        terms = " ".join([*self.usages, *(term for term, _ in self.lists.get("Options", ()))])
        return set(re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", terms))


def parse_help(words: tuple[str, ...], output: str) -> Help:
    """Return what is in the *output* of the command *words*."""
    parsed = Help(words)
    for block in re.split(r"\n\s*\n", output.strip("\n")):
        lines = block.split("\n")
        heading = _HEADING.match(lines[0])
        if lines[0].startswith("Usage: "):
            parsed.usages = _usages(words[0], lines)
        elif heading:
            parsed.lists[heading[1]] = _entries(lines[1:])
        elif re.match(r"^  \S.*?\s{2,}\S", lines[0]):  # acstage1's lists have no headings
            parsed.lists["Options" if lines[0].startswith("  -") else "Commands"] = _entries(lines)
        else:
            parsed.text.append(" ".join(line.strip() for line in lines))
    return parsed


def _usages(program: str, lines: list[str]) -> list[str]:
    found: list[str] = []
    for line in lines:
        text = line.removeprefix("Usage: ").strip()
        if text.startswith(program + " "):
            found.append(text)
        else:
            found[-1] += " " + text
    return [re.sub(r"\{([^}]*)\}", r"\1", usage) for usage in found]


def _entries(lines: list[str]) -> list[tuple[str, str]]:
    entries: list[tuple[str, str]] = []
    for line in lines:
        entry = _ENTRY.match(line)
        if entry:
            entries.append((entry[1], entry[2] or ""))
        else:
            term, text = entries[-1]
            entries[-1] = (term, f"{text} {line.strip()}".strip())
    return [(term, text.removesuffix("[required]").strip()) for term, text in entries]


def run_help(words: tuple[str, ...], binaries: Path) -> Help:
    """Run one command with --help and return what it says. Raises: CalledProcessError; OSError."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
    command = [str(binaries / words[0]), *words[1:], "--help"]
    result = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return parse_help(words, result.stdout)


def gather(binaries: Path) -> dict[tuple[str, ...], Help]:
    """Return the help of every command of every program in the directory *binaries*, in the order in which they list them."""
    found: dict[tuple[str, ...], Help] = {}
    with ThreadPoolExecutor(4) as pool:
        level: list[tuple[str, ...]] = [(program,) for program in PROGRAMS] + [APP_OPTIONS]
        while level:
            answers = list(pool.map(lambda words: run_help(words, binaries), level))
            found |= {answer.words: answer for answer in answers}
            # acstage1's verbs have no help of their own: all of it is in one.
            level = [(*a.words, name) for a in answers if a.words[0] != "acstage1" for name, _ in a.lists.get("Commands", ())]
    # An app's options come right behind those of its pod.
    last = found.pop(APP_OPTIONS)
    return {key: told for words, answer in found.items() for key, told in _followed(words, answer, last)}


def _followed(words: tuple[str, ...], answer: Help, last: Help) -> list[tuple[tuple[str, ...], Help]]:
    return [(words, answer), (last.words, last)] if words == last.words[:-1] else [(words, answer)]


def escape(text: str) -> str:
    """Return *text* as roff reads it literally."""
    text = text.replace("\\", "\\e").replace("…", "...").replace("-", "\\-").replace("~", "\\(ti").replace("^", "\\(ha")
    text = "".join(character if ord(character) < 0x7F else f"\\[u{ord(character):04X}]" for character in text)
    return "\\&" + text if text.startswith((".", "'")) else text


def inline(text: str) -> str:
    """Return a line of Markdown as roff: code is bold, emphasis italic, a link its text."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    parts = re.split(r"(`[^`]+`|\*[^*]+\*)", text)
    return "".join(_mark(part) for part in parts)


def _mark(part: str) -> str:
    if part.startswith("`"):
        return f"\\fB{escape(part[1:-1])}\\fP"
    if part.startswith("*") and len(part) > 1:
        return f"\\fI{escape(part[1:-1])}\\fP"
    return escape(part)


def prose(markdown: str) -> str:
    """Return Markdown as roff: headings, paragraphs, lists, tables of two columns, examples."""
    lines: list[str] = []
    for block in re.split(r"\n\s*\n", markdown.strip("\n")):
        rows = block.split("\n")
        if rows[0].startswith("## "):
            lines.append(f'.SH "{escape(rows[0][3:]).upper()}"')
        elif rows[0].startswith("### "):
            lines.append(f'.SS "{escape(rows[0][4:])}"')
        elif rows[0].startswith("    "):
            lines += [".PP", ".in +4n", ".EX", *(escape(row[4:]) for row in rows), ".EE", ".in"]
        elif rows[0].startswith("| "):
            lines += [line for row in rows[2:] for line in _table_row(row)]
        elif rows[0].startswith("- "):
            lines += [line for item in _items(rows) for line in (".IP \\(bu 2", inline(item))]
        else:
            lines += [".PP", inline(" ".join(rows))]
    return "\n".join(lines)


def _items(rows: list[str]) -> list[str]:
    return " ".join(row.strip() for row in rows)[2:].split(" - ")


def _table_row(row: str) -> list[str]:
    term, text = (cell.strip() for cell in row.strip("|").split(" | "))
    return [".TP", inline(term) if term.startswith("`") else f"\\fB{escape(term)}\\fP", inline(text)]


def _term(term: str) -> str:
    """Return an option or argument: what is typed as it is in bold, what stands for something in italics."""
    words = re.split(r"(\s+|/)", term)
    return "".join(f"\\fB{escape(w)}\\fP" if w.startswith("-") else f"\\fI{escape(w)}\\fP" if w.strip(" /,") else w for w in words)


def _usage(usage: str, words: tuple[str, ...]) -> str:
    rest = usage.removeprefix(" ".join(words))
    return f"\\fB{escape(' '.join(words))}\\fP{escape(rest)}"


def _list(entries: list[tuple[str, str]]) -> list[str]:
    return [line for term, text in entries if "--help" not in term for line in (".TP", _term(term), escape(text))]


def _commands(helps: dict[tuple[str, ...], Help], program: str) -> list[str]:
    """Return the section of commands: each with its usage, what it does, its arguments and options."""
    lines = ['.SH "COMMANDS"']
    if program == "acstage1":
        own = helps[program,]
        return [*lines, *_list(own.lists["Commands"]), '.SH "OPTIONS"', *_list(own.lists["Options"]), *_GENERAL]
    for words, told in helps.items():
        if words[0] != program or len(words) == 1 or "Commands" in told.lists:
            continue
        title = "options of an app, after its image" if words == APP_OPTIONS else " ".join(words)
        lines += [f'.SS "{escape(title)}"', *([] if words == APP_OPTIONS else [_usage(told.usages[0], words)])]
        lines += [line for paragraph in told.text for line in (".PP", escape(paragraph))]
        lines += [*_list([item for item in told.lists.get("Arguments", []) if item[1]]), *_list(told.lists.get("Options", []))]
    return [*lines, '.SH "OPTIONS"', *_GENERAL, ".TP", "\\fB\\-V\\fP, \\fB\\-\\-version\\fP", "Show the version and exit."]


_GENERAL = [".TP", "\\fB\\-h\\fP, \\fB\\-\\-help\\fP", "Show what this program, or one of its commands, does, and exit."]


def _synopsis(helps: dict[tuple[str, ...], Help], program: str) -> list[str]:
    lines = ['.SH "SYNOPSIS"']
    for words, told in helps.items():
        if words[0] != program or words == APP_OPTIONS or ("Commands" in told.lists and program != "acstage1"):
            continue
        lines += [line for usage in told.usages for line in (_usage(usage, words), ".br")]
    return lines


def make_page(program: str, helps: dict[tuple[str, ...], Help]) -> str:
    """Return the man page of *program* as roff."""
    title, _, markdown = (HERE / f"{program}.md").read_text(encoding="utf-8").partition("\n")
    summary = title.removeprefix(f"# {program}: ")
    description, _, rest = markdown.partition("\n<!-- commands -->\n")
    lines = [
        f'.\\" Made by docs/man/make.py from docs/man/{program}.md and {program} \\-\\-help. Do not edit.',
        f'.TH "{program.upper()}" "1" "" "appc\\-tools" "User Commands"',
        '.SH "NAME"',
        f"{escape(program)} \\- {escape(summary)}",
        *_synopsis(helps, program),
        prose(description),
        *_commands(helps, program),
        prose(rest),
    ]
    # No space and no line end is asked for where a heading makes one.
    page = re.sub(r"^(\.S[HS] .*)\n\.PP$", r"\1", "\n".join(lines), flags=re.MULTILINE)
    return page.replace("\n.br\n.SH", "\n.SH") + "\n"


def make_pages(binaries: Path) -> dict[str, str]:
    """Return every page by the name of its file, from the programs in the directory *binaries*."""
    helps = gather(binaries)
    return {f"{program}.1": make_page(program, helps) for program in PROGRAMS}


def main() -> None:
    """Write the pages beside this file."""
    for name, text in make_pages(Path(sys.executable).parent).items():
        (HERE / name).write_text(text, encoding="ascii")
        print(HERE / name)


if __name__ == "__main__":
    main()
