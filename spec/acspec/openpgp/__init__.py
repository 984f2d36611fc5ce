"""OpenPGP through gpg: keys, signatures, messages under a passphrase. Nothing else starts gpg; one verdict for all tools.

gpg's exit code is no verdict: it is 0 for revoked and for expired keys, and for an encrypted message that was cut short. What
counts are its status lines, told by their beginning. Which keys are trusted for what is the caller's business.
Modules, from top to bottom:

    signing         detached signatures by a key of the user's own gpg
    verification    detached signatures, verified while the signed bytes come
    keys            public keys, read from files and from the user's own gpg
    strength        whether a key is fit to sign: not revoked, expired or weak
    symmetric       messages under a passphrase: written, and read to a verdict
    filter          gpg between two streams, without a thread and without a file
    armour          ASCII armour as gpg wants it
    home            a home directory for gpg, as long as it is used
    process         gpg started, and what its status lines say

Source: aci.md, Image Archives; GnuPG doc/DETAILS, Format of the --status-fd output.
"""
