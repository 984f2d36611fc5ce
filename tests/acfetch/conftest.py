"""What the tests of acfetch share: one web server and two key pairs for all, a customer for each."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acfetch.customer import PAGE, TEMPLATE, Customer, page
from tests.support.gpg import Signer, make_signer
from tests.support.server import Server


@pytest.fixture(scope="session")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def server(running_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Give the test a web server without answers, and lead all that it asks for there."""
    for name in ("ALL_PROXY", "NO_PROXY", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "NETRC"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", running_server.proxy)
    monkeypatch.setenv("HTTP_PROXY", running_server.proxy)
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(running_server.authority))
    running_server.clear()
    yield running_server
    running_server.settle()  # nothing of this test is heard in the next one


@pytest.fixture(scope="session")
def publisher(homes: Path) -> Signer:
    return make_signer(homes / "publisher", "Publisher")


@pytest.fixture
def customer(
    tmp_path: Path, server: Server, publisher: Signer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Customer:
    """Give the test a customer who trusts the publisher for example.com, whose page leads to images/."""
    for name in ("data", "config", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("APPC_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("APPC_CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr("acfetch.retrying.pause", lambda _seconds, stopped: stopped.is_set())
    monkeypatch.setattr("acspec.directories._SYSTEM_CONFIGURATION", (str(tmp_path / "vendor"), str(tmp_path / "system")))
    monkeypatch.chdir(tmp_path)
    customer = Customer(tmp_path, server, publisher, monkeypatch, capfd)
    customer.trust(publisher, "example.com")
    server.answers[PAGE] = page(("example.com", TEMPLATE))
    return customer
