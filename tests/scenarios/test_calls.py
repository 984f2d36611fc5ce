"""What an app tries that reaches for the kernel, with the system calls of its image, and what the options give and take."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pyseccomp
import pytest

from acrun.profiles import FAMILIES
from acstage1.labels import find_module
from tests.support.desk import Desk, app_image
from tests.support.scenarios import Scenario, play

EPERM, EXDEV, EINVAL, ENOSYS, ENOTSUP, EFAULT = 1, 18, 22, 38, 95, 14
SIGSYS = 128 + 31
NEWUSER, NEWNS = 0x10000000, 0x20000


def number_of(name: str) -> int:
    return int(pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name))


def call(name: str | int, *arguments: object, image: str = "probe", options: str = "") -> str:
    """Return a line whose app makes a system call, by its name, or by its number when libseccomp need not know it."""
    number = name if isinstance(name, int) else number_of(name)
    return f"acrun ./{image}.aci {options} -- call {number} {' '.join(map(str, arguments))}"


ATTACKS = {
    "a new user namespace by unshare": (call("unshare", NEWUSER), EPERM),
    "a new user namespace by clone": (call("clone", NEWUSER | 17), EPERM),
    "a new mount namespace among other flags": (call("unshare", NEWNS | 0x200), EPERM),
    "a new time namespace": (call("unshare", 0x80), EPERM),
    "clone3, whose flags no filter sees": (call("clone3", 0, 0), ENOSYS),
    "the user's keyring": (call("keyctl", 0, -4, 1), EPERM),
    "a key in it": (call("add_key", 0, 0, 0, 0, -4), EPERM),
    "a mount": (call("mount", 0, 0, 0, 0, 0), EPERM),
    "another process's memory": (call("process_vm_readv", 1, 0, 0, 0, 0, 0), EPERM),
    "an io_uring": (call("io_uring_setup", 1, 0), EPERM),
    "a program for the kernel": (call("bpf", 0, 0, 0), EPERM),
    "a file by its handle": (call("open_by_handle_at", -1, 0, 0), EPERM),
    "page faults": (call("userfaultfd", 1), EPERM),
    "addresses that are not random": (call("personality", 0x40000), EPERM),
    "memory that executes what it reads": (call("personality", 0x80400000), EPERM),
    "a line typed into the terminal": (call("ioctl", 0, 0x5412, 0), EPERM),
    "the same with bits that the kernel ignores": (call("ioctl", 0, 0x100005412, 0), EPERM),
    "the terminal of the console": (call("ioctl", 0, 0x541C, 0), EPERM),
    "the hypervisor's sockets": (call("socket", 40, 1, 0), EPERM),
    "the same with other bits": (call("socket", 0x100000028, 1, 0), EPERM),
    "the kernel's cryptography, a way to write into files that may only be read": (call("socket", 38, 5, 0), EPERM),
    "the sockets of AFS, another such way": (call("socket", 33, 2, 2), EPERM),
    "a mount of another kind, younger than the library": (call(467, 0, 0, 0), EPERM),
    "a call that no kernel has yet": (call(500), ENOSYS),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_reaches_for_the_kernel_is_refused(shelf: Desk, attack: str) -> None:
    line, code = ATTACKS[attack]
    play(shelf, Scenario(line, f"-{code}\n"))


def refused_families(shelf: Desk, code: int, options: str = "") -> list[set[int]]:
    """Return the families of which an app gets *code* for a socket, and those of which it does for a pair."""
    rows = [line.split() for line in shelf.shell(f"acrun ./probe.aci {options} -- families").stdout.splitlines()]
    assert len(rows) == 64
    return [{int(row[0]) for row in rows if row[column] == str(code)} for column in (1, 2)]


def test_no_socket_is_to_be_had_of_the_families_that_are_blocked_and_of_all_others_as_the_kernel_has_it(shelf: Desk) -> None:
    """By an error that no kernel has for a socket: a kernel without a family refuses it by one of its own."""
    blocked = set(FAMILIES.values())
    assert refused_families(shelf, EXDEV, "--seccomp mode=remove,errno=EXDEV,@appc-tools/default-remove") == [blocked] * 2
    assert refused_families(shelf, EXDEV, "--seccomp unconfined") == [set()] * 2
    sockets, pairs = refused_families(shelf, EPERM)
    assert blocked <= sockets & pairs


def test_the_same_calls_are_there_without_a_filter(shelf: Desk) -> None:
    """Else the refusals above were the kernel's own, and would prove nothing."""
    lines = [call(name, *arguments, options="--seccomp unconfined") for name, *arguments in THERE]
    ended = shelf.shell("; ".join(lines))
    assert f"-{EPERM}" not in ended.stdout.split(), ended.stdout
    assert f"-{ENOSYS}" not in ended.stdout.split(), ended.stdout


THERE = (
    ("unshare", NEWUSER), ("clone", NEWUSER | 17), ("clone3", 0, 0), ("keyctl", 0, -4, 1), ("personality", 0x40000),
    ("userfaultfd", 1),
)  # fmt: skip


@pytest.mark.skipif(platform.machine() != "x86_64", reason="only there can a program make the calls of another architecture")
def test_another_architecture_is_no_way_around(shelf: Desk) -> None:
    """int 0x80 makes i386's system calls in any program; bit 30 makes those of x32."""
    play(shelf, Scenario("acrun ./probe.aci --seccomp unconfined -- int80 20 | grep -c '^[1-9]'", "1\n"))  # getpid
    play(shelf, Scenario("acrun ./probe.aci -- int80 20", "", SIGSYS))
    play(shelf, Scenario(call(0x40000000 | 39), "", SIGSYS))
    retain = "--seccomp mode=retain,errno=EPERM,execve,arch_prctl,brk,mmap,mprotect,set_tid_address,set_robust_list,rseq,exit_group"
    play(shelf, Scenario(f"acrun ./probe.aci {retain} -- int80 20", "", SIGSYS))


# What Debian's static busybox calls from its first instruction on, but for execve and exit_group.
OF_BUSYBOX = (
    "arch_prctl,brk,mprotect,prlimit64,readlink,readlinkat,set_robust_list,set_tid_address,rseq,getrandom,getuid,prctl,newfstatat"
)

SCENARIOS = {
    "a call of one's own to be blocked, with an error": Scenario(
        call("uname", options="--seccomp mode=remove,errno=ENOTSUP,uname"), f"-{ENOTSUP}\n"
    ),
    "without an error it is the end": Scenario(call("uname", options="--seccomp mode=remove,uname"), "", SIGSYS),
    "our list beside it all the same": Scenario(call("keyctl", options="--seccomp mode=remove,uname"), f"-{EPERM}\n"),
    "our list by its name": Scenario(
        call("keyctl", options="--seccomp mode=remove,errno=ENOTSUP,@appc-tools/default-remove"), f"-{ENOTSUP}\n"
    ),
    "our list by the specification's name, without an error": Scenario(
        call("keyctl", options="--seccomp mode=remove,@appc.io/empty"), "", SIGSYS
    ),
    "everything by the specification's name": Scenario(
        call("keyctl", options="--seccomp mode=retain,@appc.io/all"), f"-{EINVAL}\n"
    ),
    "a retain set without execve lets the app start": Scenario(
        "acrun ./sh.aci --seccomp mode=retain,read,write --exec /bin/busybox", "", SIGSYS
    ),
    "and one of what the program needs, and no more, lets it run": Scenario(
        f"acrun ./sh.aci --seccomp mode=retain,{OF_BUSYBOX} --exec /bin/true", ""
    ),
    "a name that nobody knows cannot be removed": Scenario(
        "acrun ./probe.aci --seccomp mode=remove,frobnicate", "", 125, "no system call known here is named frobnicate"
    ),
    "what starts the app cannot be removed": Scenario(
        "acrun ./probe.aci --seccomp mode=remove,execve", "", 125, "execve cannot be blocked"
    ),
    "a mode that there is not": Scenario("acrun ./probe.aci --seccomp strict", "", 125, "--seccomp strict: not of the form"),
    "somebody else's wildcard": Scenario(
        "acrun ./probe.aci --seccomp mode=retain,@docker/default", "", 125, "@docker/default means nothing here"
    ),
    "a capability gives its calls back": Scenario(
        "acrun ./sh.aci --cap-retain CAP_SYS_ADMIN -- 'mount -t tmpfs x /srv && ls /srv && echo mounted'", "mounted\n"
    ),
    "and no others": Scenario(call("keyctl", options="--cap-retain CAP_SYS_ADMIN"), f"-{EPERM}\n"),
    "a capability that is taken": Scenario(
        "acrun ./sh.aci --cap-remove CAP_CHOWN -- 'grep CapEff /proc/self/status'", "CapEff:\t00000000a80425fa\n"
    ),
    "the only capabilities to keep": Scenario(
        "acrun ./sh.aci --cap-retain CAP_KILL,CAP_CHOWN -- 'grep CapBnd /proc/self/status'", "CapBnd:\t0000000000000021\n"
    ),
    "both at once": Scenario("acrun ./sh.aci --cap-retain CAP_KILL --cap-remove CAP_CHOWN", "", 125, "exclude each other"),
    "a capability that there is not": Scenario("acrun ./sh.aci --cap-retain NET_ADMIN", "", 125, "did you mean CAP_NET_ADMIN"),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENARIOS)
def test_options_of_calls_and_capabilities(shelf: Desk, name: str) -> None:
    play(shelf, SCENARIOS[name])


def test_an_option_takes_the_place_of_what_the_image_asks_for(shelf: Desk) -> None:
    isolators = [{"name": "os/linux/seccomp-remove-set", "value": {"set": ["uname"], "errno": "EACCES"}}]
    (shelf.path / "strict.aci").write_bytes(app_image(app={"isolators": isolators}))
    play(shelf, Scenario(call("uname", 0, image="strict"), "-13\n"))
    play(shelf, Scenario(call("uname", 0, image="strict", options="--seccomp unconfined"), f"-{EFAULT}\n"))


def test_what_cannot_be_as_asked_is_told_and_noted(shelf: Desk) -> None:
    line = "acrun ./probe.aci --seccomp mode=retain,frobnicate,@appc.io/all -- exit 3"
    play(shelf, Scenario(line, "", 3))
    ended = shelf.shell("acrun ./probe.aci --seccomp mode=retain,frobnicate -- exit 3")
    said = "acrun: probe: os/linux/seccomp-retain-set: no system call known here is named frobnicate\n"
    assert (ended.code, ended.stderr) == (SIGSYS, said)
    rows = [json.loads(path.read_text()) for path in Path(shelf.store).glob("pods/run/*/isolators.json")]
    assert {"name": "os/linux/seccomp-retain-set", "app": "probe", "state": "modified",
            "why": "no system call known here is named frobnicate"} in [row for pod in rows for row in pod]  # fmt: skip


def test_a_plan_that_was_noted_has_the_same_filter(shelf: Desk) -> None:
    line = "acrun ./keys.aci"
    (shelf.path / "keys.aci").write_bytes(app_image(words=("/bin/probe", "syscall", str(number_of("keyctl")))))
    for _ in range(4):
        play(shelf, Scenario(line, f"-{EPERM}\n"))
    assert list((shelf.store / "plans").iterdir())


def test_without_libseccomp_nothing_runs_unfiltered_unless_asked(shelf: Desk) -> None:
    """In a mount namespace where the linker finds no libseccomp, nor any compiler that could."""
    hide = (
        "mount --bind /dev/null /etc/ld.so.cache; mount -t tmpfs none /usr/lib/gcc;"
        "for file in /usr/lib/*/libseccomp.so*; do mount --bind /dev/null $file; done"
    )
    for option, code in (("", 125), ("--seccomp mode=remove,uname", 125), ("--seccomp unconfined", 3)):
        line = f"unshare --mount --propagation private sh -c '{hide}; acrun ./probe.aci {option} -- exit 3'"
        said = "libseccomp: is not there, and without it no system call can be blocked (" if code == 125 else ""
        play(shelf, Scenario(line, "", code, said))


LABELS = {
    "os/linux/apparmor-profile": {"profile": "rkt-default"},
    "os/linux/selinux-context": {"user": "system_u", "role": "system_r", "type": "dhcpc_t", "level": "s0"},
}


# A kernel has one of the two modules, or none: at least one label cannot be had.
@pytest.mark.parametrize("name", [name for name in LABELS if find_module(name) is not None])
def test_a_label_that_this_kernel_cannot_have_is_told_and_refused_where_all_is_to_be_in_place(shelf: Desk, name: str) -> None:
    (shelf.path / "labelled.aci").write_bytes(app_image(app={"isolators": [{"name": name, "value": LABELS[name]}]}))
    play(shelf, Scenario("acrun ./labelled.aci -- exit 3", "", 3, f"isolators not enforced: {name}"))
    module = "AppArmor" if "apparmor" in name else "SELinux"
    play(
        shelf, Scenario("grep -ho 'this kernel has no [A-Za-z]*' data/pods/run/*/isolators.json", f"this kernel has no {module}\n")
    )
    play(shelf, Scenario("acrun --strict ./labelled.aci", "", 125, name))
