"""A whole pod removed at its own end, when that was asked for: status and logs too.

The steps are those of a collection, so that a kill between any two leaves what stage0 goes on with.

Source: spec/stage1.md, run; spec/pod-directory.md, Collection.
"""

from __future__ import annotations

import os

from acspec.durable import remove_tree
from acspec.pods import Pod, Pods


def remove_pod_directory(path: str, lock: int) -> None:
    """Remove the pod in the directory *path*, whose lock is the descriptor *lock*. One that lies in no phase is just removed.

    Raises: OSError.
    Source: spec/pod-directory.md, Collection.
    """
    phase, uuid = os.path.split(path)
    pods, name = os.path.split(phase)
    if name == "run" and os.path.basename(pods) == "pods":
        pod = Pod(Pods(os.path.dirname(pods)), name, uuid, lock)
        pod.move("exited-garbage")
        pod.pods.release_names(uuid)
        path = pod.path
    remove_tree(path)
