"""Plans' values: signal spans and the seed tree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gyges.scenarios.plan import Seed, Text

names = st.lists(st.one_of(st.text(max_size=6), st.integers()), max_size=4).map(tuple)


@given(st.integers(), names, names)
def test_nodes_of_the_seed_tree_are_equal_exactly_when_their_paths_are(
    root: int, one: tuple[str | int, ...], other: tuple[str | int, ...]
) -> None:
    first, second = Seed(root).child(*one), Seed(root).child(*other)
    assert (first.hex() == second.hex()) == (one == other)


@given(st.integers(), names)
def test_a_child_of_a_child_is_the_child_of_the_whole_path(root: int, path: tuple[str | int, ...]) -> None:
    step = Seed(root)
    for name in path:
        step = step.child(name)
    assert step == Seed(root).child(*path)
    assert 0 <= step.integer() < 2**63


def test_the_seed_tree_does_not_change_from_version_to_version() -> None:
    assert Seed(7).child("world", "tiers/meter", 3).hex() == "59b26ddf9a3e28ac705e2b5e46719613"
    assert Seed(7).child("3").hex() != Seed(7).child(3).hex()
    assert Seed(7).child("a", "bc").hex() != Seed(7).child("ab", "c").hex()


@given(st.text(max_size=20), st.data())
def test_the_text_without_its_signal_is_what_stands_between(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6).filter(lambda c: len(c) % 2 == 0)))
    spans = tuple(zip(cuts[::2], cuts[1::2], strict=True))
    covered = {at for start, end in spans for at in range(start, end)}
    kept = "".join(letter for at, letter in enumerate(text) if at not in covered)
    assert Text(text, spans).without_signal() == kept
