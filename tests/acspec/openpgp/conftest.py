"""Keys for the tests of this directory, made once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gpg import Signer, key_homes, make_signer


@pytest.fixture(scope="session")
def homes() -> Iterator[Path]:
    with key_homes() as directory:
        yield directory


@pytest.fixture(scope="session")
def alice(homes: Path) -> Signer:
    return make_signer(homes / "alice", "Alice: [GNUPG:] GOODSIG 0 Good Key")


@pytest.fixture(scope="session")
def mallory(homes: Path) -> Signer:
    return make_signer(homes / "mallory", "Mallory")


@pytest.fixture
def key_home(homes: Path) -> Path:
    """Return a new home for keys of one test."""
    return Path(tempfile.mkdtemp(dir=homes))
