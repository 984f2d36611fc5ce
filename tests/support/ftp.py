"""A tiny FTP server on loopback: anonymous, passive, files only from a mapping. A file that is cut breaks off half-way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self


class FTPServer:
    """The server; used as a context manager. `asked` lists the paths that were asked for."""

    def __init__(self, files: Mapping[str, bytes], cut: frozenset[str] = frozenset()) -> None:
        self.asked: list[str] = []
        self._files, self._cut = files, cut
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = [threading.Thread(target=self._accept)]

    @property
    def url(self) -> str:
        """The URL of its root, without a slash."""
        return f"ftp://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as lines, socket.create_server(("127.0.0.1", 0)) as data:
            connection.sendall(b"220 ready\r\n")
            for line in lines:
                word, _, argument = line.decode().strip().partition(" ")
                connection.sendall(self._answer(word, argument, connection, data).encode() + b"\r\n")

    def _answer(self, word: str, argument: str, connection: socket.socket, data: socket.socket) -> str:
        if word == "USER":
            return "230 welcome"
        if word == "PASV":
            port = data.getsockname()[1]
            return f"227 here (127,0,0,1,{port // 256},{port % 256})"
        if word != "RETR":
            return "221 bye" if word == "QUIT" else "200 well"
        self.asked.append(argument)
        if argument not in self._files:
            return "550 no such file"
        content = self._files[argument]
        connection.sendall(b"150 coming\r\n")
        receiver, _ = data.accept()
        with receiver, suppress(OSError):
            receiver.sendall(content[: len(content) // 2] if argument in self._cut else content)
        return "426 broken off" if argument in self._cut else "226 done"
