"""The options for manifests, alike in every command that has them."""

from __future__ import annotations

import inspect

import pytest

from actool.changes.manifest_changes import ManifestChanges
from actool.command_changes import read_changes
from tests.actool.test_cli import run

OPTIONS = [{"program": "--exec"}.get(name, f"--{name.replace('_', '-')}") for name in inspect.signature(read_changes).parameters]


@pytest.mark.parametrize("command", ["patch-manifest", "init"])
def test_each_command_has_all_of_them(command: str) -> None:
    lines = run(command, "--help").stdout.decode().splitlines()
    shown = [line.split()[0] for line in lines if line.startswith("  --")]
    assert [option for option in shown if option in OPTIONS] == OPTIONS
    assert len(set(shown)) == len(shown)


def test_no_option_is_no_change() -> None:
    assert read_changes() == ManifestChanges()


def test_what_can_be_said_more_than_once_is_collected() -> None:
    changes = read_changes(
        label=["a=1", "b=2"],
        supplementary_groups=["1,2", "3"],
        mounts=["a,path=/a:b,path=/b", "c,path=/c"],
        capability=["CAP_KILL", "CAP_CHOWN"],
        seccomp_mode="retain",
        seccomp_set=["read", "write"],
        isolators=["os/linux/no-new-privileges,true"],
    )
    assert [label.name for label in changes.labels] == ["a", "b"]
    assert changes.supplementary_gids == (1, 2, 3)
    assert [point.path for point in changes.mount_points] == ["/a", "/b", "/c"]
    assert [isolator.value for isolator in changes.isolators] == [
        {"set": ["CAP_KILL", "CAP_CHOWN"]},
        {"set": ["read", "write"]},
        True,
    ]
