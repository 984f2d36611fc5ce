"""The order of layers, cycles, limits and whitelists, on graphs of letters."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec import limits
from acspec.errors import FormatError
from acspec.image_manifest import Dependency, ImageManifest
from acspec.layer_plan import Layer, plan_layers, whitelist_filter
from acspec.names import ACIdentifier, ImageID

Graph = Mapping[str, tuple[str, ...]]


def plan(graph: Graph, root: str = "a", whitelists: Mapping[str, tuple[str, ...]] | None = None) -> tuple[Layer, ...]:
    def manifest_of(image_id: ImageID) -> ImageManifest:
        dependencies = tuple(Dependency(ACIdentifier(name)) for name in graph.get(image_id, ()))
        return ImageManifest(ACIdentifier(image_id), dependencies=dependencies, path_whitelist=(whitelists or {}).get(image_id, ()))

    return plan_layers(ImageID(root), manifest_of, lambda _parent, _index, dependency: ImageID(dependency.image_name))


def order(graph: Graph, root: str = "a") -> str:
    return "".join(layer.image_id for layer in plan(graph, root))


ORDERS: Mapping[str, tuple[Graph, str]] = {
    "an image alone": ({}, "a"),
    "dependencies in their order": ({"a": ("b", "c")}, "bca"),
    "the first example of the specification": ({"a": ("b", "c"), "c": ("d",)}, "bdca"),
    "the second, where only the last D matters": ({"a": ("b", "c"), "b": ("d",), "c": ("d",)}, "bdca"),
    "one image named twice": ({"a": ("b", "c", "b")}, "cba"),
    "a chain": ({"a": ("b",), "b": ("c",), "c": ("d",)}, "dcba"),
    "the dependencies of the first before the second": ({"a": ("b", "c"), "b": ("d", "e"), "c": ("f",)}, "debfca"),
    "one that is a dependency of the image and of another": ({"a": ("b", "c"), "c": ("b",)}, "bca"),
    "the same, in the other order": ({"a": ("c", "b"), "c": ("b",)}, "cba"),
    "two that share two, in opposite orders": ({"a": ("b", "c"), "b": ("d", "e"), "c": ("e", "d")}, "bedca"),
    "one below another that comes again": ({"a": ("b", "c", "b"), "b": ("d",)}, "cdba"),
    "a diamond below a diamond": (
        {"a": ("b", "c"), "b": ("d",), "c": ("d",), "d": ("e", "f"), "e": ("g",), "f": ("g",)},
        "begfdca",
    ),
}


@pytest.mark.parametrize("case", ORDERS)
def test_layers_come_depth_first(case: str) -> None:
    graph, expected = ORDERS[case]
    assert order(graph) == expected


def full_order(graph: Graph, root: str) -> list[str]:
    """The specification's own order: every image once for each path to it."""
    result: list[str] = []
    for name in graph.get(root, ()):
        result += full_order(graph, name)
    return [*result, root]


def overlay(layers: list[str]) -> dict[str, str]:
    """Write files over each other: each image brings a file of its own, one of a pair's, and one that all share."""
    files: dict[str, str] = {}
    for name in layers:
        files |= {name: name, f"pair{ord(name) // 2}": name, f"third{ord(name) // 3}": name, "all": name}
    return files


GRAPHS = st.dictionaries(st.sampled_from("abcdefg"), st.lists(st.sampled_from("bcdefgh"), max_size=4).map(tuple), max_size=7).map(
    lambda graph: {name: tuple(child for child in children if child > name) for name, children in graph.items()}
)


@given(GRAPHS)
def test_leaving_out_earlier_equal_layers_changes_no_file(graph: Graph) -> None:
    short = list(order(graph))
    assert len(short) == len(set(short))
    assert overlay(short) == overlay(full_order(graph, "a"))


LADDER: Graph = {
    **{f"l{n}": (f"x{n}", f"y{n}") for n in range(15)},
    **{f"{side}{n}": (f"l{n + 1}",) for n in range(15) for side in "xy"},
}


def test_a_ladder_of_diamonds_is_linear() -> None:
    resolved: list[tuple[str, int]] = []

    def manifest_of(image_id: ImageID) -> ImageManifest:
        return ImageManifest(
            ACIdentifier(image_id), dependencies=tuple(Dependency(ACIdentifier(name)) for name in LADDER.get(image_id, ()))
        )

    def resolve(parent: ImageID, index: int, dependency: Dependency) -> ImageID:
        resolved.append((parent, index))
        return ImageID(dependency.image_name)

    assert len(plan_layers(ImageID("l0"), manifest_of, resolve)) == 46
    assert len(resolved) == len(set(resolved)) == 60, "an edge was walked twice"


def test_a_whitelist_of_all_is_as_linear() -> None:
    assert len(plan(LADDER, "l0", {"l0": ("/x", "/y"), "x3": ("/x", "/y"), "y3": ("/y", "/x")})) == 46


def test_whitelists_that_multiply_layers_are_stopped() -> None:
    everything = [f"/{n}" for n in range(30)]
    lists = {
        f"{side}{n}": tuple(everything[: 2 * n + i] + everything[2 * n + i + 1 :]) for n in range(15) for i, side in enumerate("xy")
    }
    with pytest.raises(FormatError, match="limit of"):
        plan(LADDER, "l0", lists)


def test_cycles_are_refused_and_printed() -> None:
    with pytest.raises(FormatError, match="dependency cycle b -> c -> b"):
        plan({"a": ("b",), "b": ("c",), "c": ("b",)})
    with pytest.raises(FormatError, match="dependency cycle a -> a"):
        plan({"a": ("a",)})


CYCLES: Mapping[str, tuple[Graph, str]] = {
    "through the image itself": ({"a": ("b",), "b": ("c",), "c": ("a",)}, "a -> b -> c -> a"),
    "beside a good branch": ({"a": ("b", "d"), "d": ("e",), "e": ("d",)}, "d -> e -> d"),
    "below what is there already": ({"a": ("b", "c"), "b": ("d",), "c": ("d", "e"), "e": ("c",)}, "c -> e -> c"),
    "of one image, deep down": ({"a": ("b",), "b": ("c",), "c": ("c",)}, "c -> c"),
    "two, of which the last is met first": ({"a": ("b", "c"), "b": ("b",), "c": ("c",)}, "c -> c"),
}


@pytest.mark.parametrize("case", CYCLES)
@pytest.mark.parametrize("whitelisted", [False, True])
def test_a_cycle_is_printed_from_where_it_begins(case: str, whitelisted: bool) -> None:
    graph, expected = CYCLES[case]
    lists = {name: (f"/{name}", "/all") for name in "abcde"} if whitelisted else {}
    with pytest.raises(FormatError) as caught:
        plan(graph, "a", lists)
    assert (caught.value.what, caught.value.why) == ("a", f"dependency cycle {expected}")


def test_too_many_and_too_deep_are_refused_by_name() -> None:
    wide = {"a": tuple(f"b{n}" for n in range(limits.DEPENDENCIES + 1))}
    with pytest.raises(FormatError, match="limit of 100 dependencies"):
        plan(wide)
    deep = {f"b{n}": (f"b{n + 1}",) for n in range(limits.DEPENDENCY_DEPTH + 1)}
    with pytest.raises(FormatError, match="deeper than the limit of 32"):
        plan(deep, "b0")


def test_as_many_and_as_deep_as_the_limits_say_is_fine() -> None:
    wide = {"a": tuple(f"b{n}" for n in range(limits.DEPENDENCIES - 1))}
    assert len(plan(wide)) == limits.DEPENDENCIES
    deep = {f"b{n}": (f"b{n + 1}",) for n in range(limits.DEPENDENCY_DEPTH)}
    assert len(plan(deep, "b0")) == limits.DEPENDENCY_DEPTH + 1


def test_a_whitelist_applies_to_the_image_and_to_all_below_it() -> None:
    layers = plan({"a": ("b", "c"), "b": ("d",), "c": ("d",)}, whitelists={"b": ("/x",)})
    assert [(layer.image_id, layer.whitelist) for layer in layers] == [
        ("d", frozenset({"/x"})), ("b", frozenset({"/x"})), ("d", None), ("c", None), ("a", None),
    ]  # fmt: skip


def test_whitelists_on_one_path_keep_what_both_keep() -> None:
    (layer, _) = plan({"a": ("b",)}, whitelists={"a": ("/usr/bin", "/etc"), "b": ("/usr/bin/x", "/usr", "/var")})
    kept = whitelist_filter(layer.whitelist)
    assert kept is not None
    assert kept(b"/usr")
    assert kept(b"/usr/bin")
    assert not kept(b"/usr/bin/x")
    assert not kept(b"/var")
    assert not kept(b"/etc")


def test_a_whitelist_keeps_listed_paths_and_their_parents_only() -> None:
    (layer,) = plan({}, whitelists={"a": ("/usr//bin/./sh", "/etc/")})
    kept = whitelist_filter(layer.whitelist)
    assert kept is not None
    assert all(kept(path) for path in (b"/", b"/usr", b"/usr/bin", b"/usr/bin/sh", b"/etc"))
    assert not any(kept(path) for path in (b"/usr/bin/shx", b"/etc/passwd", b"/usrx", b"/usr/bin/sh/x"))


def test_no_whitelist_keeps_everything() -> None:
    assert whitelist_filter(None) is None


UNIVERSE = ("/all", "/d", "/d/x", "/d/y", "/d/x/z", "/e")
LISTS = st.dictionaries(
    st.sampled_from("abcdefg"),
    st.lists(st.sampled_from([*UNIVERSE, "/d/", "//d/./x", "/e/nothing", "/"]), min_size=1, max_size=4).map(tuple),
)


def keeps(whitelist: tuple[str, ...], path: str) -> bool:
    """The rule of one whitelist, by its definition: a path is listed, or on the way to one that is."""
    listed = ["/" + "/".join(part for part in item.split("/") if part not in ("", ".")) for item in whitelist]
    return not whitelist or any(item == path or item.startswith(path + "/") for item in listed)


def by_definition(graph: Graph, lists: Mapping[str, tuple[str, ...]], name: str, way: tuple[str, ...]) -> dict[str, str]:
    """The specification's own rendering: every image once for each path to it, filtered by each image on that path."""
    files: dict[str, str] = {}
    for child in graph.get(name, ()):
        files |= by_definition(graph, lists, child, (*way, name))
    return files | {path: name for path in UNIVERSE if all(keeps(lists.get(step, ()), path) for step in (*way, name))}


@given(GRAPHS, LISTS)
def test_whitelists_count_along_every_path(graph: Graph, lists: Mapping[str, tuple[str, ...]]) -> None:
    files: dict[str, str] = {}
    for layer in plan(graph, "a", lists):
        kept = whitelist_filter(layer.whitelist)
        files |= {path: layer.image_id for path in UNIVERSE if kept is None or kept(path.encode())}
    assert files == by_definition(graph, lists, "a", ())


@given(LISTS.filter(bool), st.sampled_from([*UNIVERSE, "/dx", "/d/xx", "/nothing", "/e/nothing/more"]))
def test_a_whitelist_keeps_what_its_definition_says(lists: Mapping[str, tuple[str, ...]], path: str) -> None:
    (whitelist, *_) = lists.values()
    (layer,) = plan({}, whitelists={"a": whitelist})
    kept = whitelist_filter(layer.whitelist)
    assert kept is not None
    assert kept(path.encode()) == keeps(whitelist, path)
    assert kept(b"/")


def test_whitelists_of_a_whole_manifest_are_joined_at_once() -> None:
    lists = {name: (*(f"/{name}{number}" for number in range(60_000)), "/usr/bin/x") for name in "ab"}
    (layer, _) = plan({"a": ("b",)}, whitelists=lists)
    assert layer.whitelist == {"/usr/bin/x"}


def test_a_path_of_a_hundred_thousand_components_costs_no_more_than_itself() -> None:
    (layer,) = plan({}, whitelists={"a": ("/a" * 100_000,)})
    kept = whitelist_filter(layer.whitelist)
    assert kept is not None
    assert kept(b"/a/a")
    assert not kept(b"/a/b")
