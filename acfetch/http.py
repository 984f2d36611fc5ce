"""HTTP, and the only import of httpx: redirects followed under our rules, bodies bounded, the system's certificates.

Nothing is decoded: what a server says is compressed "on the way" is refused, because the signature is over the bytes as served.
No cookie is kept. A server that asks for credentials gets those that the operator has for that very place, over https and with its
certificate checked, else nothing. Every URL is held against the policy, those that redirects lead to included. Of the environment
count SSL_CERT_FILE, SSL_CERT_DIR, and the proxies (`acfetch.proxies`).

Source: discovery.md, Discovery URL ("All HTTP redirects MUST be followed") and Authentication; docs/decisions, redirects.
"""

from __future__ import annotations

import os
import ssl
import time
from http.cookiejar import DefaultCookiePolicy
from threading import Lock
from urllib.parse import urljoin, urlsplit

import httpx

from acfetch.auth import explain_refusal, parse_challenges
from acfetch.errors import HTTPStatusError, StartOverError, TransportRefusedError, UnreachableError
from acfetch.network import EndedError, LateError, Network, Stream
from acfetch.pace import SLOWEST, Pace
from acfetch.policy import Policy
from acfetch.proxies import find_proxy
from acfetch.ranges import Version, find_version, parse_date, parse_size
from acfetch.settings import Settings
from acfetch.templates import check_url
from acspec import VERSION, limits
from acspec.errors import ConfigError, FormatError, ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    from acfetch.credentials import Credential, Credentials
    from acfetch.ranges import Rest

_DEFAULTS = Settings()
_ALL_ALLOWED = Policy()
_HEADERS = {"User-Agent": f"acfetch/{VERSION}", "Accept-Encoding": "identity"}
_CHUNK = 1 << 18
# How OpenSSL words that nobody known has signed a certificate.
_UNKNOWN_ISSUER = ("self-signed", "self signed", "unable to get local issuer")
# How httpx words a connection that ended before the answer did.
_ENDED = ("peer closed connection", "Server disconnected")


class Client:
    """An HTTP client for one run of acfetch; *plain_http* and *any_certificate* are what the user gave up by name."""

    def __init__(
        self,
        *,
        plain_http: bool = False,
        any_certificate: bool = False,
        cafile: str | None = None,
        settings: Settings = _DEFAULTS,
        policy: Policy = _ALL_ALLOWED,
        credentials: Credentials | None = None,
    ) -> None:
        """Make a client that trusts the authorities in *cafile*, else those of the system, and has *credentials* for those who ask.

        Raises: FormatError when *cafile* holds no certificates; OSError.
        """
        self._context = _make_context(cafile, any_certificate=any_certificate)
        self._plain_http = plain_http
        self._any_certificate = any_certificate
        self._settings = settings
        self._policy = policy
        self._credentials = credentials
        self._lock = Lock()
        self._clients: dict[str | None, httpx.Client] = {}
        self._networks: list[Network] = []
        self._ended = False

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Close every connection."""
        self.close()

    def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            client.close()

    def interrupt(self) -> None:
        """End all that waits for an answer in other threads, and all that would."""
        with self._lock:
            self._ended = True
            networks = list(self._networks)
        for network in networks:
            network.interrupt()

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

    def open(self, url: str, rest: Rest | None = None) -> Body:
        """Return the body at *url* to be read, all redirects followed; only the *rest* of it when the server has that.

        Raises: HTTPStatusError; UnreachableError; TransportRefusedError; HostRefusedError; ProtocolError; ConfigError;
        StartOverError when the server has another rest than was asked for.
        """
        current, response, sent = self._follow(url, {} if rest is None else rest.headers())
        return Body(current, response, self._settings, self._explain(current, response, sent), rest)

    def find_head(self, url: str, headers: Mapping[str, str]) -> Mapping[str, str] | None:
        """Return the head of the answer that what is at *url* has not changed, to a question with *headers* on that condition.

        None when it has, or whatever else may be wrong with it: who asks for the whole will hear.

        Raises: UnreachableError; TransportRefusedError; HostRefusedError; ProtocolError; ConfigError.
        Source: RFC 9110, section 15.4.5.
        """
        _, response, _ = self._follow(url, headers)
        response.close()
        return dict(response.headers) if response.status_code == 304 else None

    def _follow(self, url: str, headers: Mapping[str, str]) -> tuple[str, httpx.Response, Credential | None]:
        """Return the last URL, its answer, and the credential that was sent."""
        current = url
        for _ in range(limits.REDIRECTS + 1):
            self._check(current)
            response, sent = self._ask(current, headers)
            if not response.has_redirect_location:
                return current, response, sent
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
        self._policy.check_url(url)

    def _ask(self, url: str, headers: Mapping[str, str]) -> tuple[httpx.Response, Credential | None]:
        """Return the answer to *url*, and the credential that was sent when the server had asked for one."""
        if self._credentials is None or self._why_no_credential(url) is not None:
            return self._send(url, headers, None), None
        sent = self._credentials.find_unasked(url)
        response = self._send(url, headers, sent)
        if response.status_code == 401:
            wanted = self._credentials.find(url, _challenges(response))
            if wanted is not None and wanted != sent:
                response.close()
                return self._send(url, headers, wanted), wanted
        return response, sent

    def _why_no_credential(self, url: str) -> str | None:
        """Return why no credential is sent to *url*, or None."""
        if urlsplit(url).scheme.lower() != "https":
            return "no credentials are sent over plain http"
        return "no credentials are sent with --insecure-options=tls" if self._any_certificate else None

    def _explain(self, url: str, response: httpx.Response, sent: Credential | None) -> str | None:
        hint = explain_refusal(response.status_code, _challenges(response), None if sent is None else sent.file)
        return hint and (self._why_no_credential(url) or hint)

    def _send(self, url: str, headers: Mapping[str, str], credential: Credential | None) -> httpx.Response:
        known = {} if credential is None else {"Authorization": credential.header}
        client = self._client_for(url)
        try:
            request = client.build_request("GET", url, headers={**headers, **known})
        except httpx.InvalidURL:
            raise TransportRefusedError(url, "is not a URL") from None
        try:
            response = client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise _failure(url, error, self._settings) from None
        except httpx.InvalidURL:  # that of a Location
            raise TransportRefusedError(url, "it leads to what is not a URL") from None
        except LateError:
            why = f"timed out: the answer did not begin within {self._settings.silence_seconds} s"
            raise UnreachableError(url, why, is_transient=True) from None
        except EndedError:
            raise UnreachableError(url, "not asked for any more") from None
        stream: Stream = response.extensions["network_stream"]
        stream.take_time()
        return response

    def _client_for(self, url: str) -> httpx.Client:
        """Return the client for the proxy that leads to *url*, or for none. Raises: ConfigError."""
        variable, proxy = find_proxy(url, os.environ) or (None, None)
        with self._lock:
            if proxy not in self._clients:
                try:
                    self._clients[proxy] = self._make_client(proxy)
                except (ImportError, ValueError, httpx.InvalidURL):  # a SOCKS proxy takes a package that nobody needs otherwise
                    raise ConfigError(variable or "", "names a proxy that cannot be used", "http://HOST:PORT can") from None
            return self._clients[proxy]

    def _make_client(self, proxy: str | None) -> httpx.Client:
        connect, silence = self._settings.connect_seconds, self._settings.silence_seconds
        transport = httpx.HTTPTransport(
            verify=self._context, trust_env=False, proxy=None if proxy is None else self._make_proxy(proxy)
        )
        # What httpcore takes from its caller, and httpx does not hand on.
        network = Network(transport._pool._network_backend, silence)
        transport._pool._network_backend = network
        self._networks.append(network)
        if self._ended:
            network.interrupt()
        client = httpx.Client(
            transport=transport,
            timeout=httpx.Timeout(connect=connect, read=silence, write=silence, pool=connect),
            headers=_HEADERS,
            follow_redirects=False,
            trust_env=False,
        )
        client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        return client

    def _make_proxy(self, proxy: str) -> httpx.Proxy:
        return httpx.Proxy(proxy, ssl_context=self._context if proxy.lower().startswith("https:") else None)


def _make_context(cafile: str | None, *, any_certificate: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=cafile)
    except ssl.SSLError:
        raise FormatError(cafile or "", "holds no certificates in PEM") from None
    except OSError as error:  # which names no file
        raise OSError(error.errno, error.strerror, cafile) from None
    if any_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _challenges(response: httpx.Response) -> frozenset[str]:
    return parse_challenges(response.headers.get_list("www-authenticate"))


class Body:
    """The body of an answer, read in pieces; used as a context manager.

    `size` is that of the whole, if the server says it; `start` is where in it the body begins, and `received` counts from there;
    `version` is what the rest can be asked for by, should the connection break; `head` are the headers by their lower-case names.
    """

    def __init__(
        self, url: str, response: httpx.Response, settings: Settings, hint: str | None = None, rest: Rest | None = None
    ) -> None:
        """Take over an answer, to the question for *rest* when there was one.

        Raises: HTTPStatusError, with *hint*, when it is none that was asked for; ProtocolError; StartOverError.
        """
        self.url = url
        self._response = response
        self._settings = settings
        self._pace = Pace(settings.silence_seconds)
        self._hint = hint
        try:
            self.start, self.size, self.version = self._check(rest)
        except BaseException:
            response.close()
            raise
        self.received = self.start
        self.head: Mapping[str, str] = dict(response.headers)
        self._pieces = response.iter_raw()
        self._rest = b""

    def _check(self, rest: Rest | None) -> tuple[int, int | None, Version | None]:
        """Return where in the whole the body begins, the size of that, and its version."""
        status, headers = self._response.status_code, self._response.headers
        if rest is not None and status == 416:
            raise StartOverError(self.url, "it has changed on the server meanwhile")
        if status != 200 and (rest is None or status != 206):
            raise HTTPStatusError(self.url, status, self._hint, _retry_after(headers.get("retry-after", "")))
        self._check_encoding()
        if rest is not None and status == 206:
            return rest.start, rest.get_size(self.url, headers), rest.version
        return 0, parse_size(headers), find_version(headers)

    def _check_encoding(self) -> None:
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
                why = f"slower than {SLOWEST} bytes a second, after {self.received} bytes"
                raise UnreachableError(self.url, why, is_transient=True)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def interrupt(self) -> None:
        """End a `read` that waits in another thread, and all that follow."""
        stream: Stream = self._response.extensions["network_stream"]
        stream.interrupt()

    def _broken(self, error: httpx.HTTPError) -> UnreachableError | ProtocolError:
        if str(error).startswith(_ENDED):
            of = f" of {self.size}" if self.size is not None else ""
            why = f"the connection ended early, after {self.received}{of} bytes"
            return UnreachableError(self.url, why, is_transient=True)
        return _failure(self.url, error, self._settings)


def _failure(url: str, error: httpx.HTTPError, settings: Settings) -> UnreachableError | ProtocolError:
    text = str(error)
    if text.startswith("Invalid URL in location header"):
        return TransportRefusedError(url, "it leads to what is not a URL")
    if isinstance(error, httpx.ConnectTimeout):
        return UnreachableError(url, f"timed out after {settings.connect_seconds} s", is_transient=True)
    if isinstance(error, httpx.TimeoutException):
        return UnreachableError(url, f"timed out: nothing came for {settings.silence_seconds} s", is_transient=True)
    if isinstance(error, httpx.ProxyError):
        return UnreachableError(url, f"the proxy does not lead there: {text}")
    if text.startswith(_ENDED):
        return UnreachableError(url, "the connection ended before the answer began", is_transient=True)
    if isinstance(error, httpx.RemoteProtocolError):
        return ProtocolError(url, f"the answer is not HTTP: {text}")
    if "CERTIFICATE_VERIFY_FAILED" in text:
        why = _plain(text).removeprefix("certificate verify failed: ")
        hint = "--cafile FILE trusts an authority of your own" if why.startswith(_UNKNOWN_ISSUER) else None
        return UnreachableError(url, f"its certificate is not accepted: {why}", hint)
    broke = not isinstance(error, httpx.ConnectError)  # and was there before
    return UnreachableError(url, _plain(text) or "the connection broke", is_transient=broke)


def _retry_after(text: str) -> float | None:
    """Return the seconds that a Retry-After means, or None. Source: RFC 9110, section 10.2.3."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    date = parse_date(text)
    return None if date is None else max(0.0, date - time.time())


def _plain(text: str) -> str:
    """Return an error's text without the numbers and file names that Python and OpenSSL put around it."""
    if text.startswith("["):
        text = text.partition("] ")[2]
    text = text.partition(" (_ssl.c")[0].rstrip(".")
    return text if text[:2].isupper() else text[:1].lower() + text[1:]  # EOF stays as it is
