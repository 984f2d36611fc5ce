"""What bites at run time, though the format allows it: all that is concluded from a manifest and a survey of the rootfs beside it.

False alarms are worse than silence: what dependencies, volumes or the executor may bring is not missed here.

Source: docs/validation.md.
"""

from __future__ import annotations

from collections.abc import Iterator

from acspec.app import App
from acspec.archive.entry import Kind
from acspec.escape import escape
from acspec.image_manifest import ImageManifest
from acspec.layer_plan import normalise_path
from actool.checks.lint_owners import get_identity
from actool.checks.lint_platform import Platform
from actool.checks.lint_programs import ProgramLints
from actool.checks.reports import Diagnostic, warning
from actool.checks.rootfs_paths import RootfsPaths, State, describe_missing
from actool.checks.survey import Survey


def lint_rootfs(manifest: ImageManifest, survey: Survey) -> Iterator[Diagnostic]:
    """Return what in the rootfs does not fit the *manifest*, which has no fault.

    Source: aci.md, app; ace.md, Volume Setup.
    """
    platform = Platform(manifest)
    said = False
    if manifest.app is not None:
        for diagnostic in _lint_app(manifest, manifest.app, platform, survey):
            said = said or diagnostic.rule == "platform-mismatch"
            yield diagnostic
    if not said:
        yield from platform.lint_all(survey.machines)


def _lint_app(manifest: ImageManifest, app: App, platform: Platform, survey: Survey) -> Iterator[Diagnostic]:
    paths = RootfsPaths(
        survey.index,
        whitelist=manifest.path_whitelist,
        volumes=(point.path for point in app.mount_points),
        whole=not manifest.dependencies,
    )
    identity, findings = get_identity(app, survey, paths)
    yield from findings
    yield from ProgramLints(app, identity, platform, paths).lint(app)
    yield from _lint_directory(app, paths)
    yield from _lint_mount_points(app, survey, paths)


def _lint_directory(app: App, paths: RootfsPaths) -> Iterator[Diagnostic]:
    """Return whether the working directory is there: an executor must fail without it."""
    asked = (app.working_directory or "/").encode()
    found = paths.resolve(asked)
    why = ""
    if found.state is State.MISSING:
        why = describe_missing(asked, found)
    elif found.node is not None and found.node.kind is not Kind.DIRECTORY:
        why = f'"{escape(asked)}" is not a directory'
    if why:
        yield warning("working-directory", f"{why}, so the app cannot start", place="app.workingDirectory")


def _lint_mount_points(app: App, survey: Survey, paths: RootfsPaths) -> Iterator[Diagnostic]:
    """Return which files of the image nobody will ever see, because each mount point gets a volume."""
    for index, point in enumerate(app.mount_points):
        place = f"app.mountPoints[{index}].path"
        path = normalise_path(point.path).encode()
        there = paths.find(path)
        if there is not None and there.kind is Kind.FILE:
            yield warning("mount-hides-files", f'"{escape(point.path)}" is a file in the image, which a volume hides', place=place)
        elif (first := survey.masked.get(path)) is not None:
            why = f'a volume hides what the image has in "{escape(point.path)}", such as {escape(first)}'
            yield warning("mount-hides-files", why, place=place)
