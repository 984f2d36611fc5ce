"""Every test here needs root; the rootfs they share is made once per process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.userland import make_rootfs

# What takes a kernel with the module, and a machine whose policy is nobody's: there is one when tests/vm/run.py says so. Elsewhere
# the file is not collected, as a test that is skipped is a failure.
collect_ignore = [f"test_{module}.py" for module in ("apparmor", "selinux") if os.environ.get("APPC_VM") != module]


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
