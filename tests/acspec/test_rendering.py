"""The order of layers, cycles, limits and whitelists, on graphs of letters."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acspec import limits
from acspec.errors import FormatError
from acspec.image_manifest import Dependency, ImageManifest
from acspec.names import ACIdentifier, ImageID
from acspec.rendering import Layer, plan_layers, whitelist_filter

Graph = Mapping[str, tuple[str, ...]]


def plan(graph: Graph, root: str = "a", whitelists: Mapping[str, tuple[str, ...]] | None = None) -> tuple[Layer, ...]:
    def manifest_of(image_id: ImageID) -> ImageManifest:
        dependencies = tuple(Dependency(ACIdentifier(name)) for name in graph.get(image_id, ()))
        return ImageManifest(ACIdentifier(image_id), dependencies=dependencies, path_whitelist=(whitelists or {}).get(image_id, ()))

    return plan_layers(ImageID(root), manifest_of, lambda _parent, _index, dependency: ImageID(dependency.image_name))


def order(graph: Graph, root: str = "a") -> str:
    return "".join(layer.image_id for layer in plan(graph, root))


ORDERS = {
    "an image alone": ({}, "a"),
    "dependencies in their order": ({"a": ("b", "c")}, "bca"),
    "the first example of the specification": ({"a": ("b", "c"), "c": ("d",)}, "bdca"),
    "the second, where only the last D matters": ({"a": ("b", "c"), "b": ("d",), "c": ("d",)}, "bdca"),
    "one image named twice": ({"a": ("b", "c", "b")}, "cba"),
    "a chain": ({"a": ("b",), "b": ("c",), "c": ("d",)}, "dcba"),
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


def test_a_ladder_of_diamonds_is_linear() -> None:
    steps = {f"l{n}": (f"x{n}", f"y{n}") for n in range(15)}
    joins = {f"{side}{n}": (f"l{n + 1}",) for n in range(15) for side in "xy"}
    assert len(plan({**steps, **joins}, "l0")) == 46


def test_cycles_are_refused_and_printed() -> None:
    with pytest.raises(FormatError, match="dependency cycle b -> c -> b"):
        plan({"a": ("b",), "b": ("c",), "c": ("b",)})
    with pytest.raises(FormatError, match="dependency cycle a -> a"):
        plan({"a": ("a",)})


def test_too_many_and_too_deep_are_refused_by_name() -> None:
    wide = {"a": tuple(f"b{n}" for n in range(limits.DEPENDENCIES + 1))}
    with pytest.raises(FormatError, match="limit of 100 dependencies"):
        plan(wide)
    deep = {f"b{n}": (f"b{n + 1}",) for n in range(limits.DEPENDENCY_DEPTH + 1)}
    with pytest.raises(FormatError, match="deeper than the limit of 32"):
        plan(deep, "b0")


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
