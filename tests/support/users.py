"""Work done as an ordinary user, in a child process, whoever runs the tests."""

from __future__ import annotations

import os
import pickle
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NOBODY = 65534


def as_ordinary_user(work: Callable[[], Any]) -> Any:
    """Return what *work* returns in a child process that root makes somebody else's; raise what it raises.

    Both have to be something that pickle knows. All that *work* needs must have been imported: the child may not get at files.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _work(work, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    result, error, text = pickle.loads(data)
    if error is not None:
        error.add_note(text)
        raise error
    return result


def _work(work: Callable[[], Any], writing: int) -> None:
    try:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            data = pickle.dumps((work(), None, ""))
        except BaseException as error:
            data = pickle.dumps((None, error, traceback.format_exc()))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(data)
    finally:
        os._exit(0)


@contextmanager
def place_of_everybody() -> Iterator[Path]:
    """Return an empty directory in which an ordinary user can work; pytest's own are closed to others."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o777)
    try:
        yield path
    finally:
        shutil.rmtree(path)
