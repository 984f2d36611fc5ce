"""A publisher's web server: HTTPS for one directory, with answers that go wrong where a file beside one says how.

`FILE.answer` is JSON about the answer for `FILE`: `status` (a number), `location` (a redirect), `headers` (further ones), `length`
(what Content-Length says instead, null for none), `cut` (bytes after which the connection breaks), and `hold` (a FIFO: after the
cut a line goes there, and the connection stays open until the other side has gone). What was asked for is written to a log.
"""

from __future__ import annotations

import http.server
import json
import shutil
import ssl
import sys
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit


class Publisher(http.server.ThreadingHTTPServer):
    """The server; a client that goes away is no event."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave out what clients do to us."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET from the directory; a path that is a directory means the page `index.html` in it."""

    directory: ClassVar[Path]
    log: ClassVar[Path]

    def do_GET(self) -> None:
        """Send a file as its `.answer` says, else as it is."""
        with self.log.open("a") as log:
            log.write(f"{self.headers['Host']}{self.path}\n")
        path = self.directory / unquote(urlsplit(self.path).path).lstrip("/")
        path = path / "index.html" if path.is_dir() else path
        beside = Path(f"{path}.answer")
        answer: dict[str, Any] = json.loads(beside.read_text()) if beside.exists() else {}
        if not path.exists() and "status" not in answer and "location" not in answer:
            answer["status"] = 404
        body = path.read_bytes() if path.exists() else b""
        self._answer(body, answer)

    def _answer(self, body: bytes, answer: dict[str, Any]) -> None:
        self.send_response(302 if "location" in answer else answer.get("status", 200))
        headers = {"Content-Length": answer.get("length", len(body)), **answer.get("headers", {})}
        if "location" in answer:
            headers["Location"] = answer["location"]
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body[: answer.get("cut", len(body))])
        self.close_connection = headers["Content-Length"] is None or "cut" in answer
        if "hold" in answer:
            Path(answer["hold"]).write_text("held\n")
            self.connection.recv(1)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing: a test's output is the programs'."""


def start_publisher(directory: Path, certificate: Path, log: Path) -> Publisher:
    """Return a server on 127.0.0.1:443 with *certificate*, which holds the key, too; `serve_forever` is for whoever calls."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    handler = type("SiteHandler", (Handler,), {"directory": directory, "log": log})
    server = Publisher(("127.0.0.1", 443), handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def empty_site(directory: Path, log: Path) -> None:
    """Take everything off the site, but for a discovery page: names below example.com lie below /images/."""
    for path in directory.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    log.write_text("")
    (directory / "images").mkdir()
    write_page(directory, "example.com", "https://example.com/images/{name}-{version}-{os}-{arch}.{ext}")


def write_page(directory: Path, prefix: str, *templates: str) -> None:
    """Write the discovery page of *directory*: tags with *templates* for names below *prefix*."""
    tags = [f'<meta name="ac-discovery" content="{prefix} {template}">' for template in templates]
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "index.html").write_text(f"<!DOCTYPE html><html><head>{''.join(tags)}</head><body></body></html>\n")


def make_certificates(directory: Path, *names: str) -> tuple[Path, Path]:
    """Make a certificate authority and a server's certificate for *names*; return `ca.pem` and `server.pem` in *directory*."""
    import trustme

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "ca.pem"))
    authority.issue_cert(*names).private_key_and_cert_chain_pem.write_to_path(str(directory / "server.pem"))
    return directory / "ca.pem", directory / "server.pem"
