"""What a file is, told by its content, and all that is wrong or odd about it: an image, a layout directory or a manifest.

Source: aci.md, pods.md; spec/image-archive.md; docs/validation.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from acspec import limits
from acspec.archive.entry import Entry
from acspec.archive.ignore import IGNORE_FILE, Pattern, explain_unmatched
from acspec.archive.image import ImageReader
from acspec.archive.layout import MANIFEST
from acspec.archive.walk import LayoutWalk
from acspec.errors import FormatError
from acspec.jsontext import read_limited
from acspec.values import replace
from actool.checks.lints import lint_rootfs
from actool.checks.manifests import add_positions, check_image_manifest, check_pod_manifest, is_pod_manifest
from actool.checks.reports import Diagnostic, FileKind, Report, Severity, archive_fault, limited, warning
from actool.checks.survey import ImageContents, Survey
from actool.inputs import Input, glance, opened
from actool.passphrase import Passphrase


def validate(path: str, passphrase: Passphrase | None = None, *, positions: bool = False) -> Report:
    """Check the file or directory at *path*, or standard input for `-`, and return all that is to be said of it.

    With *positions*, what is said of a manifest that is a file on the disk comes with line and column.

    Raises: MissingInputError, StorageError, UsageError or OSError when it cannot be read.
    Source: aci.md, pods.md.
    """
    with opened(path, passphrase) as source:
        if source.is_directory:
            return _validate_layout(path, source, positions=positions)
        head, rest = glance(source)
        if head and head.lstrip(b" \t\r\n")[:1] in (b"", b"{"):
            return _validate_manifest(path, rest, positions=positions)
        return _validate_image(path, rest)


def _validate_image(path: str, source: Input) -> Report:
    survey = Survey(source.name)
    try:
        with ImageReader(source.origin, source.name, head=source.head) as reader:
            contents = ImageContents(reader)
            for entry in reader:
                survey.add(entry, contents)
            odd = [warning("archive-end", why) for why in reader.warnings]
            return _report(Report(path, FileKind.IMAGE, (), reader.image_id, survey.entries), survey, odd)
    except FormatError as error:
        return _report_fault(Report(path, FileKind.IMAGE), archive_fault(error, source.name, "archive"), survey)


def _validate_layout(path: str, source: Input, *, positions: bool) -> Report:
    survey = Survey(source.name)
    walk = LayoutWalk(source.descriptor, source.name)
    contents = _LayoutContents(walk)
    try:
        for entry, descriptor in walk:
            contents.descriptor = descriptor
            survey.add(entry, contents)
    except FormatError as error:
        report = _report_fault(Report(path, FileKind.LAYOUT), archive_fault(error, source.name, "layout"), survey)
    else:
        odd = [_warn_of_unmatched(pattern) for pattern in walk.unmatched]
        report = _report(Report(path, FileKind.LAYOUT, entries=survey.entries), survey, odd)
    return replace(report, diagnostics=add_positions(survey.manifest_bytes, report.diagnostics)) if positions else report


def _warn_of_unmatched(pattern: Pattern) -> Diagnostic:
    found = warning("pattern-unmatched", explain_unmatched(pattern), entry=IGNORE_FILE)
    return replace(found, line=pattern.line, column=1)


def _validate_manifest(path: str, source: Input, *, positions: bool) -> Report:
    data = source.head + read_limited(source.descriptor, limits.MANIFEST_BYTES)
    if is_pod_manifest(data):
        kind, (_, found) = FileKind.POD_MANIFEST, check_pod_manifest(data, source.name)
    else:
        kind, (_, found) = FileKind.IMAGE_MANIFEST, check_image_manifest(data, source.name)
    diagnostics = _ordered(found)
    return Report(path, kind, add_positions(data, diagnostics) if positions else diagnostics)


class _LayoutContents:
    """Contents out of a layout directory."""

    def __init__(self, walk: LayoutWalk) -> None:
        self.descriptor = -1
        self._walk = walk

    def read(self, _: Entry, limit: int, /) -> bytes:
        """Return the first *limit* bytes of the entry that has come. Raises: OSError with the path."""
        data = bytearray()
        try:
            while len(data) < limit and (part := os.pread(self.descriptor, limit - len(data), len(data))):
                data += part
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._walk.path) from error
        return bytes(data)


def _report(report: Report, survey: Survey, odd: Iterable[Diagnostic]) -> Report:
    """Return the *report* on an image or layout that was read to its end."""
    return replace(report, diagnostics=_ordered(_find_all(survey, odd)))


def _find_all(survey: Survey, odd: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    yield from odd
    yield from survey.manifest_findings
    if survey.manifest is not None:
        for diagnostic in lint_rootfs(survey.manifest, survey):
            yield diagnostic if diagnostic.entry else replace(diagnostic, entry=MANIFEST.decode())
    yield from survey.find_odd_files()


def _report_fault(report: Report, fault: Diagnostic, survey: Survey) -> Report:
    """Return the *report* on an image or layout with a *fault* that ends the reading: of its files nothing can be concluded."""
    errors = [diagnostic for diagnostic in survey.manifest_findings if diagnostic.severity is Severity.ERROR]
    return replace(report, diagnostics=(fault, *errors))


def _ordered(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the errors, then the first hundred warnings."""
    everything = list(found)
    errors = [diagnostic for diagnostic in everything if diagnostic.severity is Severity.ERROR]
    return (*errors, *limited(diagnostic for diagnostic in everything if diagnostic.severity is Severity.WARNING))
