"""`acrun run`: options into one value, one call. Without any option, no option parser is needed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def run_plainly(words: Sequence[str]) -> None:
    """Run images given without any option. Raises: whatever `acrun.run.run_pod` raises."""
    from acrun.arguments import split_images
    from acrun.options import ImageRequest
    from acrun.run import PodOptions, run_pod

    run_pod(PodOptions(), [ImageRequest(image.image, arguments=image.arguments) for image in split_images(words)])
