"""Reports for people: a line for each diagnostic, as all messages of the suite are; a line for each good file when asked for.

Source: spec/exit-codes.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from actool.checks.reports import Diagnostic, FileKind, Report, Severity

_WORDS = {FileKind.IMAGE_MANIFEST: "image manifest", FileKind.POD_MANIFEST: "pod manifest"}
_OF_CONTAINERS = ("archive", "layout", "input")


def format_lines(report: Report, *, verbose: bool = False) -> Iterator[str]:
    """Return a line for each diagnostic of *report*: `x.aci: warning: manifest: app.exec[0]: "/bin/x" is not in the rootfs`.

    A *verbose* one ends in the name of the rule, `[exec-missing]`, as `--ignore` takes it.

    Source: spec/exit-codes.md.
    """
    for diagnostic in report.diagnostics:
        yield format_diagnostic(report, diagnostic) + (f" [{diagnostic.rule}]" if verbose else "")


def format_diagnostic(report: Report, diagnostic: Diagnostic) -> str:
    """Return one *diagnostic* of *report* as a line, unescaped.

    Source: spec/exit-codes.md.
    """
    position = f":{diagnostic.line}:{diagnostic.column}" if diagnostic.line and not diagnostic.place else ""
    parts = [report.name if diagnostic.entry else report.name + position]
    if diagnostic.severity is Severity.WARNING:
        parts.append("warning")
    if where := format_place(report, diagnostic):
        parts.append(where + position if diagnostic.entry else where)
    return ": ".join([*parts, diagnostic.text])


def format_place(report: Report, diagnostic: Diagnostic) -> str:
    """Return where in the file a *diagnostic* is, nothing when it is about the whole: `manifest: app.exec[0]`, `entry "rootfs/x"`.

    Source: spec/exit-codes.md.
    """
    entry = diagnostic.entry
    if entry and (entry != "manifest" or diagnostic.rule in _OF_CONTAINERS):  # else the manifest as a document
        entry = f'entry "{entry}"' if report.kind is FileKind.IMAGE else f'"{entry}"'
    return ": ".join(part for part in (entry, diagnostic.place) if part)


def describe(report: Report) -> str:
    """Return in words what the file of *report* is: `image, sha512-…`.

    Source: types.md, Image ID Type.
    """
    if report.kind is FileKind.IMAGE:
        return f"image, {report.image_id}"
    if report.kind is FileKind.LAYOUT:
        return f"image layout, {report.entries:,} entries"
    return _WORDS[report.kind] if report.kind is not None else "unknown"
