"""The options of every command that writes an image: how it is compressed, and what is said of it.

Source: spec/image-archive.md, Compression.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Literal

import typer

from acspec.archive.compression import Compression
from acspec.archive.encoders import default_encoder
from acspec.archive.write import ImageSettings
from acspec.errors import UsageError
from acspec.names import ImageID
from acspec.program import tell

Manifest = Annotated[str | None, typer.Option("--manifest", metavar="FILE", help="Take the manifest from FILE.")]
Rootfs = Annotated[str | None, typer.Option("--rootfs", metavar="DIR", help="Take the root file system from DIR.")]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="PATTERN", help="Leave out what fits, as gitignore(5), from the rootfs on."),
]
IgnoreFile = Annotated[str | None, typer.Option("--ignore-file", metavar="FILE", help="Leave out what fits a pattern in FILE.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT.aci when it exists.")]
CompressionName = Annotated[Compression | None, typer.Option("--compression", help="How to compress the image; gzip by default.")]
CompressionAgain = Annotated[
    Compression | None, typer.Option("--compression", help="How to compress the image; as it is now by default.")
]
NoCompression = Annotated[bool, typer.Option("--no-compression", help="The same as --compression none.")]
Encoder = Annotated[
    Literal["isal", "zlib"] | None,
    typer.Option("--compression-encoder", help="Who makes gzip's bytes: isal is fast, zlib a tenth smaller and many times slower."),
]
Level = Annotated[
    int | None,
    typer.Option("--compression-level", metavar="N", help="How hard to compress: isal 0 to 2, zlib and bzip2 1 to 9, xz 0 to 9."),
]
FixedTimes = Annotated[
    bool, typer.Option("--fixed-times", help="Give every file the time of $SOURCE_DATE_EPOCH, older ones as well.")
]
FixedModes = Annotated[
    bool, typer.Option("--fixed-modes", help="Give files and directories the modes that git knows, 0755 and 0644.")
]
OwnerRoot = Annotated[bool, typer.Option("--owner-root", help="Let root own every file in the image.")]
PrintID = Annotated[bool, typer.Option("--print-id", help="Print the image ID.")]


def source_date_epoch(*, needed: bool = False) -> int | None:
    """Return the time after which no file of an image may be dated, in nanoseconds, from $SOURCE_DATE_EPOCH.

    Raises: UsageError when it is no number of seconds, or not there although it is *needed*.
    Source: the SOURCE_DATE_EPOCH specification of reproducible-builds.org.
    """
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text and not needed:
        return None
    if not text:
        raise UsageError("--fixed-times", "$SOURCE_DATE_EPOCH does not say which time", "export SOURCE_DATE_EPOCH=SECONDS")
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise UsageError("$SOURCE_DATE_EPOCH", f'"{text}" is not a number of seconds since 1970')
    return int(text) * 10**9


def choose_compression(named: Compression | None, *, none: bool) -> Compression | None:
    """Return the compression that the options ask for, if any. Raises: UsageError when they contradict each other."""
    if not none:
        return named
    if named not in (None, Compression.NONE):
        raise UsageError("--compression and --no-compression", "exclude each other")
    return Compression.NONE


def choose_encoder(named: str | None, compression: Compression | None) -> str:
    """Return who makes gzip's bytes, saying so when it is not who does elsewhere. *compression* None may be gzip."""
    if named is not None or compression not in (None, Compression.GZIP):
        return named or "isal"
    chosen = default_encoder()
    if chosen != "isal":
        tell("actool", f"gzip: by {chosen}, as isal makes other bytes here than elsewhere (--compression-encoder {chosen})")
    return chosen


def make_settings(
    compression: Compression,
    encoder: str | None,
    level: int | None,
    *,
    owner_root: bool,
    fixed_times: bool,
    fixed_modes: bool = False,
) -> ImageSettings:
    """Return how an image is written, by the options and $SOURCE_DATE_EPOCH. Raises: UsageError."""
    clamp = source_date_epoch(needed=fixed_times)
    chosen = choose_encoder(encoder, compression)
    fixed = {"fixed_times": fixed_times, "fixed_modes": fixed_modes}
    return ImageSettings(compression, chosen, level, clamp_ns=clamp, owner_root=owner_root, **fixed)


def print_image_id(image_id: ImageID, output: str) -> None:
    """Print the ID of an image that was written to *output*: on standard error when the image itself went to standard output."""
    print(image_id, file=sys.stderr if output == "-" else sys.stdout)
