"""The options for what is in a manifest, alike in every command that has them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, TypeVar

import typer

from actool.changes.isolator_options import make_capability_sets, make_seccomp_set, parse_isolators
from actool.changes.manifest_changes import ManifestChanges
from actool.changes.manifest_options import (
    check_text,
    parse_annotation,
    parse_app_owner,
    parse_command,
    parse_dependency,
    parse_groups,
    parse_handler,
    parse_label,
    parse_mounts,
    parse_name,
    parse_path,
    parse_ports,
    parse_user_annotation,
    parse_user_label,
    parse_variable,
)

T = TypeVar("T")

_MOUNT = "NAME,path=PATH[,readOnly=true][:NAME,…]"
_PORT = "NAME,protocol=tcp,port=N[,count=N][,socketActivated=true][:NAME,…]"
_ISOLATOR = "NAME,request=N,limit=N[:NAME,VALUE]"
_IMAGE = "NAME[:VERSION][,LABEL=VALUE…][@IMAGE-ID]"


def read_changes(
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The name of the image.")] = None,
    label: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A label; may be repeated.")] = None,
    program: Annotated[
        str | None, typer.Option("--exec", metavar="COMMAND", help="What the app runs; split into words as a shell does.")
    ] = None,
    user: Annotated[str | None, typer.Option(metavar="USER", help="The app's user: a name, a number, or /path.")] = None,
    group: Annotated[str | None, typer.Option(metavar="GROUP", help="The app's group: a name, a number, or /path.")] = None,
    supplementary_groups: Annotated[
        list[str] | None, typer.Option(metavar="GID,GID…", help="All further groups of the app, by number.")
    ] = None,
    working_dir: Annotated[str | None, typer.Option(metavar="PATH", help="The app's working directory.")] = None,
    env: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="An environment variable; may be repeated.")] = None,
    pre_start: Annotated[str | None, typer.Option(metavar="COMMAND", help="What runs before the app.")] = None,
    post_stop: Annotated[str | None, typer.Option(metavar="COMMAND", help="What runs after the app.")] = None,
    mounts: Annotated[list[str] | None, typer.Option(metavar=_MOUNT, help="Mount points, each set by its name.")] = None,
    ports: Annotated[list[str] | None, typer.Option(metavar=_PORT, help="Ports, each set by its name.")] = None,
    isolators: Annotated[list[str] | None, typer.Option(metavar=_ISOLATOR, help="Isolators, each set by its name.")] = None,
    capability: Annotated[
        list[str] | None, typer.Option(metavar="CAP,CAP…", help="The only capabilities that the app keeps.")
    ] = None,
    revoke_capability: Annotated[
        list[str] | None, typer.Option(metavar="CAP,CAP…", help="Capabilities that the app loses.")
    ] = None,
    seccomp_mode: Annotated[
        str | None, typer.Option(metavar="retain|remove[,errno=NAME]", help="What --seccomp-set is: all that is allowed, or not.")
    ] = None,
    seccomp_set: Annotated[list[str] | None, typer.Option(metavar="CALL,CALL…", help="System calls.")] = None,
    annotation: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="An annotation; may be repeated.")] = None,
    dependency: Annotated[list[str] | None, typer.Option(metavar=_IMAGE, help="An image below this one; may be repeated.")] = None,
    path_whitelist: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="A path that is kept when others are not; may be repeated.")
    ] = None,
    user_label: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A user label of the app.")] = None,
    user_annotation: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="A user annotation of the app.")] = None,
) -> ManifestChanges:
    """Return what the options ask for. Raises: UsageError."""
    handlers = (("pre-start", pre_start), ("post-stop", post_stop))
    return ManifestChanges(
        name=_one(parse_name, name),
        labels=_each(parse_label, label),
        annotations=_each(parse_annotation, annotation),
        dependencies=_each(parse_dependency, dependency),
        path_whitelist=_each(lambda text: parse_path("--path-whitelist", text), path_whitelist),
        exec=_one(lambda text: parse_command("--exec", text), program),
        user=_one(lambda text: parse_app_owner("--user", text), user),
        group=_one(lambda text: parse_app_owner("--group", text), group),
        supplementary_gids=_one(parse_groups, None if supplementary_groups is None else ",".join(supplementary_groups)),
        working_directory=_one(lambda text: parse_path("--working-dir", text), working_dir),
        environment=_each(parse_variable, env),
        handlers=tuple(parse_handler(event, text) for event, text in handlers if text is not None),
        mount_points=_flat(parse_mounts, mounts),
        ports=_flat(parse_ports, ports),
        isolators=(
            *make_capability_sets(capability or (), revoke_capability or ()),
            *make_seccomp_set(seccomp_mode, seccomp_set or ()),
            *_flat(parse_isolators, isolators),
        ),
        user_labels=_each(parse_user_label, user_label),
        user_annotations=_each(parse_user_annotation, user_annotation),
    )


def _one(parse: Callable[[str], T], text: str | None) -> T | None:
    return None if text is None else parse(text)


def _each(parse: Callable[[str], T], texts: list[str] | None) -> tuple[T, ...]:
    return tuple(parse(text) for text in texts or ())


def _flat(parse: Callable[[str], tuple[T, ...]], texts: list[str] | None) -> tuple[T, ...]:
    return tuple(thing for text in texts or () for thing in parse(text))


def with_manifest_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return *command* with all the options for manifests in place of its parameter `changes`."""
    own, shared = inspect.signature(command, eval_str=True), inspect.signature(read_changes, eval_str=True)

    @wraps(command)
    def run(**values: Any) -> None:
        asked = {name: values.pop(name) for name in shared.parameters}
        for name, value in asked.items():
            for text in [value] if isinstance(value, str) else value or ():
                check_text(f"--{name.replace('_', '-')}", text)
        command(**values, changes=read_changes(**asked))

    parameters = [parameter for parameter in own.parameters.values() if parameter.name != "changes"]
    run.__signature__ = own.replace(parameters=[*parameters, *shared.parameters.values()])  # type: ignore[attr-defined]
    return run
