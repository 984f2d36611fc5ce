"""Which kernel parameters a pod may set, and where they are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec.errors import FormatError
from acstage1.errors import StartError
from acstage1.sysctls import find_parameters, read_parameters
from tests.support.manifests import ANYTHING

OWN = {
    "net.ipv4.tcp_mtu_probing": "net/ipv4/tcp_mtu_probing",
    "net/ipv4/conf/eth0.1/rp_filter": "net/ipv4/conf/eth0.1/rp_filter",
    "net.ipv4.conf.eth0/1.rp_filter": "net/ipv4/conf/eth0.1/rp_filter",
    "kernel.shmmax": "kernel/shmmax",
    "kernel.sem": "kernel/sem",
    "fs.mqueue.queues_max": "fs/mqueue/queues_max",
}
FOREIGN = (
    "kernel.core_pattern", "kernel.hostname", "kernel.shm", "kernel", "net", "fs.mqueue", "fs.mqueue.a.b", "vm.overcommit_memory",
    "net/../kernel/core_pattern", "net.ipv4./.kernel", "net..ipv4", "net//ipv4", "/net/ipv4/x", ".net.x", "", "network.x",
    "net/ipv4/../../kernel/core_pattern", "net.\n", "net.\udcff", "Net.ipv4.x", "kernel.shmmax.x",
)  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_a_parameter_of_the_pod_s_namespaces_is_found(name: str) -> None:
    [parameter] = read_parameters({name: "1"})
    assert (parameter.name, parameter.path, parameter.value) == (name, OWN[name], "1")


@pytest.mark.parametrize("name", FOREIGN)
def test_any_other_is_refused(name: str) -> None:
    with pytest.raises(StartError, match="is not a parameter of the pod's own namespaces"):
        read_parameters({name: "1"})


@pytest.mark.parametrize("value", [{"net.x": 1}, {"net.x": "a\nb"}, {"net.x": "\u00e9"}, [], "x"])
def test_a_value_that_is_not_a_line_is_refused(value: Any) -> None:
    with pytest.raises(FormatError):
        read_parameters(value)


def test_those_of_all_isolators_of_that_name_are_set() -> None:
    isolators = [{"name": "os/unix/sysctl", "value": {"net.a": "1"}}, {"name": "x", "value": {"vm.b": "1"}}, "nonsense"]
    assert [parameter.name for parameter in find_parameters(isolators)] == ["net.a"]


@given(ANYTHING | st.dictionaries(st.text("nets/.kro\0" + "m"), st.text()))
def test_no_name_leads_out_of_the_directories_of_namespaces(value: Any) -> None:
    try:
        parameters = read_parameters(value)
    except (FormatError, StartError):
        return
    for parameter in parameters:
        parts = parameter.path.split("/")
        assert parts[0] in ("net", "fs", "kernel")
        assert not {"", ".", ".."} & set(parts)
