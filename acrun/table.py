"""Columns for people: the one way in which acrun lays out a list. Programs take `--json` instead."""

from __future__ import annotations

from acspec.escape import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def lay_out(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return *rows* as left-aligned columns under *heads*, each line ended; cells are escaped."""
    cells = [list(heads), *([escape(cell) or "-" for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    return "".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n" for row in cells)


def ago(seconds: float) -> str:
    """Return a length of time in its largest whole unit, as `3 minutes ago`."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count != 1 else ''} ago"
    return f"{max(0, int(seconds))} s ago"
