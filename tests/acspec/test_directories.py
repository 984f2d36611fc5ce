"""Where data, pods and configuration lie."""

from __future__ import annotations

import os

import pytest

from acspec.directories import config_directories, data_directory, run_directory
from acspec.errors import ConfigError

VARIABLES = ("APPC_DIR", "APPC_RUN", "APPC_CONFIG", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "HOME")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def as_ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def test_the_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPC_DIR", "/from/environment")
    assert data_directory("/from/option") == "/from/option"
    assert data_directory(None) == "/from/environment"


def test_a_relative_directory_becomes_absolute() -> None:
    assert data_directory("store") == os.path.join(os.getcwd(), "store")


def test_pods_lie_with_the_data_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_directory("/data") == "/data"
    monkeypatch.setenv("APPC_RUN", "/scratch")
    assert run_directory("/data") == "/scratch"


@pytest.mark.privileged
def test_root_reads_no_directory_of_whoever_called_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(name, "/home/caller")
    assert data_directory(None) == "/var/lib/appc"
    assert config_directories() == ("/usr/lib/appc", "/etc/appc")


def test_a_user_has_data_and_configuration_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    as_ordinary_user(monkeypatch)
    monkeypatch.setenv("HOME", "/home/user")
    assert data_directory(None) == "/home/user/.local/share/appc"
    assert config_directories()[-1] == "/home/user/.config/appc"
    monkeypatch.setenv("XDG_DATA_HOME", "/xdg/data")
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative, so ignored")
    assert data_directory(None) == "/xdg/data/appc"
    assert config_directories()[-1] == "/home/user/.config/appc"


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    as_ordinary_user(monkeypatch)
    with pytest.raises(ConfigError, match="APPC_DIR"):
        data_directory(None)


def test_one_variable_replaces_all_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPC_CONFIG", "/only/this")
    assert config_directories() == ("/only/this",)
