"""Whether a layout builds an image again, bit for bit; and when it does not, why.

The layout is built by the writer of `build` while its result is read; no image is written anywhere.

Source: aci.md, Image ID; spec/image-archive.md, Writing.
"""

from __future__ import annotations

import os
from contextlib import closing, nullcontext
from hashlib import sha512

from acspec.archive.compression import Compression
from acspec.archive.source import Source
from acspec.archive.write import ImageSettings, write_walk
from acspec.errors import UsageError
from acspec.names import ImageID
from acspec.values import Value, replace
from actool.comparing.causes import Cause, compression_cause, find_causes, form_cause
from actool.comparing.comparison import Comparison
from actool.comparing.snapshot import Snapshot, read_built, read_snapshot
from actool.json_lines import dump_line
from actool.reusable_inputs import ReusableInput, reusable
from actool.sources import SourceRequest, Sources, opened_sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from actool.passphrase import Passphrase

_CHUNK = 512 * 1024


class ReproductionRequest(Value):
    """What `actool verify-repro` was asked for; `exact` compares the compressed bytes, too, made as `compression` says.

    None for `compression` stands for that of the image.
    """

    source: SourceRequest
    image: str
    settings: ImageSettings
    exact: bool = False
    compression: Compression | None = None


class Verdict(Value):
    """The image IDs of what the layout builds and of the image, and why the two are not the same: no causes when they are."""

    built_id: ImageID
    image_id: ImageID
    causes: tuple[Cause, ...]

    @property
    def json(self) -> str:
        """The verdict as a JSON object on one line: `same`, `builtID`, `imageID`, `causes`."""
        causes = [
            {"cause": cause.word, "count": cause.count, "examples": cause.examples, "hint": cause.hint or None}
            for cause in self.causes
        ]
        return dump_line({"same": not causes, "builtID": self.built_id, "imageID": self.image_id, "causes": causes})


def verify_reproduction(request: ReproductionRequest, passphrase: Passphrase | None = None) -> Verdict:
    """Build the layout of a request without writing it, and compare it with the image.

    Raises: FormatError for a bad layout or image; MissingInputError; UsageError; StorageError; OSError.
    Source: aci.md, Image ID.
    """
    twice = reusable(request.image, passphrase) if request.exact else nullcontext(ReusableInput(request.image, passphrase))
    with opened_sources(request.source) as sources, twice as image:
        verdict, compression = _compare(sources, image, request.settings)
        if request.exact and not verdict.causes:
            settings = replace(request.settings, compression=request.compression or compression)
            if not _is_same_compressed(sources, image, settings):
                return replace(verdict, causes=(compression_cause(),))
        return verdict


def _compare(sources: Sources, image: ReusableInput, settings: ImageSettings) -> tuple[Verdict, Compression]:
    """Return the verdict on all but compression, and how the image is compressed."""
    key = os.urandom(16)
    with closing(Snapshot(key)) as built, closing(Snapshot(key)) as found:
        plain = replace(settings, compression=Compression.NONE, level=None)
        read_built(built, sources.walk(), sources.what, plain)
        with image.opened() as source:
            if source.is_directory:
                raise UsageError(source.name, "a directory, not an image", "actool diff compares layouts")
            read_snapshot(found, source)
        comparison = Comparison(built, found)
        causes = find_causes(comparison)
        if not causes and comparison.form:
            causes = [form_cause(comparison.form)]
        return Verdict(built.image_id, found.image_id, tuple(causes)), found.compression


def _is_same_compressed(sources: Sources, image: ReusableInput, settings: ImageSettings) -> bool:
    built, found = sha512(), sha512()
    write_walk(sources.walk(), built.update, settings)
    with image.opened() as source, closing(Source(source.origin, source.name)) as served:
        while chunk := served.read(_CHUNK):
            found.update(chunk)
    return built.digest() == found.digest()
