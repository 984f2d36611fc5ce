"""The options of `acrun run` as Typer reads them: those of the pod, and those of each app behind its image."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Annotated

import typer

from acrun.arguments import STANDARD_INPUT, ImageArgument, split_images
from acrun.command_options import Directory, Stage1, announce
from acrun.inputs import name_images
from acrun.isolator_options import make_capability_isolators, make_limits, parse_seccomp
from acrun.launch import LaunchOptions
from acrun.option_values import (
    parse_annotation,
    parse_gids,
    parse_mount,
    parse_user,
    parse_variable,
    parse_volume_size,
    parse_volumes,
    read_variables,
)
from acrun.options import AppOptions, ImageRequest
from acrun.ports import parse_exposed, parse_port
from acrun.run import PodOptions, prepare_pod, run_pod
from acrun.supervision import parse_supervision
from acrun.surroundings import parse_surroundings
from acspec.errors import UsageError
from acspec.names import parse_ac_name

_Volumes = Annotated[
    list[str] | None,
    typer.Option(
        "--volume", "-v", metavar="SOURCE:TARGET[:ro]|NAME,kind=…", help="NAME,kind=host,source=PATH,… or NAME,kind=empty,…"
    ),
]
_Environment = Annotated[list[str] | None, typer.Option("--env", "-e", metavar="NAME=VALUE", help="An environment variable.")]
_EnvironmentFiles = Annotated[
    list[str] | None, typer.Option("--env-file", metavar="FILE", help="Variables, one NAME=VALUE a line.")
]
_Mounts = Annotated[
    list[str] | None, typer.Option("--mount", metavar="volume=NAME,target=PATH", help="Mount a volume, whatever the image says.")
]
_Annotations = Annotated[
    list[str] | None, typer.Option("--annotation", metavar="NAME=VALUE", help="An annotation, of the pod or of the app.")
]
_Memory = Annotated[str | None, typer.Option(metavar="SIZE", help="At most so much memory, such as 512Mi.")]
_CPU = Annotated[str | None, typer.Option(metavar="CORES", help="At most so much of the processors, such as 1.5 or 500m.")]
# Those that are about a run alone, which a prepared pod gets when it is run.
Interactive = Annotated[bool, typer.Option("--interactive", "-i", help="Standard input belongs to the app.")]
Tty = Annotated[bool, typer.Option("--tty", "-t", help="The app gets a terminal of its own, shown on this one.")]
Detach = Annotated[bool, typer.Option("--detach", "-d", help="Print the UUID when the apps run, and leave them alone.")]
Remove = Annotated[bool, typer.Option("--rm", help="Remove the pod at the end, status and logs too.")]
Keep = Annotated[bool, typer.Option("--keep", help="Keep the apps' files at the end.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show what stage1 does.")]


class Log(Enum):
    """What becomes of what the apps write."""

    FILE = "file"
    NONE = "none"


def run(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="IMAGE [APP OPTIONS] [-- ARGS] [--- IMAGE …]")] = None,
    directory: Directory = None,
    pod: Annotated[str | None, typer.Option("--pod", metavar="FILE", help="A pod manifest in place of images; or -.")] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="A name for the pod, beside its UUID.")] = None,
    hostname: Annotated[str | None, typer.Option(metavar="NAME", help="The pod's hostname.")] = None,
    volume: _Volumes = None,
    mount: _Mounts = None,
    env: _Environment = None,
    env_file: _EnvironmentFiles = None,
    dns: Annotated[
        list[str] | None, typer.Option("--dns", metavar="IP|host|none", help="A name server for /etc/resolv.conf.")
    ] = None,
    hosts_entry: Annotated[
        list[str] | None, typer.Option(metavar="IP=NAME,…|host", help="A line for /etc/hosts, or all of the host's.")
    ] = None,
    port: Annotated[
        list[str] | None,
        typer.Option("--port", "-p", metavar="NAME:[ADDRESS:]PORT", help="A port of the host for a socket."),
    ] = None,
    interactive: Interactive = False,
    tty: Tty = False,
    detach: Detach = False,
    remove: Remove = False,
    keep: Keep = False,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse what would be ignored or made up.")] = False,
    overlay: Annotated[bool, typer.Option("--overlay/--no-overlay", help="Share the rendered tree, or copy it.")] = True,
    allow_nested_mounts: Annotated[bool, typer.Option("--allow-nested-mounts", help="Mount inside other mounts.")] = False,
    allow_symlink_volumes: Annotated[bool, typer.Option("--allow-symlink-volumes", help="Follow links in sources.")] = False,
    uuid_file_save: Annotated[str | None, typer.Option(metavar="FILE", help="Write the pod's UUID to a file.")] = None,
    grace_period: Annotated[int, typer.Option(metavar="SECONDS", min=0, help="Between SIGTERM and SIGKILL.")] = 10,
    annotation: _Annotations = None,
    memory: _Memory = None,
    cpu: _CPU = None,
    pids_limit: Annotated[
        int | None, typer.Option(metavar="N", min=2, help="At most so many processes and threads. [4096]")
    ] = None,
    cgroup_parent: Annotated[str | None, typer.Option(metavar="PATH", help="Make the pod's cgroup below this one.")] = None,
    stage1: Stage1 = None,
    log: Annotated[Log, typer.Option(help="Keep what the apps write, or pass descriptors.")] = Log.FILE,
    log_size: Annotated[str | None, typer.Option(metavar="BYTES", help="A log grows so large, twice. [10Mi]")] = None,
    exit_policy: Annotated[
        str | None, typer.Option(metavar="any-failure|all|first|app=NAME", help="Whose end ends the pod.")
    ] = None,
    restart: Annotated[
        str | None, typer.Option(metavar="no|on-failure|always[:MAX]", help="Start apps again that have ended. [no]")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notes.")] = False,
    debug: Debug = False,
) -> int:
    """Run images as one pod; from standard input when none is named. Ends with the app's exit code."""
    start = LaunchOptions(
        name=name, hostname=hostname, interactive=interactive, tty=tty, detach=detach, keep=keep, remove=remove, strict=strict,
        overlay=overlay, uuid_file=uuid_file_save, grace_period=grace_period, cgroup_parent=cgroup_parent, stage1=stage1,
        log=log.value, debug=debug, pids_limit=pids_limit,
        supervision=parse_supervision(exit_policy=exit_policy, log_size=log_size, restart=restart),
        surroundings=parse_surroundings(dns or (), hosts_entry or (), filter(None, map(parse_volume_size, volume or ()))),
    )  # fmt: skip
    volumes, short = parse_volumes(volume or ())
    options = PodOptions(
        directory, volumes, (*short, *map(parse_mount, mount or ())), allow_nested_mounts, allow_symlink_volumes, quiet, pod,
        _variables(env, env_file), tuple(map(parse_exposed, port or ())), start, make_limits(memory=memory, cpu=cpu),
        tuple(map(parse_annotation, annotation or ())),
    )  # fmt: skip
    images = _read_images(words or (), pod, interactive=interactive)
    if context.info_name == "prepare":
        sys.stdout.write(f"{prepare_pod(options, images)}\n")
        return 0
    return announce(run_pod(options, images))


def _variables(typed: Sequence[str] | None, files: Sequence[str] | None) -> tuple[tuple[str, str], ...]:
    """Return the variables of files and those that were typed, which win by coming last."""
    return (*(variable for file in files or () for variable in read_variables(file)), *map(parse_variable, typed or ()))


def _read_images(words: Sequence[str], pod: str | None, *, interactive: bool) -> list[ImageRequest]:
    if pod is None:
        return [_image_request(image) for image in name_images(split_images(words), interactive=interactive)]
    if words:
        raise UsageError(words[0], "is one image too many: --pod FILE says what is in the pod")
    if pod == STANDARD_INPUT and interactive:
        raise UsageError("--interactive", "standard input holds the pod manifest, so it cannot be the app's too")
    return []


def _image_request(image: ImageArgument) -> ImageRequest:
    return ImageRequest(image.image, _parse_app_options(image.options), image.arguments)


def _parse_app_options(words: Sequence[str]) -> AppOptions:
    if not words:
        return AppOptions()
    application = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    application.command(context_settings={"help_option_names": ["-h", "--help"]})(app_options)
    try:
        result = application(list(words), standalone_mode=False, prog_name="acrun IMAGE")
    except Exception as exception:
        option = getattr(exception, "option_name", None)
        if option in option_names(run) - option_names(app_options):
            raise UsageError(option, "is an option of the pod", f"acrun {option} … IMAGE") from None
        if not getattr(exception, "possibilities", True):  # nothing that it may have been meant for
            raise UsageError(str(option), "no such option", "--help shows the options; the program's own stand behind --") from None
        raise
    if not isinstance(result, AppOptions):  # --help was asked for, and printed
        raise SystemExit(0)
    return result


def find_misplaced(exception: Exception) -> UsageError | None:
    """Return what to say of an option that Typer does not know before an image, when it is one that stands behind an image."""
    option = getattr(exception, "option_name", None)
    if option not in option_names(app_options) - option_names(run):
        return None
    return UsageError(
        str(option), "is an option of an app", f"acrun IMAGE {option} …; for images from standard input: acrun - {option} …"
    )


def find_first_image(words: Sequence[str]) -> str | None:
    """Return the word that stands behind the options of the pod, whatever is wrong with them."""
    application = typer.Typer(add_completion=False)
    application.command(context_settings={"allow_interspersed_args": False})(run)
    context = typer.main.get_command(application).make_context("acrun", list(words), resilient_parsing=True)
    return next(iter(context.params.get("words") or ()), None)


def option_names(function: Callable[..., object]) -> set[str]:
    """Return the options that Typer reads for *function*, as they are typed."""
    application = typer.Typer(add_completion=False)
    application.command()(function)
    parameters = typer.main.get_command(application).params
    return {name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts) if name.startswith("-")}


def app_options(
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The app's name in the pod.")] = None,
    program: Annotated[str | None, typer.Option("--exec", metavar="PROGRAM", help="Run this instead.")] = None,
    user: Annotated[str | None, typer.Option(metavar="USER", help="User name, number, or /path; the group stays.")] = None,
    group: Annotated[str | None, typer.Option(metavar="GROUP", help="Group name, number, or /path.")] = None,
    supplementary_gid: Annotated[list[int] | None, typer.Option(metavar="GID", min=0, help="A further group.")] = None,
    supplementary_gids: Annotated[str | None, typer.Option(metavar="GID,…", help="Further groups.")] = None,
    working_dir: Annotated[str | None, typer.Option(metavar="PATH", help="The working directory.")] = None,
    env: _Environment = None,
    env_file: _EnvironmentFiles = None,
    annotation: _Annotations = None,
    mount: _Mounts = None,
    port: Annotated[
        list[str] | None, typer.Option(metavar="NAME,protocol=tcp,port=N,…", help="A port; socketActivated=true: a socket.")
    ] = None,
    readonly_rootfs: Annotated[bool, typer.Option("--readonly-rootfs", help="Mount the root read-only.")] = False,
    cap_retain: Annotated[list[str] | None, typer.Option(metavar="CAP,…", help="The only capabilities to keep.")] = None,
    cap_remove: Annotated[list[str] | None, typer.Option(metavar="CAP,…", help="Take these out of the default set.")] = None,
    seccomp: Annotated[str | None, typer.Option(metavar="mode=…|unconfined", help="System calls: mode=remove,reboot,…")] = None,
    memory: _Memory = None,
    cpu: _CPU = None,
) -> AppOptions:
    """Options of one app, after its image."""
    return AppOptions(
        name=parse_ac_name(name, "--name") if name is not None else None,
        exec=program,
        user=parse_user(user),
        group=group,
        supplementary_gids=(*parse_gids(supplementary_gids), *(supplementary_gid or ())),
        working_directory=working_dir,
        environment=_variables(env, env_file),
        annotations=tuple(map(parse_annotation, annotation or ())),
        mounts=tuple(map(parse_mount, mount or ())),
        ports=tuple(map(parse_port, port or ())),
        read_only_rootfs=readonly_rootfs,
        isolators=(
            *make_capability_isolators(cap_retain or (), cap_remove or ()),
            *(() if seccomp is None else (parse_seccomp(seccomp),)),
            *make_limits(memory=memory, cpu=cpu),
        ),
    )
