"""Ports: what apps listen on, what of that is to be had on the host, and what nobody will get.

A pod has no network but its own loopback. A port is reached from outside when its app takes a socket from us (socket activation):
that socket can be the host's.

Source: aci.md, ports; pods.md, ports.
"""

from __future__ import annotations

from acspec.app import Port, find_bad_range
from acspec.errors import UsageError
from acspec.execution import MOST_SOCKETS
from acspec.fields import Fields
from acspec.option_words import BOOLEANS, integer_or_text, parse_settings, typed
from acspec.pod_manifest import ExposedPort, PodManifest, RuntimeApp
from acspec.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from acspec.jsontext import JSONValue
    from acspec.names import ACName

_KEYS = ("protocol", "port", "count", "socketActivated")
_NO_PORT = "none has any; behind an image: --port NAME,port=N,socketActivated=true"
_WITH_SOCKETS = ("tcp", "udp")


def parse_exposed(text: str) -> ExposedPort:
    """Return the port on the host that `NAME:PORT` or `NAME:ADDRESS:PORT` means. Raises: UsageError. Source: pods.md, ports."""
    option = f"--port {text}"
    name, *rest = text.split(":")
    if len(rest) not in (1, 2):
        raise UsageError(option, "not of the form NAME:PORT or NAME:ADDRESS:PORT, by the name of an app's port")
    values: dict[str, JSONValue] = {"name": name, "hostPort": integer_or_text(rest[-1])}
    if len(rest) == 2:
        values["hostIP"] = rest[0]
    with typed():
        return ExposedPort.read(Fields(values, option))


def parse_port(text: str) -> Port:
    """Return the port of an app that `NAME,protocol=tcp,port=N[,count=N][,socketActivated=true]` means. Raises: UsageError.

    Source: aci.md, ports.
    """
    option = f"--port {text}"
    name, *words = text.split(",")
    settings = parse_settings(option, words, _KEYS)
    values: dict[str, JSONValue] = {"name": name, "protocol": "tcp"}
    for key, value in settings.items():
        values[key] = value if key == "protocol" else BOOLEANS.get(value, integer_or_text(value))
    with typed():
        return Port.read(Fields(values, option))


def merge_ports(own: Iterable[Port], added: Iterable[Port]) -> tuple[Port, ...]:
    """Return the ports of an app, those *added* in place of its *own* of the same name."""
    return tuple(({port.name: port for port in own} | {port.name: port for port in added}).values())


def _name_ports(names: Sequence[str]) -> str:
    return " or ".join(f"--port {name}:PORT" for name in dict.fromkeys(names))


def expose(pod: PodManifest, exposed: Sequence[ExposedPort]) -> PodManifest:
    """Return *pod* with the ports of the command line, which win, and with each `podPort` in its app.

    Raises: UsageError when no app has such a port.
    Source: pods.md, ports.
    """
    ports = {port.name: port for port in pod.ports} | {port.name: port for port in exposed}
    overriding = {port.name: replace(port.pod_port, name=port.name) for port in ports.values() if port.pod_port is not None}
    apps = tuple(_override(app, overriding) for app in pod.apps)
    known = [port.name for app in apps for port in _ports(app)]
    for port in ports.values():
        if port.name not in known:
            raise UsageError(f"port {port.name}", "no app has a port of this name", _name_ports(known) or _NO_PORT)
    return replace(pod, apps=apps, ports=tuple(replace(port, pod_port=None) for port in ports.values()))


def _override(app: RuntimeApp, overriding: Mapping[ACName, Port]) -> RuntimeApp:
    if app.app is None:
        return app
    return replace(app, app=replace(app.app, ports=tuple(overriding.get(port.name, port) for port in app.app.ports)))


def _ports(app: RuntimeApp) -> tuple[Port, ...]:
    return app.app.ports if app.app is not None else ()


def find_port_faults(pod: PodManifest) -> list[str]:
    """Return a line for each thing that ports ask for and do not get.

    Raises: UsageError for what an app could not be started with.
    Source: pods.md, ports; aci.md, ports: socketActivated.
    """
    faults: list[str] = []
    holders: dict[str, str] = {}
    for app in pod.apps:
        for port in _ports(app):
            other = holders.setdefault(port.name, app.name)
            if other != app.name:
                faults.append(f"apps {other} and {app.name} both have a port named {port.name}, which must be unique in a pod")
        _check_sockets(app)
    ports = {port.name: port for app in pod.apps for port in _ports(app)}
    for exposed in pod.ports:
        _check_range(exposed, ports[exposed.name])
        if not ports[exposed.name].socket_activated:
            why = "the pod has no network, and the app takes no socket"
            faults.append(f"port {exposed.name} is not to be had on the host: {why} (socketActivated)")
    return faults


def _check_sockets(app: RuntimeApp) -> None:
    wanted = [port for port in _ports(app) if port.socket_activated]
    for port in wanted:
        if port.protocol not in _WITH_SOCKETS:
            raise UsageError(f"{app.name}: port {port.name}", f"a socket can be of tcp or udp, not of {port.protocol}")
    if sum(port.count for port in wanted) > MOST_SOCKETS:
        raise UsageError(f"{app.name}: ports", f"ask for more than {MOST_SOCKETS} sockets")


def _check_range(exposed: ExposedPort, port: Port) -> None:
    bad = find_bad_range(exposed.host_port, port.count)
    if bad is not None:
        raise UsageError(f"port {exposed.name}:{exposed.host_port}", bad)
