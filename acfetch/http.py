"""HTTP, and the only import of httpx: redirects followed under our rules, bodies bounded, the system's certificates.

Nothing is decoded: what a server says is compressed "on the way" is refused, because the signature is over the bytes as served.

Source: discovery.md, Discovery URL ("All HTTP redirects MUST be followed"); docs/decisions, redirects.
"""

from __future__ import annotations

import ssl
from urllib.parse import urljoin, urlsplit

import httpx

from acfetch import VERSION
from acfetch.errors import HTTPStatusError, TransportRefusedError, UnreachableError
from acfetch.templates import check_url
from acspec import limits
from acspec.errors import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_TIMEOUT = httpx.Timeout(connect=30, read=60, write=60, pool=30)
_HEADERS = {"User-Agent": f"acfetch/{VERSION}", "Accept-Encoding": "identity"}
_CHUNK = 1 << 18


class Client:
    """An HTTP client for one run of acfetch; *plain_http* and *any_certificate* are what the user gave up by name."""

    def __init__(self, *, plain_http: bool = False, any_certificate: bool = False) -> None:
        """Make a client that trusts the certificates of the system (SSL_CERT_FILE and SSL_CERT_DIR are honoured)."""
        context = ssl.create_default_context()
        if any_certificate:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self._plain_http = plain_http
        self._client = httpx.Client(verify=context, timeout=_TIMEOUT, headers=_HEADERS, follow_redirects=False)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Close every connection."""
        self._client.close()

    def get(self, url: str, limit: int) -> bytes:
        """Return the body at *url*, at most *limit* bytes.

        Raises: HTTPStatusError; UnreachableError; TransportRefusedError; ProtocolError when it is larger.
        """
        with self.open(url) as body:
            parts, size = [], 0
            while part := body.read(_CHUNK):
                parts.append(part)
                size += len(part)
                if size > limit:
                    raise ProtocolError(url, f"the answer is larger than the limit of {limit} bytes")
            return b"".join(parts)

    def open(self, url: str) -> Body:
        """Return the body at *url* to be read, all redirects followed.

        Raises: HTTPStatusError; UnreachableError; TransportRefusedError.
        """
        current = url
        for _ in range(limits.REDIRECTS + 1):
            self._check_scheme(current)
            response = self._send(current)
            if response.has_redirect_location:
                target = urljoin(current, response.headers["location"])
                response.close()
                check_url(target)
                current = target
                continue
            return Body(current, response)
        raise ProtocolError(url, f"more than the limit of {limits.REDIRECTS} redirects")

    def _check_scheme(self, url: str) -> None:
        scheme = urlsplit(url).scheme.lower()
        if scheme == "http" and not self._plain_http:
            raise TransportRefusedError(url, "is plain http", "--insecure-options=http allows it")
        if scheme not in ("http", "https"):
            raise TransportRefusedError(url, f'the scheme "{scheme}" is neither https nor http')

    def _send(self, url: str) -> httpx.Response:
        try:
            return self._client.send(self._client.build_request("GET", url), stream=True)
        except httpx.HTTPError as error:
            raise _unreachable(url, error) from None
        except httpx.InvalidURL as error:
            raise TransportRefusedError(url, f"is not a URL: {error}") from None


class Body:
    """The body of an answer, read in pieces; used as a context manager."""

    def __init__(self, url: str, response: httpx.Response) -> None:
        self.url = url
        self._response = response
        try:
            self._check()
        except BaseException:
            response.close()
            raise
        length = response.headers.get("content-length", "")
        self.size = int(length) if length.isascii() and length.isdigit() and len(length) < 20 else None
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
        """Return up to *size* bytes, empty at the end. Raises: UnreachableError when the connection breaks."""
        if not self._rest:
            try:
                self._rest = next(self._pieces, b"")
            except httpx.HTTPError as error:
                raise _unreachable(self.url, error) from None
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def _unreachable(url: str, error: httpx.HTTPError) -> UnreachableError:
    text = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        reason = text.partition("certificate verify failed: ")[2].rpartition(" (")[0] or text
        return UnreachableError(url, f"its certificate is not accepted: {reason}")
    if isinstance(error, httpx.TimeoutException):
        return UnreachableError(url, "timed out")
    return UnreachableError(url, text[:1].lower() + text[1:])
