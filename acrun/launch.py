"""From a plan to stage1: a pod is made, its files are written, and this process becomes stage1, or starts it and leaves it alone.

Up to the last step everything can fail and leaves nothing; after it the pod is stage1's. Light, as `plans` is.

Source: spec/pod-directory.md; spec/stage1.md, The four verbs.
"""

from __future__ import annotations

import os

from acrun.backends import COPY, choose_backend
from acrun.idmap import choose_id_map
from acrun.stage1 import become_stage1, get_stage1, hold_requests
from acrun.supervision import Supervision
from acrun.workspace import name_full_disk
from acrun.write import AppFiles, make_volumes, stage1_document, write_pod
from acspec.durable import remove_tree, sync_file_system, write_file
from acspec.errors import FormatError, UsageError
from acspec.jsontext import dump_json
from acspec.names import parse_ac_name
from acspec.pods import PREPARED, Pod, Pods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from acrun.detach import Detached
    from acrun.plans import Plan
    from acrun.surroundings import Surroundings
    from acrun.trees import Tree
    from acspec.jsontext import JSONValue


_HOSTNAME_BYTES = 64


class MakeOptions:
    """How a pod is made, beside what its manifest says: its names, whether its roots are overlays, its surroundings."""

    __slots__ = ("hostname", "name", "overlay", "surroundings", "uuid_file")

    def __init__(
        self,
        *,
        name: str | None = None,
        hostname: str | None = None,
        uuid_file: str | None = None,
        overlay: bool = True,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.name = name
        self.hostname = hostname
        self.uuid_file = uuid_file
        self.overlay = overlay
        self.surroundings = surroundings

    def check(self) -> None:
        """Check what can be said before any work is done. Raises: FormatError; UsageError."""
        if self.name is not None:
            parse_ac_name(self.name, "--name")
        if self.hostname is not None:
            _check_hostname(self.hostname)


class RunOptions:
    """How one run of a pod goes: by which stage1, who sits at it, and what is left of it."""

    __slots__ = ("debug", "detach", "interactive", "keep", "remove", "stage1", "tty")

    def __init__(
        self,
        *,
        interactive: bool = False,
        tty: bool = False,
        detach: bool = False,
        remove: bool = False,
        keep: bool = False,
        stage1: str | None = None,
        debug: bool = False,
    ) -> None:
        self.interactive = interactive
        self.tty = tty
        self.detach = detach
        self.remove = remove
        self.keep = keep
        self.stage1 = stage1
        self.debug = debug

    def check(self) -> None:
        """Check what can be said before any work is done. Raises: UsageError; MissingInputError without a stage1."""
        get_stage1(self.stage1)
        if self.detach and self.interactive:
            raise UsageError("--detach", "nobody will be there to type: --interactive makes no sense with it")
        if self.remove and self.keep:
            raise UsageError("--rm", "removes what --keep is to keep")
        if self.interactive and self.tty and not os.isatty(0):
            raise UsageError("--tty", "standard input is not a terminal", "--interactive alone passes on what is none")

    def switches(self) -> dict[str, JSONValue]:
        """Return what stage1.json says of one run, beside what the pod is prepared for. Source: spec/stage1.md, stage1.json."""
        return {"remove": not self.keep, "removePod": self.remove}

    def streams(self, names: Sequence[str]) -> dict[str, dict[str, JSONValue]]:
        """Return what stage1.json says, for one run, of the input and the terminal of each app of *names*.

        Raises: UsageError when there are several apps for what one only can have.
        Source: spec/stage1.md, stage1.json.
        """
        for option, is_given in (("--interactive", self.interactive), ("--tty", self.tty)):
            if is_given and len(names) != 1:
                raise UsageError(option, f"the pod has {len(names)} apps, and this can be for one only")
        return {name: {"stdin": self.interactive, "tty": self.tty} for name in names}


class LaunchOptions:
    """All that the command line says of a start, whatever is in the pod."""

    __slots__ = ("make", "run", "supervision")

    def __init__(
        self, make: MakeOptions | None = None, supervision: Supervision | None = None, run: RunOptions | None = None
    ) -> None:
        self.make = make or MakeOptions()
        self.supervision = supervision or Supervision()
        self.run = run or RunOptions()

    def check(self) -> None:
        """Check what can be said before any work is done. Raises: FormatError; UsageError; MissingInputError without a stage1."""
        for subject in (self.run, self.make, self.supervision):
            subject.check()

    def to_note(self) -> JSONValue:
        """Return what a note of a plan keeps, and `read_noted` makes the same options of."""
        make, supervision, run = ({key: getattr(part, key) for key in part.__slots__} for part in self._parts())
        if self.make.surroundings is not None:
            make["surroundings"] = self.make.surroundings.to_note()
        return [make, supervision, run]

    @classmethod
    def read_noted(cls, value: Any) -> LaunchOptions:
        """Return the options that `to_note` made *value* of. Raises: TypeError, ValueError or KeyError for anything else."""
        make, supervision, run = value
        if make["surroundings"] is not None:
            from acrun.surroundings import Surroundings

            make["surroundings"] = Surroundings(*make["surroundings"])
        return cls(MakeOptions(**make), Supervision(**supervision), RunOptions(**run))

    def _parts(self) -> tuple[MakeOptions, Supervision, RunOptions]:
        return self.make, self.supervision, self.run


def _check_hostname(text: str) -> None:
    # hostname(7): labels of letters, digits and hyphens between dots; the kernel takes 64 bytes.
    labels = text.split(".")
    fine = all(label.replace("-", "").isalnum() and not label.startswith("-") and not label.endswith("-") for label in labels)
    if not (fine and text.isascii() and len(text) <= _HOSTNAME_BYTES):
        raise UsageError(f"--hostname {text}", f"is no host name: at most {_HOSTNAME_BYTES} letters, digits, - and dots")


def start(pod: Pod, options: RunOptions) -> Detached:
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

    Signals that come once a pod is in phase run are stage1's to answer: the pod ends, and that is told in it.

    Raises: UsageError; OutputError when the pod's name is taken; FormatError for what JSON cannot hold; StorageError; OSError.
    Source: spec/pod-directory.md, Phases.
    """
    pod = Pods(run_directory).create()
    try:
        _fill(pod, plan, trees, options)
        if phase == PREPARED:
            sync_file_system(pod.path)  # it may be run after the next boot
        else:
            hold_requests(options.run.stage1)  # not before: a root that is copied may take its time
        pod.move(phase)
    except BaseException as error:
        pod.pods.release_names(pod.uuid)
        remove_tree(pod.path)
        if isinstance(error, OSError) and error.filename != options.make.uuid_file:  # that one is not in RUN
            raise name_full_disk(run_directory, error) from None
        if isinstance(error, UnicodeEncodeError):  # a byte that no text has, in a word that is neither a path nor an image
            raise FormatError("pod", "a word of the command line or a path in it is not UTF-8, as JSON has to be") from None
        raise
    return pod


def _fill(pod: Pod, plan: Plan, trees: Sequence[Tree], options: LaunchOptions) -> None:
    make = options.make
    if make.name is not None:
        pod.pods.claim_name(make.name, pod.uuid)
    if make.uuid_file is not None:
        write_file(make.uuid_file, f"{pod.uuid}\n".encode("ascii"))
    apps = [AppFiles(name, tree, app.images, app.filter) for name, tree, app in zip(plan.names(), trees, plan.apps, strict=True)]
    backend = choose_backend(os.path.dirname(pod.pods.path)) if make.overlay else COPY
    hostname = make.hostname or make.name or apps[0].name
    document = stage1_document(
        apps,
        backend,
        hostname=hostname,
        streams=options.run.streams(plan.names()),
        switches={
            "idMap": choose_id_map(plan.manifest["apps"], [tree.rootfs for tree in trees]),
            **options.run.switches(),
            **options.supervision.switches([app.name for app in apps]),
            **(make.surroundings.switches(hostname) if make.surroundings is not None else {}),
        },
    )
    write_pod(pod.path, dump_json(plan.manifest), document, apps, backend)
    make_volumes(pod.path, plan.manifest.get("volumes"))
