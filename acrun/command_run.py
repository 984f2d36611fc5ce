"""`acrun run` without any option: no option parser is needed, and for an image that ran before no more than its plan."""

from __future__ import annotations

import gc

from acrun.arguments import split_images
from acrun.inputs import name_images

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from acrun.arguments import ImageArgument


def run_plainly(words: Sequence[str]) -> None:
    """Run images given without any option. Raises: whatever `acrun.run.run_pod` raises."""
    images = name_images(split_images(words), interactive=False)
    if len(images) == 1:
        _run_as_before(images[0])
    from acrun.launch import RunOptions
    from acrun.options import ImageRequest
    from acrun.run import PodOptions, run_image, run_pod

    requests = [ImageRequest(image.image, arguments=image.arguments) for image in images]
    if len(requests) == 1:
        run_image(requests[0])
    run_pod(PodOptions(), requests, RunOptions())


def _run_as_before(image: ImageArgument) -> None:
    """Become stage1 for an image whose plan is noted and whose trees are there; else return."""
    from acrun.launch import LaunchOptions, launch
    from acrun.plans import find_plan
    from acrun.trees import find_tree
    from acspec.directories import data_directory, run_directory
    from acspec.program import tell

    gc.disable()  # this process ends in an execve: what it makes need not be collected
    run = run_directory(None)
    plan = find_plan(run, data_directory(None), image.image)
    trees = [tree for app in plan.apps if (tree := find_tree(run, app.tree)) is not None] if plan is not None else []
    if plan is None or len(trees) != len(plan.apps):
        return
    for note in plan.notes:
        tell("acrun", note)
    plan.append_arguments(image.arguments)
    launch(run, plan, trees, LaunchOptions())
