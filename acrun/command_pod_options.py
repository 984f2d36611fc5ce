"""The options of a pod, before its images: what `acrun run` and `acrun prepare` both take, worded and read once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from typing import Annotated, Any

import typer

from acrun.arguments import name_images_alone
from acrun.command_app_options import CPU, Annotations, Environment, EnvironmentFiles, Memory, Mounts, read_images
from acrun.command_options import Directory, option_names
from acrun.isolator_options import make_limits
from acrun.launch import MakeOptions
from acrun.option_values import parse_annotation, parse_mount, parse_variables, parse_volume_size, parse_volumes
from acrun.options import ImageRequest
from acrun.ports import parse_exposed
from acrun.run import PodOptions
from acrun.supervision import parse_supervision
from acrun.surroundings import parse_surroundings

_Words = Annotated[list[str] | None, typer.Argument(metavar="IMAGE [APP OPTIONS] [-- ARGS] [--- IMAGE …]")]
_Volumes = Annotated[
    list[str] | None,
    typer.Option(
        "--volume", "-v", metavar="SOURCE:TARGET[:ro]|NAME,kind=…", help="NAME,kind=host,source=PATH,… or NAME,kind=empty,…"
    ),
]


class Log(Enum):
    """What becomes of what the apps write."""

    FILE = "file"
    NONE = "none"


class PodRequest:
    """A pod as it was asked for: what is said of all of it, and the words that name its images.

    `line` is the whole command line, when that says which images, and empty when standard input or a file has to be asked.
    """

    __slots__ = ("_command", "_words", "line", "options")

    def __init__(self, options: PodOptions, words: Sequence[str], command: Callable[..., object], line: Sequence[str]) -> None:
        self.options = options
        self.line = line if name_images_alone(words) else ()
        self._words = words
        self._command = command

    def read_images(self, *, interactive: bool = False) -> list[ImageRequest]:
        """Return the images, each with the options of its app. Raises: UsageError; Typer's errors; OSError."""
        before = partial(option_names, self._command)
        return read_images(self._words, self.options.pod_file, before, interactive=interactive)


def taking_pod_options(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """Return *command*, which takes a `PodRequest` and options of its own, as Typer is to see it: with those of a pod before."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    of_pod = inspect.signature(_read_pod_options, eval_str=True).parameters.values()

    def whole(context: typer.Context, words: list[str] | None, **values: Any) -> int | None:
        rest = {parameter.name: values.pop(parameter.name) for parameter in own}
        return command(PodRequest(_read_pod_options(**values), words or (), whole, context.obj or ()), **rest)

    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    words = inspect.Parameter("words", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=_Words)
    whole.__doc__ = command.__doc__
    whole.__signature__ = inspect.Signature([context, words, *of_pod, *own])  # type: ignore[attr-defined]
    return whole


def _read_pod_options(
    directory: Directory = None,
    pod: Annotated[str | None, typer.Option("--pod", metavar="FILE", help="A pod manifest in place of images; or -.")] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="A name for the pod, beside its UUID.")] = None,
    hostname: Annotated[str | None, typer.Option(metavar="NAME", help="The pod's hostname.")] = None,
    volume: _Volumes = None,
    mount: Mounts = None,
    env: Environment = None,
    env_file: EnvironmentFiles = None,
    dns: Annotated[
        list[str] | None, typer.Option("--dns", metavar="IP,…|host|none", help="Name servers for /etc/resolv.conf.")
    ] = None,
    hosts_entry: Annotated[
        list[str] | None, typer.Option(metavar="IP=NAME,…|host", help="A line for /etc/hosts, or all of the host's.")
    ] = None,
    port: Annotated[
        list[str] | None,
        typer.Option("--port", "-p", metavar="NAME:[ADDRESS:]PORT", help="A port of the host for a socket."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse what would be ignored or made up.")] = False,
    overlay: Annotated[bool, typer.Option("--overlay/--no-overlay", help="Share the rendered tree, or copy it.")] = True,
    allow_nested_mounts: Annotated[bool, typer.Option("--allow-nested-mounts", help="Mount inside other mounts.")] = False,
    allow_symlink_volumes: Annotated[bool, typer.Option("--allow-symlink-volumes", help="Follow links in sources.")] = False,
    uuid_file_save: Annotated[str | None, typer.Option(metavar="FILE", help="Write the pod's UUID to a file.")] = None,
    grace_period: Annotated[str | None, typer.Option(metavar="TIME", help="Between SIGTERM and SIGKILL. [10s]")] = None,
    annotation: Annotations = None,
    memory: Memory = None,
    cpu: CPU = None,
    pids_limit: Annotated[
        int | None, typer.Option(metavar="N", min=2, help="At most so many processes and threads. [4096]")
    ] = None,
    cgroup_parent: Annotated[str | None, typer.Option(metavar="PATH", help="Make the pod's cgroup below this one.")] = None,
    log: Annotated[Log, typer.Option(help="Keep what the apps write, or pass descriptors.")] = Log.FILE,
    log_size: Annotated[str | None, typer.Option(metavar="BYTES", help="A log grows so large, twice. [10Mi]")] = None,
    exit_policy: Annotated[
        str | None, typer.Option(metavar="any-failure|all|first|app=NAME", help="Whose end ends the pod.")
    ] = None,
    restart: Annotated[
        str | None, typer.Option(metavar="no|on-failure|always[:MAX]", help="Start apps again that have ended. [no]")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes.")] = False,
) -> PodOptions:
    volumes, short = parse_volumes(volume or ())
    return PodOptions(
        directory=directory,
        volumes=volumes,
        mounts=(*short, *map(parse_mount, mount or ())),
        nested_mounts=allow_nested_mounts,
        symlink_volumes=allow_symlink_volumes,
        quiet=quiet,
        pod_file=pod,
        environment=parse_variables(env, env_file),
        ports=tuple(map(parse_exposed, port or ())),
        isolators=make_limits(memory=memory, cpu=cpu),
        annotations=tuple(map(parse_annotation, annotation or ())),
        make=MakeOptions(
            name=name,
            hostname=hostname,
            uuid_file=uuid_file_save,
            overlay=overlay,
            surroundings=parse_surroundings(dns or (), hosts_entry or (), filter(None, map(parse_volume_size, volume or ()))),
        ),
        supervision=parse_supervision(
            exit_policy=exit_policy,
            restart=restart,
            grace_period=grace_period,
            log=log.value,
            log_size=log_size,
            pids_limit=pids_limit,
            cgroup_parent=cgroup_parent,
            strict=strict,
        ),
    )
