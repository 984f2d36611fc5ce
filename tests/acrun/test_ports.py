"""Ports of apps and of the host: what is typed, what goes together, what is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrun.ports import expose, find_port_faults, merge_ports, parse_exposed, parse_port
from acspec.app import App, Port
from acspec.errors import UsageError
from acspec.pod_manifest import ExposedPort, PodManifest, RuntimeApp, RuntimeImage

ID: Any = "sha512-" + "1" * 128


def name(text: str) -> Any:
    return text


def pod(**apps: list[Port]) -> PodManifest:
    return PodManifest(
        tuple(
            RuntimeApp(name(app), RuntimeImage(ID), App(exec=("/x",), user="0", group="0", ports=tuple(ports)))
            for app, ports in apps.items()
        )
    )


def port(text: str, **more: Any) -> Port:
    return Port(name(text), **{"protocol": "tcp", "port": 80, "socket_activated": True, **more})


def test_ports_of_the_host() -> None:
    assert parse_exposed("http:8080") == ExposedPort(name("http"), 8080)
    assert parse_exposed("http:127.0.0.1:80") == ExposedPort(name("http"), 80, "127.0.0.1")


@pytest.mark.parametrize(
    "text", ["", "http", "http:", "http:0", "http:65536", "http:x", "http::80", "http:1.2.3:80", "HTTP:80", "a:b:c:d", ":80"]
)
def test_ports_of_the_host_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError, match="--port"):
        parse_exposed(text)


def test_ports_of_an_app() -> None:
    assert parse_port("http,port=80") == Port(name("http"), "tcp", 80)
    assert parse_port("dns,protocol=udp,port=53,count=2,socketActivated=true") == port("dns", protocol="udp", port=53, count=2)
    merged = merge_ports([port("a"), port("b", port=1)], [port("b", port=2), port("c")])
    assert [(item.name, item.port) for item in merged] == [("a", 80), ("b", 2), ("c", 80)]


@pytest.mark.parametrize(
    "text",
    ["", "http", "http,port=x", "http,port=0", "http,port=65535,count=2", "http,port=1,colour=red", "h,port=1,socketActivated=yes"],
)
def test_ports_of_an_app_that_make_no_sense(text: str) -> None:
    with pytest.raises(UsageError, match="--port"):
        parse_port(text)


@given(st.text() | st.text(alphabet="http:,=port0123.counsedkA"))
def test_any_words_mean_ports_or_are_refused(text: str) -> None:
    for parse in (parse_exposed, parse_port):
        try:
            parse(text)
        except UsageError:
            continue


def test_a_port_of_the_host_is_one_of_an_app_s() -> None:
    reified = expose(pod(a=[port("http")]), [ExposedPort(name("http"), 8080)])
    assert [(item.name, item.host_port) for item in reified.ports] == [("http", 8080)]
    assert find_port_faults(reified) == []
    with pytest.raises(UsageError, match=r"port dns: no app has a port of this name \(--port http:PORT or --port web:PORT\)"):
        expose(pod(a=[port("http"), port("web")], b=[port("http")]), [ExposedPort(name("dns"), 8080)])


def test_a_port_of_the_pod_stands_in_for_the_image_s() -> None:
    inner = Port(name("other"), "udp", 99, socket_activated=True)
    reified = expose(pod(a=[port("http")]), [ExposedPort(name("http"), 8080, pod_port=inner)])
    (app,) = reified.apps
    assert app.app is not None
    assert app.app.ports == (port("http", protocol="udp", port=99),)


FAULTS = {
    "a port that takes no socket": (
        expose(pod(a=[port("http", socket_activated=False)]), [ExposedPort(name("http"), 80)]),
        "port http is not",
    ),
    "one name in two apps": (pod(a=[port("http")], b=[port("http")]), "apps a and b both have a port named http"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_not_to_be_had_is_told(case: str) -> None:
    manifest, words = FAULTS[case]
    (fault,) = find_port_faults(manifest)
    assert fault.startswith(words)


REFUSED = {
    "a protocol without sockets": (pod(a=[port("x", protocol="sctp")]), "not of sctp"),
    "more sockets than there is room for": (pod(a=[port("x", port=1, count=61)]), "more than 60 sockets"),
    "a range beyond the last port": (
        expose(pod(a=[port("x", port=1, count=2)]), [ExposedPort(name("x"), 65535)]),
        "the range ends at 65536",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_app_could_be_started_with_is_refused(case: str) -> None:
    manifest, words = REFUSED[case]
    with pytest.raises(UsageError, match=words):
        find_port_faults(manifest)
