"""The options of an app: what stands between an image and `--`, and what it replaces in the image's `app`.

What the words mean is read elsewhere; this module holds the values and applies them. An image without an `app` needs --exec.

Source: pods.md, `app`: "substitute for the app object of the referred image's ImageManifest".
"""

from __future__ import annotations

from acrun.isolator_options import replace_isolators
from acrun.ports import merge_ports
from acspec.app import App, EnvironmentVariable
from acspec.errors import UsageError
from acspec.values import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from acspec.app import Port
    from acspec.image_manifest import Annotation
    from acspec.isolators import Isolator
    from acspec.names import ACName
    from acspec.pod_manifest import RuntimeApp
    from acspec.volumes import Mount


class AppOptions(Value):
    """What the command line says about one app; None and empty mean: as the image has it."""

    name: ACName | None = None
    exec: str | None = None
    user: str | None = None
    group: str | None = None
    supplementary_gids: tuple[int, ...] = ()
    working_directory: str | None = None
    environment: tuple[tuple[str, str], ...] = ()
    mounts: tuple[Mount, ...] = ()
    read_only_rootfs: bool = False
    annotations: tuple[Annotation, ...] = ()
    ports: tuple[Port, ...] = ()
    isolators: tuple[Isolator, ...] = ()


class ImageRequest(Value):
    """One image of the command line: as it was typed, the options of its app, the arguments for its program.

    One of a pod manifest has the app in there as its *template*.
    """

    image: str
    options: AppOptions = AppOptions()
    arguments: tuple[str, ...] = ()
    template: RuntimeApp | None = None


def apply_options(image: str, app: App | None, options: AppOptions, arguments: Sequence[str]) -> App:
    """Return the app to run: the image's own, with what the options replace and the arguments appended to exec.

    Raises: UsageError when there is nothing to execute; FormatError when a value breaks the specification.
    Source: aci.md, exec ("ACE MAY append or override the list"), environment ("ACE can append").
    """
    base = app if app is not None else App(exec=(), user="0", group="0")
    program = (options.exec,) if options.exec is not None else base.exec
    if options.exec == "":
        raise UsageError("--exec", "names no program")
    if not any(program[:1]):
        raise UsageError(image, "the image has no program to run", "--exec PROGRAM names one")
    return replace(
        base,
        exec=(*program, *arguments),
        user=options.user if options.user is not None else base.user,
        group=options.group if options.group is not None else base.group,
        supplementary_gids=options.supplementary_gids or base.supplementary_gids,
        working_directory=options.working_directory or base.working_directory,
        environment=_merge(base.environment, options.environment),
        ports=merge_ports(base.ports, options.ports),
        isolators=replace_isolators(base.isolators, options.isolators),
    )


def _merge(own: Sequence[EnvironmentVariable], added: Sequence[tuple[str, str]]) -> tuple[EnvironmentVariable, ...]:
    values = {variable.name: variable.value for variable in own} | dict(added)
    return tuple(EnvironmentVariable(name=name, value=value) for name, value in values.items())
