"""A web server for the demo: HTTPS on 127.0.0.1:443, one directory, and the discovery page of example.com.

    server.py DIRECTORY CERTIFICATE KEY READY

It writes a line to the file READY when it listens.
"""

from __future__ import annotations

import functools
import http.server
import pathlib
import ssl
import sys

PAGE = b"""<!DOCTYPE html>
<html><head><title>example.com</title>
<meta name="ac-discovery" content="example.com https://example.com/images/{name}-{version}-{os}-{arch}.{ext}">
<meta name="ac-discovery-pubkeys" content="example.com https://example.com/pubkeys.asc">
</head><body>Images of example.com</body></html>
"""


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, and the discovery page at the top."""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        print(f"    https://example.com  {format % args}", file=sys.stderr)


def main() -> None:
    directory, certificate, key, ready = sys.argv[1:]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 443), functools.partial(Handler, directory=directory))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    pathlib.Path(ready).write_text("ready\n")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
