"""Who may import whom, and what nobody imports: the invariants of ARCHITECTURE.md, read from the source."""

from __future__ import annotations

import pytest

from tests.support.sources import TOOLS, Module, imports, listed, members, modules, packages

# Each foreign module with the only places that may import it.
PLACES = {
    "ctypes": ("acstage1.linux.libc", "acstage1.linux."),
    "dataclasses": ("acspec.values",),
    "httpx": ("acfetch.http",),
    "httpcore": ("acfetch.network",),
    "gnupg": ("acspec.openpgp",),
    "jsonschema": ("acspec.schema",),
    "referencing": ("acspec.schema",),
    "isal": ("acspec.archive.",),
    "selectolax": ("acfetch.meta",),
    "pathspec": ("acspec.archive.ignore",),
    "typer": ("actool.", "acfetch.", "acrun.", "acspec.commands"),
    "rich": ("acfetch.progress",),
    "psutil": ("acrun.usage",),
    "pyseccomp": ("acrun.seccomp",),
    "ssl": ("acfetch.http", "acfetch.network"),
}
NOBODY = ("tarfile", "pickle", "marshal", "shelve", "requests", "urllib.request", "http.client", "tests")
SOCKETS = ("socket", "socketserver", "ssl", "http", "urllib", "asyncio", "httpx", "httpcore", "ftplib", "smtplib", "xmlrpc")


def _matches(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")


@pytest.mark.parametrize("package", packages(), ids=lambda package: package.name)
def test_the_docstring_of_a_package_lists_its_modules(package: Module) -> None:
    names = listed(package)
    assert sorted(names) == sorted(members(package)), f"{package.place}: the list in the docstring is not what the directory holds"


@pytest.mark.parametrize("package", packages(), ids=lambda package: package.name)
def test_no_import_points_up(package: Module) -> None:
    rank = {f"{package.name}.{name}": number for number, name in enumerate(listed(package))}
    up = []
    for module in modules().values():
        if (own := _member(module.name, package.name)) not in rank:
            continue
        for name in imports(module):
            other = _member(name, package.name)
            if other in rank and rank[other] < rank[own]:
                up.append(f"{module.name} imports {name}")
    assert not up, "\n".join(sorted(up))


def _member(dotted: str, package: str) -> str:
    """Return the name of the member of *package* in which *dotted* lies, or nothing."""
    if not dotted.startswith(package + "."):
        return ""
    return f"{package}.{dotted[len(package) + 1 :].split('.')[0]}"


@pytest.mark.parametrize("module", modules().values(), ids=lambda module: module.name)
def test_tools_meet_only_in_acspec(module: Module) -> None:
    own = module.name.split(".")[0]
    others = {name for name in imports(module) if name.split(".")[0] in TOOLS and name.split(".")[0] != own}
    assert not others, f"{module.name} imports {sorted(others)}"


@pytest.mark.parametrize("foreign", PLACES)
def test_a_foreign_library_is_imported_in_its_place_only(foreign: str) -> None:
    users = [module.name for module in modules().values() if any(_matches(name, foreign) for name in imports(module))]
    strays = [user for user in users if not user.startswith(PLACES[foreign])]
    assert not strays, f"{foreign} is imported by {strays}"


@pytest.mark.parametrize("module", NOBODY)
def test_nobody_imports(module: str) -> None:
    assert not [user.name for user in modules().values() if any(_matches(name, module) for name in imports(user))]


@pytest.mark.parametrize("tool", ["acspec", "actool", "acrun"])
def test_only_acfetch_and_the_pod_know_the_network(tool: str) -> None:
    for module in modules().values():
        if _matches(module.name, tool):
            known = {name for name in imports(module) if any(_matches(name, socket) for socket in SOCKETS)}
            assert not known - {"urllib.parse"}, f"{module.name} imports {sorted(known)}"


def test_stage1_is_made_of_the_standard_library_and_acspec() -> None:
    foreign = set(PLACES) - {"ctypes"}
    for module in modules().values():
        if _matches(module.name, "acstage1"):
            assert not [name for name in imports(module) if name.split(".")[0] in foreign], module.name


def test_the_reader_of_imports_sees_late_and_type_only_imports() -> None:
    assert "typer" in imports(modules()["acspec.commands"]), "typer is imported inside a function there"
