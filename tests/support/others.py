"""What other makers of images wrote, imitated byte by byte: Go's tar before 1.8, actool, acbuild and docker2aci."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.support.images import MANIFEST, archive, base256, header, manifest_bytes, member, pax_record

GNU = b"ustar  \0"
_ROOTFS = member("rootfs", kind="5", mode=0o40755)
_FOLDER = "d" * 60


def _app(**changes: Any) -> bytes:
    return manifest_bytes(app={**MANIFEST["app"], **changes})


def _split(name: str, data: bytes = b"", **fields: Any) -> bytes:
    """Return a member of GNU's flavour whose name Go split at the prefix all the same, as it did once a number had needed GNU's."""
    prefix, _, last = name.rpartition("/")
    return member(last, data, magic=GNU, prefix=prefix.encode(), **fields)


def _go_pax(name: str, number: str) -> bytes:
    """Return a file with a long name as Go writes it: blank devices, no mode, and a short name that is cut off."""
    short = f"rootfs/PaxHeaders.{number}/{name[7:][:70]}"
    extended = member(short, pax_record("path", name), kind="x", mode=0, major=b"", minor=b"")
    return extended + member(name[:100], b"data")


def good_images() -> Iterator[tuple[str, bytes]]:
    """Yield whole tars, each with what it is like."""
    manifest = member("manifest", manifest_bytes(), uname=b"root", gname=b"root")
    files = (member("rootfs/f", b"x", mode=0o100644), member("rootfs/l", kind="2", link="f", mode=0o120777))
    yield "an image of actool's or acbuild's, the manifest last", archive([_ROOTFS, *files, manifest])
    big = member("rootfs/a", b"x", uid=base256(3_000_000, 8), magic=GNU)
    folder = member(f"rootfs/{_FOLDER}", kind="5", magic=GNU)
    split = (_split(f"rootfs/{_FOLDER}/{'e' * 80}", b"behind"), _split(f"rootfs/{'e' * 95}", b"at the top"))
    yield "GNU's flavour with names split at the prefix, by Go before 1.8", archive([_ROOTFS, big, folder, *split, manifest])
    for number in ("5785", "0"):
        parts = [manifest, _ROOTFS, _go_pax("rootfs/" + "n" * 150, number)]
        yield f"a pax header of Go's, called PaxHeaders.{number}", archive(parts)
    middle = [header("rootfs/@PaxHeader", kind="g", mode=0), member("rootfs/f", b"x")]
    middle.append(member("rootfs/@PaxHeader", pax_record("comment", "0" * 40), kind="g", mode=0))
    yield "docker2aci's global headers in between", archive([manifest, _ROOTFS, *middle, member("rootfs/g", b"y")])
    upper = [header("rootfs/dev/stdin", kind="2", link="/proc/self/fd/0"), member("rootfs/etc/x", b"x", uname=b"0")]
    upper += [member("rootfs/dev", kind="5"), member("rootfs/etc", kind="5"), _ROOTFS]
    yield "docker2aci's squashed layers, files long before their directories", archive([manifest, *upper])
    ports = [{"name": "p", "protocol": "tcp", "port": 80, "count": 0, "socketActivated": False}]
    layer = member("manifest", _app(ports=ports, environment=None, mountPoints=[]))
    yield "a layer of docker2aci's with ports counted 0", archive([_ROOTFS, header("rootfs/dev/x", kind="2", link="y"), layer])
    mixed = [member("@LongLink", b"rootfs/\xff\0", kind="L", mode=0, magic=GNU), member(b"rootfs/\xff", b"x", magic=GNU)]
    yield "flavours mixed by the reference's patch-manifest", archive([manifest, _ROOTFS, *mixed, member("rootfs/b", b"y")])
    empty = json.loads(manifest_bytes())
    empty["app"]["exec"] = None
    yield "an app whose exec is null, of acbuild's", archive([member("manifest", json.dumps(empty).encode()), _ROOTFS])


def bad_members() -> Iterator[tuple[str, bytes, str]]:
    """Yield members for behind the manifest, each with what is wrong with them and the words of the refusal."""
    yield "GNU's flavour with a prefix that climbs", _split("rootfs/../x"), 'holds ".."'
    twice = _split("rootfs/a") + member("rootfs/a")
    yield "a name twice, once split at the prefix in GNU's flavour", twice, "appears twice"
    yield "GNU's flavour with a prefix of another top", _split("rootfsevil/x"), "outside rootfs"
