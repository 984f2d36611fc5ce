"""The network connection of one run, opened when it is first needed: httpx and TLS take longer to load than many a fetch.

What goes over it and what is refused is `http`'s to say; other schemes are for `transports`.
"""

from __future__ import annotations

from threading import Event, Lock
from weakref import WeakSet

from acspec import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Protocol, Self

    from acfetch.config import Config
    from acfetch.http import Body, Client
    from acfetch.ranges import Rest
    from acfetch.transfer import Transfer

    class Reading(Protocol):
        """Something that waits for the network."""

        def interrupt(self) -> None:
            """End the waiting, in whatever thread."""


class Connection:
    """An HTTP client for one run of acfetch, under what *config* says.

    Any number of threads may use it. `ended` is set when nothing more is wanted.
    *plain_http* and *any_certificate* are what the user gave up by name; *cafile* stands in for the authorities of the system.
    """

    def __init__(
        self, config: Config, *, plain_http: bool = False, any_certificate: bool = False, cafile: str | None = None
    ) -> None:
        self._config = config
        self._plain_http = plain_http
        self._any_certificate = any_certificate
        self._cafile = cafile
        self._lock = Lock()
        self._client: Client | None = None
        self._readings: WeakSet[Reading] = WeakSet()
        self.ended = Event()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        """Close every connection there is."""
        if self._client is not None:
            self._client.close()

    def get(self, url: str, limit: int) -> bytes:
        """Return the body at *url*, at most *limit* bytes. Raises: what `http.Client.get` or `transports.get_foreign` raises."""
        from acfetch.transports import get_foreign, is_foreign

        if is_foreign(url):
            return get_foreign(url, limit, self._config, self.watch)
        return self._connected().get(url, limit)

    def open(self, url: str) -> Body | Transfer:
        """Return the body at *url* to be read. Raises: what `http.Client.open` or `transports.open_transport` raises."""
        from acfetch.transports import is_foreign, open_transport

        if is_foreign(url):
            transfer = open_transport(url, limits.IMAGE_SERVED_BYTES, self._config)
            self.watch(transfer)
            return transfer
        return self._connected().open(url)

    def go_on(self, url: str, rest: Rest | None) -> Body:
        """Return the body at *url* over HTTP, only the *rest* of it if possible. Raises: what `http.Client.open` raises."""
        return self._connected().open(url, rest)

    def find_head(self, url: str, headers: Mapping[str, str]) -> Mapping[str, str] | None:
        """Return the head of the answer that what is at *url* has not changed. Raises: what `http.Client.find_head` raises."""
        return self._connected().find_head(url, headers)

    def watch(self, reading: Reading) -> None:
        """Let *reading* be ended with all the rest."""
        with self._lock:
            self._readings.add(reading)
        if self.ended.is_set():
            reading.interrupt()

    def interrupt(self) -> None:
        """End all that waits for the network in other threads, and all that would."""
        self.ended.set()
        with self._lock:
            readings, client = list(self._readings), self._client
        for reading in readings:
            reading.interrupt()
        if client is not None:
            client.interrupt()

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None:
                from acfetch.http import Client

                self._client = Client(
                    plain_http=self._plain_http,
                    any_certificate=self._any_certificate,
                    cafile=self._cafile,
                    settings=self._config.settings,
                    policy=self._config.policy,
                    credentials=self._config.credentials,
                )
                if self.ended.is_set():
                    self._client.interrupt()
            return self._client
