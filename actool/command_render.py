"""`actool render`: options in, one call, what is to be said of it."""

from __future__ import annotations

from typing import Annotated

import typer

from acspec.archive.compression import Compression
from acspec.program import tell
from actool import image_options
from actool.image_options import choose_compression, make_settings, print_image_id
from actool.passphrase import Passphrase, PassphraseFD, PassphraseFile
from actool.render import RenderRequest, check_options, render, split_output


def render_command(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE… OUTPUT.aci|DIR",
            help="The first is rendered, others are for what it depends on: files, IDs or names. The last is written.",
        ),
    ],
    directory: Annotated[str | None, typer.Option("--dir", metavar="DIR", help="Where the store is ($APPC_DIR).")] = None,
    overwrite: image_options.Overwrite = False,
    compression: image_options.CompressionName = None,
    no_compression: image_options.NoCompression = False,
    encoder: image_options.Encoder = None,
    level: image_options.Level = None,
    owner_root: image_options.OwnerRoot = False,
    fixed_times: image_options.FixedTimes = False,
    print_id: image_options.PrintID = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail when anything of a file cannot be kept.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Leave warnings out.")] = False,
    passphrase_fd: PassphraseFD = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make one image of an image and all it depends on. The result has neither dependencies nor pathWhitelist."""
    images, output = split_output(words)
    compressed = {"--compression": compression, "--no-compression": no_compression, "--compression-level": level}
    written = {"--overwrite": overwrite, "--owner-root": owner_root, "--fixed-times": fixed_times, "--print-id": print_id}
    check_options(output, {**written, **compressed})
    how = choose_compression(compression, none=no_compression) or Compression.GZIP
    settings = make_settings(how, encoder, level, owner_root=owner_root, fixed_times=fixed_times)
    request = RenderRequest(images, output, directory, overwrite, strict, settings)
    rendering = render(request, Passphrase(passphrase_fd, passphrase_file))
    for line in () if quiet else rendering.warnings:
        tell("actool", line)
    if print_id and rendering.image_id is not None:
        print_image_id(rendering.image_id, output)
