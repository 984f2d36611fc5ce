"""Results as JSON, one on each line, for programs: all of it printable ASCII, whatever bytes a name has.

Source: RFC 8259; PEP 383.
"""

from __future__ import annotations

import json


def dump_line(value: object) -> str:
    """Return a JSON *value* on one line, all of it printable ASCII."""
    return json.dumps(value, separators=(",", ":")).replace("\x7f", "\\u007f")


def decode_name(name: bytes) -> str:
    r"""Return *name* as text; a byte that is not UTF-8 becomes `\udc00` plus its value, whatever the locale."""
    return name.decode("utf-8", "surrogateescape")
