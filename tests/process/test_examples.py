"""Every example of the man page of actool, typed one after another into one shell's directory, as its reader would."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.support.desk import Desk
from tests.support.gpg import make_signer
from tests.support.machine import ROOT


def _examples(page: Path) -> dict[str, str]:
    """Return the examples by the sentences before them."""
    _, _, section = page.read_text(encoding="utf-8").partition("## Examples\n")
    section = section.partition("\n## ")[0]
    blocks = re.split(r"\n\s*\n", section.strip("\n"))
    found: dict[str, str] = {}
    title = ""
    for block in blocks:
        if block.startswith("    "):
            found[title] = "\n".join(line[4:] for line in block.split("\n"))
        else:
            title = block
    return found


def test_every_example_of_the_man_page_does_what_it_says(key_desk: Desk) -> None:
    examples = _examples(ROOT / "docs/man/actool.md")
    assert len(examples) >= 4
    shutil.copy("/bin/busybox", key_desk.path / "busybox")
    make_signer(key_desk.path / ".gnupg", "Example <you@example.com>")
    key_desk.shell("git init -q . && git -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m first")
    for title, lines in examples.items():
        ended = key_desk.shell(f"set -e\n{lines}\n")
        assert ended.code == 0, f"{title}\n{lines}\n{ended.stdout}{ended.stderr}"
