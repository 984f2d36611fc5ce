"""From an image and all it depends on to one image, or to a directory: what comes of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from acspec.archive.compression import Compression
from acspec.archive.image import read_image
from acspec.archive.write import ImageSettings
from acspec.errors import FormatError, OutputError, OutputExistsError, TrustError
from actool.build import BuildRequest, build
from actool.passphrase import Passphrase
from actool.render import Rendering, RenderRequest, render
from actool.sources import SourceRequest
from tests.support import images
from tests.support.fetched import add_image
from tests.support.flattening import APP, BASE, content, depends, held, manifest, names, rendered
from tests.support.gpg import encrypt
from tests.support.images import Node
from tests.support.users import as_ordinary_user, place_of_everybody


@pytest.mark.usefixtures("render_place")
def test_an_image_and_its_dependency_become_one() -> None:
    rendering = rendered("app.aci", "base.aci")
    assert rendering.warnings == []
    found = held()
    assert names() == {"bin", "bin/su", "bin/sh", "bin/app", "etc", "etc/motd", "dev", "dev/null", "lib", "lib/app"}
    assert [content(name) for name in ("bin/sh", "bin/su", "etc/motd", "lib/app")] == [b"other sh", b"su", b"below", b"app"]
    assert frozenset({b"rootfs/bin/app", b"rootfs/bin/sh"}) in found.names
    entry = found.files[b"rootfs/bin"][0]
    assert (entry.mode, entry.uid, entry.gid, entry.mtime_ns) == (0o711, 1, 2, 3 * 10**9)
    with open("out.aci", "rb") as file:
        scanned = read_image(file.fileno(), "out.aci")
    assert (scanned.image_id, scanned.warnings) == (rendering.image_id, ())
    assert (scanned.manifest.name, scanned.manifest.dependencies) == ("example.com/app", ())


MANIFESTS = {
    "on one line": (
        b'{"acKind":"ImageManifest","acVersion":"0.8.11","x":[1,{"y":null}],"dependencies":[],"pathWhitelist":null,"name":"example.com/x"}',
        b'{"acKind":"ImageManifest","acVersion":"0.8.11","x":[1,{"y":null}],"name":"example.com/x"}\n',
    ),
    "laid out for people": (
        b'{\n  "acKind": "ImageManifest",\n  "acVersion": "0.8.11",\n  "name": "example.com/x", "pathWhitelist": ["/a"]}',
        b'{\n    "acKind": "ImageManifest",\n    "acVersion": "0.8.11",\n    "name": "example.com/x"\n}\n',
    ),
    "with nothing to lose": (
        b' {"acVersion" : "0.8.11","acKind":"ImageManifest", "name":"example.com/x",  "z":1.0}\n\n',
        b' {"acVersion" : "0.8.11","acKind":"ImageManifest", "name":"example.com/x",  "z":1.0}\n\n',
    ),
}


@pytest.mark.parametrize(("before", "after"), MANIFESTS.values(), ids=MANIFESTS)
@pytest.mark.usefixtures("render_place")
def test_the_manifest_loses_what_speaks_of_layers_and_nothing_else(before: bytes, after: bytes) -> None:
    images.write_image("x.aci", {"a": b"", "b": b""}, before)
    rendered("x.aci")
    assert held().files[b"manifest"][1] == after


@pytest.mark.usefixtures("render_place")
def test_a_whitelist_counts_for_the_image_itself_and_all_below() -> None:
    kept = ["/bin/su", "/bin/app", "/etc/"]
    images.write_image("app.aci", APP, manifest("example.com/app", dependencies=depends("example.com/base"), pathWhitelist=kept))
    rendered("app.aci", "base.aci")
    assert names() == {"bin", "bin/su", "bin/app", "etc"}
    assert content("bin/app") == b"other sh", "the content of a link stays when its target goes"


@pytest.mark.usefixtures("render_place")
def test_the_same_images_give_the_same_bytes_however_they_are_compressed_or_found() -> None:
    first = rendered("app.aci", "base.aci")
    images.write_image("base.aci", BASE, manifest("example.com/base"), "none")
    Path("base.aci").chmod(0o644)
    second = rendered("./app.aci", "base.aci", output="again.aci", settings=ImageSettings(threads=3))
    assert Path("out.aci").read_bytes() == Path("again.aci").read_bytes()
    add_image(Path("data"), manifest("example.com/base"), BASE)
    assert rendered("app.aci", output="stored.aci").image_id == first.image_id == second.image_id


@pytest.mark.privileged
@pytest.mark.usefixtures("render_place")
def test_a_directory_made_by_root_builds_to_the_same_image() -> None:
    rendering = rendered("app.aci", "base.aci")
    assert rendered("app.aci", "base.aci", output="layout/") == Rendering(None, [])
    assert build(BuildRequest(SourceRequest("layout"), "built.aci", False, ImageSettings())).image_id == rendering.image_id
    assert Path("built.aci").read_bytes() == Path("out.aci").read_bytes()


@pytest.mark.usefixtures("render_place")
def test_settings_are_those_of_build() -> None:
    rendered("app.aci", "base.aci", settings=ImageSettings(Compression.NONE, clamp_ns=10**9, owner_root=True))
    entries = [entry for entry, _ in held().files.values()]
    assert {(entry.uid, entry.gid) for entry in entries} == {(0, 0)}
    assert {entry.mtime_ns for entry in entries} == {0, 10**9}
    assert Path("out.aci").read_bytes()[257:262] == b"ustar"


def test_an_image_made_by_an_ordinary_user_is_the_same() -> None:
    with place_of_everybody() as everybody:
        for name, files, more in (("base", BASE, {}), ("app", APP, {"dependencies": depends("example.com/base")})):
            images.write_image(everybody / f"{name}.aci", files, manifest(f"example.com/{name}", **more))
        words = [str(everybody / name) for name in ("app.aci", "base.aci")]
        data = str(everybody / "data")

        def image() -> Rendering:
            return render(RenderRequest(words, str(everybody / "user.aci"), data))

        def layout() -> Sequence[str]:
            return render(RenderRequest(words, str(everybody / "layout"), data)).warnings

        def strictly() -> object:
            return render(RenderRequest(words, str(everybody / "strict"), data, strict=True))

        assert as_ordinary_user(image) == render(RenderRequest(words, str(everybody / "own.aci"), data))
        assert (everybody / "user.aci").read_bytes() == (everybody / "own.aci").read_bytes()
        assert as_ordinary_user(layout)[0].endswith("1 set-user-ID or set-group-ID bit, 1 device node (root could keep them)")
        assert stat.S_IMODE((everybody / "layout/rootfs/bin/su").stat().st_mode) == 0o755
        with pytest.raises(TrustError, match=r"app\.aci: cannot be kept: .* \(without --strict"):
            as_ordinary_user(strictly)
        assert sorted(os.listdir(everybody)) == ["app.aci", "base.aci", "layout", "own.aci", "user.aci"]


@pytest.mark.usefixtures("render_place")
def test_attributes_of_a_host_are_left_out_with_a_warning_and_refused_when_strict() -> None:
    files: images.Files = {"f": Node(b"", xattrs={"trusted.a": b"", "user.b": b""})}
    images.write_image("x.aci", files, manifest("example.com/x"))
    assert rendered("x.aci").warnings == ["out.aci: warning: left out, being a host's own: 1 extended attribute"]
    assert list(held().files[b"rootfs/f"][0].xattrs) == [b"user.b"]
    with pytest.raises(TrustError, match="cannot be kept: 1 extended attribute"):
        rendered("x.aci", output="strict.aci", strict=True)
    assert not Path("strict.aci").exists()


TAKEN = {
    "an image": ("out.aci", "the last one is the output; --overwrite replaces it"),
    "a directory": ("out", "only a new directory is made"),
}


@pytest.mark.parametrize(("output", "hint"), TAKEN.values(), ids=TAKEN)
@pytest.mark.usefixtures("render_place")
def test_an_output_that_exists_is_left_alone(output: str, hint: str) -> None:
    Path(output).write_bytes(b"mine")
    with pytest.raises(OutputExistsError, match=f"{output}: already exists \\({hint}\\)"):
        rendered("app.aci", "base.aci", output=output)
    assert Path(output).read_bytes() == b"mine"


@pytest.mark.parametrize("output", ["nowhere/out.aci", "nowhere/out"])
@pytest.mark.usefixtures("render_place")
def test_a_place_that_is_not_there_is_named_before_anything_is_read(output: str) -> None:
    with pytest.raises(OutputError, match=f"{output}: cannot be (made|created): no such file"):
        rendered("missing.aci", output=output)


@pytest.mark.usefixtures("render_place")
def test_an_image_can_be_replaced_by_what_it_is_rendered_to() -> None:
    rendered("app.aci", "base.aci", output="app.aci", overwrite=True)
    assert "etc/motd" in names("app.aci")
    rendered("app.aci")
    assert Path("app.aci").read_bytes() == Path("out.aci").read_bytes()


@pytest.fixture
def passphrase(render_place: Path) -> Passphrase:
    """The passphrase of encrypted images, in a file beside them."""
    (render_place / "secret").write_text("sesam")
    return Passphrase(None, "secret")


def test_encrypted_images_are_layers_like_any_other(passphrase: Passphrase) -> None:
    secret = encrypt(Path("base.aci").read_bytes(), "sesam")
    Path("secret-base.aci").write_bytes(secret)
    wanted = depends("example.com/base", size=len(secret))
    images.write_image("app.aci", APP, manifest("example.com/app", dependencies=wanted), "none")
    Path("secret-app.aci").write_bytes(encrypt(Path("app.aci").read_bytes(), "sesam"))
    rendering = render(RenderRequest(["secret-app.aci", "base.aci", "secret-base.aci"], "out.aci"), passphrase)
    assert rendering.warnings == [], "both of the name are one image"
    images.write_image("app.aci", APP, manifest("example.com/app", dependencies=depends("example.com/base")))
    assert rendering.image_id == rendered("app.aci", "base.aci", output="plain.aci").image_id


@pytest.mark.parametrize("output", ["out.aci", "out"])
def test_nothing_is_made_of_an_encrypted_image_that_somebody_changed(output: str, passphrase: Passphrase) -> None:
    images.write_image("app.aci", {"f": os.urandom(100_000)}, manifest("example.com/app"), "none")
    secret = bytearray(encrypt(Path("app.aci").read_bytes(), "sesam", "--compress-algo", "none"))
    secret[-5_000] ^= 1
    Path("app.aci").write_bytes(secret)
    with pytest.raises(FormatError, match=r"app\.aci: the encrypted data is damaged, cut short or tampered with"):
        render(RenderRequest(["app.aci"], output), passphrase)
    assert sorted(os.listdir()) == ["app.aci", "base.aci", "secret"]
