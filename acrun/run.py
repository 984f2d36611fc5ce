"""The sequence of a run: resolve, render, reify, note, launch.

Everything up to the launch can fail and leaves nothing but rendered trees and notes of plans, which are caches.

Source: ace.md, App Container Executor; spec/pod-directory.md.
"""

from __future__ import annotations

import time

from acrun.arguments import cut_arguments
from acrun.idmap import owner_notes
from acrun.launch import LaunchOptions, MakeOptions, RunOptions, make_pod, start
from acrun.mounts import resolve_sources
from acrun.options import ImageRequest
from acrun.plans import Evidence, Plan, PlannedApp, note_plan
from acrun.pod import AppRequest, ReifiedPod, reify
from acrun.pod_file import PodFile, read_pod_file
from acrun.resolve import resolve_image
from acrun.seccomp import get_filter
from acrun.supervision import Supervision
from acrun.trees import Tree, get_tree
from acrun.workspace import check_run_directory
from acspec.directories import data_directory, run_directory
from acspec.durable import make_directories
from acspec.pods import PREPARED
from acspec.program import Unwinding, tell
from acspec.values import Value, field, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

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
    make: MakeOptions = field(default_factory=MakeOptions)
    supervision: Supervision = field(default_factory=Supervision)


def run_pod(options: PodOptions, images: Sequence[ImageRequest], run: RunOptions, words: Sequence[str] = ()) -> Detached:
    """Run *images* as one pod; this process becomes stage1, or returns how the start of a detached pod went.

    *words* are the whole command line, where it alone says what is asked for: what it comes to is noted for the next time.

    Raises: UsageError; MissingInputError; FormatError; StorageError; OSError.
    Source: ace.md; spec/pod-directory.md; spec/stage1.md; spec/store.md, Notes of plans.
    """
    return start(_make_pod(options, images, run, "run", words), run)


def prepare_pod(options: PodOptions, images: Sequence[ImageRequest]) -> str:
    """Prepare *images* as one pod, to be run later, and return its UUID.

    Raises: as `run_pod` does.
    Source: spec/pod-directory.md, Phases.
    """
    pod = _make_pod(options, images, RunOptions(), PREPARED)
    pod.unlock()
    return pod.uuid


def _make_pod(options: PodOptions, images: Sequence[ImageRequest], run: RunOptions, phase: str, words: Sequence[str] = ()) -> Pod:
    launch_options = LaunchOptions(options.make, options.supervision, run)
    launch_options.check()
    typed, arguments = cut_arguments(words)
    is_noted = _may_be_noted(options, images, arguments) if typed else False
    asked = [*images[:-1], replace(images[-1], arguments=())] if is_noted else images
    plan, trees, evidence = _work_out(options, asked)
    if is_noted:
        note_plan(run_directory(None), data_directory(None), typed, plan, launch_options.to_note(), evidence)
        plan.append_arguments(arguments)
    for note in plan.notes:
        tell("acrun", note)
    return make_pod(run_directory(options.directory), plan, trees, launch_options, phase)


def _may_be_noted(options: PodOptions, images: Sequence[ImageRequest], arguments: Sequence[str]) -> bool:
    """Tell whether what was asked for depends on nothing but the words of the command line and what a note can bear witness to.

    The environment may hold secrets, which must not outlive the pod. *arguments* are those that are cut off from the words.
    """
    with_environment = options.environment or any(image.options.environment for image in images)
    return not with_environment and options.directory is None and images[-1].arguments == tuple(arguments)


def _work_out(options: PodOptions, images: Sequence[ImageRequest]) -> tuple[Plan, list[Tree], Evidence]:
    """Return the plan, the trees of its apps, and what all of it was worked out from."""
    began = time.time_ns()
    data, run = data_directory(options.directory), run_directory(options.directory)
    pod = read_pod_file(options.pod_file, data) if options.pod_file is not None else None
    requests = [_request(options, image, data) for image in (images if pod is None else _of_manifest(pod.manifest))]
    named = _volumes(options, pod)
    volumes = resolve_sources(named, follow_links=options.symlink_volumes)
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
    sources = [
        (volume.source, found.source) for volume, found in zip(named, volumes, strict=True) if volume.source and found.source
    ]
    notes = (*(pod.notes if pod is not None else ()), *reified.notes)
    plan = _plan(replace(reified, notes=notes), requests, trees, filters)
    if options.quiet:
        plan.notes = ()
    return plan, trees, Evidence(began, witnesses, sources)


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
