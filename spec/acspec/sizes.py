"""Numbers of bytes, for people to read."""

from __future__ import annotations

_KIB = 1024


def human_size(size: int) -> str:
    """Return a number of bytes in its largest binary unit, such as `1.2 MiB`. Source: IEC 80000-13."""
    value, unit = float(size), "bytes"
    for larger in ("KiB", "MiB", "GiB"):
        if value < _KIB:
            break
        value, unit = value / _KIB, larger
    return f"{int(value)} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
