"""Images encrypted and decrypted, as a whole and byte for byte: the image itself stays as it is.

How it is encrypted is `acspec.openpgp.symmetric`'s business.

Source: aci.md, Image Archives (encryption, and its Security Note).
"""

from __future__ import annotations

from acspec.archive.compression import CHUNK, Compression
from acspec.errors import FormatError, UsageError
from acspec.image_outputs import STANDARD_OUTPUT, check_image_output, new_output
from acspec.openpgp.symmetric import Encryption
from acspec.values import Value
from actool.inputs import opened, opened_raw, recognised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from acspec.archive.source import Readable
    from actool.passphrase import Passphrase


class EncryptionRequest(Value):
    """What `actool encrypt` and `actool decrypt` were asked for."""

    image: str
    output: str
    overwrite: bool
    passphrase: Passphrase


def encrypt(request: EncryptionRequest) -> Compression:
    """Encrypt the image of a request (`-`: standard input) into its output, and return how the image is compressed.

    Raises: FormatError for what is no image, or encrypted already; MissingInputError; OutputError; StorageError; UsageError;
        OSError.
    Source: aci.md, Image Archives.
    """
    check_image_output(request.output, overwrite=request.overwrite)
    with opened_raw(request.image) as raw:
        compression, source = recognised(raw)
        if compression is None:
            raise FormatError(source.name, "is encrypted already")
        request.passphrase.check_apart_from(source.descriptor)
        passphrase = request.passphrase.read()
        with (
            Encryption(source.descriptor, source.name, passphrase, head=source.head) as encryption,
            new_output(request.output, overwrite=request.overwrite) as output,
        ):
            _copy(encryption, output.write)
    return compression


def decrypt(request: EncryptionRequest) -> None:
    """Decrypt the image of a request (`-`: standard input) into its output, which appears when nobody can have changed it.

    Raises: FormatError for what is damaged, not encrypted, or no image; TrustError for a wrong passphrase; MissingInputError;
        OutputError; StorageError; UsageError; OSError.
    Source: aci.md, Image Archives.
    """
    if request.output == STANDARD_OUTPUT:
        raise UsageError("standard output", "cannot take back what turns out to be damaged at its end", "name a file")
    check_image_output(request.output, overwrite=request.overwrite)
    # The image is closed, and so known to be whole, before the output takes its name.
    with new_output(request.output, overwrite=request.overwrite) as output, opened(request.image, request.passphrase) as raw:
        _, source = recognised(raw)
        if source.stream is None or not source.is_encrypted:
            raise FormatError(source.name, "is not encrypted")
        output.write(source.head)
        _copy(source.stream, output.write)


def _copy(stream: Readable, write: Callable[[bytes], object]) -> None:
    while data := stream.read(CHUNK):
        write(data)
