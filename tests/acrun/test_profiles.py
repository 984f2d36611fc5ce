"""Which system calls an app may make, as rules: by its isolators, by our own list, and by the capabilities that it keeps."""

from __future__ import annotations

import errno
import re
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrun.profiles import (
    ALLOW,
    BLOCKED,
    DEFAULT_REMOVE,
    FAMILIES,
    KILL,
    OWN_NAME,
    Profile,
    Rule,
    _odd_personalities,
    default_rules,
    make_profile,
)
from acspec.capabilities import ALL_CAPABILITIES, DEFAULT_CAPABILITIES
from acspec.errors import FormatError
from acspec.isolator_names import RETAIN_SET, SECCOMP_REMOVE, SECCOMP_RETAIN
from acspec.isolators import Isolator
from acspec.names import ACIdentifier
from tests.support.sources import ROOT


def isolator(name: str, *calls: str, **more: Any) -> Isolator:
    return Isolator(ACIdentifier(name), {"set": list(calls), **more})


def profile(*isolators: Isolator) -> Profile:
    made = make_profile(isolators, "app a")
    assert made is not None
    return made


def unconditional(made: Profile) -> dict[str | int, int]:
    return {rule.call: rule.action for rule in made.rules if not rule.when}


def holds(rule: Rule, *arguments: int) -> bool:
    return all(arguments[index] & mask == value for index, mask, value in rule.when)


def test_an_app_that_asks_for_nothing_gets_our_list() -> None:
    made = profile()
    assert (made.isolator, made.default, made.why) == (OWN_NAME, ALLOW, DEFAULT_REMOVE)
    calls = unconditional(made)
    assert {calls[name] for name in ("mount", "keyctl", "reboot", "bpf", "io_uring_setup", "open_by_handle_at")} == {errno.EPERM}
    assert calls["clone3"] == errno.ENOSYS
    assert not {"read", "ptrace", "clone", "unshare", "ioctl", "socket", "socketpair", "execve", "name_to_handle_at"} & set(calls)


@pytest.mark.parametrize("capability", [name for name in BLOCKED if name])
def test_a_capability_gives_its_calls_back(capability: str) -> None:
    calls = unconditional(profile(isolator(RETAIN_SET, capability)))
    assert not set(BLOCKED[capability]) & set(calls)
    others = {call for name, blocked in BLOCKED.items() if name != capability for call in blocked} - set(BLOCKED[capability])
    assert others <= set(calls)


def test_what_gives_calls_back_is_a_capability_that_is_not_among_the_fourteen() -> None:
    assert {name for name in BLOCKED if name} <= set(ALL_CAPABILITIES) - DEFAULT_CAPABILITIES


def test_the_list_is_the_one_that_is_written_down() -> None:
    rows = re.findall(r"^\| `?(CAP_\w+|none)`? \| (`.*`) \|$", (ROOT / "spec/seccomp.md").read_text(), re.MULTILINE)
    told = {"" if capability == "none" else capability: tuple(calls.strip("`").split("` `")) for capability, calls in rows}
    assert told == BLOCKED
    (row,) = re.findall(r"^\| `socket`.*$", (ROOT / "spec/seccomp.md").read_text(), re.MULTILINE)
    assert set(re.findall(r"AF_\w+", row)) == set(FAMILIES)


def test_the_families_have_the_numbers_of_the_kernel() -> None:
    known = {name: number for name, number in FAMILIES.items() if hasattr(socket, name)}
    assert known == {name: int(getattr(socket, name)) for name in known}
    assert {"AF_ALG", "AF_RDS", "AF_TIPC", "AF_VSOCK"} <= set(known)


def test_only_cap_sys_admin_gives_new_namespaces_back() -> None:
    conditional = {rule.call for rule in default_rules({"CAP_SYS_ADMIN"}, 1) if rule.when}
    assert conditional == {"ioctl", "socket", "socketpair", "personality"}
    assert "clone3" not in {rule.call for rule in default_rules({"CAP_SYS_ADMIN"}, 1)}
    assert {"clone", "unshare"} <= {rule.call for rule in default_rules({"CAP_SYS_BOOT"}, 1) if rule.when}


@given(flags=st.integers(0, 2**64 - 1))
def test_every_flag_for_a_new_namespace_is_seen_and_no_other(flags: int) -> None:
    new = 0x7E020000 & ~0x1000000 & ~0x400000
    rules = default_rules((), errno.EPERM)
    assert any(holds(rule, flags) for rule in rules if rule.call == "clone") == bool(flags & new)
    assert any(holds(rule, flags) for rule in rules if rule.call == "unshare") == bool(flags & (new | 0x80))


@given(value=st.one_of(st.integers(0, 2**32 - 1), st.sampled_from([0, 8, 0xFFFFFFFF, 0x40000, 0x400000, 0xFFFFFFF7])))
def test_every_personality_but_three_is_odd(value: int) -> None:
    odd = any(value & mask == wanted for _, mask, wanted in _odd_personalities())
    assert odd == (value not in (0, 8, 0xFFFFFFFF))


def test_arguments_of_type_int_are_compared_without_what_the_kernel_does_not_read() -> None:
    rules = default_rules((), errno.EPERM)
    assert any(holds(rule, 0, 0x1_0000_5412) for rule in rules if rule.call == "ioctl")
    assert any(holds(rule, 0xFFFF_0000_0000_0028) for rule in rules if rule.call == "socket")


def test_a_retain_set_allows_what_it_names_and_the_least_that_a_life_takes() -> None:
    made = profile(isolator(SECCOMP_RETAIN, "read", "read", "socket", errno="ENOTSUP"))
    assert (made.isolator, made.default, made.modified) == (SECCOMP_RETAIN, errno.ENOTSUP, False)
    calls = unconditional(made)
    assert set(calls) == {"read", "socket", "execve", "exit", "exit_group", "rt_sigreturn", "restart_syscall"}
    assert set(calls.values()) == {ALLOW}
    assert {rule.call for rule in made.rules if rule.when} == {"fcntl", "write", "execveat"}


@pytest.mark.parametrize("code", ["", None])
def test_without_an_errno_it_is_sigsys(code: str | None) -> None:
    more = {} if code is None else {"errno": code}
    assert profile(isolator(SECCOMP_RETAIN, "read", **more)).default == KILL
    assert unconditional(profile(isolator(SECCOMP_REMOVE, "reboot", **more)))["reboot"] == KILL


def test_all_masks_what_else_is_retained_and_means_no_filter() -> None:
    assert make_profile([isolator(SECCOMP_RETAIN, "read", "@appc.io/all", "@any/thing")], "app a") is None


def test_empty_masks_what_else_is_removed_and_means_our_list() -> None:
    made = profile(isolator(SECCOMP_REMOVE, "read", "@appc.io/empty", "@any/thing", errno="EACCES"))
    assert made.rules == tuple(default_rules(DEFAULT_CAPABILITIES, errno.EACCES))


def test_a_remove_set_blocks_what_it_names_its_way_and_our_list_ours() -> None:
    calls = unconditional(profile(isolator(SECCOMP_REMOVE, "uname", "mount")))
    assert (calls["uname"], calls["mount"], calls["umount2"], calls["clone3"]) == (KILL, KILL, errno.EPERM, errno.ENOSYS)
    named = unconditional(profile(isolator(SECCOMP_REMOVE, "uname", DEFAULT_REMOVE, errno="EACCES")))
    assert (named["uname"], named["umount2"], named["clone3"]) == (errno.EACCES, errno.EACCES, errno.ENOSYS)


def test_a_call_that_is_removed_by_name_stays_so_whatever_the_capabilities() -> None:
    calls = unconditional(profile(isolator(RETAIN_SET, "CAP_SYS_ADMIN"), isolator(SECCOMP_REMOVE, "mount", "clone3")))
    assert (calls["mount"], calls["clone3"], "umount2" in calls) == (KILL, KILL, False)


@given(descriptor=st.integers(0, 2**32 - 1), command=st.integers(0, 2**32 - 1))
def test_fcntl_can_be_removed_but_for_what_starts_the_app(descriptor: int, command: int) -> None:
    rules = [rule for rule in profile(isolator(SECCOMP_REMOVE, "fcntl")).rules if rule.call == "fcntl"]
    assert any(holds(rule, descriptor, command) for rule in rules) == ((descriptor, command) != (3, 2))


@given(descriptor=st.integers(0, 2**32 - 1), flags=st.integers(0, 2**32 - 1))
def test_so_can_execveat(descriptor: int, flags: int) -> None:
    rules = [rule for rule in profile(isolator(SECCOMP_REMOVE, "execveat")).rules if rule.call == "execveat"]
    assert not any(holds(rule, 64, 0, 0, 0, 0x1000) for rule in rules)
    assert any(holds(rule, descriptor, 0, 0, 0, flags) for rule in rules) == ((descriptor, flags) != (64, 0x1000))


def test_an_error_that_this_machine_does_not_have_is_sigsys_and_told() -> None:
    made = profile(isolator(SECCOMP_REMOVE, "uname", errno="EDOOFUS"))
    assert (unconditional(made)["uname"], made.modified) == (KILL, True)
    assert made.why == "EDOOFUS is no error of this machine: SIGSYS instead"


REFUSED = {
    "a remove set without which nothing starts": (SECCOMP_REMOVE, ["execve"], "execve cannot be blocked"),
    "a wildcard of somebody else in a remove set": (SECCOMP_REMOVE, ["@docker/x"], "@docker/x means nothing here"),
    "a wildcard of somebody else in a retain set": (SECCOMP_RETAIN, ["@docker/x"], "@docker/x means nothing here"),
    "our list in a retain set": (SECCOMP_RETAIN, [DEFAULT_REMOVE], "means nothing here"),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_a_set_that_cannot_be_enforced_is_refused(sentence: str) -> None:
    name, calls, why = REFUSED[sentence]
    with pytest.raises(FormatError, match=why) as caught:
        make_profile([isolator(name, *calls)], "app a")
    assert caught.value.what == f"app a: {name}"


_NAMES = st.one_of(st.text(min_size=1, max_size=20), st.sampled_from(["read", "execve", "@appc.io/all", "@appc.io/empty", "@a/b"]))


@given(kind=st.sampled_from([SECCOMP_RETAIN, SECCOMP_REMOVE]), names=st.lists(_NAMES, min_size=1), code=st.text(max_size=6))
def test_any_set_is_a_profile_or_refused(kind: str, names: list[str], code: str) -> None:
    try:
        made = make_profile([isolator(kind, *names, errno=code)], "app a")
    except FormatError:
        return
    assert made is None or made.isolator == kind
