"""Images made from nothing and changed, with installed programs as a person types them; GNU tar says what became of the files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.desk import Desk, app_image, app_manifest


def manifest(desk: Desk, image: str) -> dict[str, Any]:
    """Return the manifest of an image as GNU tar finds it."""
    value: dict[str, Any] = json.loads(desk.shell(f"tar -xOf {image} manifest").stdout)
    return value


def test_from_a_first_manifest_to_a_second_version_in_one_pipe(plain_desk: Desk) -> None:
    line = (
        "actool init --name example.com/app --exec '/bin/app --flag' --label version=1 layout"
        " && echo hello > layout/rootfs/file"
        " && actool build layout - | actool patch-manifest - - --label version=2 --env A=1 > app.aci"
        " && actool validate --quiet app.aci"
    )
    ended = plain_desk.shell(line)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
    made = manifest(plain_desk, "app.aci")
    assert made["labels"][0] == {"name": "version", "value": "2"}
    assert made["app"]["environment"] == [{"name": "A", "value": "1"}]
    assert plain_desk.shell("tar -xOzf app.aci rootfs/file").stdout == "hello\n"


# Lines in the reference's own syntax, and what they set in the app.
REFERENCE: dict[str, dict[str, Any]] = {
    "--exec='/app --debug'": {"exec": ["/app", "--debug"]},
    "--user=100 --group=200 --supplementary-groups=1,2": {"user": "100", "group": "200", "supplementaryGIDs": [1, 2]},
    "--mounts=work,path=/opt,readOnly=true:work2,path=/srv": {
        "mountPoints": [{"name": "work", "path": "/opt", "readOnly": True}, {"name": "work2", "path": "/srv"}]
    },
    "--ports=query,protocol=tcp,port=8080:query2,protocol=udp,port=53": {
        "ports": [
            {"name": "query", "protocol": "tcp", "port": 8080},
            {"name": "query2", "protocol": "udp", "port": 53},
        ]
    },
    "--capability=CAP_SYS_ADMIN,CAP_NET_ADMIN": {
        "isolators": [{"name": "os/linux/capabilities-retain-set", "value": {"set": ["CAP_SYS_ADMIN", "CAP_NET_ADMIN"]}}]
    },
    "--revoke-capability=CAP_SYS_CHROOT,CAP_MKNOD": {
        "isolators": [{"name": "os/linux/capabilities-remove-set", "value": {"set": ["CAP_SYS_CHROOT", "CAP_MKNOD"]}}]
    },
    "--isolators=resource/cpu,request=50m,limit=100m:os/linux/no-new-privileges,true": {
        "isolators": [
            {"name": "resource/cpu", "value": {"request": "50m", "limit": "100m"}},
            {"name": "os/linux/no-new-privileges", "value": True},
        ]
    },
    "--seccomp-mode=retain,errno=EPERM --seccomp-set=read,write": {
        "isolators": [{"name": "os/linux/seccomp-retain-set", "value": {"set": ["read", "write"], "errno": "EPERM"}}]
    },
}


@pytest.mark.parametrize("options", REFERENCE)
def test_lines_for_the_reference_mean_what_they_meant(plain_desk: Desk, options: str) -> None:
    (plain_desk.path / "x.aci").write_bytes(app_image(files={"file": b"content"}))
    before = manifest(plain_desk, "x.aci")
    ended = plain_desk.shell(f"actool patch-manifest {options} x.aci y.aci && actool patch-manifest --replace {options} x.aci")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
    after = manifest(plain_desk, "y.aci")
    assert after == {**before, "app": {**before["app"], **REFERENCE[options]}}
    assert (plain_desk.path / "x.aci").read_bytes() == (plain_desk.path / "y.aci").read_bytes()


def test_compression_is_changed_on_the_way(plain_desk: Desk) -> None:
    (plain_desk.path / "x.aci").write_bytes(app_image(files={"file": b"content"}))
    plain = "actool patch-manifest --no-compression x.aci y.aci && zcat x.aci | cmp - y.aci"
    ended = plain_desk.shell(f"{plain} && actool patch-manifest --compression xz y.aci - | xzcat | cmp - y.aci")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")


def test_many_at_once_replace_one_image_and_leave_a_whole_one(plain_desk: Desk) -> None:
    (plain_desk.path / "x.aci").write_bytes(app_image(files={"file": b"content"}))
    loop = "for n in 1 2 3 4 5 6; do actool patch-manifest --replace --label version=$n x.aci & done; wait"
    ended = plain_desk.shell(f"{loop}; actool validate -v x.aci; ls -A")
    assert ended.code == 0
    assert ended.stdout.splitlines()[-1] == "x.aci"


EXAMPLES = (
    "actool patch-manifest app.aci app-2.aci --label version=2 --env LANG=C.UTF-8",
    "actool patch-manifest --replace app-2.aci --remove mounts --mounts work,path=/var/lib/work --user app",
    "zcat app.aci | actool patch-manifest - - --manifest manifest --compression xz > app-xz.aci",
    "actool init --name example.com/app --exec '/bin/app --flag' --label version=1.0.0 layout",
)


def test_the_examples_of_the_manual_do_what_they_say(plain_desk: Desk) -> None:
    app = {"mountPoints": [{"name": "old", "path": "/old"}]}
    (plain_desk.path / "app.aci").write_bytes(app_image(files={"file": b"content"}, app=app))
    (plain_desk.path / "manifest").write_bytes(app_manifest("example.com/other"))
    ended = plain_desk.shell(" && ".join((*EXAMPLES, "actool validate --quiet app-2.aci app-xz.aci layout")))
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
    made = manifest(plain_desk, "app-2.aci")
    assert made["app"]["mountPoints"] == [{"name": "work", "path": "/var/lib/work"}]
    assert (made["app"]["user"], made["labels"][-1]) == ("app", {"name": "version", "value": "2"})
    assert manifest(plain_desk, "app-xz.aci")["name"] == "example.com/other"
    assert (plain_desk.path / "layout" / "rootfs").is_dir()
