"""Signatures and encryption from hand to hand: what actool signs, acfetch trusts; what is encrypted, nobody else reads."""

from __future__ import annotations

from tests.support.desk import Desk, app_image, assert_refused, snapshot
from tests.support.gpg import Signer


def test_what_actool_signs_acfetch_trusts(desk: Desk, signer: Signer, stranger: Signer) -> None:
    image = desk.path / "hello.aci"
    image.write_bytes(app_image())
    (desk.path / "key").write_bytes(signer.public)
    for key, fetched, verified in ((stranger, 77, 1), (signer, 0, 0)):
        ended = desk.run("actool", "sign", "--homedir", str(key.home), "--overwrite", "hello.aci")
        assert (ended.code, ended.stdout) == (0, f"{key.fingerprint.lower()}  hello.aci.asc\n")
        signature = (desk.path / "hello.aci.asc").read_bytes()
        desk.publish("example.com/hello", image.read_bytes(), signature=signature)
        assert desk.run("acfetch", "--quiet", "example.com/hello").code == fetched
        assert desk.run("actool", "verify", "--key", "key", "hello.aci").code == verified


def test_an_image_goes_encrypted_and_signed_from_hand_to_hand(plain_desk: Desk, signer: Signer) -> None:
    desk = plain_desk
    (desk.path / "secret").write_text("sesam\n")
    (desk.path / "key").write_bytes(signer.public)
    (desk.path / "layout/rootfs").mkdir(parents=True)
    (desk.path / "layout/manifest").write_bytes(b'{"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/hello"}')
    lines = (
        "actool build --compression none layout - | actool encrypt --passphrase-file secret - hello.aci",
        f"actool sign --homedir {signer.home} hello.aci",
        "actool verify --key key hello.aci && actool extract --passphrase-fd 3 hello.aci again 3< secret",
        "actool decrypt --passphrase-file secret - plain.aci < hello.aci",
    )
    for line in lines:
        ended = desk.shell(line)
        assert (ended.code, ended.stderr) == (0, ""), line
    assert snapshot(desk.path / "again") == snapshot(desk.path / "layout")
    ids = desk.shell("actool id --passphrase-file secret hello.aci plain.aci").stdout.split()
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_programs_without_a_passphrase_refuse_an_encrypted_image(plain_desk: Desk) -> None:
    desk = plain_desk
    (desk.path / "secret").write_text("sesam\n")
    (desk.path / "plain.aci").write_bytes(app_image())
    assert desk.shell("actool encrypt -q --passphrase-file secret plain.aci hello.aci").code == 0
    assert_refused(desk.shell("setsid --wait actool ls hello.aci < /dev/null"), 65, "hello.aci: encrypted with PGP", "actool")
    insecure = "--insecure-options=image"
    assert_refused(desk.shell(f"acfetch {insecure} ./hello.aci"), 65, "hello.aci: encrypted with PGP", "acfetch")
