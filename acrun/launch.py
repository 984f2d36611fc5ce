"""From a plan to stage1: a pod is made, its files are written, and this process becomes stage1, or starts it and leaves it alone.

Up to the last step everything can fail and leaves nothing; after it the pod is stage1's. Light, as `plans` is.

Source: spec/pod-directory.md; spec/stage1.md, The four verbs.
"""

from __future__ import annotations

import os

from acrun.backends import COPY, choose_backend
from acrun.idmap import choose_id_map
from acrun.stage1 import become_stage1, get_stage1
from acrun.supervision import Supervision
from acrun.write import AppFiles, make_volumes, stage1_document, write_pod
from acspec.durable import remove_tree, sync_file_system, write_file
from acspec.errors import UsageError
from acspec.jsontext import dump_json
from acspec.names import parse_ac_name
from acspec.pods import Pod, Pods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from acrun.detach import Detached
    from acrun.plans import Plan
    from acrun.surroundings import Surroundings
    from acrun.trees import Tree
    from acspec.jsontext import JSONValue


PREPARED = "prepared"

_HOSTNAME_BYTES = 64


class LaunchOptions:
    """How a pod is started, whatever is in it: what the command line says, None where it says nothing."""

    __slots__ = (
        "cgroup_parent", "debug", "detach", "grace_period", "hostname", "interactive", "keep", "log", "name", "overlay",
        "pids_limit", "remove", "stage1", "strict", "supervision", "surroundings", "tty", "uuid_file",
    )  # fmt: skip

    def __init__(
        self,
        *,
        name: str | None = None,
        hostname: str | None = None,
        interactive: bool = False,
        tty: bool = False,
        detach: bool = False,
        keep: bool = False,
        remove: bool = False,
        strict: bool = False,
        overlay: bool = True,
        uuid_file: str | None = None,
        grace_period: int = 10,
        cgroup_parent: str | None = None,
        stage1: str | None = None,
        log: str = "file",
        supervision: Supervision | None = None,
        surroundings: Surroundings | None = None,
        debug: bool = False,
        pids_limit: int | None = None,
    ) -> None:
        self.name = name
        self.hostname = hostname
        self.interactive = interactive
        self.tty = tty
        self.detach = detach
        self.keep = keep
        self.remove = remove
        self.strict = strict
        self.overlay = overlay
        self.uuid_file = uuid_file
        self.grace_period = grace_period
        self.cgroup_parent = cgroup_parent
        self.stage1 = stage1
        self.log = log
        self.supervision = supervision or Supervision()
        self.surroundings = surroundings
        self.debug = debug
        self.pids_limit = pids_limit


def check_options(options: LaunchOptions) -> None:
    """Check what can be said of *options* before any work is done.

    Raises: UsageError; MissingInputError without a stage1.
    """
    get_stage1(options.stage1)
    if options.detach and options.interactive:
        raise UsageError("--detach", "nobody will be there to type: --interactive makes no sense with it")
    if options.remove and options.keep:
        raise UsageError("--rm", "removes what --keep is to keep")
    if options.name is not None:
        parse_ac_name(options.name, "--name")
    if options.hostname is not None:
        _check_hostname(options.hostname)
    if ".." in (options.cgroup_parent or "").split("/"):
        raise UsageError(f"--cgroup-parent {options.cgroup_parent}", "is a path in each hierarchy, which .. would lead out of")
    if options.interactive and options.tty and not os.isatty(0):
        raise UsageError("--tty", "standard input is not a terminal", "--interactive alone passes on what is none")


def _check_hostname(text: str) -> None:
    # hostname(7): labels of letters, digits and hyphens between dots; the kernel takes 64 bytes.
    labels = text.split(".")
    fine = all(label.replace("-", "").isalnum() and not label.startswith("-") and not label.endswith("-") for label in labels)
    if not (fine and text.isascii() and len(text) <= _HOSTNAME_BYTES):
        raise UsageError(f"--hostname {text}", f"not letters, digits and - between dots, at most {_HOSTNAME_BYTES} of them")


def launch(run_directory: str, plan: Plan, trees: Sequence[Tree], options: LaunchOptions) -> NoReturn:
    """Make a pod of *plan* with *trees*, one for each app, and become stage1 for it.

    Raises: as `make_pod` does; MissingInputError without a stage1.
    Source: spec/pod-directory.md; spec/stage1.md, run.
    """
    stage1 = get_stage1(options.stage1)
    become_stage1(
        stage1, make_pod(run_directory, plan, trees, options, "run"), interactive=options.interactive, debug=options.debug
    )


def start(pod: Pod, options: LaunchOptions) -> Detached:
    """Become stage1 for a pod in phase run whose lock we hold, or start one, and return when the apps of the detached pod run.

    Raises: MissingInputError without a stage1; OSError.
    Source: spec/stage1.md, run.
    """
    stage1 = get_stage1(options.stage1)
    if options.detach:
        from acrun.detach import start_detached

        return start_detached(stage1, pod, debug=options.debug)
    return become_stage1(stage1, pod, interactive=options.interactive, debug=options.debug)


def make_pod(run_directory: str, plan: Plan, trees: Sequence[Tree], options: LaunchOptions, phase: str) -> Pod:
    """Return a new pod of *plan* with *trees*, one for each app, locked and in *phase*: prepared or run. What fails leaves nothing.

    Raises: UsageError; OutputError when the pod's name is taken; StorageError; OSError.
    Source: spec/pod-directory.md, Phases.
    """
    pod = Pods(run_directory).create()
    try:
        _fill(pod, plan, trees, options)
        if phase == PREPARED:
            sync_file_system(pod.path)  # it may be run after the next boot
        pod.move(phase)
    except BaseException:
        pod.pods.release_names(pod.uuid)
        remove_tree(pod.path)
        raise
    return pod


def _fill(pod: Pod, plan: Plan, trees: Sequence[Tree], options: LaunchOptions) -> None:
    if options.name is not None:
        pod.pods.claim_name(options.name, pod.uuid)
    if options.uuid_file is not None:
        write_file(options.uuid_file, f"{pod.uuid}\n".encode("ascii"))
    apps = [AppFiles(name, tree, app.images, app.filter) for name, tree, app in zip(plan.names(), trees, plan.apps, strict=True)]
    backend = choose_backend(os.path.dirname(pod.pods.path)) if options.overlay else COPY
    hostname = options.hostname or options.name or apps[0].name
    document = stage1_document(
        apps,
        backend,
        hostname=hostname,
        streams=run_streams(options, plan.names()),
        switches={
            "idMap": choose_id_map(plan.manifest["apps"], [tree.rootfs for tree in trees]),
            **run_switches(options),
            "strict": options.strict,
            "log": options.log,
            "gracePeriod": options.grace_period,
            "pidsLimit": options.pids_limit,
            "cgroupParent": options.cgroup_parent,
            **options.supervision.switches([app.name for app in apps]),
            **(options.surroundings.switches(hostname) if options.surroundings is not None else {}),
        },
    )
    write_pod(pod.path, dump_json(plan.manifest), document, apps, backend)
    make_volumes(pod.path, plan.manifest.get("volumes"))


def run_switches(options: LaunchOptions) -> dict[str, JSONValue]:
    """Return what stage1.json says of one run, beside what the pod is prepared for. Source: spec/stage1.md, stage1.json."""
    return {"remove": not options.keep, "removePod": options.remove}


def run_streams(options: LaunchOptions, names: Sequence[str]) -> dict[str, dict[str, JSONValue]]:
    """Return what stage1.json says, for one run, of the input and the terminal of each app of *names*.

    Raises: UsageError when there are several apps for what one only can have.
    Source: spec/stage1.md, stage1.json.
    """
    for option, is_given in (("--interactive", options.interactive), ("--tty", options.tty)):
        if is_given and len(names) != 1:
            raise UsageError(option, f"the pod has {len(names)} apps, and this can be for one only")
    return {name: {"stdin": options.interactive, "tty": options.tty} for name in names}
