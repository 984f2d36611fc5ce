"""What a command line changes in an image manifest, as one value, and the changes made in parsed JSON.

Only what was asked for changes: keys that nobody knows, the order of keys and lists, and what means the same already stay as they
are. What the words of the options mean is `manifest_options`' to say.

Source: aci.md, Image Manifest Schema.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy

from acspec.app import EnvironmentVariable, EventHandler, Port
from acspec.errors import UsageError
from acspec.fields import Fields
from acspec.image_manifest import Annotation, Dependency, parse_image_manifest
from acspec.isolators import EXCLUSIVE, Isolator
from acspec.jsontext import dump_json, dump_like, parse_json
from acspec.labels import Label
from acspec.names import ACIdentifier
from acspec.option_words import typed
from acspec.typed import cast
from acspec.values import Value
from acspec.volumes import MountPoint
from actool.changes.removals import Removal, remove, remove_items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.jsontext import JSONValue

    Object = dict[str, JSONValue]

_DEFAULT_OWNER = "0"

# The options that need an app, each by the field that it fills.
_APP_OPTIONS = {
    "exec": "--exec",
    "user": "--user",
    "group": "--group",
    "supplementary_gids": "--supplementary-groups",
    "working_directory": "--working-dir",
    "environment": "--env",
    "handlers": "--pre-start and --post-stop",
    "mount_points": "--mounts",
    "ports": "--ports",
    "isolators": "options for isolators",
    "user_labels": "--user-label",
    "user_annotations": "--user-annotation",
}


class ManifestChanges(Value):
    """What is to change: None and empty mean that it stays. Removals come first; items of lists are set by their names."""

    removals: tuple[Removal, ...] = ()
    name: ACIdentifier | None = None
    labels: tuple[Label, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    path_whitelist: tuple[str, ...] = ()
    exec: tuple[str, ...] | None = None
    user: str | None = None
    group: str | None = None
    supplementary_gids: tuple[int, ...] | None = None
    working_directory: str | None = None
    environment: tuple[EnvironmentVariable, ...] = ()
    handlers: tuple[EventHandler, ...] = ()
    mount_points: tuple[MountPoint, ...] = ()
    ports: tuple[Port, ...] = ()
    isolators: tuple[Isolator, ...] = ()
    user_labels: tuple[tuple[str, str], ...] = ()
    user_annotations: tuple[tuple[str, str], ...] = ()

    def find_app_option(self) -> str | None:
        """Return the first option given that changes the app, None when the app stays."""
        return next((option for field, option in _APP_OPTIONS.items() if getattr(self, field) not in (None, ())), None)


def change_manifest(data: bytes, what: str, changes: ManifestChanges) -> bytes:
    """Return the image manifest *data* (*what* names it in errors) with *changes*, laid out as it was; as it is when none counts.

    Raises: FormatError when it is not valid; UsageError when the changes cannot be made, or make one that is not.
    Source: aci.md, Image Manifest Schema.
    """
    parse_image_manifest(data, what)
    before = cast("Object", parse_json(data, what))
    after = apply_changes(before, changes)
    if dump_json(after) == dump_json(before):
        return data
    changed = dump_like(after, data)
    with typed():
        parse_image_manifest(changed, "manifest, with these changes")
    return changed


def apply_changes(manifest: Object, changes: ManifestChanges) -> Object:
    """Return a copy of *manifest*, a valid image manifest as parsed JSON, with *changes* made.

    An option of the app makes an app where there is none, if one of them is --exec: its user and group are 0 unless they are given.

    Raises: UsageError for a removal of what is not there, or an option of an app that is not there.
    Source: aci.md, Image Manifest Schema.
    """
    manifest = deepcopy(manifest)
    for removal in changes.removals:
        remove(manifest, removal)
    if changes.name is not None:
        manifest["name"] = changes.name
    _set_pairs(manifest, "labels", changes.labels)
    _set_pairs(manifest, "annotations", changes.annotations)
    _set_objects(manifest, "dependencies", changes.dependencies, "imageName")
    _add_texts(manifest, "pathWhitelist", changes.path_whitelist)
    if (option := changes.find_app_option()) is not None:
        _change_app(_get_app(manifest, changes, option), changes)
    return manifest


def _get_app(manifest: Object, changes: ManifestChanges, option: str) -> Object:
    if manifest.get("app") is None:
        if changes.exec is None:
            raise UsageError(option, "there is no app in the manifest", "--exec makes one")
        manifest["app"] = {"exec": [], "user": _DEFAULT_OWNER, "group": _DEFAULT_OWNER}
    return cast("Object", manifest["app"])


def _change_app(app: Object, changes: ManifestChanges) -> None:
    if changes.exec is not None:
        app["exec"] = list(changes.exec)
    for key, value in (("user", changes.user), ("group", changes.group), ("workingDirectory", changes.working_directory)):
        if value is not None:
            app[key] = value
    if changes.supplementary_gids is not None:
        app.pop("supplementaryGids", None)  # the specification's own example; readers that ignore case would see two lists
        app["supplementaryGIDs"] = list(changes.supplementary_gids)
    _set_pairs(app, "environment", changes.environment)
    _set_objects(app, "eventHandlers", changes.handlers, "name")
    _set_objects(app, "mountPoints", changes.mount_points, "name")
    _set_objects(app, "ports", changes.ports, "name")
    for isolator in changes.isolators:
        remove_items(app, "isolators", {EXCLUSIVE.get(isolator.name, "")}, "name")
        _set_objects(app, "isolators", (isolator,), "name")
    _set_texts(app, "userLabels", changes.user_labels)
    _set_texts(app, "userAnnotations", changes.user_annotations)


def _items(owner: Object, key: str) -> list[Object]:
    """Return the list at *key*, made when it is absent or null."""
    if owner.get(key) is None:
        owner[key] = []
    return cast("list[Object]", owner[key])


def _set_pairs(owner: Object, key: str, pairs: Iterable[Label | Annotation | EnvironmentVariable]) -> None:
    """Set the value of each name in a list of names and values, at the end when the name is new."""
    for pair in pairs:
        items = _items(owner, key)
        for item in items:
            if item["name"] == pair.name:
                item["value"] = pair.value
                break
        else:
            items.append({"name": pair.name, "value": pair.value})


def _set_objects(
    owner: Object, key: str, things: Iterable[Dependency | EventHandler | Isolator | MountPoint | Port], by: str
) -> None:
    """Set each of *things* in the list at *key*, in the place of those that have its name (its key *by*), else at the end."""
    for thing in things:
        items, new = _items(owner, key), thing.to_json()
        same = [item for item in items if item[by] == new[by]]
        if not same:
            items.append(new)
            continue
        old = type(thing).read(Fields(same[0], key))
        new |= {key: value for key, value in old.unknown.items() if key not in new}
        chosen = same[0] if dump_json(old.to_json()) == dump_json(new) else new
        owner[key] = [chosen if item is same[0] else item for item in items if item is same[0] or item[by] != new[by]]


def _add_texts(owner: Object, key: str, texts: Iterable[str]) -> None:
    for text in texts:
        known = cast("list[JSONValue]", _items(owner, key))
        if text not in known:
            known.append(text)


def _set_texts(owner: Object, key: str, pairs: Iterable[tuple[str, str]]) -> None:
    for name, value in pairs:
        if owner.get(key) is None:
            owner[key] = {}
        cast("Object", owner[key])[name] = value
