"""The sequence of a run: resolve, render, reify, write, hand over.

Everything up to the last step can fail and leaves nothing but rendered trees, which are a cache. After the last step this
process is stage1.

Source: ace.md, App Container Executor; spec/pod-directory.md.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from acrun.arguments import STANDARD_INPUT
from acrun.backends import COPY, choose_backend
from acrun.inputs import is_image_list, read_images
from acrun.mounts import check_sources
from acrun.options import ImageRequest
from acrun.pod import AppRequest, ReifiedPod, reify
from acrun.resolve import resolve_image
from acrun.stage1 import become_stage1, find_stage1
from acrun.trees import Tree, get_tree
from acrun.write import AppFiles, make_volumes, stage1_document, write_pod
from acspec.directories import data_directory, run_directory
from acspec.durable import remove_tree, write_file
from acspec.errors import UsageError
from acspec.jsontext import dump_json
from acspec.pods import Pod, Pods
from acspec.program import tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from acspec.volumes import Mount, Volume


@dataclass(frozen=True, slots=True)
class PodOptions:
    """What the command line says about the whole pod."""

    directory: str | None = None
    name: str | None = None
    hostname: str | None = None
    volumes: tuple[Volume, ...] = ()
    mounts: tuple[Mount, ...] = ()
    interactive: bool = False
    keep: bool = False
    strict: bool = False
    overlay: bool = True
    nested_mounts: bool = False
    symlink_volumes: bool = False
    uuid_file: str | None = None
    grace_period: int = 10
    cgroup_parent: str | None = None
    stage1: str | None = None
    quiet: bool = False
    debug: bool = False
    log: str = "file"


def run_pod(options: PodOptions, images: Sequence[ImageRequest]) -> None:
    """Run *images* as one pod; on success this process becomes stage1, so it does not return.

    Raises: UsageError; MissingInputError; FormatError; StorageError; OSError.
    Source: ace.md; spec/pod-directory.md; spec/stage1.md.
    """
    stage1 = find_stage1(options.stage1)
    data, run = data_directory(options.directory), run_directory(options.directory)
    requests = [_request(image, data) for image in _name_images(images, interactive=options.interactive)]
    volumes = check_sources(options.volumes, follow_links=options.symlink_volumes)
    reified = reify(requests, volumes, options.mounts, strict=options.strict, nested=options.nested_mounts)
    for note in () if options.quiet else reified.notes:
        tell("acrun", note)
    os.makedirs(run, mode=0o755, exist_ok=True)
    trees = [get_tree(run, request.resolved.layers, request.resolved.files) for request in requests]
    pod = Pods(run).create()
    try:
        _fill(pod, options, requests, reified, trees)
        pod.move("run")
    except BaseException:
        pod.pods.release_names(pod.uuid)
        remove_tree(pod.path)
        raise
    _become(stage1, pod, options)


def _name_images(images: Sequence[ImageRequest], *, interactive: bool) -> list[ImageRequest]:
    """Return *images* with `-` replaced by what standard input names; without any image, standard input is asked."""
    if images and not any(image.image == STANDARD_INPUT for image in images):
        return list(images)
    if sum(image.image == STANDARD_INPUT for image in images) > 1:
        raise UsageError(STANDARD_INPUT, "standard input can be read only once")
    if not is_image_list(0):
        raise UsageError("acrun", "no image", "acrun IMAGE, or acfetch NAME | acrun")
    if interactive:
        raise UsageError("--interactive", "standard input names the images, so it cannot be the app's too")
    names = read_images(0)
    given = list(images) or [ImageRequest(STANDARD_INPUT)]
    return [piece for image in given for piece in _replace(image, names)]


def _replace(image: ImageRequest, names: Sequence[str]) -> list[ImageRequest]:
    if image.image != STANDARD_INPUT:
        return [image]
    return [ImageRequest(name, image.options, image.arguments) for name in names]


def _request(image: ImageRequest, data: str) -> AppRequest:
    return AppRequest(image.image, resolve_image(image.image, data), image.options, image.arguments)


def _fill(pod: Pod, options: PodOptions, requests: Sequence[AppRequest], reified: ReifiedPod, trees: Sequence[Tree]) -> None:
    if options.name is not None:
        pod.pods.claim_name(options.name, pod.uuid)
    if options.uuid_file is not None:
        write_file(options.uuid_file, f"{pod.uuid}\n".encode("ascii"))
    apps = [
        AppFiles(app.name, request.resolved.image.manifest_bytes, tree, [layer.image_id for layer in request.resolved.layers])
        for app, request, tree in zip(reified.manifest.apps, requests, trees, strict=True)
    ]
    backend = choose_backend(os.path.dirname(pod.pods.path)) if options.overlay else COPY
    document = stage1_document(
        apps,
        backend,
        hostname=options.hostname or options.name or apps[0].name,
        stdin_app=_stdin_app(options, apps),
        switches={
            "remove": not options.keep,
            "strict": options.strict,
            "log": options.log,
            "gracePeriod": options.grace_period,
            "cgroupParent": options.cgroup_parent,
        },
    )
    write_pod(pod.path, dump_json(reified.manifest.to_json()), document, apps, backend)
    make_volumes(pod.path, reified.manifest.volumes)


def _stdin_app(options: PodOptions, apps: Sequence[AppFiles]) -> str | None:
    if not options.interactive:
        return None
    if len(apps) != 1:
        raise UsageError("--interactive", f"the pod has {len(apps)} apps, and standard input can belong to one only")
    return apps[0].name


def _become(stage1: list[str], pod: Pod, options: PodOptions) -> None:
    if pod.lock_fd is None:
        raise AssertionError("the pod is locked since its creation")
    become_stage1(stage1, pod.path, pod.lock_fd, interactive=options.interactive, debug=options.debug)
