"""Which numbers the caller's ids have in a pod."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from acrun.idmap import Owners, choose_id_map
from tests.support.users import NOBODY, as_ordinary_user, place_of_everybody

PASSWD, GROUP = "root:x:0:0::/:/bin/sh\npostgres:x:70:71::/:/bin/sh\n70:x:99:99::/:/bin/sh\n", "postgres:x:71:\n"


def app(user: str, group: str) -> dict[str, Any]:
    return {"app": {"user": user, "group": group}}


CASES: dict[str, tuple[list[dict[str, Any]], tuple[int, int]]] = {
    "root": ([app("0", "0")], (0, 0)),
    "a number": ([app("1000", "100")], (1000, 100)),
    "a name of the image": ([app("postgres", "postgres")], (70, 71)),
    "a name that is a number": ([app("70", "0")], (99, 0)),
    "a name that nobody has": ([app("nobody", "staff")], (0, 0)),
    "the owner of a file": ([app("/bin/sh", "/bin/sh")], (0, 0)),
    "two apps of one user": ([app("postgres", "0"), app("70", "0")][:1] * 2, (70, 0)),
    "two apps of two users": ([app("1000", "7"), app("0", "7")], (0, 7)),
}


def choose(apps: list[dict[str, Any]], root: Path) -> Any:
    return choose_id_map(apps, [str(root)] * len(apps))


@pytest.mark.parametrize("case", CASES)
def test_the_inside_number_is_what_all_apps_ask_for(case: str) -> None:
    apps, (uid, gid) = CASES[case]
    with place_of_everybody() as root:
        (root / "etc").mkdir()
        (root / "etc" / "passwd").write_text(PASSWD)
        (root / "etc" / "group").write_text(GROUP)
        chosen = as_ordinary_user(partial(choose, apps, root))
    assert chosen == {"uid": [[uid, NOBODY, 1]], "gid": [[gid, NOBODY, 1]]}


@pytest.mark.parametrize("name", ["etc", "etc/passwd"])
def test_no_link_of_an_image_is_followed(name: str) -> None:
    with place_of_everybody() as root:
        (root / "host").mkdir()
        (root / "host" / "passwd").write_text(PASSWD)
        (root / "etc").mkdir()
        if name == "etc":
            (root / "etc").rmdir()
        (root / name).symlink_to(root / "host" / ("" if name == "etc" else "passwd"))
        assert as_ordinary_user(partial(choose, [app("postgres", "0")], root))["uid"][0][0] == 0


def test_root_s_pods_have_the_ids_of_the_host(tmp_path: Path) -> None:
    assert choose([app("1000", "0")], tmp_path) is None


# The map, then who a user is to it, by number.
SEEN: dict[str, tuple[Any, dict[int, int]]] = {
    "the ids of the host": (None, {0: 0, 1000: 1000}),
    "root of an ordinary user's pod": ({"uid": [[0, 1000, 1]], "gid": [[0, 100, 1]]}, {1000: 0, 0: 65534, 70: 65534}),
    "another number": ({"uid": [[70, 1000, 1]], "gid": [[71, 100, 1]]}, {1000: 70, 0: 65534, 70: 65534}),
    "a map that makes no sense": ({"uid": [["x"]], "gid": 7}, {1000: 1000}),
    "a map that is no map": ([1], {1000: 1000}),
}


@pytest.mark.parametrize(("id_map", "numbers"), SEEN.values(), ids=SEEN)
def test_owners_are_who_they_are_inside(id_map: Any, numbers: dict[int, int]) -> None:
    owners = Owners(id_map)
    assert {number: owners.uid(number) for number in numbers} == numbers
