"""The sequence of a run: resolve, render, reify, launch; or, when the very same was asked before, straight to the launch.

Everything up to the launch can fail and leaves nothing but rendered trees and notes of plans, which are caches.

Source: ace.md, App Container Executor; spec/pod-directory.md.
"""

from __future__ import annotations

import time

from acrun.idmap import owner_notes
from acrun.launch import PREPARED, LaunchOptions, Making, RunOptions, launch, make_pod, start
from acrun.mounts import resolve_sources
from acrun.options import ImageRequest
from acrun.plans import Plan, PlannedApp, note_plan
from acrun.pod import AppRequest, ReifiedPod, reify
from acrun.pod_file import PodFile, read_pod_file
from acrun.resolve import resolve_image
from acrun.seccomp import get_filter
from acrun.supervision import Supervision
from acrun.trees import Tree, get_tree
from acrun.workspace import check_run_directory
from acspec.directories import data_directory, run_directory
from acspec.durable import make_directories
from acspec.program import Unwinding, tell
from acspec.values import Value, field, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from acrun.detach import Detached
    from acrun.filters import Filter
    from acspec.image_manifest import Annotation
    from acspec.isolators import Isolator
    from acspec.pod_manifest import ExposedPort, PodManifest, RuntimeApp
    from acspec.pods import Pod
    from acspec.volumes import Mount, Volume


class PodOptions(Value):
    """What the command line says about the whole pod."""

    directory: str | None = None
    volumes: tuple[Volume, ...] = ()
    mounts: tuple[Mount, ...] = ()
    nested_mounts: bool = False
    symlink_volumes: bool = False
    quiet: bool = False
    pod_file: str | None = None
    environment: tuple[tuple[str, str], ...] = ()
    ports: tuple[ExposedPort, ...] = ()
    isolators: tuple[Isolator, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    making: Making = field(default_factory=Making)
    supervision: Supervision = field(default_factory=Supervision)


def run_pod(options: PodOptions, images: Sequence[ImageRequest], run: RunOptions) -> Detached:
    """Run *images* as one pod; this process becomes stage1, or returns how the start of a detached pod went.

    Raises: UsageError; MissingInputError; FormatError; StorageError; OSError.
    Source: ace.md; spec/pod-directory.md; spec/stage1.md.
    """
    return start(_make_pod(options, images, run, "run"), run)


def prepare_pod(options: PodOptions, images: Sequence[ImageRequest]) -> str:
    """Prepare *images* as one pod, to be run later, and return its UUID.

    Raises: as `run_pod` does.
    Source: spec/pod-directory.md, Phases.
    """
    pod = _make_pod(options, images, RunOptions(), PREPARED)
    pod.unlock()
    return pod.uuid


def _make_pod(options: PodOptions, images: Sequence[ImageRequest], run: RunOptions, phase: str) -> Pod:
    launch_options = LaunchOptions(options.making, options.supervision, run)
    launch_options.check()
    plan, trees, _ = _work_out(options, images)
    _tell(options, plan)
    return make_pod(run_directory(options.directory), plan, trees, launch_options, phase)


def run_image(image: ImageRequest) -> NoReturn:
    """Run one image without any option, and note the plan for the next time; on success this process becomes stage1.

    Raises: as `run_pod` does.
    Source: spec/store.md, Notes of plans.
    """
    options, launch_options = PodOptions(), LaunchOptions()
    launch_options.check()
    plan, trees, witnesses = _work_out(options, [image])
    if not image.arguments:
        note_plan(run_directory(None), data_directory(None), image.image, plan, witnesses, time.time_ns())
    _tell(options, plan)
    launch(run_directory(None), plan, trees, launch_options)


def _work_out(options: PodOptions, images: Sequence[ImageRequest]) -> tuple[Plan, list[Tree], list[str]]:
    """Return the plan, the trees of its apps, and the files that all of it was worked out from."""
    data, run = data_directory(options.directory), run_directory(options.directory)
    pod = read_pod_file(options.pod_file, data) if options.pod_file is not None else None
    requests = [_request(options, image, data) for image in (images if pod is None else _of_manifest(pod.manifest))]
    volumes = resolve_sources(_volumes(options, pod), follow_links=options.symlink_volumes)
    reified = reify(
        requests,
        volumes,
        options.mounts,
        options.isolators,
        strict=options.supervision.strict,
        nested=options.nested_mounts,
        template=pod.manifest if pod is not None else None,
        ports=options.ports,
        annotations=options.annotations,
    )
    make_directories(run, 0o755)
    check_run_directory(run)
    filters = [_filter(run, app) for app in reified.manifest.apps]
    with Unwinding():  # a tree that is half made goes
        trees = [get_tree(run, request.resolved.layers, request.resolved.files) for request in requests]
    for tree, request in zip(trees, requests, strict=True):
        if tree.lost and not options.quiet:
            tell("acrun", f"{request.text}: could not be kept in its tree: {tree.lost} (root could keep them)")
    witnesses = [path for request in requests for path in request.resolved.witnesses]
    notes = (*(pod.notes if pod is not None else ()), *reified.notes)
    return _plan(replace(reified, notes=notes), requests, trees, filters), trees, witnesses


def _of_manifest(manifest: PodManifest) -> list[ImageRequest]:
    return [ImageRequest(app.image.id, template=app) for app in manifest.apps]


def _volumes(options: PodOptions, pod: PodFile | None) -> list[Volume]:
    """Return the volumes of the pod: those of a manifest give way to the command line's of the same name."""
    typed = {volume.name for volume in options.volumes}
    of_manifest = pod.manifest.volumes if pod is not None else ()
    return [*(volume for volume in of_manifest if volume.name not in typed), *options.volumes]


def _request(options: PodOptions, image: ImageRequest, data: str) -> AppRequest:
    text = image.image if image.template is None else f"app {image.template.name}"
    own = replace(image.options, environment=(*options.environment, *image.options.environment))
    return AppRequest(text, resolve_image(image.image, data), own, image.arguments, image.template)


def _plan(reified: ReifiedPod, requests: Sequence[AppRequest], trees: Sequence[Tree], filters: Sequence[Filter]) -> Plan:
    apps = [
        PlannedApp(tree.key, [layer.image_id for layer in request.resolved.layers], calls)
        for request, tree, calls in zip(requests, trees, filters, strict=True)
    ]
    stored = dict.fromkeys(path for request in requests for path in request.resolved.held())
    names = (app.name for app in reified.manifest.apps)
    doubts = [f"{name}: {calls.isolator}: {calls.why}" for name, calls in zip(names, filters, strict=True) if calls.is_modified]
    return Plan(reified.manifest.to_json(), apps, (*reified.notes, *owner_notes(reified.manifest.volumes), *doubts), stored)


def _filter(run: str, app: RuntimeApp) -> Filter:
    return get_filter(run, app.app.isolators if app.app is not None else (), f"app {app.name}")


def _tell(options: PodOptions, plan: Plan) -> None:
    for note in () if options.quiet else plan.notes:
        tell("acrun", note)
