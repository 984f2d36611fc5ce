"""A warm run: a command line that was run before goes from the note of its plan straight to the launch, without an option parser.

What the note does not hold is looked at as in every run: the name that a pod is to have, the terminal, files of the host, stage1.
Light, as `plans` is.

Source: spec/store.md, Notes of plans.
"""

from __future__ import annotations

from acrun.arguments import cut_arguments
from acrun.plans import find_plan
from acspec.directories import data_directory, run_directory
from acspec.errors import ConfigError
from acspec.program import tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from acrun.detach import Detached


def run_warm(words: Sequence[str]) -> Detached | None:
    """Run what the command line *words* came to before; this process becomes stage1, or returns how a detached pod's start went.

    None when there is no note that still holds, or a tree is gone: then all has to be worked out.

    Raises: what `LaunchOptions.check`, `make_pod` and `start` raise.
    Source: spec/store.md, Notes of plans.
    """
    typed, arguments = cut_arguments(words)
    try:
        run, data = run_directory(None), data_directory(None)
    except ConfigError:  # an option may say where
        return None
    found = find_plan(run, data, typed)
    if found is None:
        return None
    from acrun.launch import LaunchOptions, make_pod, start
    from acrun.trees import find_tree

    plan = found[0]
    try:
        options = LaunchOptions.read_noted(found[1])
    except (LookupError, TypeError, ValueError):  # not of the form that to_note writes
        return None
    trees = [tree for app in plan.apps if (tree := find_tree(run, app.tree)) is not None]
    if len(trees) != len(plan.apps):
        return None
    options.check()
    for note in plan.notes:
        tell("acrun", note)
    plan.append_arguments(arguments)
    return start(make_pod(run, plan, trees, options, "run"), options.run)
