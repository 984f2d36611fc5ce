"""Which images need which: closures, dependents, and an order in which they can go."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acfetch.dependency_graph import close_over, find_dependents, order_removal
from acspec.names import ACIdentifier, ImageID
from acspec.store import ImageRecord

Records = dict[ImageID, ImageRecord]


def records(**needs: str) -> Records:
    """Return records of images called by letters, each with the letters of those that it depends on."""
    made = {}
    for name, dependencies in needs.items():
        made[ImageID(name)] = ImageRecord(ImageID(name), ACIdentifier(name), dependencies=tuple(map(ImageID, dependencies)))
    return made


def ids(text: str) -> set[ImageID]:
    return {ImageID(letter) for letter in text}


DIAMOND = records(a="bc", b="d", c="d", d="", e="d")


def test_a_closure_reaches_down_to_the_last() -> None:
    assert close_over(ids("a"), DIAMOND) == ids("abcd")
    assert close_over(ids("be"), DIAMOND) == ids("bde")
    assert close_over([], DIAMOND) == set()


def test_a_closure_names_what_is_not_there() -> None:
    assert close_over(ids("a"), records(a="x")) == ids("ax")


def test_dependents_are_those_that_stay() -> None:
    assert [(image_id, record.name) for image_id, record in find_dependents(ids("d"), DIAMOND)] == [
        ("d", "b"), ("d", "c"), ("d", "e"),
    ]  # fmt: skip
    assert [record.name for _, record in find_dependents(ids("bcd"), DIAMOND)] == ["a", "a", "e"]
    assert find_dependents(ids("abcde"), DIAMOND) == []


def test_what_needs_goes_before_what_is_needed() -> None:
    assert order_removal(ids("abcde"), DIAMOND) == [["a", "e"], ["b", "c"], ["d"]]
    assert order_removal(ids("ad"), DIAMOND) == [["a", "d"]]


def test_a_circle_goes_all_the_same() -> None:
    assert order_removal(ids("abc"), records(a="b", b="c", c="bc")) == [["a"], ["b", "c"]]


@st.composite
def graphs(draw: st.DrawFn) -> Records:
    letters = "abcdefgh"
    return records(**{letter: "".join(sorted(draw(st.sets(st.sampled_from(letters + "xy"))))) for letter in letters})


@given(graphs(), st.sets(st.sampled_from("abcdefgh")))
def test_an_order_holds_each_image_once_and_no_group_needs_an_earlier_one_but_in_circles(graph: Records, chosen: set[str]) -> None:
    groups = order_removal(ids("".join(chosen)), graph)
    flat = [image_id for group in groups for image_id in group]
    assert sorted(flat) == sorted(chosen)
    for number, group in enumerate(groups):
        earlier = {image_id for other in groups[:number] for image_id in other}
        for image_id in group:
            for dependency in set(graph[image_id].dependencies) & earlier:
                assert image_id in close_over(graph[dependency].dependencies, graph), "not a circle"


@given(graphs(), st.sets(st.sampled_from("abcdefgh")))
def test_a_closure_is_closed(graph: Records, chosen: set[str]) -> None:
    closed = close_over(ids("".join(chosen)), graph)
    assert all(set(graph[image_id].dependencies) <= closed for image_id in closed if image_id in graph)
    assert close_over(closed, graph) == closed
