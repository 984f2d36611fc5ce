"""`acfetch config`: everything that is configured, where it is said, and no secret."""

from __future__ import annotations

import json

import pytest

from acfetch.config import Config
from acspec.errors import ConfigError
from tests.acfetch.customer import Customer

DEFAULTS = [
    "fetch.json  connectSeconds: 30  (default)",
    "fetch.json  silenceSeconds: 60  (default)",
    "fetch.json  retries: 4  (default)",
]


def fill(customer: Customer) -> None:
    customer.configure("fetch.json", {"connectSeconds": 5}, "system")
    customer.configure("sources.json", {"*": {"templates": ["/srv"]}, "example.com": {"templates": []}}, "system")
    customer.configure("auth.json", {"a.b": {"basic": {"user": "me", "password": "w0rd"}, "bearer": {"token": "t0ken"}}})
    customer.configure("policy.json", {"signed": ["*"], "servedBytes": 9}, "system")
    customer.configure("policy.json", {"signed": ["example.com"], "insecureOptions": []})


def as_user(customer: Customer) -> None:
    """Let the system's files count beside the user's."""
    customer.monkeypatch.setattr(
        "acfetch.command_config.config_directories",
        lambda: (f"{customer.path}/vendor", f"{customer.path}/system", f"{customer.path}/config"),
    )


def test_without_files_there_are_defaults(customer: Customer) -> None:
    assert customer.run("config").out.splitlines() == DEFAULTS


def test_each_key_comes_with_its_file_and_no_secret(customer: Customer) -> None:
    fill(customer)
    as_user(customer)
    ended = customer.run("config")
    own, system = customer.config, customer.path / "system"
    template = "/srv/{name}-{version}-{os}-{arch}.{ext}"
    assert ended.out.splitlines() == [
        f'auth.json  a.b: {{"basic":{{"user":"me","password":"…"}},"bearer":{{"token":"…"}}}}  ({own}/auth.json)',
        f"fetch.json  connectSeconds: 5  ({system}/fetch.json)",
        "fetch.json  silenceSeconds: 60  (default)",
        "fetch.json  retries: 4  (default)",
        f"policy.json  servedBytes: 9  ({system}/policy.json)",
        f'policy.json  signed: ["*"]  ({system}/policy.json)',
        f"policy.json  insecureOptions: []  ({own}/policy.json)",
        f'policy.json  signed: ["example.com"]  ({own}/policy.json)',
        f'sources.json  *: {{"templates":["{template}"],"only":false}}  ({system}/sources.json)',
        f'sources.json  example.com: {{"templates":[],"only":false}}  ({system}/sources.json)',
    ]
    assert (ended.code, ended.err) == (0, "")


def test_json_is_an_object_a_line(customer: Customer) -> None:
    fill(customer)
    as_user(customer)
    objects = [json.loads(line) for line in customer.run("config", "--json").out.splitlines()]
    assert all(list(found) == ["file", "key", "value", "saidIn"] for found in objects)
    assert objects[1] == {"file": "fetch.json", "key": "connectSeconds", "value": 5, "saidIn": f"{customer.path}/system/fetch.json"}
    assert objects[2]["saidIn"] is None
    assert "w0rd" not in str(objects)
    assert "t0ken" not in str(objects)


def test_one_directory_replaces_all_but_the_system_s_policy(customer: Customer) -> None:
    fill(customer)
    lines = customer.run("config").out.splitlines()
    assert DEFAULTS[0] in lines
    assert not [line for line in lines if line.startswith("sources.json")]
    assert f'policy.json  signed: ["*"]  ({customer.path}/system/policy.json)' in lines


def test_no_fault_of_the_file_with_secrets_shows_one(customer: Customer) -> None:
    for text in (
        '{"a.b": {"bearer": {"token": "w0rd\\ud800"}}}',
        '{"a.b": {"bearer": {"token": "w0rd}}}',
        '{"a.b": {"bearer": {"token": "w0rd w0rd"}}}',
        '{"a.b": {"basic": {"user": "w0rd:w0rd", "password": "w0rd\\n"}}}',
        '{"me:w0rd@a.b": {"bearer": {"token": "w0rd"}}}',
        '{"a.b": {"bearer": "w0rd"}}',
        '{"a.b": {"basic": {"user": "me", "password": ["w0rd"]}}}',
    ):
        customer.configure("auth.json", text)
        assert "w0rd" not in customer.refused(78, "config"), text


@pytest.mark.parametrize("name", ["auth.json", "fetch.json", "policy.json", "sources.json"])
def test_each_file_is_checked(name: str, customer: Customer) -> None:
    file = customer.configure(name, '{"a.b": 1')
    assert f"{file}:1:" in customer.refused(78, "config")
    file = customer.configure(name, {"x": {"y": 1}})
    assert f"acfetch: {file}: x" in customer.refused(78, "config")


def test_a_place_that_is_no_text_can_be_shown(customer: Customer) -> None:
    odd = customer.path / "c\udcff"
    odd.mkdir()
    (odd / "fetch.json").write_text('{"connectSeconds": 1}')
    customer.monkeypatch.setenv("APPC_CONFIG", str(odd))
    assert "\\xff/fetch.json)" in customer.run("config").out
    assert json.loads(customer.run("config", "--json").out.splitlines()[0])["saidIn"].endswith("\\xff/fetch.json")


def test_a_file_is_read_once_and_only_when_it_is_asked_for(customer: Customer) -> None:
    customer.configure("sources.json", "nonsense")
    config = Config([str(customer.config)])
    assert config.settings.connect_seconds == 30
    with pytest.raises(ConfigError, match="not JSON"):
        _ = config.mirrors
    customer.configure("fetch.json", {"connectSeconds": 1})
    assert config.settings.connect_seconds == 30
