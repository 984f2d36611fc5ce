"""A pod manifest from a file: a template whose images are in the store, by ID or by name, and which the command line completes.

What the specification wants of a reified manifest and a template may leave open is filled in here: the ID of an image that is
only named. A volume of an app's own (`appVolume`) becomes one of the pod's, under a name that nothing else has.

Source: pods.md, "Pod Manifests can serve the role of both deployable template and runtime manifest".
"""

from __future__ import annotations

import os

from acrun.arguments import STANDARD_INPUT
from acrun.inputs import is_image_list
from acrun.mounts import free_name
from acspec import limits
from acspec.errors import FormatError, UsageError
from acspec.fields import Fields
from acspec.jsontext import parse_json, read_limited
from acspec.labels import label_map, read_labels
from acspec.names import parse_ac_identifier
from acspec.pod_manifest import PodManifest
from acspec.references import ImageReference, format_reference
from acspec.resolution import not_stored
from acspec.store import Store
from acspec.values import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.fields import Oddity
    from acspec.jsontext import JSONValue
    from acspec.names import ACName
    from acspec.pod_manifest import RuntimeApp
    from acspec.volumes import Mount, Volume


class PodFile(Value):
    """A pod manifest as it was read, and a line for people about each thing that is odd in it."""

    manifest: PodManifest
    notes: tuple[str, ...]


def read_pod_file(path: str, data_directory: str) -> PodFile:
    """Return the pod manifest in the file *path* (`-`: standard input), each image with its ID.

    Raises: UsageError; MissingInputError; FormatError with the place of the fault; ImageNotFoundError; OSError.
    Source: pods.md, Pod Manifest Schema.
    """
    what = "standard input" if path == STANDARD_INPUT else path
    document = parse_json(_read(path), what)
    _name_images(document, what, Store.open(data_directory))
    warnings: list[Oddity] = []
    manifest = PodManifest.read(Fields(document, what, warnings=warnings))
    if not manifest.apps:
        raise FormatError(f"{what}: apps", "the pod has no app")
    return PodFile(_share_volumes(manifest), tuple(f"{what}: {warning}" for warning in warnings))


def _read(path: str) -> bytes:
    if path == STANDARD_INPUT:
        if not is_image_list(0):
            raise UsageError("--pod -", "nothing is on standard input", "acrun --pod FILE")
        return read_limited(0, limits.MANIFEST_BYTES)
    if os.path.isdir(path):
        raise FormatError(path, "is a directory")
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return read_limited(descriptor, limits.MANIFEST_BYTES)
    finally:
        os.close(descriptor)


def _name_images(document: JSONValue, what: str, store: Store) -> None:
    """Put the ID of the image in the store where an app of *document* has only the image's name."""
    apps = document.get("apps") if isinstance(document, dict) else None
    for index, app in enumerate(apps if isinstance(apps, list) else ()):
        image = app.get("image") if isinstance(app, dict) else None
        if isinstance(image, dict) and image.get("id") is None and image.get("name") is not None:
            image["id"] = _get_id(Fields(image, what, f"apps[{index}].image"), store)


def _get_id(image: Fields, store: Store) -> str:
    reference = ImageReference(image.named("name", parse_ac_identifier), label_map(read_labels(image)))
    record = store.find_meant(reference)
    if record is None:
        raise not_stored(format_reference(reference.name, reference.labels), reference, store)
    return record.id


def _share_volumes(manifest: PodManifest) -> PodManifest:
    volumes: dict[ACName, Volume] = {volume.name: volume for volume in manifest.volumes}
    apps = tuple(_share_app_volumes(app, volumes) for app in manifest.apps)
    return replace(manifest, apps=apps, volumes=tuple(volumes.values()))


def _share_app_volumes(app: RuntimeApp, volumes: dict[ACName, Volume]) -> RuntimeApp:
    def share(mount: Mount) -> Mount:
        if mount.app_volume is None:
            return mount
        name = free_name(f"{app.name}-{mount.volume}", volumes)
        volumes[name] = replace(mount.app_volume, name=name)
        return replace(mount, volume=name, app_volume=None)

    return replace(app, mounts=tuple(map(share, app.mounts)))
