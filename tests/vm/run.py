"""The privileged tests on a kernel with cgroup v2 alone: `python -m tests.vm.run [ARGUMENTS OF PYTEST]`, or `tox -e vm`.

A virtual machine under qemu boots Debian's kernel with this machine's files, read-only, below a disk of its own, and runs the tests
from this very working tree and environment. Needed are qemu-system-x86, busybox-static, e2fsprogs, dpkg, and apt-get for the kernel
(or APPC_VM_KERNEL, a linux-image package as a file). The processor is emulated, as inside other machines often nothing else works;
with APPC_VM_ACCEL=kvm it is not.
"""

from __future__ import annotations

import gzip
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("virtio_pci", "virtio_blk", "9p", "9pnet_virtio", "crc32c_generic", "ext4", "overlay")
DEFAULT = ("tests/privileged/test_resources.py", "tests/acstage1/test_cgroups.py", "tests/acstage1/test_hierarchies.py")
DISK_BYTES = 4 << 30
LONGEST_S = 3600
# The shell that runs the tests stands where a login would: in a cgroup with processes, below one that has none.
COMMAND = """\
scope=/sys/fs/cgroup/vm.slice/login.scope
mkdir -p $scope && echo $$ > $scope/cgroup.procs
export PATH={path} HOME=/root TERM=dumb TMPDIR=/run/disk PYTHONDONTWRITEBYTECODE=1
cd {root} && {python} -m pytest -q -p no:cacheprovider {arguments}
echo "vm: exit $?"
/bin/busybox poweroff -f
"""


def main(arguments: list[str]) -> int:
    """Run the tests in a virtual machine; return pytest's exit code, 70 when there is none."""
    with tempfile.TemporaryDirectory(prefix="appc-vm-") as name:
        place = Path(name)
        kernel = unpack_kernel(place)
        disk = place / "disk"
        with open(disk, "wb") as file:
            file.truncate(DISK_BYTES)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=1", str(disk)], check=True)
        initramfs = place / "initramfs"
        initramfs.write_bytes(gzip.compress(b"".join(make_initramfs(kernel, arguments or list(DEFAULT))), 1))
        return boot(next((kernel / "boot").glob("vmlinuz-*")), initramfs, disk)


def unpack_kernel(place: Path) -> Path:
    """Return the directory of Debian's kernel package, unpacked, from APPC_VM_KERNEL or from apt's mirror."""
    package = os.environ.get("APPC_VM_KERNEL")
    if package is None:
        depends = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True, check=True).stdout
        real = re.search(r"Depends: (linux-image-\S+)", depends)
        subprocess.run(["apt-get", "download", real[1] if real else "linux-image-amd64"], cwd=place, check=True)
        package = str(next(place.glob("linux-image-*.deb")))
    subprocess.run(["dpkg-deb", "-x", package, str(place / "kernel")], check=True)
    return place / "kernel"


def make_initramfs(kernel: Path, arguments: list[str]) -> Iterator[bytes]:
    """Return the pieces of a cpio archive: busybox, the modules in the order of their dependencies, and what to run."""
    files = {path.name.removesuffix(".ko"): path for path in kernel.rglob("*.ko")}
    order: dict[str, None] = {}
    for name in MODULES:
        add_module(name, files, order)
    path = f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    words = {"path": path, "root": str(ROOT), "python": sys.executable, "arguments": shlex.join(arguments)}
    yield from (entry(name, 0o40755) for name in ("bin", "dev", "modules"))
    yield entry("init", 0o100755, Path(__file__).with_name("init.sh").read_bytes())
    yield entry("bin/busybox", 0o100755, Path("/bin/busybox").read_bytes())
    yield entry("command", 0o100644, COMMAND.format(**words).encode())
    yield entry("modules/order", 0o100644, "".join(f"{name}\n" for name in order).encode())
    for name in order:
        yield entry(f"modules/{name}", 0o100644, files[name].read_bytes())
    yield entry("TRAILER!!!", 0)


def add_module(name: str, files: dict[str, Path], order: dict[str, None]) -> None:
    """Add a module behind those it depends on; one that is no file is built into the kernel."""
    if name in order or name not in files:
        return
    depends = re.search(rb"\0depends=([^\0]*)", files[name].read_bytes())
    for other in (depends[1].decode() if depends else "").split(","):
        add_module(other, files, order)
    order[name] = None


def entry(name: str, mode: int, data: bytes = b"") -> bytes:
    """Return one entry of a cpio archive. Source: kernel Documentation/driver-api/early-userspace/buffer-format.rst."""
    numbers = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    header = b"070701" + "".join(f"{number:08x}" for number in numbers).encode() + name.encode() + b"\0"
    return header + bytes(-len(header) % 4) + data + bytes(-len(data) % 4)


def boot(kernel: Path, initramfs: Path, disk: Path) -> int:
    """Boot the machine, show what it writes, and return what its tests ended with."""
    command = [
        "qemu-system-x86_64", "-accel", os.environ.get("APPC_VM_ACCEL", "tcg"), "-cpu", "max", "-smp", "2", "-m", "2048",
        "-no-reboot", "-nographic", "-monitor", "none", "-serial", "stdio", "-kernel", str(kernel), "-initrd", str(initramfs),
        "-append", "console=ttyS0 quiet loglevel=1 panic=-1 cgroup_no_v1=all",
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
