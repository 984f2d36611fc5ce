"""Pod directories as far as they tell of the life of a pod, written by hand with whatever may be missing or odd in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acspec.pods import Pods

UUID = "6f1c9a52-63d5-4cf6-9a0e-2f6d9d2f3c11"
OTHER = "00000000-63d5-4cf6-9a0e-2f6d9d2f3c11"
MANIFEST = {"apps": [{"name": "one", "image": {"name": "example.com/one", "id": "sha512-" + "0" * 128}}, {"name": "two"}]}


def write_state(run: Path, files: Mapping[str, Any], uuid: str = UUID, phase: str = "run", name: str | None = None) -> Pods:
    """Write a pod directory with *files*: text as it is, anything else as JSON."""
    path = run / "pods" / phase / uuid
    for place, value in files.items():
        (path / place).parent.mkdir(parents=True, exist_ok=True)
        (path / place).write_text(value if isinstance(value, str) else json.dumps(value))
    path.mkdir(parents=True, exist_ok=True)
    if name is not None:
        (run / "pods" / "names").mkdir(exist_ok=True)
        (run / "pods" / "names" / name).write_text(uuid + "\n")
    return Pods(str(run))
