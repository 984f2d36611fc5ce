"""`acrun run` of a command line that was run before, or has no options: no option parser is needed."""

from __future__ import annotations

import sys

from acrun.arguments import has_options, name_images_alone, split_images

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from acrun.detach import Detached


def run_without_parser(words: Sequence[str]) -> int | None:
    """Run the pod that *words* ask for, and return the exit code; None when the option parser has to be asked.

    Raises: whatever `acrun.run.run_pod` raises.
    """
    from acrun.warm_run import run_warm

    pod = run_warm(words)
    if pod is None and not has_options(words):
        pod = _run_plainly(words)
    return None if pod is None else announce(pod)


def _run_plainly(words: Sequence[str]) -> Detached:
    from acrun.inputs import name_images
    from acrun.launch import RunOptions
    from acrun.options import ImageRequest
    from acrun.run import PodOptions, run_pod

    images = name_images(split_images(words), interactive=False)
    requests = [ImageRequest(image.image, arguments=image.arguments) for image in images]
    return run_pod(PodOptions(), requests, RunOptions(), words if name_images_alone(words) else ())


def announce(pod: Detached) -> int:
    """Tell what stage1 said and, when its apps run, the UUID of a detached pod; return the exit code.

    A pod of whose UUID nobody could be told ends again. Raises: OSError.
    """
    sys.stderr.buffer.write(pod.messages)
    if pod.code == 0:
        try:
            sys.stdout.write(f"{pod.uuid}\n")
            sys.stdout.flush()
        except OSError as error:
            pod.end()
            raise OSError(error.errno, error.strerror, "standard output") from None
    return pod.code
