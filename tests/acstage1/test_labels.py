"""Labels of security modules: which app gets which, on hosts as recorded, and what becomes of them on this one."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acspec.errors import FormatError
from acspec.isolator_names import APPARMOR_PROFILE, SELINUX_CONTEXT
from acstage1.errors import StartError
from acstage1.labels import assign_labels, find_module, find_shortfall
from acstage1.pod import PodDirectory
from tests.support.poddirs import ROOT, AppSpec, write_pod

CONTEXT = {"user": "system_u", "role": "system_r", "type": "dhcpc_t", "level": "s0:c1,c2"}


def apparmor(profile: Any) -> dict[str, Any]:
    return {"name": APPARMOR_PROFILE, "value": {"profile": profile}}


def selinux(**changes: Any) -> dict[str, Any]:
    return {"name": SELINUX_CONTEXT, "value": {**CONTEXT, **changes}}


def make_host(tmp_path: Path, *, apparmor: str = "Y\n", file_systems: str = "nodev\tselinuxfs\n\text4\n") -> str:
    """Record the files by which a kernel tells which modules it has, and three profiles that are loaded."""
    host = tmp_path / "host"
    for path, text in (
        ("sys/module/apparmor/parameters/enabled", apparmor),
        ("sys/kernel/security/apparmor/profiles", "rkt-default (enforce)\n/usr/bin/man (complain)\nfree (unconfined)\n"),
        ("proc/filesystems", file_systems),
    ):
        (host / path).parent.mkdir(parents=True, exist_ok=True)
        (host / path).write_text(text)
    return str(host)


def make_pod(tmp_path: Path, *isolators: dict[str, Any], of_pod: tuple[dict[str, Any], ...] = ()) -> PodDirectory:
    apps = {"app": AppSpec(["/bin/true"], {"isolators": list(isolators)}), "other": AppSpec(["/bin/true"])}
    return PodDirectory(str(write_pod(tmp_path, tmp_path, apps, manifest={"isolators": list(of_pod)})))


def labels(pod: PodDirectory) -> list[list[str]]:
    return [[label[1] for label in app.labels] for app in pod.apps]


def test_an_app_gets_its_own_label_else_the_pod_s(tmp_path: Path) -> None:
    pod = make_pod(tmp_path, apparmor("rkt-default"), of_pod=(apparmor("/usr/bin/man"), selinux()))
    assign_labels(pod, make_host(tmp_path))
    context = "system_u:system_r:dhcpc_t:s0:c1,c2"
    assert labels(pod) == [["exec rkt-default", context], ["exec /usr/bin/man", context]]


@pytest.mark.parametrize("name", ["rkt", "rkt-default (enforce)", "", "rkt-default\n"])
def test_a_profile_that_is_not_loaded_refuses_the_pod(tmp_path: Path, name: str) -> None:
    host = make_host(tmp_path)
    with pytest.raises(StartError, match="is not loaded on this host"):
        assign_labels(make_pod(tmp_path, apparmor(name)), host)
    with pytest.raises(StartError, match="is not loaded on this host"):
        assign_labels(make_pod(tmp_path, of_pod=(apparmor(name),)), host)


def test_where_the_list_is_not_ours_to_read_a_name_is_left_to_the_kernel(tmp_path: Path) -> None:
    host = make_host(tmp_path)
    os.unlink(f"{host}/sys/kernel/security/apparmor/profiles")
    for name in ("rkt-default", "a profile", "/usr/bin/man//child"):
        pod = make_pod(tmp_path, apparmor(name))
        assign_labels(pod, host)
        assert labels(pod) == [[f"exec {name}"], []]


@pytest.mark.parametrize("name", ["", "unconfined", ":ns:rkt", "&rkt", "rkt//&other", " rkt", "rkt\n", "rkt\0"])
def test_what_the_kernel_would_not_take_for_the_name_of_one_profile_is_not_left_to_it(tmp_path: Path, name: str) -> None:
    host = make_host(tmp_path)
    os.unlink(f"{host}/sys/kernel/security/apparmor/profiles")
    with pytest.raises(StartError, match="is not loaded on this host"):
        assign_labels(make_pod(tmp_path, apparmor(name)), host)


SHORTFALLS = {
    "a profile that is enforced": (apparmor("rkt-default"), None),
    "a profile that only complains": (apparmor("/usr/bin/man"), "the profile is in complain mode"),
    "a profile that lets everything be": (apparmor("free"), "the profile is in unconfined mode"),
    "a profile that is not there": (apparmor("rkt"), None),
    "what is no profile": (apparmor(None), None),
    "a context": (selinux(), "SELinux is permissive on this host"),
}


@pytest.mark.parametrize("case", SHORTFALLS)
def test_a_label_that_forbids_nothing_is_known(tmp_path: Path, case: str) -> None:
    isolator, why = SHORTFALLS[case]
    host = make_host(tmp_path)
    enforce = Path(host, "sys/fs/selinux/enforce")
    enforce.parent.mkdir(parents=True)
    enforce.write_text("0")
    assert find_shortfall(isolator["name"], isolator["value"], host) == why
    enforce.write_text("1")
    assert find_shortfall(SELINUX_CONTEXT, selinux()["value"], host) is None
    assert find_shortfall(isolator["name"], isolator["value"], str(tmp_path)).startswith("this kernel has no ")  # type: ignore[union-attr]


BAD: dict[str, dict[str, Any]] = {
    "a profile that is no text": apparmor(None),
    "a context without a part": selinux(role=None),
    "a context with an empty part": selinux(type=""),
    "a context with a zero byte": selinux(level="s0\0x"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_label_that_is_none_refuses_the_pod(tmp_path: Path, case: str) -> None:
    with pytest.raises(FormatError, match="app app: os/linux/"):
        assign_labels(make_pod(tmp_path, BAD[case]), make_host(tmp_path))


def test_a_kernel_without_the_modules_gives_no_labels_and_refuses_nothing(tmp_path: Path) -> None:
    host = make_host(tmp_path, apparmor="N\n", file_systems="nodev\tselinuxfs2\n\text4\n")
    pod = make_pod(tmp_path, apparmor("rkt"), selinux(role=None))
    for place in (host, str(tmp_path / "nowhere")):
        assign_labels(pod, place)
        assert labels(pod) == [[], []]
        assert find_module(APPARMOR_PROFILE, place) == "this kernel has no AppArmor"
        assert find_module(SELINUX_CONTEXT, place) == "this kernel has no SELinux"


def set_label(places: str, before: str = "") -> str:
    """Have a process of its own set a label, and return what became of that: 0 or the error's number and text."""
    code = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'spec')!r}]\n"
        "from acstage1.linux.execution import set_next_label\n"
        f"{before}\n"
        f"try: set_next_label({places}, 'exec no-such-label', 'label', 'is unknown'); print(0)\n"
        "except OSError as error: print(error.errno, error.strerror, error.filename)\n"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_a_label_that_no_module_takes_is_an_error_and_so_is_no_place_for_it() -> None:
    number = errno.EINVAL if find_module(APPARMOR_PROFILE) else errno.ENOENT
    assert set_label("('attr/none/exec', 'attr/exec')") == f"{number} is unknown label"
    assert set_label("('attr/none/exec',)") == f"{errno.EOPNOTSUPP} this kernel has no place for it label"


@pytest.mark.privileged
@pytest.mark.parametrize("what", ["another file system", "a link", "a file system on the very place"])
def test_a_label_goes_to_the_kernel_and_to_no_file_that_stands_in_for_it(tmp_path: Path, what: str) -> None:
    """What an image put at /proc would else take the label, and the app would run without it."""
    fake = tmp_path / "fake"
    (fake / "attr").mkdir(parents=True)
    (fake / "attr" / "exec").touch()
    steps = {
        "another file system": "mount('tmpfs', '/proc', 'tmpfs', 0); os.makedirs(f'/proc/{os.getpid()}/attr'); "
        "open(f'/proc/{os.getpid()}/attr/exec', 'w').close()",
        "a link": f"os.mkdir('{fake}/root'); os.symlink('/x', '{fake}/root/proc'); os.chroot('{fake}/root')",
        "a file system on the very place": "mount('tmpfs', f'/proc/{os.getpid()}/attr', 'tmpfs', 0); "
        "open(f'/proc/{os.getpid()}/attr/exec', 'w').close()",
    }
    before = (
        "import os; from acstage1.linux.mounts import make_all_private, mount; from acstage1.linux.namespaces import unshare; "
        f"unshare(0x20000); make_all_private(); {steps[what]}"
    )
    expected = {"another file system": errno.EINVAL, "a link": errno.ELOOP, "a file system on the very place": errno.EXDEV}
    assert set_label("('attr/exec',)", before).startswith(f"{expected[what]} ")
    assert os.stat(fake / "attr" / "exec").st_size == 0
