"""Detached signatures of images, beside them or where the command line says: all of them, or none.

How they are made is `acspec.openpgp.signing`'s business.

Source: aci.md, Image Archives (signatures).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from acspec.durable import NewFile, umasked
from acspec.errors import UsageError
from acspec.image_outputs import check_signature_output
from acspec.openpgp.signing import Signature, Signer, sign
from acspec.values import Value
from actool.inputs import STANDARD_INPUT, opened_raw, recognised


class SignRequest(Value):
    """What `actool sign` was asked for; *output* None means beside each image."""

    images: Sequence[str]
    signer: Signer
    output: str | None
    overwrite: bool


class Signed(Value):
    """A signature that was written: to which file, and by which key."""

    path: str
    fingerprint: str


def sign_images(request: SignRequest) -> list[Signed]:
    """Write a signature of each image of a request as it is, encrypted or not, and return what was written.

    Raises: FormatError for what is no image; MissingInputError; TrustError for a key that cannot sign; OutputError; UsageError;
        OSError.
    Source: aci.md, Image Archives.
    """
    outputs = _outputs(request)
    for output in outputs:
        check_signature_output(output, overwrite=request.overwrite)
    signed = []
    with ExitStack() as stack:
        files = []
        for image, output in zip(request.images, outputs, strict=True):
            signature = _sign_image(image, request.signer)
            file = stack.enter_context(NewFile(output, mode=umasked(0o666)))
            file.write(signature.armoured)
            files.append(file)
            signed.append(Signed(output, signature.key.fingerprint))
        for file in files:
            file.commit(overwrite=request.overwrite)
    return signed


def _outputs(request: SignRequest) -> list[str]:
    if request.output is not None:
        if len(request.images) > 1:
            raise UsageError("--output", "is for the signature of one image")
        return [request.output]
    if STANDARD_INPUT in request.images:
        raise UsageError("standard input", "has no name for its signature", "--output FILE.aci.asc")
    return [f"{image}.asc" for image in request.images]


def _sign_image(path: str, signer: Signer) -> Signature:
    with opened_raw(path) as raw:
        _, source = recognised(raw)
        return sign(source.descriptor, source.name, signer, head=source.head)
