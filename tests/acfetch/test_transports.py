"""Programs that fetch what acfetch does not: which one is started, what it is told, and how its end is taken. Real processes."""

from __future__ import annotations

import os
import select
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acfetch.config import Config
from acfetch.errors import AbsentError, HostRefusedError, TransportRefusedError, UnreachableError
from acfetch.transfer import Transfer, environment_for
from acfetch.transports import get_foreign, is_foreign, open_transport, why_no_program
from acspec.errors import ConfigError, ProtocolError, TrustError
from tests.acfetch.customer import PAGE, PROGRAM, Customer, app, page
from tests.support.ftp import FTPServer
from tests.support.sources import ROOT

EXAMPLES = ROOT / "examples/transports"
FTP = EXAMPLES / "acfetch-transport-ftp"
NAME = "example.com/app"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory on PATH for programs."""
    directory = tmp_path / "programs"
    directory.mkdir(mode=0o755)
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
    return directory


def install(directory: Path, body: str, scheme: str = "x") -> Path:
    """Write a program in sh that has read its request into $request."""
    path = directory / f"acfetch-transport-{scheme}"
    path.write_text(f"#!/bin/sh\nread -r request\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Config:
    return Config([str(tmp_path / "nowhere")])


def get(config: Config, url: str = "x://host/file", limit: int = 1000) -> bytes:
    return get_foreign(url, limit, config)


def test_a_program_is_told_what_to_fetch_and_says_how_much_there_was(programs: Path, empty: Config) -> None:
    install(programs, """printf %s "$request"; printf '{"size": %s, "more": []}' "${#request}" >&3""")
    assert get(empty) == b'{"version":1,"url":"x://host/file","limit":1000}'


def test_a_program_gets_little_of_the_environment(programs: Path, empty: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET", "ACFETCH_TRANSPORT_KEY", "NO_PROXY", "PYTHONPATH", "LD_PRELOAD", "LC_ALL"):
        monkeypatch.setenv(name, "" if name == "LD_PRELOAD" else "kept")
    seen = environment_for(os.environ)
    assert {"SECRET", "PYTHONPATH", "LD_PRELOAD"}.isdisjoint(seen)
    assert (seen["ACFETCH_TRANSPORT_KEY"], seen["NO_PROXY"], seen["LC_ALL"]) == ("kept", "kept", "C.UTF-8")
    install(programs, """text="$SECRET$ACFETCH_TRANSPORT_KEY"; printf %s "$text"; echo "{\\"size\\": ${#text}}" >&3""")
    assert get(empty) == b"kept"


SHOW = f"""#!{sys.executable}
import json, os
found = [number for number in range(256) if os.path.exists(f"/proc/self/fd/{{number}}")]
print(json.dumps([found, os.getsid(0) == os.getpid()]), end="", flush=True)
json.dump({{"size": %d}}, open(3, "w"))
"""


def test_a_program_has_four_descriptors_and_a_session_of_its_own(programs: Path, empty: Config) -> None:
    said = b"[[0, 1, 2, 3], true]"
    install(programs, "").write_text(SHOW % len(said))
    left_open = os.open("/", os.O_RDONLY)
    os.set_inheritable(left_open, True)
    try:
        assert get(empty) == said
    finally:
        os.close(left_open)


ENDS: dict[str, tuple[str, type[Exception], str]] = {
    "not there": (
        """echo '{"error": "no such file"}' >&3; exit 66""",
        AbsentError,
        "acfetch-transport-x ended with 66: no such file",
    ),
    "unreachable, and said to people": ("echo one >&2; echo two >&2; exit 69", UnreachableError, "ended with 69: two"),
    "not now": ("exit 75", UnreachableError, "ended with 75$"),
    "not permitted": ("exit 77", TrustError, "ended with 77"),
    "configured badly": ("exit 78", ConfigError, "ended with 78"),
    "nonsense": ("exit 76", ProtocolError, "ended with 76"),
    "a code of its own": ("exit 3", ProtocolError, "ended with 3"),
    "a signal": ("kill -9 $$", ProtocolError, "ended by signal 9"),
    "no note": ("printf x", ProtocolError, "does not say how many bytes there were"),
    "a note that is no JSON": ("printf x; echo nothing >&3", ProtocolError, "the note of acfetch-transport-x is not JSON"),
    "a note that is no object": ("printf x; echo 1 >&3", ProtocolError, "is no JSON object"),
    "a note that is too long": (
        "printf x; head -c 5000 /dev/zero | tr '\\0' 1 >&3",
        ProtocolError,
        "larger than the limit of 4096",
    ),
    "a size that is none": ("""printf x; echo '{"size": true}' >&3""", ProtocolError, "does not say how many"),
    "less than it says": ("""printf x; echo '{"size": 2}' >&3""", ProtocolError, "says that there were 2 bytes, and 1 came"),
    "more than was asked for": ("yes", ProtocolError, "larger than the limit of 1000 bytes"),
    "a line that moves a terminal": ("printf '\\033[31m\\n' >&2; exit 69", UnreachableError, "ended with 69: "),
}


@pytest.mark.parametrize(("body", "error", "message"), ENDS.values(), ids=ENDS)
def test_a_program_ends_with(body: str, error: type[Exception], message: str, programs: Path, empty: Config) -> None:
    install(programs, body)
    with pytest.raises(error, match=message):
        get(empty)


def test_notes_without_end_are_no_bytes(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "fetch.json").write_text('{"silenceSeconds": 2}')
    install(programs, "exec yes >&3")
    with pytest.raises(UnreachableError, match="nothing came for 2 s"):
        get(Config([str(tmp_path)]))


def test_what_is_said_to_people_keeps_no_bytes_waiting(programs: Path, empty: Config) -> None:
    install(programs, """head -c 1000000 /dev/zero >&2; printf x; head -c 300000 /dev/zero >&2; echo '{"size": 1}' >&3""")
    assert get(empty) == b"x"


def test_what_a_program_leaves_behind_ends_with_it(programs: Path, empty: Config, tmp_path: Path) -> None:
    install(programs, f"""sleep 1000 >/dev/null 2>&1 3>&- & echo $! > {tmp_path}/pid; printf x; echo '{{"size": 1}}' >&3""")
    assert get(empty) == b"x"
    assert is_gone(int((tmp_path / "pid").read_text()))


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended, or is just ending."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    try:
        return bool(poll.poll(60_000))
    finally:
        os.close(descriptor)


def test_a_program_that_is_silent_is_ended(programs: Path, tmp_path: Path) -> None:
    program = install(programs, "exec sleep 1000")
    with (
        Transfer(str(program), program.name, "x://host/file", 10, 1) as transfer,
        pytest.raises(UnreachableError, match="nothing came for 1 s"),
    ):
        transfer.read(1)
    assert transfer.read(1) == b""


def test_a_read_that_waits_is_ended_by_another_thread(programs: Path, empty: Config) -> None:
    install(programs, "printf x; exec sleep 1000")
    with open_transport("x://host/file", 10, empty) as transfer:
        assert transfer.read(10) == b"x"
        threading.Thread(target=transfer.interrupt).start()
        with pytest.raises(ProtocolError, match="ended by signal 9"):
            transfer.read(10)


REFUSED = {
    "user information": ("x://me:word@host/file", TransportRefusedError),
    "two dots": ("x://host/../file", TransportRefusedError),
    "no host": ("x:///file", TransportRefusedError),
    "an option for a host": ("x://-oProxyCommand=y/file", TransportRefusedError),
    "a dash before the host": ("x://-host/file", TransportRefusedError),
    "a scheme nobody speaks": ("y://host/file", TransportRefusedError),
    "a scheme in capitals": ("X://host/file", TransportRefusedError),
    "a scheme that is a path": ("../x://host/file", TransportRefusedError),
    "a host that the policy denies": ("x://denied.example/file", HostRefusedError),
}


@pytest.mark.parametrize(("url", "error"), REFUSED.values(), ids=REFUSED)
def test_no_program_is_started_for(url: str, error: type[Exception], programs: Path, tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text('{"denyHosts": ["denied.example"]}')
    install(programs, f"touch {tmp_path}/started")
    with pytest.raises(error):
        get(Config([str(tmp_path)]), url)
    assert not (tmp_path / "started").exists()


def test_only_absolute_entries_of_the_path_count(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(programs, "exit 0")
    assert why_no_program("x") is None
    monkeypatch.chdir(programs)
    for path in (".", "", ":", "../programs"):
        monkeypatch.setenv("PATH", path)
        assert why_no_program("x") == 'its scheme is "x", and there is no acfetch-transport-x on PATH'


def test_root_starts_nothing_that_others_can_change(programs: Path) -> None:
    program = install(programs, "exit 0")
    program.chmod(0o775)
    assert (why_no_program("x") is None) is (os.geteuid() != 0)
    program.chmod(0o755)
    programs.chmod(0o777)
    assert (why_no_program("x") is None) is (os.geteuid() != 0)
    programs.chmod(0o755)
    assert why_no_program("x") is None
    others = programs.parent / "others"
    others.mkdir()
    others.chmod(0o777)
    program.rename(others / "program")
    program.symlink_to(others / "program")
    assert (why_no_program("x") is None) is (os.geteuid() != 0)


def test_a_program_that_cannot_be_started_is_bad_configuration(programs: Path, empty: Config) -> None:
    install(programs, "").write_text("#!/no/such/interpreter\n")
    with pytest.raises(ConfigError, match="cannot be started: no such file or directory"):
        get(empty)


@given(st.text(st.sampled_from("xyz:/.@-+%0[]# \u202e"), max_size=12))
def test_any_url_is_fetched_or_refused(text: str) -> None:
    url = f"nobody-speaks-this://{text}"
    assert is_foreign(url)
    with pytest.raises(TransportRefusedError):
        get_foreign(url, 1, Config([]))


# As a person fetches


@pytest.fixture
def ftp(programs: Path) -> Iterator[dict[str, bytes]]:
    """Return the files of an FTP server, whose URL is in `url`; the example's program is installed."""
    (programs / FTP.name).write_text(FTP.read_text().replace("/usr/bin/env python3", sys.executable))
    (programs / FTP.name).chmod(0o755)
    files: dict[str, bytes] = {}
    with FTPServer(files, frozenset({"cut.aci"})) as server:
        files["url"] = server.url.encode()
        yield files


def serve(customer: Customer, ftp: dict[str, bytes], name: str = "app.aci") -> str:
    data = app()
    ftp[name], ftp[f"{name}.asc"] = data, customer.publisher.sign(data)
    return f"{ftp['url'].decode()}/{name}"


def test_an_image_comes_over_ftp_with_its_signature(customer: Customer, ftp: dict[str, bytes]) -> None:
    url = serve(customer, ftp)
    [line] = customer.fetch(url)
    assert customer.record(line)["origin"] == url
    assert customer.record(line)["signer"] == customer.publisher.fingerprint.lower()


def test_a_template_and_a_source_may_name_ftp(customer: Customer, ftp: dict[str, bytes]) -> None:
    template = serve(customer, ftp, f"{NAME}.aci").replace(f"{NAME}.aci", "{name}.{ext}")
    customer.server.answers[PAGE] = page(("example.com", template))
    [line] = customer.fetch(NAME)
    assert customer.record(line)["origin"].startswith("ftp://")
    assert f"image      {template.replace('{name}.{ext}', NAME)}.aci\n" in customer.run("discover", NAME).out
    customer.configure("sources.json", {"*": {"templates": [template], "only": True}})
    customer.server.clear()
    customer.fetch(NAME)
    assert customer.server.asked == []


def test_what_is_not_there_leads_to_the_next_place(customer: Customer, ftp: dict[str, bytes]) -> None:
    customer.publish(NAME, app())
    url = ftp["url"].decode()
    customer.server.answers[PAGE] = page(
        ("example.com", f"{url}/none/{{name}}.{{ext}}"),
        ("example.com", "https://example.com/images/{name}-{version}-{os}-{arch}.{ext}"),
    )
    [line] = customer.fetch(NAME)
    assert customer.record(line)["origin"].startswith("https://")


def test_nothing_of_trust_changes(customer: Customer, ftp: dict[str, bytes]) -> None:
    url = serve(customer, ftp)
    ftp["app.aci.asc"] = customer.publisher.sign(b"something else")
    assert "the signature is of another file" in customer.refused(77, url)
    del ftp["app.aci.asc"]
    assert "there is no signature" in customer.refused(77, url)
    del ftp["app.aci"]
    assert customer.refused(69, url) == (
        f"acfetch: {url}: acfetch-transport-ftp ended with 66: the server answered 550 no such file"
    )


def test_a_transfer_that_is_cut_and_a_server_that_is_away_are_69(customer: Customer, ftp: dict[str, bytes]) -> None:
    url = serve(customer, ftp, "cut.aci")
    assert "ended with 69" in customer.refused(69, "--insecure-options=image", url)
    assert "refused" in customer.refused(69, "ftp://127.0.0.1:1/x.aci")


def test_keys_do_not_come_through_a_program(customer: Customer, ftp: dict[str, bytes]) -> None:
    ftp["key"] = customer.publisher.public
    assert "keys come over https only" in customer.refused(76, "trust", "add", "--root", "--yes", f"{ftp['url'].decode()}/key")


def test_a_program_ends_when_acfetch_does(customer: Customer, programs: Path) -> None:
    fifo = customer.path / "fifo"
    os.mkfifo(fifo)
    install(programs, f"echo $$ > {shlex.quote(str(fifo))}; exec sleep 1000")
    with subprocess.Popen([*PROGRAM, "x://host/file.aci"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        pid = int(fifo.read_text())
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert is_gone(pid)


# The program that is an example, and the one that checks such programs


def conformance(program: Path, url: str, file: Path, absent: str, nobody: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / "check.py"), str(program), url, str(file), absent, nobody]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_example_keeps_to_the_contract(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(os.urandom(3_000_000))
    with FTPServer({"file": (tmp_path / "file").read_bytes()}) as server:
        ended = conformance(FTP, f"{server.url}/file", tmp_path / "file", f"{server.url}/none", "ftp://127.0.0.1:1/x")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [line[:3] for line in ended.stdout.splitlines()] == ["ok "] * 9


def test_a_program_that_keeps_to_nothing_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    program = install(tmp_path, "exit 0")
    ended = conformance(program, "x://a/b", tmp_path / "file", "x://a/none", "x://b/b")
    assert ended.returncode == 1
    assert sum(line.startswith("BROKEN ") for line in ended.stdout.splitlines()) == 7
