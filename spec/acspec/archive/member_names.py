"""Names of archive members: brought to one spelling, or refused.

Names are bytes and stay so: what is not UTF-8 is legal. What a name may be in an image is `layout`'s to say.
"""

from __future__ import annotations

from acspec import limits
from acspec.archive.faults import Fault


def normalise(name: bytes) -> bytes:
    """Return *name* without `./`, `//` and slashes at its end; `b""` for the directory itself.

    Two names that a file system would take for the same file come out equal, as no `..` and no link is followed.

    Raises: Fault for an absolute or empty name, `..`, a zero byte, or a name beyond the limits.
    Source: aci.md, Image Archives; spec/image-archive.md, Names.
    """
    if not name:
        raise Fault("the name is empty")
    if len(name) > limits.NAME_BYTES:
        raise Fault(f"the name is longer than the limit of {limits.NAME_BYTES} bytes")
    if name[0] == 0x2F:
        raise Fault("the name is absolute")
    if b"\0" in name:
        raise Fault("the name holds a zero byte")
    return name if is_normal(name) else _respell(name)


def is_normal(name: bytes) -> bool:
    """Tell of most names without a zero byte that they need no `normalise`: of short ones where no dot begins a component.

    Source: spec/image-archive.md, Names.
    """
    find = name.find  # which takes half as long as `in`
    return (
        0 < len(name) <= limits.NAME_COMPONENTS  # which cannot have more components than that
        and name[0] not in b"./"
        and name[-1] != 0x2F
        and find(b"/.") < 0
        and find(b"//") < 0
    )


def _respell(name: bytes) -> bytes:
    parts = [part for part in name.split(b"/") if part not in (b"", b".")]
    if b".." in parts:
        raise Fault('the name holds ".."')
    if len(parts) > limits.NAME_COMPONENTS:
        raise Fault(f"the name has more than the limit of {limits.NAME_COMPONENTS} components")
    return b"/".join(parts)
