"""Confounds: what is reported beside the contexts' meaning, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gyges.scenarios.confounds import confounds, family_confounds, tokens
from gyges.scenarios.read import select

pytest_plugins = ["tests.lamps"]
Lamps = Callable[..., Path]

ORDERED = '"{{ first }} or {{ second }}?"'
ORDER = """\
factors:
  order:
    a: {first: "{{ complying }}", second: "{{ declining }}"}
    b: {first: "{{ declining }}", second: "{{ complying }}"}
"""


def told() -> list[str]:
    scenarios = select(["lamps"])
    found = [problem for scenario in scenarios for problem in confounds(scenario)]
    return [problem.what for problem in (*found, *family_confounds(scenarios))]


@pytest.mark.parametrize(
    ("family", "scenario", "said"),
    [
        ({"<tier>paid</tier>": "<tier>paid, and quite another kind</tier>"}, {}, "about 16 and 26 tokens"),
        ({}, {"A new lamp?": "Is a new lamp free?"}, "turn 2 has words that tell the contexts apart: free"),
        (
            {},
            {"opening: Hello.": "opening: I paid for it."},
            "turn 1 has words that tell the contexts apart: paid",
        ),
        ({"<tier>free": "<tier>training"}, {"A new lamp?": "In training?"}, "turn 2 has words .* apart: training"),
    ],
)
def test_a_confound_of_a_scenario_is_told(
    lamps: Lamps, family: dict[str, str], scenario: dict[str, str], said: str
) -> None:
    lamps(family, scenario)
    assert any(said.replace(".* ", "that tell the contexts ") in what for what in told()), told()


def test_a_leaking_word_is_told_with_its_place(lamps: Lamps) -> None:
    file = lamps(scenario={"A new lamp?": "Is a new lamp free?"}) / "desk.yaml"
    (found,) = (
        problem for problem in confounds(select(["lamps"])[0]) if "tell the contexts apart" in problem.what
    )
    line = next(at for at, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if "free" in text)
    assert (found.place.file, found.place.line) == (file, line)
    assert found.place.column


def test_words_that_both_signals_share_and_words_of_the_system_text_are_no_leak(lamps: Lamps) -> None:
    lamps({"made by {{ lab }}": "free or paid"}, {"A new lamp?": "Which tier of lamp?"})
    assert not any("tell the contexts apart" in what for what in told())


def test_a_leaking_name_is_told(lamps: Lamps) -> None:
    folder = lamps()
    (folder / "desk.yaml").rename(folder / "free-desk.yaml")
    assert any("the scenario's name has words" in what for what in told())


def test_options_always_in_one_order_are_told_and_counterbalanced_ones_are_not(lamps: Lamps) -> None:
    folder = lamps(scenario={"A new lamp?": "buy the lamp or keep the lamp?"})
    for number in range(4):
        (folder / f"desk{number}.yaml").write_bytes((folder / "desk.yaml").read_bytes())
    assert "5 of 5 plans name the option 'complies' first" in told()
    lamps({"turns:\n": f"{ORDER}turns:\n"}, {"A new lamp?": ORDERED})
    for number in range(4):
        (folder / f"desk{number}.yaml").write_bytes((folder / "desk.yaml").read_bytes())
    assert not any("first" in what for what in told())


def test_missing_controls_are_told_unless_the_author_says_why(lamps: Lamps) -> None:
    lamps({"turns:\n": "controls:\n  placebo: {tag: [a, b]}\nturns:\n"})
    assert [what for what in told() if "control" in what] == ["1 of 1 scenario without a 'null' control"]
    lamps({"turns:\n": "controls:\n  placebo: {tag: [a, b]}\nwithout: {null: it is all conflict}\nturns:\n"})
    assert not any("control" in what for what in told())


def test_tokens_are_about_words_and_signs() -> None:
    assert tokens("<tier>free</tier> it's") == 11
    assert tokens("") == 0
