"""The house style where a program can check it: sizes, names and docstrings."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.sources import ROOT, Module, functions, modules

CEILING = 400
STATEMENTS = 40
FORBIDDEN = {"util", "utils", "common", "helper", "helpers", "misc", "base", "manager"}


def _python_files() -> list[Path]:
    places = ["actool", "acfetch", "acrun", "acstage1", "spec", "tests", "bench", "examples", "docs"]
    return sorted(path for place in places for path in (ROOT / place).rglob("*.py"))


def test_no_file_is_over_the_ceiling() -> None:
    sizes = {str(path.relative_to(ROOT)): path.read_bytes().count(b"\n") for path in _python_files()}
    assert not {path: lines for path, lines in sizes.items() if lines > CEILING}


def test_no_module_is_a_drawer_for_everything() -> None:
    assert not [str(path) for path in _python_files() if FORBIDDEN & set(path.with_suffix("").parts[len(ROOT.parts) :])]


@pytest.mark.parametrize("module", modules().values(), ids=lambda module: module.name)
def test_no_function_is_too_long(module: Module) -> None:
    sizes = {name: _statements(node) for name, node in functions(module)}
    assert not {name: size for name, size in sizes.items() if size > STATEMENTS}


def _statements(function: ast.AST) -> int:
    return sum(isinstance(node, ast.stmt) for node in ast.walk(function)) - 1


@pytest.mark.parametrize("module", modules().values(), ids=lambda module: module.name)
def test_every_module_and_public_name_has_a_docstring(module: Module) -> None:
    bare = [] if ast.get_docstring(module.tree) else [module.name]
    bare += [name for name, node in functions(module) if _public(name, module) and not ast.get_docstring(node)]
    bare += [node.name for node in module.tree.body if isinstance(node, ast.ClassDef) and _undocumented_class(node)]
    assert not bare, f"{module.place}: no docstring: {', '.join(bare)}"


def _public(name: str, module: Module) -> bool:
    """Tell whether *name* is called from outside: no part of it private, and not a function within a function."""
    parts = name.split(".")
    classes = {node.name for node in module.tree.body if isinstance(node, ast.ClassDef)}
    return not any(part.startswith("_") for part in parts) and all(part in classes for part in parts[:-1])


def _undocumented_class(node: ast.ClassDef) -> bool:
    return not node.name.startswith("_") and not ast.get_docstring(node)


@pytest.mark.parametrize(
    "module", [module for module in modules().values() if module.name.startswith("acspec.")], ids=lambda module: module.name
)
def test_public_functions_of_the_format_name_their_source(module: Module) -> None:
    whole = "Source:" in (ast.get_docstring(module.tree) or "")
    bare = [
        name
        for name, node in functions(module)
        if "." not in name and _public(name, module) and "Source:" not in (ast.get_docstring(node) or "") and not whole
    ]
    assert not bare, f"{module.place}: no `Source:` in {', '.join(bare)}"


def test_find_may_return_nothing_and_get_may_not() -> None:
    """Find: the thing or None, or all there are. Get: the thing or an exception."""
    wrong = []
    for module in modules().values():
        for name, node in functions(module):
            verb, returned = name.rpartition(".")[2].partition("_")[0], ast.unparse(node.returns) if node.returns else ""
            if verb == "find" and not (returned.endswith("| None") or returned.startswith(("list[", "Iterator["))):
                wrong.append(f"{module.name}.{name} returns {returned}")
            if verb == "get" and returned.endswith("None"):
                wrong.append(f"{module.name}.{name} returns {returned}")
    assert not wrong
