"""Which stage1 is put to the test: the program in $STAGE1, else ours and the one in examples/.

What it says that it cannot do stands in a file `lacks` beside it, one line each; it is held to refusing that.

Source: spec/stage1.md, Conformance.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.poddirs import ROOT, STAGE1
from tests.support.stage1s import Stage1
from tests.support.userland import make_rootfs

FLY = ROOT / "examples" / "stage1-fly" / "acstage1-fly"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in this directory: a chroot takes root, too."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.privileged)


def _candidates() -> list[Stage1]:
    given = os.environ.get("STAGE1")
    if given:
        return [Stage1.at(Path(given).resolve())]
    return [Stage1("acstage1", tuple(STAGE1), frozenset()), Stage1.at(FLY)]


@pytest.fixture(params=_candidates(), ids=lambda stage1: stage1.name)
def stage1(request: pytest.FixtureRequest) -> Stage1:
    """Return the stage1 to be tested."""
    candidate: Stage1 = request.param
    return candidate


@pytest.fixture(scope="session")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree that pods are copied from."""
    return make_rootfs(tmp_path_factory.mktemp("userland") / "rootfs")
