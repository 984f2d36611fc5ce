"""A machine to type commands on: this one, seen from a mount and a network namespace of their own.

There a publisher's web server answers for `example.com`, an ordinary user `ann` may use sudo, the programs are where sudo finds
them, and root's own store is empty. The host has none of it. The namespaces end with the process that made them, which ends when
its standard input does: with the tests, however these end.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.support.publisher import empty_site, make_certificates, start_publisher

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("actool", "acfetch", "acrun", "acstage1")
USER = "ann"
HOSTS = "127.0.0.1 localhost example.com www.example.com other.example {host}\n"
_NAMES = ("example.com", "www.example.com")  # other.example has no certificate


def programs_directory() -> Path:
    """Return where the installed programs are: beside the interpreter, or on PATH."""
    beside = Path(sys.executable).parent
    if (beside / "acrun").exists():
        return beside
    found = shutil.which("acrun")
    assert found is not None, "the programs are not installed"
    return Path(found).parent


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Machine:
    """The namespaces of process *pid* (0: those of the tests), and the directory that the machine's own files are in."""

    directory: Path
    pid: int
    uid: int
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def site(self) -> Path:
        """What the web server serves."""
        return self.directory / "www"

    @property
    def requests(self) -> list[str]:
        """What was asked of the web server, each as host and path."""
        return self.log.read_text().splitlines()

    @property
    def log(self) -> Path:
        """The web server's log."""
        return self.directory / "requests"

    def inside(self, path: str) -> Path:
        """Return how *path*, as the machine sees it, is to be had from outside."""
        return Path(f"/proc/{self.pid}/root{path}")

    def words(self, words: Sequence[str], cwd: Path | str) -> list[str]:
        """Return the command that runs *words* on the machine, as the same process."""
        if not self.pid:
            return ["sh", "-c", 'cd "$0" && exec "$@"', str(cwd), *words]
        namespaces = [f"--mount=/proc/{self.pid}/ns/mnt", f"--net=/proc/{self.pid}/ns/net"]
        return ["nsenter", *namespaces, "sh", "-c", 'cd "$0" && exec "$@"', str(cwd), *words]

    def run(
        self, words: Sequence[str], cwd: Path | str, environment: Mapping[str, str], stdin: int | IO[Any] | None = None
    ) -> Ended:
        """Run *words* to their end."""
        source = subprocess.DEVNULL if stdin is None else stdin
        result = subprocess.run(
            self.words(words, cwd), env={**self.environment, **environment}, stdin=source, capture_output=True, check=False
        )
        return Ended(result.returncode, result.stdout.decode("utf-8", "replace"), result.stderr.decode("utf-8", "replace"))

    @contextmanager
    def start(self, words: Sequence[str], cwd: Path | str, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
        """Start *words* in a session of their own; kill them when the test fails, and wait for them in any case."""
        with subprocess.Popen(
            self.words(words, cwd),
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield process
            except BaseException:
                process.kill()
                raise


def plain_environment() -> dict[str, str]:
    """Return what every command needs: the installed programs on PATH, and nothing of the user's."""
    path = f"{programs_directory()}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "LC_ALL": "C.UTF-8"}


@contextmanager
def running_machine() -> Iterator[Machine]:
    """Make a machine, and end it afterwards. It takes root."""
    directory = Path(tempfile.mkdtemp(prefix="appc-machine-"))
    try:
        directory.chmod(0o755)  # the machine's users read the certificate of the authority
        authority, _ = make_certificates(directory, *_NAMES)
        (directory / "www").mkdir()
        empty_site(directory / "www", directory / "requests")
        environment = {**plain_environment(), "SSL_CERT_FILE": str(authority)}
        uid = _spare_uid()
        command = [
            "unshare",
            "--mount",
            "--net",
            "--propagation",
            "private",
            sys.executable,
            "-m",
            __name__,
            str(directory),
            str(uid),
        ]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                assert process.stdout.readline() == b"ready\n"
                yield Machine(directory, process.pid, uid, environment)
            finally:
                process.stdin.close()
    finally:
        shutil.rmtree(directory)


def _spare_uid() -> int:
    """Return a user that nobody is, and that no other process of these tests chooses: its limits count what is a user's."""
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 4
    first = 60001 + 1000 * worker
    return next(number for number in range(first + os.getpid() % 500, first + 1000) if number not in taken)


# What follows runs inside the namespaces.


def _main(directory: Path, uid: int) -> None:
    _open_ways([ROOT, Path(sys.prefix), Path(sys.base_prefix), programs_directory(), directory])
    _set_up_users(directory, uid)
    for place in ("/var/lib", "/usr/local/sbin"):
        _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", place)
    for name in PROGRAMS:  # as installed for all: on the PATH that sudo gives
        Path("/usr/local/sbin", name).symlink_to(programs_directory() / name)
    (directory / "hosts").write_text(HOSTS.format(host=os.uname().nodename))
    _mount("--bind", str(directory / "hosts"), "/etc/hosts")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # As systemd has it: a mount that is made in a copy of this namespace comes back here, unless the copy was cut loose first.
    _mount("--make-rshared", "/")
    server = start_publisher(directory / "www", directory / "server.pem", directory / "requests")
    import threading

    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)


def _set_up_users(directory: Path, uid: int) -> None:
    """Give the machine the user, with a home and the right to use sudo without a password."""
    for name, line in (("passwd", f"{USER}:*:{uid}:{uid}::/home/{USER}:/bin/sh\n"), ("group", f"{USER}:x:{uid}:\n")):
        (directory / name).write_text(Path("/etc", name).read_text() + line)
        _mount("--bind", str(directory / name), f"/etc/{name}")
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/etc/sudoers.d")
    rule = Path("/etc/sudoers.d", USER)
    rule.write_text(f"{USER} ALL=(ALL:ALL) NOPASSWD: ALL\n")
    rule.chmod(0o440)
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/home")
    home = Path("/home", USER)
    home.mkdir(mode=0o755)
    os.chown(home, uid, uid)


def _open_ways(paths: Sequence[Path]) -> None:
    """Make every path reachable for everybody, also one that lies in somebody's closed home.

    An empty directory is mounted over what is closed, and only the way to these paths is laid in it.
    """
    while (closed := _first_closed(paths)) is not None:
        below = sorted((path for path in paths if path.is_relative_to(closed)), key=lambda path: len(path.parts))
        opened = {path: os.open(path, os.O_PATH) for path in below}
        _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(closed))
        for path, descriptor in opened.items():
            if not path.exists():
                path.mkdir(parents=True)
                _mount("--no-canonicalize", "--bind", f"/proc/{os.getpid()}/fd/{descriptor}", str(path))
            os.close(descriptor)


def _first_closed(paths: Sequence[Path]) -> Path | None:
    return next((place for path in paths for place in reversed(path.parents) if not place.stat().st_mode & 0o001), None)


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


if __name__ == "__main__":
    os.umask(0o022)
    _main(Path(sys.argv[1]), int(sys.argv[2]))
