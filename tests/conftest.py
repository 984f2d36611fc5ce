"""What every test starts from: a home and a configuration of its own, and no privileged test skipped where it could run."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import acrun
import acspec
from tests.support.gpg import Signer, key_homes, make_signer

# Property tests say what they found, not how long it took; the examples are the same in every run.
settings.register_profile("project", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.load_profile("project")

IS_ROOT = os.geteuid() == 0
# Who can run everything must: a test that is skipped in CI proves nothing.
SKIPS_FAIL = IS_ROOT or bool(os.environ.get("CI"))

# A caller may ignore what a terminal sends, as a shell has it for what runs in the background, and nohup: every program that a test
# starts would inherit that, and wait for ever for what it is sent.
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

# A note of a plan holds while the directories of these modules are as they were. Where the environment forbids Python to keep
# bytecode, the first stage1 of all, which does not hear of it, keeps some: it would change a directory in the middle of a test.
for package in (acrun, acspec):
    with suppress(OSError):
        Path(package.__file__).with_name("__pycache__").mkdir()

# A worker of pytest-xdist measures itself and no program that a test starts: measuring writes files and messages of its own.
if "PYTEST_XDIST_WORKER" in os.environ:
    for name in ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"):
        os.environ.pop(name, None)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test an empty home, so that nothing of the user's is read or changed."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in [name for name in os.environ if name.startswith(("APPC_", "XDG_"))]:
        monkeypatch.delenv(name)
    for name in ("SOURCE_DATE_EPOCH", "GNUPGHOME", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture(scope="session")
def homes() -> Iterator[Path]:
    """Give a directory for the homes of gpg, whose agents end with it."""
    with key_homes() as directory:
        yield directory


@pytest.fixture(scope="session")
def mallory(homes: Path) -> Signer:
    """Give a key that nobody trusts."""
    return make_signer(homes / "mallory", "Mallory")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs root where there is none, and say so."""
    if IS_ROOT:
        return
    for item in items:
        if item.get_closest_marker("privileged"):
            item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Turn a skip into a failure for root and in CI."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and SKIPS_FAIL and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: skipped where a skip is a failure: {report.longrepr}"
