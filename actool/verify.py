"""Whether detached signatures of images are by keys that the caller named: no other key counts, whoever's keyring it is in.

What a signature is worth is decided by `acspec.openpgp.verification`, as for every tool.

Source: aci.md, Image Archives (signatures).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from acspec import limits
from acspec.archive.compression import CHUNK
from acspec.archive.faults import Fault
from acspec.archive.image import open_image
from acspec.archive.source import Source
from acspec.errors import FormatError, MissingInputError, ToolError, UsageError
from acspec.fingerprints import parse_fingerprint
from acspec.jsontext import read_limited
from acspec.openpgp.keys import Key, get_public_key, read_keys
from acspec.openpgp.verification import Verdict, Verification
from acspec.program import os_error
from acspec.values import Value
from actool.inputs import STANDARD_INPUT, opened_raw
from actool.json_lines import dump_line

Keys = Mapping[str, Key]  # by fingerprint


class VerifyRequest(Value):
    """What `actool verify` was asked for; *signature* None means beside each image.

    The keys that count are those in *key_files*, or those of them that have one of *fingerprints*; without files, those of
    gpg's keyring in *home* (None: the user's) that have one.
    """

    images: Sequence[str]
    signature: str | None
    key_files: Sequence[str]
    fingerprints: Sequence[str]
    home: str | None


class Verified(Value):
    """What came of one image: the signature's file, the verdict, and whose key it was when it is good."""

    image: str
    signature: str
    verdict: Verdict
    identities: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """True when a key that counts has signed the image."""
        return self.verdict.fingerprint is not None


def verify_images(request: VerifyRequest) -> Iterator[Verified | ToolError]:
    """Return for each image of a request what its signature is worth, or what kept it from being verified.

    Raises: UsageError, MissingInputError and FormatError for the request as a whole and its keys; OSError.
    Source: aci.md, Image Archives.
    """
    pairs = _pairs(request)
    keys = _read_trusted(request)
    for image, signature in pairs:
        try:
            yield _verify_image(image, signature, keys)
        except ToolError as error:
            yield error
        except OSError as error:
            yield os_error(error)


def format_json(verified: Verified) -> str:
    """Return *verified* as a JSON object on one line, all of it printable ASCII.

    `fingerprint` and `identities` are there for a good signature; else `reason`, and `key` when the signature names one.
    """
    value: dict[str, object] = {"image": verified.image, "signature": verified.signature, "good": verified.is_good}
    if verified.is_good:
        value |= {"fingerprint": verified.verdict.fingerprint, "identities": verified.identities}
    else:
        value |= {"reason": verified.verdict.reason} | ({"key": verified.verdict.key} if verified.verdict.key else {})
    return dump_line(value)


def _pairs(request: VerifyRequest) -> list[tuple[str, str]]:
    """Return each image with the file of its signature. Raises: UsageError."""
    if request.signature is not None:
        if len(request.images) > 1:
            raise UsageError("--signature", "is for one image")
        return [(request.images[0], request.signature)]
    if STANDARD_INPUT in request.images:
        raise UsageError("standard input", "has no signature beside it", "--signature FILE.aci.asc")
    return [(image, beside(image)) for image in request.images]


def beside(image: str) -> str:
    """Return the file in which the signature of *image* is looked for. Source: aci.md, Image Archives."""
    return f"{image}.asc"


def _read_trusted(request: VerifyRequest) -> Keys:
    """Return the keys that count. Raises: UsageError when none is named; MissingInputError; FormatError; OSError."""
    wanted = [parse_fingerprint(text) for text in request.fingerprints]
    if not request.key_files:
        if not wanted:
            raise UsageError("verify", "nobody says whose signature counts", "--key FILE, or --fingerprint HEX of gpg's keyring")
        return {fingerprint: get_public_key(fingerprint, request.home) for fingerprint in wanted}
    if request.home is not None:
        raise UsageError("--homedir", "has no use beside --key", "the keys come from there or from here")
    keys = {key.fingerprint: key for path in request.key_files for key in _read_keys(path)}
    missing = next((fingerprint for fingerprint in wanted if fingerprint not in keys), None)
    if missing is not None:
        raise MissingInputError(missing, "no such key in the files that --key names")
    return {fingerprint: keys[fingerprint] for fingerprint in wanted or keys}


def _read_keys(path: str) -> list[Key]:
    try:
        return read_keys(_read_file(path, limits.KEY_FILE_BYTES), path)
    except MissingInputError as error:
        raise MissingInputError(error.what, error.why, "--fingerprint HEX takes a key of gpg's keyring") from None


def _verify_image(image: str, signature: str, keys: Keys) -> Verified:
    with opened_raw(image) as source:
        if signature == beside(image) and not os.path.lexists(signature):
            return Verified(image, signature, Verdict(None, f"there is no {signature}"), ())
        try:
            served = Source(source.descriptor, source.name)
            verdict = _verify(served, signature, keys)
        except Fault as fault:
            raise FormatError(source.name, str(fault)) from None
        identities = keys[verdict.fingerprint].identities if verdict.fingerprint is not None else ()
        return Verified(image, signature, verdict, identities)


def _verify(served: Source, signature: str, keys: Keys) -> Verdict:
    try:
        _check_regular(signature)
        data = _read_file(signature, limits.SIGNATURE_BYTES)
        verification = Verification(data, {fingerprint: key.armoured for fingerprint, key in keys.items()})
    except FormatError as error:
        raise FormatError(signature, error.why) from None
    with verification:
        while chunk := served.read(CHUNK):
            verification.write(chunk)
        return verification.finish()


def _check_regular(path: str) -> None:
    """Check that a signature is no FIFO, which could keep anybody waiting for ever. Raises: FormatError."""
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        raise FormatError(path, "not a regular file")


def _read_file(path: str, limit: int) -> bytes:
    """Return what is in the file *path*, but not more than one byte beyond *limit*. Raises: MissingInputError; FormatError."""
    descriptor = open_image(path)
    try:
        return read_limited(descriptor, limit)
    except IsADirectoryError:
        raise FormatError(path, "a directory, not a file") from None
    finally:
        os.close(descriptor)
