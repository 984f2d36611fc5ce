"""One place after another, until one has the image: which failures lead to the next, and what is said in the end.

The next place is tried when one has not got the image with its signature, or cannot be reached, or may not be; never when what came
is wrong.

Source: spec/discovery.md, From a template to two URLs; spec/configuration.md, Sources.
"""

from __future__ import annotations

from acfetch.errors import DiscoveryError, HostRefusedError, HTTPStatusError, MissingSignatureError, UnreachableError
from acspec.errors import MissingInputError, TrustError, UnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypeVar

    from acfetch.request import Place, Request
    from acspec.errors import ToolError

    T = TypeVar("T")

_ELSEWHERE = (UnavailableError, MissingSignatureError, HostRefusedError)
_ABSENT = (404, 410)


def try_places(places: Iterator[Place], request: Request, fetch: Callable[[Place], T], tell: Callable[[str], object]) -> T:
    """Return what *fetch* makes of the first of *places* that has the image; *tell* hears which were passed over for trouble.

    Raises: what *fetch* raises; when no place has it, the reason, or all of them in one error.
    Source: spec/discovery.md, From a template to two URLs.
    """
    failures: list[ToolError] = []
    for place in _up_to_failure(places, failures):
        try:
            found = fetch(place)
        except _ELSEWHERE as error:
            failures.append(error)
        except MissingInputError as error:
            if request.place is not None or error.what not in (place.image, place.signature):
                raise
            failures.append(UnavailableError(error.what, error.why))  # nobody typed the name of that file
        else:
            for failure in filter(_is_trouble, failures):
                tell(f"{request.text}: passed over {failure}")
            return found
    raise _join(request, failures)


def _up_to_failure(places: Iterator[Place], failures: list[ToolError]) -> Iterator[Place]:
    """Yield *places*; when none can be found behind the first of them, that is one failure more."""
    try:
        yield from places
    except _ELSEWHERE as error:
        failures.append(error)


def _is_trouble(error: ToolError) -> bool:
    """Tell whether a place may have the image and yet did not give it."""
    if isinstance(error, HTTPStatusError):
        return error.status not in _ABSENT
    return isinstance(error, UnreachableError | HostRefusedError)


def _join(request: Request, failures: Sequence[ToolError]) -> ToolError:
    """Return the error that says why no place led to the image: a matter of trust when one of the reasons is."""
    if len(failures) == 1:
        return failures[0]
    why = f"no template led to the image: {'; '.join(str(item) for item in failures)}"
    refusal = next((item for item in failures if isinstance(item, TrustError)), None)
    return DiscoveryError(request.text, why) if refusal is None else type(refusal)(request.text, why)
