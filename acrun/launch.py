"""From a plan to stage1: a pod is made, its files are written, and this process becomes stage1, or starts it and leaves it alone.

Up to the last step everything can fail and leaves nothing; after it the pod is stage1's. Light, as `plans` is.

Source: spec/pod-directory.md; spec/stage1.md, The four verbs.
"""

from __future__ import annotations

import os

from acrun.backends import COPY, choose_backend
from acrun.stage1 import become_stage1, get_stage1
from acrun.supervision import Supervision
from acrun.write import AppFiles, make_volumes, stage1_document, write_pod
from acspec.durable import remove_tree, write_file
from acspec.errors import TrustError, UsageError
from acspec.jsontext import dump_json
from acspec.names import parse_ac_name
from acspec.pods import Pod, Pods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from acrun.detach import Detached
    from acrun.plans import Plan
    from acrun.trees import Tree


_HOSTNAME_BYTES = 64


class LaunchOptions:
    """How a pod is started, whatever is in it: what the command line says, None where it says nothing."""

    __slots__ = (
        "cgroup_parent", "debug", "detach", "grace_period", "hostname", "interactive", "keep", "log", "name", "overlay", "remove",
        "stage1", "strict", "supervision", "uuid_file",
    )  # fmt: skip

    def __init__(
        self,
        *,
        name: str | None = None,
        hostname: str | None = None,
        interactive: bool = False,
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
        debug: bool = False,
    ) -> None:
        self.name = name
        self.hostname = hostname
        self.interactive = interactive
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
        self.debug = debug


def check_options(options: LaunchOptions) -> None:
    """Check what can be said of *options* before any work is done.

    Raises: UsageError; TrustError without root; MissingInputError without a stage1.
    """
    _check_privilege(options)
    get_stage1(options.stage1)
    if options.detach and options.interactive:
        raise UsageError("--detach", "nobody will be there to type: --interactive makes no sense with it")
    if options.remove and options.keep:
        raise UsageError("--rm", "removes what --keep is to keep")
    if options.name is not None:
        parse_ac_name(options.name, "--name")
    if options.hostname is not None:
        _check_hostname(options.hostname)


def _check_privilege(options: LaunchOptions) -> None:
    # Another stage1 may do with less; ours would say so only when all the work is done.
    if options.stage1 is None and os.geteuid() != 0:
        raise TrustError("acrun", "running a pod takes root as yet", "sudo acrun")


def _check_hostname(text: str) -> None:
    # hostname(7): labels of letters, digits and hyphens between dots; the kernel takes 64 bytes.
    labels = text.split(".")
    fine = all(label.replace("-", "").isalnum() and not label.startswith("-") and not label.endswith("-") for label in labels)
    if not (fine and text.isascii() and len(text) <= _HOSTNAME_BYTES):
        raise UsageError(f"--hostname {text}", f"not letters, digits and - between dots, at most {_HOSTNAME_BYTES} of them")


def launch(run_directory: str, plan: Plan, trees: Sequence[Tree], options: LaunchOptions) -> NoReturn:
    """Make a pod of *plan* with *trees*, one for each app, and become stage1 for it.

    Raises: UsageError; MissingInputError without a stage1; OutputError when the pod's name is taken; StorageError; OSError.
    Source: spec/pod-directory.md; spec/stage1.md, run.
    """
    _check_privilege(options)
    stage1 = get_stage1(options.stage1)
    pod = make_pod(run_directory, plan, trees, options, "run")
    become_stage1(stage1, pod, interactive=options.interactive, debug=options.debug)


def launch_detached(run_directory: str, plan: Plan, trees: Sequence[Tree], options: LaunchOptions) -> Detached:
    """Make a pod as `launch` does, and start stage1 for it as a process of its own; return when its apps run, or it has ended.

    Raises: as `launch` does.
    Source: spec/stage1.md, run.
    """
    from acrun.detach import start_detached

    _check_privilege(options)
    stage1 = get_stage1(options.stage1)
    return start_detached(stage1, make_pod(run_directory, plan, trees, options, "run"), debug=options.debug)


def make_pod(run_directory: str, plan: Plan, trees: Sequence[Tree], options: LaunchOptions, phase: str) -> Pod:
    """Return a new pod of *plan* with all its files, locked and in *phase*. What fails leaves nothing.

    Raises: as `launch` does.
    Source: spec/pod-directory.md, Phases.
    """
    pod = Pods(run_directory).create()
    try:
        _fill(pod, plan, trees, options)
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
    apps = [AppFiles(name, tree, app.images) for name, tree, app in zip(plan.names(), trees, plan.apps, strict=True)]
    backend = choose_backend(os.path.dirname(pod.pods.path)) if options.overlay else COPY
    document = stage1_document(
        apps,
        backend,
        hostname=options.hostname or options.name or apps[0].name,
        stdin_app=_stdin_app(options, apps),
        switches={
            "remove": not options.keep,
            "removePod": options.remove,
            "strict": options.strict,
            "log": options.log,
            "gracePeriod": options.grace_period,
            "cgroupParent": options.cgroup_parent,
            **options.supervision.switches([app.name for app in apps]),
        },
    )
    write_pod(pod.path, dump_json(plan.manifest), document, apps, backend)
    make_volumes(pod.path, plan.manifest.get("volumes"))


def _stdin_app(options: LaunchOptions, apps: Sequence[AppFiles]) -> str | None:
    if not options.interactive:
        return None
    if len(apps) != 1:
        raise UsageError("--interactive", f"the pod has {len(apps)} apps, and standard input can belong to one only")
    return apps[0].name
