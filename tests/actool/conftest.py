"""A key for the tests of this directory, made once; what the tests of `actool render` start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import images
from tests.support.flattening import APP, BASE, depends, manifest
from tests.support.gpg import Signer, make_signer


@pytest.fixture(scope="session")
def alice(homes: Path) -> Signer:
    return make_signer(homes / "alice", "Alice")


@pytest.fixture
def render_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory to work in, with an image and what it depends on."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("APPC_DIR", str(tmp_path / "data"))
    images.write_image("base.aci", BASE, manifest("example.com/base"))
    images.write_image("app.aci", APP, manifest("example.com/app", dependencies=depends("example.com/base")), "xz")
    return tmp_path
