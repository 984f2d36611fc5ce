"""The privileged tests on a kernel with cgroup v2 alone, and with AppArmor or SELinux: `python -m tests.vm.run`, or `tox -e vm`.

A virtual machine under qemu boots Debian's kernel with this machine's files, read-only, below a disk of its own, and runs the tests
from this very working tree and environment: those that are named, or else those that are made for it, once with either module.
Needed are qemu-system-x86, busybox-static, e2fsprogs, dpkg, and apt-get for the kernel and the modules' tools (APPC_VM_PACKAGES is
a directory that keeps their packages). The processor is emulated, as inside other machines often nothing else works; with
APPC_VM_ACCEL=kvm it is not.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.vm.initramfs import make_initramfs
from tests.vm.packages import KERNEL, TOOLS, unpack

ROOT = Path(__file__).resolve().parents[2]
POLICY = Path(__file__).with_name("policy.cil")
# What is run with a security module when no tests are named.
TESTS = {
    "apparmor": (
        "tests/privileged/test_apparmor.py",
        "tests/process/test_apparmor.py",
        "tests/privileged/test_devices.py",
        "tests/privileged/test_resources.py",
        "tests/acstage1/test_cgroups.py",
        "tests/acstage1/test_hierarchies.py",
        "tests/acstage1/test_labels.py",
    ),
    "selinux": ("tests/privileged/test_selinux.py", "tests/acstage1/test_labels.py"),
}
PARAMETERS = {"apparmor": "security=apparmor", "selinux": "security=selinux enforcing=1"}
DISK_BYTES = 4 << 30
# The shell that runs the tests stands where a login would: in a cgroup with processes, below one that has none.
COMMAND = """\
scope=/sys/fs/cgroup/vm.slice/login.scope
mkdir -p $scope && echo $$ > $scope/cgroup.procs
export PATH={path} HOME=/root TERM=dumb TMPDIR=/run/disk PYTHONDONTWRITEBYTECODE=1 APPC_VM={security}
cd {root} && {python} -m pytest -q -p no:cacheprovider --timeout 3600 {tests}
echo "vm: exit $?"
/bin/busybox poweroff -f
"""


def main(arguments: list[str]) -> int:
    """Run the tests in one machine after the other; return the first exit code of pytest that is not 0, or 70 for none."""
    parser = argparse.ArgumentParser(prog="tests.vm.run", allow_abbrev=False, epilog="All else is for pytest.")
    parser.add_argument("--security", choices=TESTS, help="the kernel's security module (apparmor when tests are named)")
    options, tests = parser.parse_known_args(arguments)
    with tempfile.TemporaryDirectory(prefix="appc-vm-") as name:
        place = Path(name)
        packages = unpack((KERNEL, *TOOLS), place)
        for security in [options.security or "apparmor"] if tests or options.security else list(TESTS):
            code = run(security, tests or TESTS[security], place, packages)
            if code != 0:
                return code
    return 0


def run(security: str, tests: Sequence[str], place: Path, packages: Path) -> int:
    """Run *tests* in a machine whose kernel has a security module; return pytest's exit code, 70 when there is none."""
    disk, initramfs = place / "disk", place / "initramfs"
    disk.unlink(missing_ok=True)
    with open(disk, "wb") as file:
        file.truncate(DISK_BYTES)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=1", str(disk)], check=True)
    files = {"command": make_command(security, tests, packages)}
    if security == "selinux":
        files["policy"] = compile_policy(place, packages)
    initramfs.write_bytes(make_initramfs(packages, files))
    kernel = next((packages / "boot").glob("vmlinuz-*"))
    return boot(kernel, initramfs, disk, PARAMETERS[security])


def make_command(security: str, tests: Sequence[str], packages: Path) -> bytes:
    """Return the script that runs the tests."""
    path = f"{Path(sys.executable).parent}:{packages}/sbin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    words = {"path": path, "security": security, "root": ROOT, "python": sys.executable, "tests": shlex.join(tests)}
    return COMMAND.format(**words).encode()


def compile_policy(place: Path, packages: Path) -> bytes:
    """Return the policy of SELinux that the machine starts with. Source: secilc(8)."""
    library = next(packages.glob("lib/*/libsepol.so.2")).parent
    policy = place / "policy"
    command = [str(packages / "usr/bin/secilc"), "-o", str(policy), "-f", "/dev/null", str(POLICY)]
    subprocess.run(command, env={**os.environ, "LD_LIBRARY_PATH": str(library)}, check=True)
    return policy.read_bytes()


def boot(kernel: Path, initramfs: Path, disk: Path, parameters: str) -> int:
    """Boot a machine, show what it writes, and return what its tests ended with."""
    command = [
        "qemu-system-x86_64", "-accel", os.environ.get("APPC_VM_ACCEL", "tcg"), "-cpu", "max", "-smp", "2", "-m", "2048",
        "-no-reboot", "-nographic", "-monitor", "none", "-serial", "stdio", "-kernel", str(kernel), "-initrd", str(initramfs),
        "-append", f"console=ttyS0 quiet loglevel=1 panic=-1 cgroup_no_v1=all {parameters}",
        "-drive", f"file={disk},format=raw,if=virtio,cache=unsafe",
        "-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap",
    ]  # fmt: skip
    said = b""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0) as machine:
        assert machine.stdout is not None
        while data := machine.stdout.read(4096):
            sys.stdout.buffer.write(data)  # at once: each test is a dot
            sys.stdout.buffer.flush()
            said += data
    ended = re.search(rb"^vm: exit (\d+)", said, re.MULTILINE)
    return 70 if ended is None else int(ended[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
