"""What isolators ask for as control files, for every amount that a manifest can hold."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.errors import FormatError
from acstage1.cgroups import PodCgroups, Setting
from acstage1.limits import NAMES, apply_demands, read_demands
from acstage1.pod import PodDirectory
from tests.support.manifests import ANYTHING
from tests.support.poddirs import AppSpec, write_pod


class Recorder(PodCgroups):
    """Takes down what would be written for kernels of one version; refuses one controller, or fails as the kernel does."""

    def __init__(self, version: int = 2, refused: str = "", number: int = errno.ENOTSUP) -> None:
        super().__init__([], "", [], None)
        self.version = version
        self.refused = refused
        self.number = number
        self.written: list[tuple[str | None, str, str]] = []

    def set(self, app: str | None, setting: Setting) -> int:
        if setting.controller == self.refused:
            raise OSError(self.number, "Refused")
        self.written += [(app, name, text) for name, text in (setting.v1 if self.version == 1 else setting.v2)]
        return self.version


def resource(name: str, **value: Any) -> dict[str, Any]:
    return {"name": f"resource/{name}", "value": value}


def pod(tmp_path: Path, *isolators: Any, of_pod: tuple[Any, ...] = (), others: tuple[Any, ...] = ()) -> PodDirectory:
    apps = {"a": AppSpec(["/x"], {"isolators": list(isolators)})}
    if others:
        apps["b"] = AppSpec(["/x"], {"isolators": list(others)})
    return PodDirectory(str(write_pod(tmp_path, tmp_path, apps, manifest={"isolators": list(of_pod)})))


def apply(found: PodDirectory, cgroups: Recorder) -> dict[tuple[str | None, str], tuple[str, str | None]]:
    demands = read_demands(found)
    apply_demands(found, demands, cgroups)
    return {(demand.app, demand.name): demand.verdict() for demand in demands if demand.told}


SHARES = {"name": "os/linux/cpu-shares", "value": 300}
FILES: dict[str, tuple[Any, list[tuple[str, str]], list[tuple[str, str]]]] = {
    "a limit of memory, with what may be swapped in it": (
        resource("memory", request="1Ki", limit="64Ki"),
        [("memory.soft_limit_in_bytes", "1024"), ("memory.limit_in_bytes", "65536"), ("memory.memsw.limit_in_bytes?", "65536")],
        [("memory.low", "1024"), ("memory.max", "65536"), ("memory.swap.max?", "0")],
    ),
    "a request of memory alone": (
        resource("memory", request="1G"),
        [("memory.soft_limit_in_bytes", "1000000000")],
        [("memory.low", "1000000000")],
    ),
    "a request of a quarter of a core": (resource("cpu", request="250m"), [("cpu.shares", "256")], [("cpu.weight", "25")]),
    "a core, which a cgroup has by default": (
        resource("cpu", request=1),
        [("cpu.shares", "1024")],
        [("cpu.weight", "100")],
    ),
    "a limit, which is then requested as well": (
        resource("cpu", limit="1500m"),
        [("cpu.shares", "1536"), ("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "150000")],
        [("cpu.weight", "150"), ("cpu.max", "150000 100000")],
    ),
    "a limit below a hundredth of a core": (
        resource("cpu", request=1, limit="2m"),
        [("cpu.shares", "1024"), ("cpu.cfs_period_us", "1000000"), ("cpu.cfs_quota_us", "2000")],
        [("cpu.weight", "100"), ("cpu.max", "2000 1000000")],
    ),
    "shares": (SHARES, [("cpu.shares", "300")], [("cpu.weight", "29")]),
}


@pytest.mark.parametrize("case", FILES)
def test_an_isolator_becomes_control_files(tmp_path: Path, case: str) -> None:
    isolator, *expected = FILES[case]
    for version, files in enumerate(expected, 1):
        cgroups = Recorder(version)
        verdicts = apply(pod(tmp_path, isolator), cgroups)
        assert [(name, text) for app, name, text in cgroups.written if app == "a"] == files
        assert verdicts == {("a", isolator["name"]): ("enforced", None)}


VERDICTS: dict[str, tuple[tuple[Any, ...], tuple[Any, ...], str, str | None]] = {
    "a limit within the pod's": ((resource("memory", limit="1M"),), (resource("memory", limit="1M"),), "enforced", None),
    "a limit beyond the pod's": (
        (resource("memory", limit="2M"),),
        (resource("memory", limit="1M"),),
        "modified",
        "the pod's limit is 1000000",
    ),
    "less memory than a page": ((resource("memory", limit="12"),), (), "modified", "the least limit is 4096"),
    "no processor at all": ((resource("cpu", limit="0"),), (), "modified", "the least limit is 1m"),
    "a request beside shares": ((SHARES, resource("cpu", request=1)), (), "modified", "os/linux/cpu-shares says what is requested"),
    "nothing that is asked for": ((resource("cpu"),), (), "enforced", None),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_what_becomes_of_an_isolator_is_told(tmp_path: Path, case: str) -> None:
    isolators, of_pod, state, why = VERDICTS[case]
    verdicts = apply(pod(tmp_path, *isolators, of_pod=of_pod), Recorder())
    assert verdicts["a", isolators[-1]["name"]] == (state, why)


def test_what_the_kernel_refuses_is_ignored_be_it_a_part(tmp_path: Path) -> None:
    class Busy(Recorder):
        def set(self, app: str | None, setting: Setting) -> int:
            if setting.v2[0][0] == "memory.max":
                raise OSError(errno.EBUSY, "Device or resource busy")
            return super().set(app, setting)

    verdicts = apply(pod(tmp_path, resource("memory", limit="1M")), Busy())
    assert verdicts == {("a", "resource/memory"): ("ignored", "the limit is less than what the cgroup itself takes")}


def test_what_the_kernel_refuses_is_ignored_and_what_binds_anyway_modified(tmp_path: Path) -> None:
    found = pod(tmp_path, resource("memory", limit="1M"), resource("cpu", limit="1"))
    verdicts = apply(found, Recorder(refused="memory"))
    assert verdicts == {("a", "resource/memory"): ("ignored", "refused"), ("a", "resource/cpu"): ("enforced", None)}
    verdicts = apply(found, Recorder(refused="cpu", number=errno.EINVAL))
    assert verdicts["a", "resource/cpu"] == ("modified", "a cgroup above the pod's has less")


def test_of_several_for_one_resource_the_least_limit_counts(tmp_path: Path) -> None:
    cgroups = Recorder()
    apply(pod(tmp_path, resource("cpu", request=2, limit=3), resource("cpu", request=1, limit=2)), cgroups)
    assert cgroups.written[1:] == [("a", "cpu.weight", "200"), ("a", "cpu.max", "200000 100000")]


def test_among_pods_a_pod_counts_as_what_its_apps_request_together(tmp_path: Path) -> None:
    cgroups = Recorder()
    mine = (resource("cpu", request="250m"), resource("memory", request="1M"))
    apply(pod(tmp_path, *mine, others=(resource("memory", request="2M"),)), cgroups)
    assert (None, "cpu.weight", "125") in cgroups.written, "an app that does not say counts as a core"
    assert (None, "memory.low", "3000000") in cgroups.written
    cgroups = Recorder()
    apply(pod(tmp_path, *mine, of_pod=(resource("cpu", request=3), resource("memory", limit="9M"))), cgroups)
    assert [row for row in cgroups.written if row[0] is None] == [
        (None, "cpu.weight", "300"),
        (None, "memory.low", "9000000"),
        (None, "memory.max", "9000000"),
        (None, "memory.swap.max?", "0"),
    ]


def test_files_in_memory_have_no_disk_that_could_be_throttled(tmp_path: Path) -> None:
    found = pod(tmp_path, resource("block-iops", default=True, limit=5))
    found.path = found.apps[0].lower = "/dev/shm"
    verdicts = apply(found, Recorder())
    assert verdicts["a", "resource/block-iops"] == ("ignored", "no block device holds the pod's files")


REQUESTS = {"request": st.one_of(ANYTHING, st.integers(0)), "limit": st.integers(0)}
AMOUNTS = st.one_of(ANYTHING, st.fixed_dictionaries({}, optional=REQUESTS))


@given(name=st.sampled_from(sorted(NAMES)), of_app=AMOUNTS, of_pod=AMOUNTS)
def test_any_value_is_refused_or_becomes_numbers_that_the_kernel_takes(
    tmp_path_factory: pytest.TempPathFactory, name: str, of_app: Any, of_pod: Any
) -> None:
    found = pod(tmp_path_factory.mktemp("any"))
    found.isolators, found.apps[0].isolators = [{"name": name, "value": of_pod}], [{"name": name, "value": of_app}]
    try:
        demands = read_demands(found)
    except FormatError:
        return
    for version in (1, 2):
        cgroups = Recorder(version)
        apply_demands(found, demands, cgroups)
        for _, file, text in cgroups.written:
            numbers = [int(word.rpartition("=")[2]) for word in text.split() if ":" not in word]
            assert all(0 <= number < 2**63 for number in numbers), (file, text)
            if file == "cpu.cfs_quota_us":
                assert 1000 <= numbers[0] <= 10**12
            if file == "cpu.weight":
                assert 1 <= numbers[0] <= 10_000
