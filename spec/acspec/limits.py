"""Every limit on bytes from outside, in one table (spec/limits.md says why each has its value).

Numbers only: bytes, counts and depths. The error of whoever enforces a limit names it and its value.
"""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

# Manifests and other JSON
MANIFEST_BYTES = 1 * MIB
JSON_DEPTH = 64
JSON_INTEGER = 2**63  # magnitudes from here on are refused

# Archives
IMAGE_SERVED_BYTES = 16 * GIB
IMAGE_UNPACKED_BYTES = 64 * GIB
ARCHIVE_ENTRIES = 1_000_000
PAX_HEADER_BYTES = 1 * MIB
PAX_HEADERS_BYTES = 256 * MIB
SPARSE_MAP_ENTRIES = 262_144
NAME_BYTES = 64 * KIB
NAME_COMPONENTS = 4_096
LINK_NAMES_BYTES = 16 * MIB
XZ_DICTIONARY_BYTES = 256 * MIB

# The network
DISCOVERY_PAGE_BYTES = 1 * MIB
REDIRECTS = 20
URL_BYTES = 8 * KIB
KEY_FILE_BYTES = 1 * MIB
KEY_URLS = 16
SIGNATURE_BYTES = 64 * KIB
TRANSPORT_NOTE_BYTES = 4 * KIB

# Dependencies
DEPENDENCIES = 100
DEPENDENCY_DEPTH = 32

# acrun's standard input
IMAGE_LINES = 1_024
IMAGE_LINE_BYTES = 4 * KIB

# actool's lists of files
FILE_LIST_BYTES = 4 * MIB
FILE_LIST_LINES = 65_536
FILE_LINE_BYTES = 4 * KIB

# Files read inside a rootfs
PASSWD_BYTES = 1 * MIB
LINT_BYTES = 16 * MIB

# What stage0 compiles and stage1 loads: 4,096 instructions, linux/bpf_common.h, BPF_MAXINSNS
SECCOMP_FILTER_BYTES = 32 * KIB

# Files that a layout leaves out of its image
IGNORE_FILE_BYTES = 1 * MIB
IGNORE_PATTERNS = 1_000
PATTERN_STARS = 2
PATTERN_ANY_DEPTHS = 2

# Secrets
PASSPHRASE_BYTES = 1 * KIB
GPG_STATUS_BYTES = 4 * KIB
CREDENTIAL_BYTES = 16 * KIB
NETRC_BYTES = 1 * MIB
