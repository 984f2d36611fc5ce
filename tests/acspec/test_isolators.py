"""Isolators: what each means, what is refused, and what is only odd."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from acspec.errors import FormatError
from acspec.fields import Fields
from acspec.isolators import (
    KNOWN,
    AppArmorProfile,
    CapabilitySet,
    CPUShares,
    Isolator,
    NoNewPrivileges,
    OOMScoreAdj,
    Resource,
    SeccompSet,
    SELinuxContext,
    Sysctl,
    find_conflicts,
    read_isolator,
    read_isolators,
)
from acspec.names import ACIdentifier
from acspec.quantities import Quantity


def isolator(name: str, value: Any) -> Isolator:
    return Isolator(ACIdentifier(name), value)


CONTEXT = {"user": "system_u", "role": "system_r", "type": "dhcpc_t", "level": "s0-s0:c0"}

# The examples of the specification are among them.
MEANINGS: dict[str, tuple[str, Any, Any]] = {
    "block-bandwidth": (
        "resource/block-bandwidth",
        {"default": True, "limit": "2M"},
        Resource("resource/block-bandwidth", None, Quantity("2M", 2000000)),
    ),
    "block-iops": (
        "resource/block-iops",
        {"default": True, "limit": "1000"},
        Resource("resource/block-iops", None, Quantity("1000", 1000)),
    ),
    "network-bandwidth": (
        "resource/network-bandwidth",
        {"default": True, "limit": "1G", "request": None},
        Resource("resource/network-bandwidth", None, Quantity("1G", 10**9)),
    ),
    "cpu, in thousandths of a core": (
        "resource/cpu",
        {"request": "250m", "limit": "500m"},
        Resource("resource/cpu", Quantity("250m", 250), Quantity("500m", 500)),
    ),
    "cpu, a request beyond the limit": (
        "resource/cpu",
        {"request": "30m", "limit": "1m", "default": False},
        Resource("resource/cpu", Quantity("30m", 30), Quantity("1m", 1)),
    ),
    "memory": (
        "resource/memory",
        {"request": "1G", "limit": "2Gi"},
        Resource("resource/memory", Quantity("1G", 10**9), Quantity("2Gi", 2**31)),
    ),
    "memory that says nothing": ("resource/memory", {}, Resource("resource/memory", None, None)),
    "seccomp-remove-set": (
        "os/linux/seccomp-remove-set",
        {"errno": "ENOTSUP", "set": ["clock_adjtime", "reboot"]},
        SeccompSet(False, ("clock_adjtime", "reboot"), (), "ENOTSUP"),
    ),
    "seccomp-retain-set, an empty errno": (
        "os/linux/seccomp-retain-set",
        {"errno": "", "set": ["accept", "write"]},
        SeccompSet(True, ("accept", "write"), (), None),
    ),
    "all calls": ("os/linux/seccomp-retain-set", {"set": ["@appc.io/all"]}, SeccompSet(True, (), ("@appc.io/all",), None)),
    "no calls, and somebody's own": (
        "os/linux/seccomp-remove-set",
        {"set": ["@appc.io/empty", "@own/x/y", "reboot"]},
        SeccompSet(False, ("reboot",), ("@appc.io/empty", "@own/x/y"), None),
    ),
    "capabilities-remove-set": (
        "os/linux/capabilities-remove-set",
        {"set": ["CAP_SYS_CHROOT", "CAP_MKNOD"]},
        CapabilitySet(False, ("CAP_SYS_CHROOT", "CAP_MKNOD")),
    ),
    "capabilities-retain-set, one that nobody knows": (
        "os/linux/capabilities-retain-set",
        {"set": ["CAP_PONIES"]},
        CapabilitySet(True, ("CAP_PONIES",)),
    ),
    "no-new-privileges": ("os/linux/no-new-privileges", True, NoNewPrivileges(True)),
    "no-new-privileges, not": ("os/linux/no-new-privileges", False, NoNewPrivileges(False)),
    "selinux-context": ("os/linux/selinux-context", CONTEXT, SELinuxContext("system_u", "system_r", "dhcpc_t", "s0-s0:c0")),
    "apparmor-profile": ("os/linux/apparmor-profile", {"profile": "rkt-default"}, AppArmorProfile("rkt-default")),
    "oom-score-adj": ("os/linux/oom-score-adj", -250, OOMScoreAdj(-250)),
    "oom-score-adj, none": ("os/linux/oom-score-adj", 0, OOMScoreAdj(0)),
    "cpu-shares": ("os/linux/cpu-shares", 2048, CPUShares(2048)),
    "sysctl": ("os/unix/sysctl", {"net.ipv4.tcp_mtu_probing": "1"}, Sysctl({"net.ipv4.tcp_mtu_probing": "1"})),
    "sysctl of nothing": ("os/unix/sysctl", {}, Sysctl({})),
    "what is not known": ("com.example/own", [1, None], None),
    "what is not known, of nothing": ("com.example/own", None, None),
}


@pytest.mark.parametrize("case", MEANINGS)
def test_an_isolator_has_a_meaning(case: str) -> None:
    name, value, meaning = MEANINGS[case]
    assert read_isolator(isolator(name, value), "p") == meaning


def test_each_known_isolator_is_in_the_table() -> None:
    assert {name for name, _, meaning in MEANINGS.values() if meaning is not None} == KNOWN


REFUSED: dict[str, tuple[str, Any, str]] = {
    "a device's limit without default": ("resource/block-bandwidth", {"limit": "1G"}, "value.default: is required"),
    "a device's limit, default false": ("resource/block-iops", {"default": False, "limit": "1"}, "value.default: must be true"),
    "a device's limit, default a string": ("resource/block-iops", {"default": "true"}, "value.default: is neither true nor false"),
    "a device's request": ("resource/network-bandwidth", {"default": True, "request": "1"}, "value.request: cannot be requested"),
    "memory with default": ("resource/memory", {"default": True, "limit": "2G"}, "value.default: must not be true"),
    "a negative limit": ("resource/memory", {"limit": "-1"}, 'value.limit: "-1" is negative'),
    "garbage": ("resource/cpu", {"request": "1", "limit": "such garbage"}, "value.limit: .* is not a quantity"),
    "an empty request": ("resource/cpu", {"request": "", "limit": "2"}, "value.request: .* is not a quantity"),
    "a resource that is a string": ("resource/memory", "2G", "value: not a JSON object"),
    "no value": ("resource/memory", None, "value: is required"),
    "no calls": ("os/linux/seccomp-retain-set", {"set": []}, "value.set: is an empty list"),
    "no set of calls": ("os/linux/seccomp-remove-set", {}, "value.set: is required"),
    "a call without name": ("os/linux/seccomp-remove-set", {"set": [""]}, r"value.set\[0\]: is empty"),
    "an errno in lower case": ("os/linux/seccomp-remove-set", {"set": ["a"], "errno": "eperm"}, "value.errno: .* not the name"),
    "an errno with a sign": ("os/linux/seccomp-remove-set", {"set": ["a"], "errno": "-EPERM"}, "value.errno: .* not the name"),
    "an errno that is a number": ("os/linux/seccomp-remove-set", {"set": ["a"], "errno": 1}, "value.errno: is not a string"),
    "all, to be removed": (
        "os/linux/seccomp-remove-set",
        {"set": ["@appc.io/all"]},
        "means nothing in os/linux/seccomp-remove-set",
    ),
    "empty, to be retained": ("os/linux/seccomp-retain-set", {"set": ["@appc.io/empty"]}, "means nothing"),
    "another of the specification's": ("os/linux/seccomp-retain-set", {"set": ["@appc.io/some"]}, "means nothing"),
    "a wildcard without scope": ("os/linux/seccomp-retain-set", {"set": ["@all"]}, "is not a wildcard with a scope"),
    "a wildcard without name": ("os/linux/seccomp-retain-set", {"set": ["@own/"]}, "is not a wildcard with a scope"),
    "no capabilities": ("os/linux/capabilities-retain-set", {"set": []}, "value.set: is an empty list"),
    "capabilities that are a string": ("os/linux/capabilities-retain-set", {"set": "CAP_KILL"}, "value.set: is not a list"),
    "a capability that is a number": ("os/linux/capabilities-remove-set", {"set": [3]}, r"value.set\[0\]: is not a string"),
    "a context without role": ("os/linux/selinux-context", {**CONTEXT, "role": ""}, "value.role: is empty"),
    "a context with two parts in one": ("os/linux/selinux-context", {**CONTEXT, "user": "a:b"}, "value.user: .* holds a colon"),
    "a context without level": ("os/linux/selinux-context", {**CONTEXT, "level": None}, "value.level: is required"),
    "a profile without name": ("os/linux/apparmor-profile", {"profile": ""}, "value.profile: is empty"),
    "privileges by number": ("os/linux/no-new-privileges", 123, "value: is neither true nor false"),
    "privileges by word": ("os/linux/no-new-privileges", "true", "value: is neither true nor false"),
    "a score out of range": ("os/linux/oom-score-adj", -2500, "value: -2500 is not from -1000 to 1000"),
    "a score in words": ("os/linux/oom-score-adj", "250", "value: is not a whole number"),
    "shares out of range": ("os/linux/cpu-shares", 1, "value: 1 is not from 2 to 262144"),
    "shares with a fraction": ("os/linux/cpu-shares", 2048.0, "value: is not a whole number"),
    "a parameter that is a number": ("os/unix/sysctl", {"net.x": 1}, "value.net.x: is not a string"),
    "parameters in a list": ("os/unix/sysctl", ["net.x"], "value: not a JSON object"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_value_that_its_kind_does_not_have_is_refused_at_its_place(case: str) -> None:
    name, value, words = REFUSED[case]
    with pytest.raises(FormatError, match=words) as caught:
        read_isolator(isolator(name, value), "app.isolators[0]")
    assert caught.value.what.startswith("app.isolators[0]: value")


def read(*isolators: tuple[str, Any], pod: bool = False) -> list[str]:
    """Return what is odd about *isolators*; they are written back as they came."""
    value: Any = [{"name": name, "value": value, "more": None} for name, value in isolators]
    warnings: list[str] = []
    result = read_isolators(Fields({"isolators": value}, "m", warnings=warnings), pod=pod)
    assert [item.to_json() for item in result] == value
    return warnings


CALLS, CAPABILITIES = {"set": ["read"]}, {"set": ["CAP_KILL"]}
CONFLICTS: dict[str, tuple[list[tuple[str, Any]], str]] = {
    "both sets of calls": (
        [("os/linux/seccomp-retain-set", CALLS), ("x", 1), ("os/linux/seccomp-remove-set", CALLS)],
        r"m: isolators\[2\]: os/linux/seccomp-remove-set cannot be used in conjunction with os/linux/seccomp-retain-set",
    ),
    "both sets of capabilities": (
        [("os/linux/capabilities-remove-set", CAPABILITIES), ("os/linux/capabilities-retain-set", CAPABILITIES)],
        r"m: isolators\[1\]: .* cannot be used in conjunction",
    ),
    "calls twice": ([("os/linux/seccomp-retain-set", CALLS)] * 2, r"m: isolators\[1\]: a second os/linux/seccomp-retain-set"),
    "two contexts": ([("os/linux/selinux-context", CONTEXT)] * 2, "a second os/linux/selinux-context"),
    "two profiles": ([("os/linux/apparmor-profile", {"profile": "a"})] * 2, "a second os/linux/apparmor-profile"),
    "two scores": ([("os/linux/oom-score-adj", 1)] * 2, "a second os/linux/oom-score-adj"),
    "two shares": ([("os/linux/cpu-shares", 2)] * 2, "a second os/linux/cpu-shares"),
    "two sets of parameters": ([("os/unix/sysctl", {})] * 2, "a second os/unix/sysctl"),
}


@pytest.mark.parametrize("pod", [False, True])
@pytest.mark.parametrize("case", CONFLICTS)
def test_isolators_that_exclude_each_other_are_refused(case: str, pod: bool) -> None:
    isolators, words = CONFLICTS[case]
    with pytest.raises(FormatError, match=words):
        read(*isolators, pod=pod)


def test_conflicts_are_found_in_any_order_and_all_of_them() -> None:
    names = ["os/linux/seccomp-remove-set", "os/linux/seccomp-retain-set", "os/linux/seccomp-remove-set", "a", "a"]
    assert [index for index, _ in find_conflicts(names)] == [1, 2]


def test_several_of_a_kind_may_stand_together_where_nothing_forbids_it() -> None:
    assert read(("resource/memory", {"limit": "1G"}), ("resource/memory", {"limit": "2G"})) == []
    assert read(("os/linux/capabilities-retain-set", CAPABILITIES), ("os/linux/capabilities-retain-set", CAPABILITIES)) == []
    assert read(("os/linux/no-new-privileges", True), ("os/linux/no-new-privileges", False)) == []


ODD: dict[str, tuple[str, Any, bool, str]] = {
    "a name that is not known": ("com.example/own", None, False, 'isolators[0].name: "com.example/own" is not an isolator of'),
    "an app's isolator in a pod": (
        "os/linux/seccomp-retain-set",
        CALLS,
        True,
        "name: os/linux/seccomp-retain-set is for apps only",
    ),
    "a pod's isolator in an app": ("os/unix/sysctl", {}, False, "isolators[0].name: os/unix/sysctl is for pods only"),
    "a capability that is not known": (
        "os/linux/capabilities-retain-set",
        {"set": ["CAP_KILL", "X"]},
        False,
        'value.set[1]: "X" is no',
    ),
    "an errno that is not known": (
        "os/linux/seccomp-retain-set",
        {**CALLS, "errno": "EACCESS"},
        False,
        "value.errno: EACCESS is not",
    ),
    "a limit of part of a byte": ("resource/memory", {"limit": "0.5"}, True, 'value.limit: "0.5" is rounded up to 1'),
    "a limit beyond 64 bits": ("resource/memory", {"limit": "9Ei"}, True, 'value.limit: "9Ei" is beyond 2^63-1, and capped'),
    "a request beyond the limit": (
        "resource/cpu",
        {"limit": 1, "request": 2},
        True,
        "value.request: 2 is more than the limit of 1",
    ),
    "a limit of nothing": ("resource/cpu", {}, True, "value: neither requests nor limits anything"),
    "a key known but for case": ("resource/cpu", {"Limit": "1", "limit": "1"}, True, 'value.Limit: is not known; "limit" is'),
}


@pytest.mark.parametrize("case", ODD)
def test_what_is_odd_is_warned_of_and_kept(case: str) -> None:
    name, value, pod, words = ODD[case]
    warnings = read((name, value), pod=pod)
    assert len(warnings) == 1
    assert words in warnings[0]


def test_what_is_not_given_has_its_default() -> None:
    assert SeccompSet(True, ("read",), (), None).errno_number is None
    assert SeccompSet(True, ("read",), (), "EPERM").errno_number == errno.EPERM
    assert SeccompSet(True, ("read",), (), "EACCESS").errno_number is None


def test_a_context_is_written_as_the_kernel_reads_it() -> None:
    assert str(SELinuxContext("system_u", "system_r", "dhcpc_t", "s0")) == "system_u:system_r:dhcpc_t:s0"
