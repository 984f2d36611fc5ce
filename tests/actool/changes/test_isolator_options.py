"""What the words behind the options for isolators mean, and how those that mean nothing are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from acspec.errors import UsageError
from acspec.isolators import KNOWN
from actool.changes.isolator_options import make_capability_sets, make_seccomp_set, parse_isolators

RETAIN, REMOVE = "os/linux/capabilities-retain-set", "os/linux/capabilities-remove-set"
CALLS, BLOCKED = "os/linux/seccomp-retain-set", "os/linux/seccomp-remove-set"

# Words, and the name and value of each isolator.
GOOD: dict[str, tuple[str, list[tuple[str, object]]]] = {
    "resources, as the reference's help has them": (
        "resource/cpu,request=50m,limit=100m:resource/memory,limit=2G",
        [("resource/cpu", {"request": "50m", "limit": "100m"}), ("resource/memory", {"limit": "2G"})],
    ),
    "a limit for all devices": (
        "resource/block-iops,default=true,limit=1000",
        [("resource/block-iops", {"default": True, "limit": "1000"})],
    ),
    "a switch": ("os/linux/no-new-privileges,true", [("os/linux/no-new-privileges", True)]),
    "a number": (
        "os/linux/oom-score-adj,-100:os/linux/cpu-shares,512",
        [("os/linux/oom-score-adj", -100), ("os/linux/cpu-shares", 512)],
    ),
    "an SELinux context": (
        "os/linux/selinux-context,user=u,role=r,type=t,level=s0",
        [("os/linux/selinux-context", {"user": "u", "role": "r", "type": "t", "level": "s0"})],
    ),
    "an AppArmor profile": ("os/linux/apparmor-profile,profile=p", [("os/linux/apparmor-profile", {"profile": "p"})]),
    "JSON with colons and commas": (
        '{"name":"os/linux/selinux-context","value":{"user":"u","role":"r","type":"t","level":"s0:c1,c2"}}',
        [("os/linux/selinux-context", {"user": "u", "role": "r", "type": "t", "level": "s0:c1,c2"})],
    ),
    "JSON for what nobody knows": ('{"name": "example.com/x", "value": [1, null]}', [("example.com/x", [1, None])]),
}


@pytest.mark.parametrize("case", GOOD)
def test_isolators_are_read_as(case: str) -> None:
    text, expected = GOOD[case]
    assert [(isolator.name, isolator.value) for isolator in parse_isolators(text)] == expected


BAD = {
    "a name that is not known": ("resource/mem,limit=1", '"resource/mem" is no isolator that words are known for (other isolators'),
    "nothing": ("", '--isolators: "" is no isolator that words are known for'),
    "a limit that is none": ("resource/memory,limit=lots", '--isolators resource/memory: value.limit: "lots" is not a quantity'),
    "a setting that is not known": ("resource/memory,max=1", "max is no setting of it"),
    "a request that cannot be made": ("resource/block-iops,default=true,request=1", "cannot be requested, only limited"),
    "a limit for some devices": ("resource/block-iops,limit=1", "default: is required"),
    "a switch between on and off": ("os/linux/no-new-privileges,perhaps", "is neither true nor false"),
    "a switch without a value": ("os/linux/no-new-privileges", "not of the form os/linux/no-new-privileges,VALUE"),
    "a number beyond its range": ("os/linux/oom-score-adj,1001", "1001 is not from -1000 to 1000"),
    "a number that is none": ("os/linux/cpu-shares,many", "is not a whole number"),
    "capabilities": (f"{RETAIN},set=CAP_CHOWN", "this isolator is a set (--capability sets it)"),
    "system calls": (f"{BLOCKED},set=open", "this isolator is a set (--seccomp-mode and --seccomp-set set it)"),
    "JSON without a value": ('{"name": "example.com/x"}', "--isolators: value: is required"),
    "JSON with an empty set": (f'{{"name": "{RETAIN}", "value": {{"set": []}}}}', "is an empty list"),
}


@pytest.mark.parametrize("case", BAD)
def test_isolators_are_refused_for(case: str) -> None:
    text, line = BAD[case]
    with pytest.raises(UsageError) as caught:
        parse_isolators(text)
    assert line in str(caught.value)


def test_capabilities_are_kept_or_lost() -> None:
    assert make_capability_sets([], []) == ()
    [kept] = make_capability_sets(["CAP_CHOWN,CAP_KILL", "CAP_CHOWN"], [])
    assert (kept.name, kept.value) == (RETAIN, {"set": ["CAP_CHOWN", "CAP_KILL"]})
    [lost] = make_capability_sets([], ["CAP_MKNOD"])
    assert (lost.name, lost.value) == (REMOVE, {"set": ["CAP_MKNOD"]})


@pytest.mark.parametrize(
    ("kept", "lost", "line"),
    [
        ("CAP_CHOWN", "CAP_KILL", "--capability and --revoke-capability: exclude each other"),
        ("CAP_CHOWM", None, '--capability: "CAP_CHOWM" is no capability that is known here'),
        (None, "chown", '--revoke-capability: "chown" is no capability that is known here'),
        ("", None, '--capability: "" is no capability'),
    ],
)
def test_capabilities_are_refused(kept: str | None, lost: str | None, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_capability_sets([] if kept is None else [kept], [] if lost is None else [lost])
    assert line in str(caught.value)


def test_system_calls_are_allowed_or_blocked() -> None:
    assert make_seccomp_set(None, []) == ()
    [allowed] = make_seccomp_set("retain", ["read,write", "@appc.io/all"])
    assert (allowed.name, allowed.value) == (CALLS, {"set": ["read", "write", "@appc.io/all"]})
    for mode in ("remove,errno=EPERM", "errno=EPERM,remove"):
        [blocked] = make_seccomp_set(mode, ["reboot"])
        assert (blocked.name, blocked.value) == (BLOCKED, {"set": ["reboot"], "errno": "EPERM"})


@pytest.mark.parametrize(
    ("mode", "calls", "line"),
    [
        ("retain", None, "--seccomp-mode and --seccomp-set: make sense together only"),
        (None, "read", "--seccomp-mode and --seccomp-set: make sense together only"),
        ("allow", "read", "--seccomp-mode allow: not of the form retain[,errno=NAME] or remove[,errno=NAME]"),
        ("retain,remove", "read", "not of the form"),
        ("", "read", "not of the form"),
        ("retain,error=EPERM", "read", "error is no setting of it"),
        ("retain,errno=eperm", "read", '"eperm" is not the name of an error'),
        ("retain", "", "value.set[0]: is empty"),
        ("remove", "@appc.io/all", '"@appc.io/all" means nothing in os/linux/seccomp-remove-set'),
    ],
)
def test_system_calls_are_refused(mode: str | None, calls: str | None, line: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_seccomp_set(mode, [] if calls is None else [calls])
    assert line in str(caught.value)


@given(some.sampled_from(sorted(KNOWN)), some.text() | some.text(alphabet='a1,=:/"{}0.limtrequsdfaproen'))
def test_any_words_mean_something_or_are_refused_with_our_error(name: str, text: str) -> None:
    for words in (text, f"{name},{text}"):
        try:
            parse_isolators(words)
        except UsageError:
            continue


@given(some.text(alphabet="retainmov,=Ex"), some.lists(some.text(alphabet="CAP_,@/aio."), max_size=2))
def test_any_sets_mean_something_or_are_refused_with_our_error(mode: str, names: list[str]) -> None:
    for make in (lambda: make_seccomp_set(mode, names), lambda: make_capability_sets(names, [])):
        try:
            make()
        except UsageError:
            continue
