"""Make the completions of shells from what the programs say of themselves with --help. `make man` runs this, too.

Files instead of a program that completes: a press of the key costs no start of Python. Nothing here knows an option;
tests/test_completion.py fails when the files are not what this makes.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NOTICE = "# Made by docs/completion/make.py from {program} --help. Do not edit."


@dataclass(frozen=True, slots=True)
class Option:
    """An option: its names, what its value is (None: it has none; "": nothing to complete), and what it does."""

    names: tuple[str, ...]
    value: str | tuple[str, ...] | None
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command by its words below the program, with its options and the commands below it (name and text)."""

    words: tuple[str, ...]
    options: tuple[Option, ...]
    commands: tuple[tuple[str, str], ...]


def read_command(words: tuple[str, ...], helps: dict[tuple[str, ...], Any]) -> Command:
    """Return the command *words* as its help describes it."""
    told = helps[words]
    options = tuple(_read_option(term, text) for term, text in told.lists.get("Options", ()))
    below = [(name, helps.get((*words, name)), text) for name, text in told.lists.get("Commands", ())]
    # In a list of commands long texts are cut short; in the help of each they are not.
    commands = tuple((name, _plain(own.text[0].split(". ")[0] if own else text)) for name, own, text in below)
    return Command(words[1:], options, commands)


def _read_option(term: str, text: str) -> Option:
    names = tuple(re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", term, re.IGNORECASE))
    rest = re.sub(r"(?<![\w-])--?[a-zA-Z][a-z0-9-]*|[,/]\s", "", term).strip()
    return Option(names, _read_value(rest), _plain(text))


def _read_value(metavar: str) -> str | tuple[str, ...] | None:
    if not metavar:
        return None
    if metavar.startswith("<"):
        return tuple(metavar.strip("<>").split("|"))
    return {"FILE": "file", "PATH": "file", "DIR": "directory"}.get(metavar, "")


def _plain(text: str) -> str:
    return re.sub(r"\s*\[(default|x>=|required).*", "", text).rstrip(".").replace("...", "…")


def bash(program: str, commands: list[Command]) -> str:
    """Return the completion of *program* for bash: three tables by the words of the command, and what looks things up in them."""
    below, options, values = [], [], []
    for command in commands:
        words = " ".join((program, *command.words))
        if command.commands:
            below.append(f'["{words}"]="{" ".join(name for name, _ in command.commands)}"')
        options.append(f'["{words}"]="{" ".join(name for option in command.options for name in option.names)}"')
        valued = [(name, option.value) for option in command.options for name in option.names if option.value is not None]
        values += [f'["{words} {name}"]="{_bash_value(value)}"' for name, value in valued]
    lines = [NOTICE.format(program=program), f"_{program}() {{"]
    for name, entries in (("below", below), ("options", options), ("values", values)):
        lines += [f"    local -A {name}=(", *(f"        {entry}" for entry in entries), "    )"]
    return (
        "\n".join([*lines, *_BASH.format(program=program).splitlines(), "}", f"complete -o filenames -F _{program} {program}"])
        + "\n"
    )


# Bash makes a word of its own of an equals sign. A value is what compgen takes: -f, -d, or words; a dash stands for nothing.
_BASH = """\
    local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} command={program} word
    [[ $before == = ]] && before=${{COMP_WORDS[COMP_CWORD - 2]}}
    [[ $current == = ]] && before=${{COMP_WORDS[COMP_CWORD - 1]}} && current=
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        [[ " ${{below[$command]}} " == *" $word "* ]] && command+=" $word"
    done
    local value=${{values["$command $before"]}} offer=(-f)
    case $value in
        -) COMPREPLY=() && return ;;
        -?) offer=("$value") ;;
        ?*) offer=(-W "$value") ;;
        *) if [[ $current == -* ]]; then offer=(-W "${{options[$command]}}")
            elif [[ ${{below[$command]}} ]]; then offer=(-W "${{below[$command]}}"); fi ;;
    esac
    mapfile -t COMPREPLY < <(compgen "${{offer[@]}}" -- "$current")
"""


def _bash_value(value: str | tuple[str, ...]) -> str:
    return " ".join(value) if isinstance(value, tuple) else {"file": "-f", "directory": "-d"}.get(value, "-")


def zsh(program: str, commands: list[Command]) -> str:
    """Return the completion of *program* for zsh."""
    functions = [line for command in commands for line in _zsh_command(program, command)]
    return "\n".join([f"#compdef {program}", NOTICE.format(program=program), *functions, f'{_zsh_name(program, ())} "$@"']) + "\n"


def _zsh_name(program: str, words: tuple[str, ...]) -> str:
    return "_" + "_".join((program, *words)).replace("-", "_")


def _zsh_command(program: str, command: Command) -> list[str]:
    lines = [f"{_zsh_name(program, command.words)}() {{"]
    if command.commands:
        lines += [
            "    local -a commands",
            f"    commands=({' '.join(_quoted(f'{name}:{text}') for name, text in command.commands)})",
            "    if (( CURRENT > 2 )); then",
            "        case $words[2] in",
            *(
                f"            {name}) shift words; (( CURRENT-- )); {_zsh_name(program, (*command.words, name))}; return ;;"
                for name, _ in command.commands
            ),
            "        esac",
            "    fi",
            "    (( CURRENT == 2 )) && [[ $words[2] != -* ]] && _describe -t commands command commands && return",
        ]
    specs = [_quoted(_zsh_option(name, option)) for option in command.options for name in option.names]
    return [*lines, "    _arguments -S \\", *(f"        {spec} \\" for spec in specs), "        '*:file:_files'", "}"]


def _zsh_option(name: str, option: Option) -> str:
    text = option.text.replace("[", "(").replace("]", ")").replace(":", "\\:")
    if option.value is None:
        return f"*{name}[{text}]"
    if isinstance(option.value, tuple):
        action = f"({' '.join(option.value)})"
    else:
        action = {"file": "_files", "directory": "_files -/"}.get(option.value, " ")
    return f"*{name}{'=' if name.startswith('--') else ''}[{text}]:value:{action}"


def fish(program: str, commands: list[Command]) -> str:
    """Return the completion of *program* for fish."""
    lines = [NOTICE.format(program=program)]
    for command in commands:
        below = " ".join(name for name, _ in command.commands)
        conditions = [f"__fish_seen_subcommand_from {word}" for word in command.words]
        if below:
            conditions.append(f"not __fish_seen_subcommand_from {below}")
        start = f"complete -c {program}" + (f" -n {_quoted('; and '.join(conditions))}" if conditions else "")
        lines += [f"{start} -f -a {name} -d {_quoted(text)}" for name, text in command.commands]
        lines += [f"{start}{_fish_option(option)} -d {_quoted(option.text)}" for option in command.options]
    return "\n".join(lines) + "\n"


def _fish_option(option: Option) -> str:
    names = "".join(f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in option.names)
    if option.value is None:
        return names
    if isinstance(option.value, tuple):
        return f"{names} -x -a {_quoted(' '.join(option.value))}"
    return f"{names} -r -F" if option.value else f"{names} -x"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


SHELLS = {"bash": (bash, "{}.bash"), "zsh": (zsh, "_{}"), "fish": (fish, "{}.fish")}


def make_completions(helps: dict[tuple[str, ...], Any]) -> dict[str, str]:
    """Return every completion by the name of its file, from the help of all commands (docs/man/make.py)."""
    files = {}
    for program in dict.fromkeys(words[0] for words in helps):
        commands = [read_command(words, helps) for words in helps if words[0] == program and "IMAGE" not in words]
        if program == "acstage1":  # its verbs have no help of their own
            commands += [Command((name,), commands[0].options, ()) for name, _ in commands[0].commands]
        files |= {pattern.format(program): make(program, commands) for make, pattern in SHELLS.values()}
    return files


def load_helps() -> Any:
    """Return the module docs/man/make.py, which reads the help of the programs."""
    spec = importlib.util.spec_from_file_location("make_man_pages", HERE.parent / "man/make.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError("docs/man/make.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Write the files beside this one."""
    for name, text in make_completions(load_helps().gather(Path(sys.executable).parent)).items():
        (HERE / name).write_text(text, encoding="utf-8")
        print(HERE / name)


if __name__ == "__main__":
    main()
