"""The reified pod manifest: every app by its image's ID, every mount point bound, and what people are told about it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from acrun.options import AppOptions
from acrun.pod import AppRequest, ReifiedPod, reify
from acrun.resolve import ResolvedImage
from acspec.errors import UsageError
from acspec.image_manifest import parse_image_manifest
from acspec.labels import host_architecture
from acspec.layer_plan import Layer
from acspec.pod_manifest import PodManifest
from acspec.resolution import ImageFile
from acspec.values import replace
from acspec.volumes import Volume
from tests.support.images import MANIFEST

IMAGE_ID: Any = "sha512-" + "1" * 128


def request(
    name: str = "example.com/hello", *, labels: Sequence[dict[str, str]] = (), annotations: Mapping[str, str] = {}, **app: Any
) -> AppRequest:
    told = [{"name": key, "value": value} for key, value in annotations.items()]
    document = {**MANIFEST, "name": name, "labels": list(labels), "annotations": told, "app": {**MANIFEST["app"], **app}}
    data = json.dumps(document).encode()
    image = ImageFile(IMAGE_ID, "/x.aci", parse_image_manifest(data), data)
    return AppRequest(name, ResolvedImage(image, (Layer(IMAGE_ID),), {IMAGE_ID: image}, ()), AppOptions(), ())


def reified(*requests: AppRequest, volumes: Sequence[Volume] = (), strict: bool = False) -> ReifiedPod:
    return reify(requests, volumes, (), strict=strict, nested=False)


def port(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "port": 80, "protocol": "tcp", **more}


def test_an_app_is_named_after_its_image_and_refers_to_it_by_id() -> None:
    (app,) = reified(request("example.com/Some/hello-2".lower())).manifest.apps
    assert (app.name, app.image.id) == ("hello-2", IMAGE_ID)


def test_the_manifest_can_be_read_back() -> None:
    manifest = reified(request(mountPoints=[{"name": "data", "path": "/data"}])).manifest
    from acspec.fields import Fields

    assert PodManifest.read(Fields(manifest.to_json(), "pod")) == manifest


def test_two_apps_cannot_have_one_name() -> None:
    with pytest.raises(UsageError, match=r"a second app named hello \(--name"):
        reified(request(), request())


def test_a_mount_point_without_a_volume_gets_one_whose_name_nobody_has() -> None:
    taken = Volume(name="hello-data", kind="host", source="/srv")  # type: ignore[arg-type]
    pod = reified(request(mountPoints=[{"name": "data", "path": "/data"}]), volumes=[taken])
    assert [(volume.name, volume.kind) for volume in pod.manifest.volumes] == [("hello-data", "host"), ("hello-data-2", "empty")]
    assert pod.manifest.apps[0].mounts[0].volume == "hello-data-2"


@pytest.mark.parametrize(("system", "machine"), [("freebsd", "amd64"), ("linux", "s390x")])
def test_an_image_for_another_platform_is_refused(system: str, machine: str) -> None:
    labels = [{"name": "os", "value": system}, {"name": "arch", "value": machine}]
    with pytest.raises(UsageError, match=rf"is for {system}/{machine}, this machine is linux/{host_architecture()}"):
        reified(request(labels=labels))


PORTS = {
    "two apps with a port of one name": (
        [request("example.com/a", ports=[port("http")]), request("example.com/b", ports=[port("http")])],
        "apps a and b both have a port named http",
    ),
}


@pytest.mark.parametrize("case", PORTS)
def test_what_ports_do_not_get_is_told_and_strict_refuses_it(case: str) -> None:
    requests, words = PORTS[case]
    assert words in reified(*requests).notes[-1]
    with pytest.raises(UsageError, match=words):
        reified(*requests, strict=True)


def test_different_ports_are_nothing_to_speak_of() -> None:
    assert reified(request("example.com/a", ports=[port("http")]), request("example.com/b", ports=[port("dns")])).notes == ()


NOTIFY = "appc.io/executor/supports-systemd-notify"


def test_of_the_annotations_of_an_image_stage1_is_told_what_it_acts_upon() -> None:
    (app,) = reified(request(annotations={NOTIFY: "true", "authors": "somebody"})).manifest.apps
    assert [(annotation.name, annotation.value) for annotation in app.annotations] == [(NOTIFY, "true")]


def test_an_annotation_of_the_pod_counts_for_more_than_the_image_s() -> None:
    image = request(annotations={NOTIFY: "true"})
    (plain,) = reified(image).manifest.apps
    template = replace(plain, annotations=(replace(plain.annotations[0], value="false"),))
    (app,) = reified(replace(image, template=template)).manifest.apps
    assert [(annotation.name, annotation.value) for annotation in app.annotations] == [(NOTIFY, "false")]
