"""`actool verify-repro`: options in, one call, one print."""

from __future__ import annotations

from typing import Annotated

import typer

from acspec.archive.compression import Compression
from actool import image_options
from actool.comparing.reproduction import ReproductionRequest, verify_reproduction
from actool.image_options import make_settings
from actool.passphrase import Passphrase, PassphraseFD, PassphraseFile
from actool.sources import split_sources

_OTHERWISE = 1


def verify_repro_command(
    paths: Annotated[list[str], typer.Argument(metavar="[LAYOUT_DIR] IMAGE", help="What it is made of, and the image or -.")],
    manifest: image_options.Manifest = None,
    rootfs: image_options.Rootfs = None,
    exclude: image_options.Exclude = None,
    ignore_file: image_options.IgnoreFile = None,
    owner_root: image_options.OwnerRoot = False,
    fixed_times: image_options.FixedTimes = False,
    fixed_modes: image_options.FixedModes = False,
    exact: Annotated[bool, typer.Option("--exact", help="Compare the compressed bytes, too, not the image ID alone.")] = False,
    compression: image_options.CompressionAgain = None,
    encoder: image_options.Encoder = None,
    level: image_options.Level = None,
    json: Annotated[bool, typer.Option("--json", help="Print the verdict as a JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing; only exit.")] = False,
    passphrase_fd: PassphraseFD = None,
    passphrase_file: PassphraseFile = None,
) -> int:
    """Say whether a layout builds an image again, byte for byte. Exit 1, and why, when it does not. The options are build's."""
    source, image = split_sources(paths, manifest, rootfs, exclude or (), ignore_file)
    how = compression or Compression.GZIP
    settings = make_settings(how, encoder, level, owner_root=owner_root, fixed_times=fixed_times, fixed_modes=fixed_modes)
    request = ReproductionRequest(source, image, settings, exact, compression)
    verdict = verify_reproduction(request, Passphrase(passphrase_fd, passphrase_file))
    if json and not quiet:
        print(verdict.json)
    elif verdict.causes and not quiet:
        print("\n".join(cause.line for cause in verdict.causes))
    return _OTHERWISE if verdict.causes else 0
