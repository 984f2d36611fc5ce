"""`acfetch gc`, as typed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.stores import DAY, PROGRAM, add_image, listed, make_pod


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("APPC_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def gc(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run([*PROGRAM, "gc", *words], capture_output=True, text=True, check=False)
    assert ended.returncode == code, ended.stderr
    return ended


def test_a_day_is_kept_unless_something_else_is_said(data: Path) -> None:
    young, old = add_image(data, "example.com/young", age=DAY - 7200), add_image(data, "example.com/old", age=DAY + 60)
    assert gc().stdout == f"image  {old[:19]}     3.5 KiB  example.com/old\n"
    assert gc("--keep-for", "1d").stdout == ""
    assert gc("--keep-for", "1h", "-n").stdout == f"image  {young[:19]}     3.5 KiB  example.com/young\n"
    assert listed(data) == {young}


def test_what_went_as_one_object(data: Path) -> None:
    image_id = add_image(data, "example.com/old", age=DAY + 60)
    (data / "partial" / "x").write_bytes(b"half")
    assert json.loads(gc("--json", "--keep-for", "0").stdout) == {
        "images": [{"id": image_id, "name": "example.com/old", "labels": [], "size": 3584}],
        "files": [{"path": f"{data}/partial/x", "size": 4}],
    }
    assert json.loads(gc("--json").stdout) == {"images": [], "files": []}


def test_pods_are_looked_for_where_acrun_has_them(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image_id = add_image(data, "example.com/app", age=2 * DAY)
    make_pod(tmp_path / "run", "run", image_id)
    monkeypatch.setenv("APPC_RUN", str(tmp_path / "run"))
    assert gc().stdout == ""
    monkeypatch.delenv("APPC_RUN")
    assert gc().stdout.count("\n") == 1


def test_where_pods_cannot_be_seen_nothing_is_collected(data: Path) -> None:
    image_id = add_image(data, "example.com/app", age=2 * DAY)
    (data / "pods").mkdir(mode=0o000)
    words = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    ended = subprocess.run([*words, *PROGRAM, "gc"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (77, "")
    assert "permission denied" in ended.stderr
    assert listed(data) == {image_id}


@pytest.mark.parametrize("text", ["", "-1d", "d", "1.5d", "yesterday"])
def test_a_time_that_is_none_is_a_usage_error(text: str, data: Path) -> None:
    add_image(data, "example.com/app", age=2 * DAY)
    ended = gc(f"--keep-for={text}", code=2)
    assert ended.stderr.count("\n") == 1
    assert len(listed(data)) == 1
