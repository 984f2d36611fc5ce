"""`acfetch config`: what is configured, and which file says so."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from acfetch.config import Config, Line
from acspec.directories import config_directories
from acspec.escape import escape
from acspec.jsontext import dump_json


def config(json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False) -> None:
    """Show the configuration, and which file says what. Secrets are left out."""
    lines = list(Config(config_directories()).lines())
    sys.stdout.buffer.write(b"".join(_json_line(line) if json else _line(line) for line in lines))


def _json_line(line: Line) -> bytes:
    place = None if line.said_in is None else os.fsencode(line.said_in).decode("utf-8", "backslashreplace")
    return dump_json({"file": line.file, "key": line.key, "value": line.value, "saidIn": place})


def _line(line: Line) -> bytes:
    value = dump_json(line.value).decode().rstrip("\n")
    text = f"{line.file}  {line.key}: {value}  ({line.said_in or 'default'})"
    return (escape(text, len(text)) + "\n").encode()
