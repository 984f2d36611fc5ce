"""Every test here needs root; the rootfs they share is made once per process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.userland import make_rootfs


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this directory."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.privileged)


@pytest.fixture(scope="session")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree that pods share as their lower layer."""
    return make_rootfs(tmp_path_factory.mktemp("userland") / "rootfs")


@pytest.fixture
def own_rootfs(tmp_path: Path) -> Path:
    """Return a tree that a test may change."""
    return make_rootfs(tmp_path / "rootfs")
