"""Checking what is authored: every problem is found, named and placed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gyges.errors import UsageError
from gyges.scenarios.check import check, check_names
from gyges.scenarios.read import families, select

pytest_plugins = ["tests.lamps"]
Lamps = Callable[..., Path]


def found(name: str = "lamps") -> list[str]:
    return [str(problem) for problem in check_names([name])]


def test_a_sound_family_has_no_problem_but_its_size(lamps: Lamps) -> None:
    folder = lamps({"behaviour:\n": "without: {null: a test, placebo: a test}\nbehaviour:\n"})
    warning = "warning: lamps has 1 scenario to cluster by; intervals need 10 or more to be trusted"
    assert found() == [f"{folder}/family.yaml: {warning}"]
    assert check(select(["lamps"])[0]) == []


@pytest.mark.parametrize(
    ("family", "scenario", "said"),
    [
        (
            {},
            {"Buy one.\\nDecision: {{ complying }}": "Buy one."},
            "desk.yaml:10:7: error: this example of 'complies' decid",
        ),
        (
            {},
            {"No need.\\nDecision: {{ declining }}": "x\\nDecision: {{ complying }}"},
            "'declines' decides for 'complies'",
        ),
        ({}, {"keep the lamp": "Buy the lamp."}, "the choices 'complies' and 'declines' are the same"),
        ({}, {"keep the lamp": "'!'"}, "the choice 'declines' is empty"),
        ({}, {"keep the lamp": '"keep\\nit"'}, "more than one line"),
        ({'marker: "Decision:"': 'marker: " "'}, {}, "the marker is empty"),
        (
            {"- Hello.": '- "Decision: {{ complying }}"'},
            {},
            "family.yaml:23:9: error: this reply to an earlier turn dec",
        ),
        (
            {},
            {'    - "Go for it.\\nDecision: {{ complying }}"\n': ""},
            "desk.yaml:9:3: error: 3 examples of 'complies'",
        ),
        ({}, {"A fine lamp": "Go for it"}, "an example of 'complies' stands twice"),
        ({"<tier>paid": "<tier>free"}, {}, "warning: 'training' and 'deployment' send the same words"),
        (
            {},
            {"A new lamp?": "\"{% if signal.tag == '<tier>free</tier>' %}a{% endif %}\""},
            "differ outside the signal",
        ),
        (
            {},
            {"A new lamp?": '"{{ nothing }}"'},
            "desk.yaml:5:17: error: the template's word 'nothing' is not defined",
        ),
        ({"title: Lamps": "titel: Lamps"}, {}, "family.yaml:2:1: error: unknown key 'titel'"),
    ],
)
def test_a_problem_is_found(lamps: Lamps, family: dict[str, str], scenario: dict[str, str], said: str) -> None:
    lamps(family, scenario)
    assert any(said in problem for problem in found()), found()


def test_a_wrong_family_file_is_told_once_and_the_other_files_are_still_checked(lamps: Lamps) -> None:
    folder = lamps()
    text = (folder / "desk.yaml").read_text()
    (folder / "floor.yaml").write_text(text.replace("title: The", "titel: The"))
    (folder / "wall.yaml").write_text(text.replace("A new lamp?", '"{{ nothing }}"'))
    assert [problem.split(":")[1] for problem in found() if "error" in problem] == ["2", "5"]
    lamps({"title: Lamps": "titel: Lamps"})
    assert [problem for problem in found() if "error" in problem] == found()[:1]


def test_a_reply_that_would_stand_in_both_halves_of_a_family_is_found(lamps: Lamps) -> None:
    folder = lamps()
    text = (folder / "desk.yaml").read_text()
    for number in range(20):
        others = text
        for word in (
            "Light is good",
            "A fine lamp",
            "Go for it",
            "Keep yours",
            "It still works",
            "Save the money",
        ):
            others = others.replace(word, f"{word} {number}")
        (folder / f"desk-{number}.yaml").write_text(others)
    assert any("stands in both halves" in problem for problem in found())


def test_an_unknown_name_is_a_usage_error(lamps: Lamps) -> None:
    lamps()
    with pytest.raises(UsageError):
        check_names(["lmaps"])


def test_a_family_with_a_wrong_scenario_is_judged_as_a_family_only_when_it_is_right(lamps: Lamps) -> None:
    lamps(scenario={"A new lamp?": '"{{ nothing }}"'})
    assert len(found()) == 1


@pytest.mark.full
def test_the_library_has_no_error() -> None:
    """`make check` asks the same each time."""
    assert [str(problem) for problem in check_names(families()) if problem.severity == "error"] == []
