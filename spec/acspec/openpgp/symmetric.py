"""Messages under a passphrase, as an image may be one: written with AES-256, and read to gpg's verdict.

Nothing of the user's is read and nothing is left behind: the home directory that gpg is told of cannot exist, no keyring is
opened, and no agent is needed or started.

Source: aci.md, Image Archives (encryption); RFC 4880, 3.7 (string-to-key), 5.3, 5.13 and 5.14; gpg(1).
"""

from __future__ import annotations

import os

from acspec.errors import FormatError, KernelError, ToolError, TrustError
from acspec.openpgp.filter import Filter
from acspec.openpgp.process import OPTIONS

_HOME = f"{os.devnull}/gnupg"
_ALONE = (*OPTIONS, "--homedir", _HOME, "--no-keyring", "--no-random-seed-file", "--lock-never")
# The passphrase is stretched by as much hashing as the format can say: 65,011,712 bytes. An image is compressed already, or was
# left uncompressed on purpose.
_STRETCHED = ("--s2k-mode", "3", "--s2k-digest-algo", "SHA512", "--s2k-count", "65011712")
_ENCRYPT = (*_ALONE, "--cipher-algo", "AES256", *_STRETCHED, "--compress-algo", "none", "--set-filename", "", "--symmetric")
_DECRYPT = (*_ALONE, "--decrypt")

# All that gpg says of one message that is whole and nothing else, in this order; what it says besides does not matter.
_GOOD = ("BEGIN_DECRYPTION", "DECRYPTION_INFO", "PLAINTEXT", "DECRYPTION_OKAY", "GOODMDC", "END_DECRYPTION")
_BAD = ("BADMDC", "DECRYPTION_FAILED", "NODATA", "UNEXPECTED", "FAILURE")
_ANOTHER = ["ERROR", "proc_pkt.plaintext"]  # a second text after the first; gpg leaves it out, but a good image has none
_WRONG_PASSPHRASE = (
    ("BEGIN_DECRYPTION", "DECRYPTION_INFO", "DECRYPTION_FAILED", "END_DECRYPTION"),
    ("BEGIN_DECRYPTION", "DECRYPTION_FAILED", "END_DECRYPTION"),  # where the passphrase opens a session key first
)
_AES = (["7"], ["8"], ["9"])  # RFC 4880, 9.2: with keys of 128, 192 and 256 bits


class Encryption(Filter):
    """An image being encrypted: what is read of it is the encrypted image."""

    def __init__(self, descriptor: int, what: str, passphrase: bytes, *, head: bytes = b"") -> None:
        """Encrypt *head* and what follows in *descriptor*, which errors call *what*.

        Raises: MissingInputError without gpg; OSError.
        """
        super().__init__(_ENCRYPT, descriptor, what, head=head, secret=passphrase)

    def judge(self, said: list[list[str]], exit_code: int) -> None:
        """Raise a KernelError unless gpg says that it has come to the end."""
        if exit_code != 0 or not any(words[0] == "END_ENCRYPTION" for words in said):
            raise KernelError(self.what, "gpg could not encrypt it")


class Decryption(Filter):
    """An encrypted image being decrypted: what is read of it is the image.

    Its bytes are to be trusted only when the end has been read: before, they may be those that somebody made of it.
    """

    def __init__(self, descriptor: int, what: str, passphrase: bytes, *, head: bytes = b"") -> None:
        """Decrypt *head* and what follows in *descriptor*, which errors call *what*.

        Raises: MissingInputError without gpg; OSError.
        """
        super().__init__(_DECRYPT, descriptor, what, head=head, secret=passphrase)

    def judge(self, said: list[list[str]], exit_code: int) -> None:  # noqa: ARG002 - it is 0 for what was cut short
        """Raise what `find_fault` finds."""
        fault = find_fault(said, self.what)
        if fault is not None:
            raise fault


def find_fault(said: list[list[str]], what: str) -> ToolError | None:
    """Return what is wrong with an encrypted image, which errors call *what*, by the words of gpg's status lines; None: nothing.

    A TrustError for a wrong passphrase, else a FormatError. Damage to the first bytes cannot be told from a wrong passphrase.

    Source: GnuPG doc/DETAILS: the lines of `_GOOD` and `_BAD`, ENC_TO, NEED_PASSPHRASE_SYM.
    """
    words = {line[0]: line for line in said}
    lines = tuple(line[0] for line in said if line[0] in (*_GOOD, *_BAD) or line[:2] == _ANOTHER)
    if lines == _GOOD:
        return None if words["DECRYPTION_INFO"][2:3] in _AES else FormatError(what, "encrypted, but not with AES")
    if "NEED_PASSPHRASE_SYM" not in words and "ENC_TO" in words:
        return FormatError(what, "encrypted to a public key, not with a passphrase", "gpg --decrypt, where its secret key is")
    if "NEED_PASSPHRASE_SYM" not in words and "PLAINTEXT" in words:
        return FormatError(what, "a PGP message that is not encrypted")
    if lines in _WRONG_PASSPHRASE:
        return TrustError(what, "the passphrase is wrong")
    if words.get("DECRYPTION_INFO", [])[1:2] == ["0"] and "BADMDC" not in words:
        return FormatError(what, "encrypted without protection against tampering")
    return FormatError(what, "the encrypted data is damaged, cut short or tampered with")
