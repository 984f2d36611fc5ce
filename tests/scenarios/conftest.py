"""What a person finds who types the scenarios: a store of their own, and images in the working directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.desk import Desk, app_image, userland
from tests.support.images import Node
from tests.support.machine import Machine, plain_environment

APPLETS = (
    "sh", "cat", "chmod", "cut", "df", "echo", "env", "false", "find", "grep", "head", "hostname", "id", "kill", "ln",
    "ls", "mkdir", "mount", "nc", "printf", "ps", "pwd", "readlink", "rm", "sleep", "sort", "stat", "sysctl", "test",
    "touch", "tr", "true", "tty", "umount", "unshare", "wc",
)  # fmt: skip
PASSWD = b"root:x:0:0::/:/bin/sh\napp:x:1000:1000::/home:/bin/sh\n"
GROUP = b"root:x:0:\napp:x:1000:\nextra:x:2000:app\n"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here: pods take root."""
    for item in items:
        if "scenarios" in str(item.path):
            item.add_marker(pytest.mark.privileged)


def files() -> dict[str, object]:
    """Return the files of the images: a userland, two users, a group, and something to be hidden by a mount."""
    return {
        **userland(*APPLETS),
        "etc": None,
        "etc/passwd": Node(PASSWD),
        "etc/group": Node(GROUP),
        "srv": None,
        "srv/kept": Node(b"of the image\n"),
    }


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the images: `sh.aci` runs a line of shell, `mounts.aci` has mount points, `handlers.aci` handlers."""
    place = tmp_path_factory.mktemp("images")
    shell = ["/bin/sh", "-c"]
    handlers = [
        {"name": "pre-start", "exec": ["/bin/sh", "-c", "echo before; echo made > /state"]},
        {"name": "post-stop", "exec": ["/bin/sh", "-c", "echo after"]},
    ]
    points = [{"name": "data", "path": "/data"}, {"name": "fixed", "path": "/fixed", "readOnly": True}]
    made = {
        "sh": app_image("example.com/sh", shell, files()),
        "mounts": app_image("example.com/mounts", shell, files(), app={"mountPoints": points}),
        "handlers": app_image("example.com/handlers", shell, files(), app={"eventHandlers": handlers}),
        "probe": app_image("example.com/probe"),
        "user": app_image("example.com/user", shell, files(), app={"user": "app", "group": "app", "supplementaryGIDs": [2000]}),
    }
    for name, data in made.items():
        (place / f"{name}.aci").write_bytes(data)
    return place


@pytest.fixture
def shelf(images: Path, tmp_path: Path) -> Desk:
    """Return a desk with the images in its working directory."""
    for image in images.iterdir():
        (tmp_path / image.name).hardlink_to(image)
    return Desk(Machine(tmp_path, 0, 0, plain_environment()), tmp_path)
