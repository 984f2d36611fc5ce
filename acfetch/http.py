"""HTTP, and the only import of httpx: redirects followed under our rules, bodies bounded, the system's certificates.

Nothing is decoded: what a server says is compressed "on the way" is refused, because the signature is over the bytes as served.
No cookie is kept, no password is sent, `.netrc` is not read; of the environment count SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY,
HTTP_PROXY, ALL_PROXY and NO_PROXY.

Source: discovery.md, Discovery URL ("All HTTP redirects MUST be followed"); docs/decisions, redirects.
"""

from __future__ import annotations

import socket
import ssl
import time
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit

import httpx

from acfetch.errors import HTTPStatusError, TransportRefusedError, UnreachableError
from acfetch.templates import check_url
from acspec import VERSION, limits
from acspec.errors import ConfigError, ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

CONNECT_SECONDS = 30
SILENCE_SECONDS = 60
SLOWEST = 1024  # bytes in a second, over a whole SILENCE_SECONDS of waiting

_TIMEOUT = httpx.Timeout(connect=CONNECT_SECONDS, read=SILENCE_SECONDS, write=SILENCE_SECONDS, pool=CONNECT_SECONDS)
_HEADERS = {"User-Agent": f"acfetch/{VERSION}", "Accept-Encoding": "identity"}
_CHUNK = 1 << 18
# How httpx words a connection that ended before the answer did.
_ENDED = ("peer closed connection", "Server disconnected")


class Client:
    """An HTTP client for one run of acfetch; *plain_http* and *any_certificate* are what the user gave up by name."""

    def __init__(self, *, plain_http: bool = False, any_certificate: bool = False) -> None:
        """Make a client that trusts the certificates of the system (SSL_CERT_FILE and SSL_CERT_DIR are honoured).

        Raises: ConfigError when the environment names a proxy that cannot be used.
        """
        context = ssl.create_default_context()
        if any_certificate:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self._plain_http = plain_http
        try:
            self._client = httpx.Client(verify=context, timeout=_TIMEOUT, headers=_HEADERS, follow_redirects=False)
        except (ImportError, ValueError, httpx.InvalidURL):  # a SOCKS proxy takes a package that nobody needs otherwise
            raise ConfigError("HTTPS_PROXY", "names a proxy that cannot be used", "http://HOST:PORT can") from None
        self._client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Close every connection."""
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def get(self, url: str, limit: int) -> bytes:
        """Return the body at *url*, at most *limit* bytes.

        Raises: HTTPStatusError; UnreachableError; TransportRefusedError; ProtocolError when it is larger.
        """
        with self.open(url) as body:
            parts, size = [], body.size or 0
            while size <= limit and (part := body.read(_CHUNK)):
                parts.append(part)
                size = max(size, body.received)
            if size > limit:
                raise ProtocolError(url, f"the answer is larger than the limit of {limit} bytes")
            return b"".join(parts)

    def open(self, url: str) -> Body:
        """Return the body at *url* to be read, all redirects followed.

        Raises: HTTPStatusError; UnreachableError; TransportRefusedError; ProtocolError.
        """
        current = url
        for _ in range(limits.REDIRECTS + 1):
            self._check(current)
            response = self._send(current)
            if not response.has_redirect_location:
                return Body(current, response)
            location = response.headers["location"]
            response.close()
            try:
                current = urljoin(current, location)
            except ValueError:
                raise TransportRefusedError(location, "is not a URL") from None
        raise ProtocolError(url, f"more than the limit of {limits.REDIRECTS} redirects")

    def _check(self, url: str) -> None:
        check_url(url)
        scheme = urlsplit(url).scheme.lower()
        if scheme == "http" and not self._plain_http:
            raise TransportRefusedError(url, "is plain http", "--insecure-options=http allows it")
        if scheme not in ("http", "https"):
            raise TransportRefusedError(url, f'the scheme "{scheme}" is neither https nor http')

    def _send(self, url: str) -> httpx.Response:
        try:
            return self._client.send(self._client.build_request("GET", url), stream=True)
        except httpx.HTTPError as error:
            raise _failure(url, error) from None
        except httpx.InvalidURL:
            raise TransportRefusedError(url, "is not a URL") from None


class Body:
    """The body of an answer, read in pieces; used as a context manager. `size` is what the server says, if it does."""

    def __init__(self, url: str, response: httpx.Response) -> None:
        self.url = url
        self.received = 0
        self._response = response
        self._pace = Pace()
        try:
            self._check()
        except BaseException:
            response.close()
            raise
        length = response.headers.get("content-length", "")
        self.size = int(length) if length.isascii() and length.isdigit() else None
        self._pieces = response.iter_raw()
        self._rest = b""

    def _check(self) -> None:
        if self._response.status_code != 200:
            raise HTTPStatusError(self.url, self._response.status_code)
        encoding = self._response.headers.get("content-encoding", "identity").lower()
        if encoding != "identity":
            raise ProtocolError(self.url, f'the server sent it with content-encoding "{encoding}", which nobody asked for')

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """End the answer, read or not."""
        self._response.close()

    def read(self, size: int) -> bytes:
        """Return up to *size* bytes, empty at the end.

        Raises: UnreachableError when the connection breaks, ends early, or is too slow; ProtocolError when it is not HTTP.
        """
        if not self._rest:
            began = time.monotonic()
            try:
                self._rest = next(self._pieces, b"")
            except httpx.HTTPError as error:
                raise self._broken(error) from None
            self.received += len(self._rest)
            if self._rest and not self._pace.keeps(time.monotonic() - began, len(self._rest)):
                raise UnreachableError(self.url, f"slower than {SLOWEST} bytes a second, after {self.received} bytes")
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def interrupt(self) -> None:
        """End a `read` that waits in another thread, and all that follow."""
        connection = self._response.extensions["network_stream"].get_extra_info("socket")
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:  # it has ended by itself
            pass

    def _broken(self, error: httpx.HTTPError) -> UnreachableError | ProtocolError:
        if str(error).startswith(_ENDED):
            of = f" of {self.size}" if self.size is not None else ""
            return UnreachableError(self.url, f"the connection ended early, after {self.received}{of} bytes")
        return _failure(self.url, error)


class Pace:
    """How fast an answer comes, over spans of waiting; time in which nobody waits for the server is not counted."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._bytes = 0

    def keeps(self, seconds: float, size: int) -> bool:
        """Tell whether it is fast enough, now that *size* bytes have come after *seconds* of waiting."""
        self._seconds += seconds
        self._bytes += size
        if self._seconds < SILENCE_SECONDS:
            return True
        enough = self._bytes >= self._seconds * SLOWEST
        self._seconds, self._bytes = 0.0, 0
        return enough


def _failure(url: str, error: httpx.HTTPError) -> UnreachableError | ProtocolError:
    text = str(error)
    if text.startswith("Invalid URL in location header"):
        return TransportRefusedError(url, "it leads to what is not a URL")
    if isinstance(error, httpx.ConnectTimeout):
        return UnreachableError(url, f"timed out after {CONNECT_SECONDS} s")
    if isinstance(error, httpx.TimeoutException):
        return UnreachableError(url, f"timed out: nothing came for {SILENCE_SECONDS} s")
    if isinstance(error, httpx.ProxyError):
        return UnreachableError(url, f"the proxy does not lead there: {text}")
    if text.startswith(_ENDED):
        return UnreachableError(url, "the connection ended before the answer began")
    if isinstance(error, httpx.RemoteProtocolError):
        return ProtocolError(url, f"the answer is not HTTP: {text}")
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return UnreachableError(url, f"its certificate is not accepted: {_plain(text).removeprefix('certificate verify failed: ')}")
    return UnreachableError(url, _plain(text) or "the connection broke")


def _plain(text: str) -> str:
    """Return an error's text without the numbers and file names that Python and OpenSSL put around it."""
    if text.startswith("["):
        text = text.partition("] ")[2]
    text = text.partition(" (_ssl.c")[0].rstrip(".")
    return text[:1].lower() + text[1:]
