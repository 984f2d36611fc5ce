"""The reified pod manifest: every app by image ID with its `app` in full, every mount point bound to a volume.

Source: pods.md, "A Pod Manifest must be fully resolved (reified) before execution".
"""

from __future__ import annotations

from acrun.errors import MountError
from acrun.isolator_options import replace_isolators
from acrun.mounts import plan_mounts
from acrun.options import AppOptions, apply_options
from acrun.ports import expose, find_port_faults
from acspec.errors import UsageError
from acspec.execution import SUPPORTS_NOTIFY
from acspec.labels import host_architecture, label_map
from acspec.names import sanitise_ac_name
from acspec.pod_manifest import PodManifest, RuntimeApp, RuntimeImage
from acspec.values import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from acrun.resolve import ResolvedImage
    from acspec.app import App
    from acspec.image_manifest import Annotation
    from acspec.isolators import Isolator
    from acspec.names import ACName
    from acspec.pod_manifest import ExposedPort
    from acspec.volumes import Mount, Volume


class AppRequest(Value):
    """One app as it was asked for: the image, the options and the arguments for its program, the app of a pod manifest."""

    text: str
    resolved: ResolvedImage
    options: AppOptions
    arguments: tuple[str, ...]
    template: RuntimeApp | None = None


class ReifiedPod(Value):
    """A pod manifest ready to be executed, and lines for people about what was made up on the way."""

    manifest: PodManifest
    notes: tuple[str, ...]


def reify(
    requests: Sequence[AppRequest],
    volumes: Sequence[Volume],
    mounts: Sequence[Mount],
    isolators: Sequence[Isolator] = (),
    *,
    strict: bool,
    nested: bool,
    template: PodManifest | None = None,
    ports: Sequence[ExposedPort] = (),
    annotations: Sequence[Annotation] = (),
) -> ReifiedPod:
    """Return the pod manifest of the apps asked for, with the pod's *isolators* and *annotations*.

    *mounts* apply to every app, an app's own win at the same target.

    What a *template* says of the pod, apart from apps and volumes, stays; of its isolators and annotations what those do not
    replace.

    Raises: UsageError; MountError; FormatError.
    Source: pods.md, Pod Manifest Schema.
    """
    by_name = {volume.name: volume for volume in volumes}
    if len(by_name) != len(volumes):
        raise MountError("--volume", "two volumes have the same name")
    apps: list[RuntimeApp] = []
    notes: list[str] = []
    for request in requests:
        _check_platform(request)
        _check_name(request)
        name = request.options.name or _app_name(request)
        if any(app.name == name for app in apps):
            raise UsageError(request.text, f"a second app named {name}", "--name after the image gives another")
        app = apply_options(request.text, _own_app(request), request.options, request.arguments)
        of_template = request.template.mounts if request.template is not None else ()
        wanted = {mount.path: mount for mount in (*mounts, *of_template, *request.options.mounts)}
        plan = plan_mounts(name, app, tuple(wanted.values()), by_name, strict=strict, nested=nested)
        by_name |= {volume.name: volume for volume in plan.volumes}
        notes += plan.notes
        apps.append(_runtime_app(name, app, request, plan.mounts))
    notes += _unused(volumes, apps)
    pod = replace(template if template is not None else PodManifest(apps=()), apps=tuple(apps), volumes=tuple(by_name.values()))
    pod = expose(pod, ports)
    for fault in find_port_faults(pod):
        if strict:
            raise UsageError("--strict", fault)
        notes.append(fault)
    of_pod = {annotation.name: annotation for annotation in (*pod.annotations, *annotations)}
    pod = replace(pod, isolators=replace_isolators(pod.isolators, isolators), annotations=tuple(of_pod.values()))
    return ReifiedPod(pod, tuple(notes))


def _own_app(request: AppRequest) -> App | None:
    """Return the app before any option: that of the pod manifest, else the image's. Source: pods.md, apps: app."""
    if request.template is not None and request.template.app is not None:
        return request.template.app
    return request.resolved.image.manifest.app


def _check_name(request: AppRequest) -> None:
    wanted = request.template.image.name if request.template is not None else None
    name = request.resolved.image.manifest.name
    if wanted is not None and wanted != name:
        raise UsageError(request.text, f"image.id is that of {name}, not of {wanted}")


def _app_name(request: AppRequest) -> ACName:
    if request.template is not None:
        return request.template.name
    return sanitise_ac_name(str(request.resolved.image.manifest.name))


def _check_platform(request: AppRequest) -> None:
    labels = label_map(request.resolved.image.manifest.labels)
    system, machine = labels.get("os", "linux"), labels.get("arch", host_architecture())
    if (system, machine) != ("linux", host_architecture()):
        raise UsageError(request.text, f"is for {system}/{machine}, this machine is linux/{host_architecture()}")


def _runtime_app(name: ACName, app: App, request: AppRequest, mounts: Sequence[Mount]) -> RuntimeApp:
    image = request.resolved.image
    own = RuntimeApp(name, RuntimeImage(id=image.image_id, name=image.manifest.name, labels=image.manifest.labels))
    base = request.template if request.template is not None else own
    read_only = base.read_only_rootfs or request.options.read_only_rootfs
    # Of an image's annotations stage1 acts upon this one, so the pod has it, too.
    inherited = (annotation for annotation in image.manifest.annotations if annotation.name == SUPPORTS_NOTIFY)
    annotations = {annotation.name: annotation for annotation in (*inherited, *base.annotations, *request.options.annotations)}
    return replace(
        base, name=name, app=app, read_only_rootfs=read_only, mounts=tuple(mounts), annotations=tuple(annotations.values())
    )


def _unused(volumes: Sequence[Volume], apps: Sequence[RuntimeApp]) -> list[str]:
    used = {mount.volume for app in apps for mount in app.mounts}
    unused = [volume.name for volume in volumes if volume.name not in used]
    return [f"volume {name} is used by no app (--mount volume={name},target=PATH mounts it)" for name in unused]
