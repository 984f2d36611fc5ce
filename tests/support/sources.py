"""The project's own source, as a test reads it: every module parsed once, with what it imports and what it defines."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
TOOLS = ("actool", "acfetch", "acrun", "acstage1")
PACKAGES = {"acspec": ROOT / "spec/acspec", **{tool: ROOT / tool for tool in TOOLS}}

_LISTED = re.compile(r"^    ([a-z_0-9]+) {2,}\S", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the project: its dotted name, its file and its syntax tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def place(self) -> str:
        """Return the path as a message shows it."""
        return str(self.path.relative_to(ROOT))


@cache
def modules() -> dict[str, Module]:
    """Return all modules of the five packages by dotted name; a package is named without `__init__`."""
    return {module.name: module for name, top in PACKAGES.items() for module in _modules_below(name, top)}


def _modules_below(package: str, top: Path) -> Iterator[Module]:
    for path in sorted(top.rglob("*.py")):
        parts = [package, *path.relative_to(top).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        yield Module(".".join(parts), path, ast.parse(path.read_bytes(), str(path)))


def packages() -> list[Module]:
    """Return the modules that are packages: the five, and those within them."""
    return [module for module in modules().values() if module.path.name == "__init__.py"]


def members(package: Module) -> set[str]:
    """Return the modules and packages that lie directly in *package*, by their last name."""
    inside = {path.stem for path in package.path.parent.glob("*.py")} - {"__init__", "__main__"}
    return inside | {path.parent.name for path in package.path.parent.glob("*/__init__.py")}


def listed(package: Module) -> list[str]:
    """Return the modules that the docstring of *package* lists, from top to bottom."""
    return _LISTED.findall(ast.get_docstring(package.tree, clean=False) or "")


def imports(module: Module) -> set[str]:
    """Return every module that *module* imports, wherever in its code: ours as far as the module, foreign ones dotted."""
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {_imported(node.module, alias.name) for alias in node.names}
    return found


def _imported(module: str, name: str) -> str:
    dotted = f"{module}.{name}"
    return dotted if dotted in modules() else module


def functions(module: Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield every function and method with its name inside the module."""
    yield from _functions(module.tree, "")


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + child.name, child
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        else:
            yield from _functions(child, prefix)


@cache
def load_script(place: str) -> ModuleType:
    """Return the script at *place* in the project as a module, run once."""
    name = re.sub(r"\W", "_", place)
    spec = importlib.util.spec_from_file_location(name, ROOT / place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module
