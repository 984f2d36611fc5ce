"""The socket on which an app says what it is, as the monitor hears it, and what the monitor says to who started it."""

from __future__ import annotations

import itertools
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# As many messages as a socket keeps where systemd has made the machine ready, the last one a word that counts.
FLOOD = """
import socket, sys
from acstage1.notify_socket import NotifySocket
open("/proc/sys/net/unix/max_dgram_qlen", "w").write("512")
notify_socket = NotifySocket(sys.argv[1])
app = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
app.connect(sys.argv[1] + "/notify")
try:
    while True:
        app.send(b"STATUS=x\\nREADY=1")
except BlockingIOError:
    pass
notify_socket.drain()
print(notify_socket.receive())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a network namespace to set up")
def test_nothing_that_one_attempt_said_is_heard_of_the_next(tmp_path: Path) -> None:
    words = ["unshare", "--net", sys.executable, "-c", FLOOD, str(tmp_path)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "set()\n"


# Says when it is about to be heard, or not to be.
TELL = """
import sys
from acstage1.notify_socket import notify_service_manager
print("now", flush=True)
notify_service_manager("READY=1", float(sys.argv[1]))
"""


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[socket.socket]:
    """Return the socket of a service manager that has not heard for so long that nothing more goes in."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "manager"))
        manager.settimeout(60)
        # What one sender may have on its way is less than what the machine may let a socket keep.
        while _send_all(manager.getsockname()):
            pass
        yield manager


def _send_all(address: str) -> int:
    """Send as many messages as go in from one socket, and return how many did."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as other:
        other.connect(address)
        for count in itertools.count():
            try:
                other.send(b"STATUS=x")
            except BlockingIOError:
                return count
    raise AssertionError("it takes no end of messages")


@contextmanager
def telling(manager: socket.socket, patience: float) -> Iterator[subprocess.Popen[str]]:
    """Start a process that has a word for *manager*, and yield when it has begun to say it."""
    environment = {**os.environ, "NOTIFY_SOCKET": manager.getsockname()}
    words = [sys.executable, "-c", TELL, str(patience)]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        yield process


def test_a_service_manager_that_is_busy_is_waited_for(busy: socket.socket) -> None:
    with telling(busy, 1000) as process:
        while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "R":
            pass
        while busy.recv(100) != b"READY=1":
            pass
        assert process.wait() == 0


def test_a_service_manager_that_hears_nothing_holds_up_nobody(busy: socket.socket) -> None:
    with telling(busy, 0.01) as process:
        assert process.wait() == 0
    heard = set()
    while select.select([busy], [], [], 0)[0]:
        heard.add(busy.recv(100))
    assert heard == {b"STATUS=x"}
