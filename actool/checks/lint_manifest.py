"""What the specification says that a manifest SHOULD be, as far as the manifest itself tells.

Source: aci.md, name, ports; ace.md, Volume Setup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from acspec.app import App, Port
from acspec.escape import escape
from acspec.image_manifest import ImageManifest
from acspec.layer_plan import normalise_path
from acspec.pod_manifest import PodManifest, RuntimeApp
from actool.checks.lint_rkt import lint_annotations, lint_isolators
from actool.checks.reports import Diagnostic, warning

# What IANA's table of protocols has for transport.
_TRANSPORTS = frozenset({"tcp", "udp", "sctp", "dccp", "udplite"})

Target = tuple[str, str]  # where a path stands in the manifest, and the path


def lint_image_manifest(manifest: ImageManifest) -> Iterator[Diagnostic]:
    """Return what the image manifest should be and is not.

    Source: aci.md, Image Manifest Schema.
    """
    host, slash, _ = manifest.name.partition("/")
    if "." not in host and not (host == "localhost" and slash):
        hint = f"such as example.com/{manifest.name}"
        yield warning(
            "image-name", f'"{manifest.name}" does not begin with a host, so it cannot be discovered', place="name", hint=hint
        )
    yield from lint_annotations(manifest.annotations, "annotations")
    if manifest.app is not None:
        yield from _lint_ports("app", manifest.app)
        yield from lint_targets(_mount_points("app", manifest.app))
        yield from lint_isolators(manifest.app.isolators, "app.isolators")


def lint_pod_manifest(manifest: PodManifest) -> Iterator[Diagnostic]:
    """Return what the pod manifest should be and is not.

    Source: pods.md, Pod Manifest Schema.
    """
    if not manifest.apps:
        yield warning("pod-empty", "the pod has no app, so there is nothing to run", place="apps")
    for index, item in enumerate(manifest.apps):
        place = f"apps[{index}]"
        if item.app is not None:
            yield from _lint_ports(f"{place}.app", item.app)
            yield from lint_isolators(item.app.isolators, f"{place}.app.isolators")
        yield from lint_targets(_mounts(place, item))
    for index, exposed in enumerate(manifest.ports):
        if exposed.pod_port is not None:
            yield from _lint_port(f"ports[{index}].podPort", exposed.pod_port)


def _mount_points(place: str, app: App) -> list[Target]:
    return [(f"{place}.mountPoints[{index}].path", point.path) for index, point in enumerate(app.mount_points)]


def _mounts(place: str, item: RuntimeApp) -> list[Target]:
    """Return the targets of a pod's app: its mounts, and those of its mount points that no mount satisfies."""
    mounts = [(f"{place}.mounts[{index}].path", mount.path) for index, mount in enumerate(item.mounts)]
    taken = {normalise_path(path) for _, path in mounts}
    points = [] if item.app is None else _mount_points(f"{place}.app", item.app)
    return [*mounts, *((where, path) for where, path in points if normalise_path(path) not in taken)]


def _lint_ports(place: str, app: App) -> Iterator[Diagnostic]:
    for index, port in enumerate(app.ports):
        yield from _lint_port(f"{place}.ports[{index}]", port)


def _lint_port(place: str, port: Port) -> Iterator[Diagnostic]:
    if port.protocol not in _TRANSPORTS:
        why = f'"{escape(port.protocol)}" is no transport protocol that is known here, such as tcp or udp'
        yield warning("port-protocol", why, place=f"{place}.protocol")


def lint_targets(targets: Iterable[Target]) -> Iterator[Diagnostic]:
    """Return which mount targets are one another's, lie one inside another, or are where none can be.

    Source: ace.md, Volume Setup; docs/decisions, overlapping and missing mounts.
    """
    usable = []
    for place, path in targets:
        if ".." in path.split("/"):
            yield warning("mount-overlap", f'"{escape(path)}" holds "..", which no mount target may', place=place)
        elif normalise_path(path) == "/":
            yield warning("mount-overlap", "is the root of the app, which no volume can take the place of", place=place)
        else:
            usable.append((normalise_path(path) + "/", place))
    # Sorted with a slash at the end of each, what lies inside a path follows it, and nothing else comes in between.
    outer: list[tuple[str, str]] = []
    for path, place in sorted(usable):
        while outer and not path.startswith(outer[-1][0]):
            outer.pop()
        if outer:
            above, where = outer[-1]
            how = "is the same as" if path == above else "lies inside"
            yield warning("mount-overlap", f'"{escape(path[:-1])}" {how} "{escape(above[:-1])}" at {where}', place=place)
        outer.append((path, place))
