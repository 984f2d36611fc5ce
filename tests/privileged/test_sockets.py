"""Sockets that an app is started with: on the host's ports, or inside the pod."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.poddirs import AppSpec, enter, read_line, run, start, write_pod

PORTS = [
    {"name": "http", "protocol": "tcp", "port": 80, "socketActivated": True},
    {"name": "dns", "protocol": "udp", "port": 53, "count": 2, "socketActivated": True},
    {"name": "plain", "protocol": "tcp", "port": 99},
]


def app(*words: str, **more: Any) -> AppSpec:
    return AppSpec(["/bin/probe", "sockets", *words], {"ports": PORTS, **more})


@contextmanager
def own_port() -> Iterator[int]:
    """Yield a port that stays ours: the kernel gives it to nobody who asks for any, and to everybody who asks for this one.

    Source: ip(7), ip_local_port_range; socket(7), SO_REUSEADDR.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def test_an_app_gets_its_sockets_from_3_on_and_is_told_of_them(tmp_path: Path, rootfs: Path) -> None:
    pod = write_pod(tmp_path, rootfs, {"app": app(user="1234")})
    assert run(pod).stdout == "3 http:dns:dns 1\ntcp 80 1\nudp 53 0\nudp 54 0\n"


def test_whoever_connects_to_the_host_s_port_reaches_the_app(tmp_path: Path, rootfs: Path) -> None:
    with own_port() as number:
        exposed = {"name": "http", "hostPort": number, "hostIP": "127.0.0.1"}
        pod = write_pod(tmp_path, rootfs, {"app": app("serve")}, manifest={"ports": [exposed]})
        with start(pod) as monitor:
            assert [read_line(monitor) for _ in range(4)][1] == f"tcp {number} 1\n"
            with socket.create_connection(("127.0.0.1", number)) as caller:
                assert caller.recv(100) == b"served\n"
            assert monitor.wait() == 0


def test_a_port_in_use_is_told_and_nothing_is_left(tmp_path: Path, rootfs: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        exposed = {"name": "http", "hostPort": taken.getsockname()[1], "hostIP": "127.0.0.1"}
        pod = write_pod(tmp_path, rootfs, {"app": app()}, manifest={"ports": [exposed]})
        ended = run(pod)
    assert ended.code == 125
    assert ended.stderr == f"acstage1: port http: 127.0.0.1:{exposed['hostPort']}/tcp: address already in use\n"
    assert not [path for path in (pod / "cgroups").read_text().splitlines() if os.path.exists(path)]


def test_two_apps_have_each_their_own(tmp_path: Path, rootfs: Path) -> None:
    ports = [{"name": "other", "protocol": "tcp", "port": 81, "socketActivated": True}]
    pod = write_pod(tmp_path, rootfs, {"a": app(), "b": app(ports=ports)})
    lines = [line.rpartition(" | ")[2] for line in run(pod).stdout.splitlines()]
    assert sorted(lines) == sorted(["3 http:dns:dns 1", "tcp 80 1", "udp 53 0", "udp 54 0", "1 other 1", "tcp 81 1"])


def test_handlers_and_who_enters_get_none(tmp_path: Path, rootfs: Path) -> None:
    handlers = [{"name": "pre-start", "exec": ["/bin/probe", "sockets"]}]
    pod = write_pod(tmp_path, rootfs, {"app": AppSpec(["/bin/probe", "stay", "0"], {"ports": PORTS, "eventHandlers": handlers})})
    with start(pod) as monitor:
        assert read_line(monitor) == "- - 0\n"
        report = json.loads(read_line(monitor))
        assert sorted(report["fds"], key=int) == ["0", "1", "2", "3", "4", "5"]
        assert enter(pod, "app", "/bin/probe", "sockets").stdout == "- - 0\n"
        monitor.terminate()
        monitor.wait()


def test_an_app_that_cannot_be_executed_is_told_beside_its_sockets(tmp_path: Path, own_rootfs: Path) -> None:
    pod = write_pod(tmp_path, own_rootfs, {"app": AppSpec(["/bin/text"], {"ports": PORTS})})
    (own_rootfs / "bin" / "text").write_text("no program")
    (own_rootfs / "bin" / "text").chmod(0o755)
    ended = run(pod)
    assert ended.code == 126
    assert "is neither a program for this machine nor a script" in ended.stderr
