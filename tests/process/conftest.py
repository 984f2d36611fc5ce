"""Installed programs on a machine of their own: each test gets an empty site, an empty store, and a publisher's trusted key."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ann import Ann
from tests.support.desk import Desk, app_image, userland
from tests.support.gpg import Signer, make_signer, stop_agent
from tests.support.machine import Machine, plain_environment, running_machine
from tests.support.publisher import empty_site

# As tests/privileged/conftest.py has it.
collect_ignore = [] if os.environ.get("APPC_VM") == "apparmor" else ["test_apparmor.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the machine: namespaces take root."""
    for item in items:
        if "machine" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.privileged)


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """Return the machine that the tests of this process share."""
    with running_machine() as machine:
        yield machine


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signer]:
    """Return the publisher's key."""
    home = tmp_path_factory.mktemp("signer") / "gnupg"
    yield make_signer(home, "Publisher")
    stop_agent(home)


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signer]:
    """Return a key that nobody trusts."""
    home = tmp_path_factory.mktemp("stranger") / "gnupg"
    yield make_signer(home, "Stranger")
    stop_agent(home)


@pytest.fixture
def desk(machine: Machine, signer: Signer, tmp_path: Path) -> Desk:
    """Return a desk whose owner trusts the publisher for example.com and has no patience; the site has its discovery page alone."""
    empty_site(machine.site, machine.log)
    desk = Desk(machine, tmp_path, signer)
    desk.trust(signer, "example.com")
    (desk.path / "config" / "fetch.json").write_text('{"retries": 0}\n')
    return desk


@pytest.fixture(scope="session")
def stock(machine: Machine, signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store that holds one image, to be copied."""
    empty_site(machine.site, machine.log)
    desk = Desk(machine, tmp_path_factory.mktemp("stock"), signer)
    desk.trust(signer, "example.com")
    desk.publish("example.com/good", app_image("example.com/good"))
    assert desk.shell("acfetch --quiet example.com/good").code == 0
    return desk.store


@pytest.fixture
def stocked_desk(stock: Path, desk: Desk) -> Desk:
    """Return a desk whose store holds one image already, `example.com/good`, which is on the site no more."""
    shutil.copytree(stock, desk.store)
    return desk


@pytest.fixture(scope="session")
def shelf_images() -> dict[str, bytes]:
    """Return a shell with what scripts need, which takes a script as its argument, and the probe."""
    applets = ("sh", "cat", "echo", "id", "ls", "sleep", "touch")
    shell = app_image("example.com/sh", ["/bin/sh", "-c"], userland(*applets))
    return {"sh.aci": shell, "probe.aci": app_image("example.com/probe")}


@pytest.fixture
def shelf(desk: Desk, shelf_images: dict[str, bytes]) -> Desk:
    """Return a desk with two images on it: `./sh.aci`, a shell, and `./probe.aci`."""
    for name, data in shelf_images.items():
        (desk.path / name).write_bytes(data)
    return desk


@pytest.fixture
def plain_desk(tmp_path: Path) -> Desk:
    """Return a desk on this machine as it is, for what takes no network and no root."""
    return Desk(Machine(tmp_path, 0, 0, plain_environment()), tmp_path)


@pytest.fixture
def key_desk(homes: Path) -> Iterator[Desk]:
    """Return such a desk for who has a key in its `.gnupg`: the names of the agent's sockets leave no room for a long path."""
    path = Path(tempfile.mkdtemp(dir=homes))
    yield Desk(Machine(path, 0, 0, plain_environment()), path)
    stop_agent(path / ".gnupg")


@pytest.fixture
def ann(desk: Desk) -> Iterator[Ann]:
    """Return Ann, who trusts the publisher; nothing of hers or of root's is left afterwards."""
    ann = Ann(desk)
    assert desk.signer is not None
    key = desk.machine.directory / "key.asc"
    key.write_bytes(desk.signer.public)
    added = ann.shell(f"acfetch trust add --prefix example.com --yes {key}")
    assert added.code == 0, added.stderr
    yield ann
    for name in (".local", ".config"):
        shutil.rmtree(ann.home / name, ignore_errors=True)
    shutil.rmtree(desk.machine.inside("/var/lib/appc"), ignore_errors=True)
