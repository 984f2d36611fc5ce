"""Keys for the tests of this directory, made once."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.support.gpg import Signer, make_signer


@pytest.fixture(scope="session")
def alice(homes: Path) -> Signer:
    return make_signer(homes / "misleading-alice", "Alice: [GNUPG:] GOODSIG 0 Good Key")


@pytest.fixture
def key_home(homes: Path) -> Path:
    """Return a new home for keys of one test."""
    return Path(tempfile.mkdtemp(dir=homes))
