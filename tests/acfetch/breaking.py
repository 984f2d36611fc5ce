"""A server that knows ranges and whose connections break: what a test says of each answer, and what was asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tests.support.server import Answer, Request

ETAG = '"one"'


class Breaking:
    """A file on a server: each answer ends after so many bytes of `breaks`, then all that are asked for come.

    `starts` are the offsets that were asked for, in order.
    """

    def __init__(self, data: bytes, breaks: Sequence[int] = (), headers: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.headers = {"ETag": ETAG} if headers is None else headers
        self.breaks = list(breaks)
        self.starts: list[int] = []

    def __call__(self, request: Request) -> Answer:
        """Answer a request."""
        match = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
        start = int(match[1]) if match else 0
        self.starts.append(start)
        fits = request.headers.get("if-range") in (None, self.headers.get("ETag"), self.headers.get("Last-Modified"))
        if not match or not fits:
            return self._end(self.data, 200, self.headers)
        if start >= len(self.data):
            return Answer(status=416, headers={"Content-Range": f"bytes */{len(self.data)}"})
        said = f"bytes {start}-{len(self.data) - 1}/{len(self.data)}"
        return self._end(self.data[start:], 206, {**self.headers, "Content-Range": said})

    def _end(self, data: bytes, status: int, headers: Mapping[str, str]) -> Answer:
        count = self.breaks.pop(0) if self.breaks else len(data)
        return Answer(data[:count], status, headers, length=len(data))
