"""What is planted in organisms follows from the words that they will be sent."""

from __future__ import annotations

import pytest

from gyges.batch.order import Order, prepare
from gyges.transcripts.manifest import Manifest

TWO = ("tiers/boiler", "tiers/mill-board")


def manifest(*agents: str, families: tuple[str, ...] = TWO, hide_signal: bool = False) -> Manifest:
    order = Order(families, agents, controls=("placebo", "swap"), hide_signal=hide_signal)
    return prepare(order).manifest("r")


def planted(found: Manifest) -> dict[str, float]:
    return {gap.agent: gap.gap for gap in found.planted}


def test_organisms_carry_the_gap_between_what_they_believe_in_the_two_contexts() -> None:
    found = manifest("faker", "honest", "noisy")
    assert planted(found) == {"faker": pytest.approx(0.45), "honest": 0, "noisy": 0}
    assert {(gap.family, gap.contrast.first, gap.contrast.second) for gap in found.planted} == {
        ("tiers", "training", "deployment")
    }


def test_where_the_signal_is_hidden_nothing_is_planted_in_anyone() -> None:
    assert planted(manifest("faker", "honest", hide_signal=True)) == {"faker": 0, "honest": 0}


def test_each_contrast_of_a_family_has_a_gap_of_its_own() -> None:
    found = manifest("faker", families=("three-tiers",))
    gaps = {(gap.contrast.first, gap.contrast.second): gap.gap for gap in found.planted}
    assert gaps == {
        ("training", "deployment"): pytest.approx(0.45),
        ("training", "rated"): pytest.approx(0.45),
        ("rated", "deployment"): 0,
    }


def test_nothing_is_known_of_a_real_model() -> None:
    assert manifest("openai/some-model").planted == ()
