"""From an image, and all it depends on, to one image without dependencies, or to the layout directory of one.

Which images they are is `gather`'s to say, how they are laid over each other `acspec.archive.rendered`'s.

Source: ace.md, Filesystem Setup; aci.md, dependencies and pathWhitelist.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from acspec.archive.extract import TreeWriter
from acspec.archive.losses import Losses
from acspec.archive.rendered import RenderedImage
from acspec.archive.spool import Spool
from acspec.archive.write import ImageSettings, write_archive
from acspec.directories import data_directory
from acspec.errors import OutputNameError, UsageError
from acspec.image_outputs import STANDARD_OUTPUT, check_image_output, is_image_output, new_output
from acspec.layer_plan import render_manifest
from acspec.names import ImageID
from acspec.store import Store
from acspec.values import Value, field
from actool.errors import LostPropertyError
from actool.gather import Gathering
from actool.layouts import check_layout_output, new_layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from actool.passphrase import Passphrase


_ARCHIVES = (".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".zip")


class RenderRequest(Value):
    """What `actool render` was asked for: *images*, the first of which is rendered, and the output, an image or a directory.

    *directory* is that of the store, None for the usual one.
    """

    images: Sequence[str]
    output: str
    directory: str | None = None
    overwrite: bool = False
    strict: bool = False
    settings: ImageSettings = field(default_factory=ImageSettings)


class Rendering(Value):
    """What came of it: the ID of an image, None for a directory, and what people should be warned of."""

    image_id: ImageID | None
    warnings: Sequence[str]


def render(request: RenderRequest, passphrase: Passphrase | None = None) -> Rendering:
    """Make the output of a request, whole or not at all; *passphrase* is for encrypted images.

    Raises: FormatError, MissingInputError, OutputError, StorageError, TrustError, UsageError; OSError.
    Source: ace.md, Filesystem Setup.
    """
    if is_image_output(request.output):
        return _render_image(request, passphrase)
    return _render_layout(request, passphrase)


def split_output(words: Sequence[str]) -> tuple[Sequence[str], str]:
    """Return the images among *words*, `IMAGE… OUTPUT` as typed, and the output. Raises: UsageError."""
    *images, output = words
    if not images:
        raise UsageError("OUTPUT.aci|DIR", "missing argument", f"{output} is what would be rendered")
    return images, output


def check_options(output: str, options: Mapping[str, object]) -> None:
    """Check that none of *options*, which are for images, has a value when *output* is a directory. Raises: UsageError."""
    given = next((name for name, value in options.items() if value not in (None, False)), None)
    if given is not None and not is_image_output(output):
        raise UsageError(given, f"is for an image, and {output} would be a directory", "the name of an image ends in .aci")


def _render_image(request: RenderRequest, passphrase: Passphrase | None) -> Rendering:
    # Whoever forgets the output has named an image there.
    check_image_output(request.output, overwrite=request.overwrite, hint="the last one is the output; --overwrite replaces it")
    with new_output(request.output, overwrite=request.overwrite) as output, _rendered(request, passphrase) as (image, unused):
        image_id = write_archive(image, output.write, request.settings).image_id
    lost = f"{request.output}: warning: left out, being a host's own: {image.lost}"
    return Rendering(image_id, [*unused, *([lost] if image.lost else [])])


def _render_layout(request: RenderRequest, passphrase: Passphrase | None) -> Rendering:
    if request.output.endswith(_ARCHIVES):  # nobody calls a directory that
        raise OutputNameError(request.output, "the name of an image must end in .aci", "a directory is made under another name")
    check_layout_output(request.output)
    with new_layout(request.output) as descriptor, _rendered(request, passphrase) as (image, unused):
        with TreeWriter(descriptor, whole=True) as writer:
            writer.add(image)
            writer.finish()
        writer.lost.add_xattrs(image.lost.xattrs)
        _check_losses(request, writer.lost)
    lost = f"{request.output}: warning: could not be kept: {writer.lost}{writer.lost.remedy}"
    return Rendering(None, [*unused, *([lost] if writer.lost else [])])


@contextmanager
def _rendered(request: RenderRequest, passphrase: Passphrase | None) -> Iterator[tuple[RenderedImage, list[str]]]:
    """Read all images and give what they are together, with a warning for each that nobody needs, for the duration of a block."""
    # Beside the output there must be room for as much anyway; where temporary files go may be memory.
    beside = None if request.output == STANDARD_OUTPUT else os.path.dirname(request.output.rstrip("/")) or "."
    store = Store.open(data_directory(request.directory))
    with Spool(beside, None if beside is None else request.output) as spool, Gathering(spool, store, passphrase) as gathering:
        layers, unused = gathering.gather(request.images)
        root = layers[-1].image
        warnings = [f"{word}: warning: not used, nothing depends on it" for word in unused]
        manifest = render_manifest(root.manifest_bytes, f"{root.what}: manifest")
        yield RenderedImage(layers, manifest, lambda lost: _check_losses(request, lost)), warnings


def _check_losses(request: RenderRequest, lost: Losses) -> None:
    if request.strict and lost:
        raise LostPropertyError(request.images[0], f"cannot be kept: {lost}", "without --strict they are left out")
