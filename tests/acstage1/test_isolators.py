"""What stage1 says of isolators before anything is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from acspec.isolators import KNOWN
from acstage1.errors import IgnoredIsolatorError
from acstage1.isolator_report import IsolatorReport
from acstage1.isolators import JUDGES, find_notes, judge_isolators
from acstage1.linux.security import can_bound_tracing
from acstage1.pod import PodDirectory
from tests.support.poddirs import AppSpec, write_pod


def pod(
    tmp_path: Path, *isolators: dict[str, Any], pod_isolators: tuple[dict[str, Any], ...] = (), **settings: Any
) -> PodDirectory:
    app = AppSpec(["/bin/true"], {"isolators": list(isolators)})
    path = write_pod(tmp_path, tmp_path, {"app": app}, manifest={"isolators": list(pod_isolators)}, **settings)
    return PodDirectory(str(path))


NO_NEW_PRIVILEGES = {"name": "os/linux/no-new-privileges", "value": True}
ACCOUNTS = {
    "an app's, which its start enforces": ((NO_NEW_PRIVILEGES,), (), ("app", "enforced", None)),
    "an app's, at the pod": ((), (NO_NEW_PRIVILEGES,), (None, "ignored", "it is for apps only")),
    "a pod's, at an app": (({"name": "os/unix/sysctl", "value": {}},), (), ("app", "ignored", "it is for pods only")),
    "one that nobody knows": (({"name": "example.com/x", "value": 1},), (), ("app", "ignored", "this stage1 does not know it")),
    "one without a name": (({"value": 1},), (), ("app", "ignored", "this stage1 does not know it")),
}


@pytest.mark.parametrize("case", ACCOUNTS)
def test_every_isolator_is_accounted_for(tmp_path: Path, case: str) -> None:
    of_app, of_pod, expected = ACCOUNTS[case]
    rows = judge_isolators(pod(tmp_path, *of_app, pod_isolators=of_pod))
    assert [(row["app"], row["state"], row["why"]) for row in rows if isinstance(row, dict)] == [expected]


def test_every_isolator_of_the_specification_is_known() -> None:
    assert sorted(JUDGES) == sorted(KNOWN)


REMARKS = {
    "what looks into other processes and mounts": (
        ["CAP_SYS_ADMIN", "CAP_SYS_PTRACE"],
        ["app: with CAP_SYS_PTRACE it can take over the pod's first process, and so be root on this host"],
    ),
    "what looks into other processes, but is kept to its own": (["CAP_KILL", "CAP_SYS_PTRACE"], []),
    "what does neither": (["CAP_KILL"], []),
}


@pytest.mark.skipif(not can_bound_tracing(), reason="this kernel has no Landlock")
@pytest.mark.parametrize("case", REMARKS)
def test_an_app_that_may_take_over_init_is_remarked_on(tmp_path: Path, case: str) -> None:
    names, notes = REMARKS[case]
    rows = judge_isolators(pod(tmp_path, {"name": "os/linux/capabilities-retain-set", "value": {"set": names}}))
    assert find_notes(rows) == notes
    [row] = rows
    assert isinstance(row, dict)
    assert (row["why"] is None) == ("CAP_SYS_PTRACE" not in names)


def test_strict_refuses_what_would_be_ignored(tmp_path: Path) -> None:
    asked = {"name": "resource/network-bandwidth", "value": {"default": True, "limit": "1G"}}
    with pytest.raises(IgnoredIsolatorError, match="resource/network-bandwidth"):
        IsolatorReport(pod(tmp_path, asked, strict=True))
    IsolatorReport(pod(tmp_path, asked))
