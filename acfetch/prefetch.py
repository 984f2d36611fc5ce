"""Images on their way before the sequence comes to them, a few at once; what each of them is worth, the sequence decides.

So the order of things is that of a run which fetches one after another, and so is the error of one that fails: what comes before
the failure is brought to its end, what comes after it is broken off.
"""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from threading import Condition, Thread

from acspec import limits
from acspec.typed import Generic, TypeVar, cast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from acfetch.request import Request

T = TypeVar("T")

AT_ONCE = 4  # images


class _Task(Generic[T]):
    """An image that will be asked for; `files` removes what has come of it."""

    def __init__(self, request: Request, depth: int, needed_by: str | None) -> None:
        self.request = request
        self.depth = depth
        self.needed_by = needed_by
        self.files = ExitStack()
        self.has_begun = False
        self.is_done = False
        self.result: T | None = None
        self.error: BaseException | None = None


class Prefetcher(Generic[T]):
    """What *find* makes of requests, given how deep they are, what needs them, and a stack for what removes their files.

    *interrupt* ends all of it that waits for the network.
    """

    def __init__(self, find: Callable[[Request, int, str | None, ExitStack], T], interrupt: Callable[[], object]) -> None:
        self._find = find
        self._interrupt = interrupt
        self._changed = Condition()
        self._ended = False
        self._tasks: dict[tuple[object, ...], _Task[T]] = {}
        self._known: set[str | None] = set()
        self._queue: deque[_Task[T]] = deque()
        self._threads: list[Thread] = []

    def start(self, request: Request, depth: int, needed_by: str | None) -> None:
        """Let an image come.

        Not when it may be on its way already, by these words or without its ID: then it will be there in time.
        """
        with self._changed:
            is_known = request.asked in self._known or (request.image_id is not None and request.name in self._known)
            if not self._ended and not is_known and len(self._tasks) < limits.DEPENDENCIES:
                self._queue.append(self._add(request, depth, needed_by))

    def _add(self, request: Request, depth: int, needed_by: str | None) -> _Task[T]:
        task = self._tasks[request.key] = _Task[T](request, depth, needed_by)
        self._known |= {request.asked, request.name}
        if len(self._threads) < AT_ONCE:
            thread = Thread(target=self._work, name="ahead", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._changed.notify_all()
        return task

    def take(self, request: Request, depth: int, needed_by: str | None, files: ExitStack) -> T:
        """Return what was made of the image, now that it is wanted; *files* takes over its files. Raises: what *find* raised."""
        with self._changed:
            task = self._tasks.get(request.key)
            if task is None:
                task = self._add(request, depth, needed_by)
            elif task in self._queue:
                self._queue.remove(task)
            if not task.has_begun:
                self._queue.appendleft(task)
            while not task.is_done:
                self._changed.wait()
            del self._tasks[request.key]
        files.enter_context(task.files.pop_all())
        if task.error is not None:
            raise task.error
        return cast("T", task.result)

    def _work(self) -> None:
        while (task := self._next()) is not None:
            try:
                task.result = self._find(task.request, task.depth, task.needed_by, task.files)
            except BaseException as error:  # whatever it is, it belongs to whoever asks for the image
                task.error = error
            with self._changed:
                task.is_done = True
                self._changed.notify_all()

    def _next(self) -> _Task[T] | None:
        with self._changed:
            while not self._queue:
                if self._ended:
                    return None
                self._changed.wait()
            task = self._queue.popleft()
            task.has_begun = True
            return task

    def close(self) -> None:
        """Break off what is under way, and remove what nobody has asked for. May be called again."""
        with self._changed:
            self._ended = True
            self._queue.clear()
            self._changed.notify_all()
            is_busy = any(not task.is_done for task in self._tasks.values())
        if is_busy:
            self._interrupt()
        for thread in self._threads:
            thread.join()
        for task in self._tasks.values():
            task.files.close()
        self._tasks.clear()
