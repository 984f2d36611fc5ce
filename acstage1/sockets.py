"""Sockets that an app is started with, as it asks for: on a port of the host where that is exposed, else inside the pod.

The monitor opens those of the host before there is a pod, init those inside. Init keeps both for as long as the pod lives, so
that whoever connects while an app starts again waits for it. Imported only for a pod that has such an app.

Source: aci.md, ports: socketActivated; pods.md, ports; sd_listen_fds(3); ip(7).
"""

from __future__ import annotations

from _socket import AF_INET, SO_REUSEADDR, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET, socket

from acspec.errors import reason_of
from acspec.execution import MOST_SOCKETS
from acstage1.errors import StartError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from acspec.fields import Fields

_ANY = "0.0.0.0"  # noqa: S104 - "If omitted, all IPs will be used"; who wants fewer says which
_BACKLOG = 4096
_LARGEST_PORT = 65535
_TYPES = {"tcp": SOCK_STREAM, "udp": SOCK_DGRAM}


class Socket:
    """A socket of an app: the name of its port, the protocol, address and number; whether that is the host's (else the pod's)."""

    __slots__ = ("address", "is_host", "name", "port", "protocol")

    def __init__(self, name: str, protocol: str, address: str, port: int, *, is_host: bool) -> None:
        self.name = name
        self.protocol = protocol
        self.address = address
        self.port = port
        self.is_host = is_host

    def open(self) -> int:
        """Return a close-on-exec descriptor of the socket, bound, and listening when it can. Raises: StartError."""
        end = socket(AF_INET, _TYPES[self.protocol] | SOCK_CLOEXEC)
        try:
            if self.protocol == "tcp":
                end.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            end.bind((self.address, self.port))
            if self.protocol == "tcp":
                end.listen(_BACKLOG)
        except OSError as error:
            end.close()
            what = f"port {self.name}: {self.address}:{self.port}/{self.protocol}"
            raise StartError(what, reason_of(error)) from None
        return end.detach()


def read_sockets(app: Fields, exposed: Mapping[str, Fields]) -> list[Socket]:
    """Return the sockets of an app whose `app` object is given; *exposed* are the pod's ports by name. Raises: FormatError.

    Source: aci.md, ports: socketActivated; pods.md, ports.
    """
    sockets: list[Socket] = []
    for port in app.objects("ports"):
        if not port.boolean("socketActivated"):
            continue
        name, protocol = port.text("name"), port.text("protocol")
        if protocol not in _TYPES:
            raise port.fault("protocol", "is neither tcp nor udp")
        outer = exposed.get(name)
        key, place = ("port", port) if outer is None else ("hostPort", outer)
        first = place.integer(key, 1, _LARGEST_PORT) or 0
        address = (outer.optional_text("hostIP") if outer is not None else None) or _ANY
        count = port.integer("count", 0, _LARGEST_PORT) or 1
        if len(sockets) + count > MOST_SOCKETS:
            raise app.fault("ports", f"ask for more than {MOST_SOCKETS} sockets")
        if first + count - 1 > _LARGEST_PORT:
            raise place.fault(key, f"the range ends beyond {_LARGEST_PORT}")
        sockets += [Socket(name, protocol, address, first + offset, is_host=outer is not None) for offset in range(count)]
    return sockets
