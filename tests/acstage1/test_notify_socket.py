"""The socket on which an app says what it is, as the monitor hears it."""

from __future__ import annotations

import os
import subprocess
import sys
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
notify_socket.forget()
print(notify_socket.hear())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a network namespace to set up")
def test_nothing_that_one_attempt_said_is_heard_of_the_next(tmp_path: Path) -> None:
    words = ["unshare", "--net", sys.executable, "-c", FLOOD, str(tmp_path)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "set()\n"
