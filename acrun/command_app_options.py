"""The options of an app, behind its image, and the images that words name with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Annotated

import typer

from acrun.arguments import STANDARD_INPUT, ImageArgument, split_images
from acrun.command_options import option_names
from acrun.errors import MisplacedError
from acrun.inputs import name_images
from acrun.isolator_options import make_capability_isolators, make_limits, parse_seccomp
from acrun.option_values import parse_annotation, parse_gids, parse_mount, parse_user, parse_variables
from acrun.options import AppOptions, ImageRequest
from acrun.ports import parse_port
from acspec.errors import UsageError
from acspec.names import parse_ac_name

# Those that stand before an image, too, for every app or for the pod.
Environment = Annotated[list[str] | None, typer.Option("--env", "-e", metavar="NAME=VALUE", help="An environment variable.")]
EnvironmentFiles = Annotated[list[str] | None, typer.Option("--env-file", metavar="FILE", help="Variables, one NAME=VALUE a line.")]
Mounts = Annotated[
    list[str] | None, typer.Option("--mount", metavar="volume=NAME,target=PATH", help="Mount a volume, whatever the image says.")
]
Annotations = Annotated[
    list[str] | None, typer.Option("--annotation", metavar="NAME=VALUE", help="An annotation, of the pod or of the app.")
]
Memory = Annotated[str | None, typer.Option(metavar="SIZE", help="At most so much memory, such as 512Mi.")]
CPU = Annotated[str | None, typer.Option(metavar="CORES", help="At most so much of the processors, such as 1.5 or 500m.")]


def read_images(
    words: Sequence[str], pod: str | None, find_pod_options: Callable[[], Collection[str]], *, interactive: bool
) -> list[ImageRequest]:
    """Return the images that *words* name, or standard input; none where the manifest *pod* says what is in the pod.

    *find_pod_options* tells which options belong before the images. Raises: UsageError; Typer's errors; OSError.
    """
    if pod is None:
        named = name_images(split_images(words), interactive=interactive)
        return [_read_image(image, find_pod_options) for image in named]
    if words:
        raise UsageError(words[0], "is one image too many: --pod FILE says what is in the pod")
    if pod == STANDARD_INPUT and interactive:
        raise UsageError("--interactive", "standard input holds the pod manifest, so it cannot be the app's too")
    return []


def _read_image(image: ImageArgument, find_pod_options: Callable[[], Collection[str]]) -> ImageRequest:
    return ImageRequest(image.image, _parse_app_options(image.options, find_pod_options), image.arguments)


def _parse_app_options(words: Sequence[str], find_pod_options: Callable[[], Collection[str]]) -> AppOptions:
    if not words:
        return AppOptions()
    application = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    application.command(context_settings={"help_option_names": ["-h", "--help"]})(app_options)
    try:
        result = application(list(words), standalone_mode=False, prog_name="acrun IMAGE")
    except Exception as exception:
        option = getattr(exception, "option_name", None)
        if option is not None and option in set(find_pod_options()) - option_names(app_options):
            raise MisplacedError(option, "is an option of the pod", f"acrun {option} … IMAGE") from None
        if not getattr(exception, "possibilities", True):  # nothing that it may have been meant for
            raise UsageError(str(option), "no such option", "--help shows the options; the program's own stand behind --") from None
        raise
    if not isinstance(result, AppOptions):  # --help was asked for, and printed
        raise SystemExit(0)
    return result


def app_options(
    name: Annotated[str | None, typer.Option(metavar="NAME", help="The app's name in the pod.")] = None,
    program: Annotated[str | None, typer.Option("--exec", metavar="PROGRAM", help="Run this instead.")] = None,
    user: Annotated[str | None, typer.Option(metavar="USER", help="User name, number, or /path; the group stays.")] = None,
    group: Annotated[str | None, typer.Option(metavar="GROUP", help="Group name, number, or /path.")] = None,
    supplementary_gid: Annotated[list[int] | None, typer.Option(metavar="GID", min=0, help="A further group.")] = None,
    supplementary_gids: Annotated[str | None, typer.Option(metavar="GID,…", help="Further groups.")] = None,
    working_dir: Annotated[str | None, typer.Option(metavar="PATH", help="The working directory.")] = None,
    env: Environment = None,
    env_file: EnvironmentFiles = None,
    annotation: Annotations = None,
    mount: Mounts = None,
    port: Annotated[
        list[str] | None, typer.Option(metavar="NAME,protocol=tcp,port=N,…", help="A port; socketActivated=true: a socket.")
    ] = None,
    readonly_rootfs: Annotated[bool, typer.Option("--readonly-rootfs", help="Mount the root read-only.")] = False,
    cap_retain: Annotated[list[str] | None, typer.Option(metavar="CAP,…", help="The only capabilities to keep.")] = None,
    cap_remove: Annotated[list[str] | None, typer.Option(metavar="CAP,…", help="Take these out of the default set.")] = None,
    seccomp: Annotated[str | None, typer.Option(metavar="mode=…|unconfined", help="System calls: mode=remove,reboot,…")] = None,
    memory: Memory = None,
    cpu: CPU = None,
) -> AppOptions:
    """Options of one app, after its image."""
    return AppOptions(
        name=parse_ac_name(name, "--name") if name is not None else None,
        exec=program,
        user=parse_user(user),
        group=group,
        supplementary_gids=(*parse_gids(supplementary_gids), *(supplementary_gid or ())),
        working_directory=working_dir,
        environment=parse_variables(env, env_file),
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
