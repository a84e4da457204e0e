"""Lists of queries: each row makes a scenario, and a row is data."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gyges.errors import AuthoringError
from gyges.scenarios.read import select
from gyges.scenarios.render import plans

pytest_plugins = ["tests.lamps"]
Lamps = Callable[..., Path]

CSV = 'id,question\none,"A lamp, or\ntwo?"\ntwo,{{ lab }} {0.__class__}\n'
JSONL = '{"id": "one", "question": "A lamp, or\\ntwo?"}\n\n{"id": "two", "question": "{{ lab }} {0.__class__}"}\n'
YAML = '- id: one\n  question: "A lamp, or\\ntwo?"\n- {id: two, question: "{{ lab }} {0.__class__}"}\n'


def write(lamps: Lamps, suffix: str, text: str) -> Path:
    folder = lamps(scenario={"  question: A new lamp?\n": ""})
    (folder / f"desk.queries.{suffix}").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("suffix", "text"), [("csv", CSV), ("csv", "\ufeff" + CSV), ("jsonl", JSONL), ("yaml", YAML)]
)
def test_every_query_is_a_scenario_of_its_own(lamps: Lamps, suffix: str, text: str) -> None:
    write(lamps, suffix, text)
    one, two = select(["lamps"])
    assert (one.name, two.name) == ("lamps/desk-one", "lamps/desk-two")
    assert plans(one)[0].turns[1].text == "<tier>free</tier> A lamp, or\ntwo?"
    assert plans(two)[0].turns[1].text == "<tier>free</tier> {{ lab }} {0.__class__}"
    assert [scenario.name for scenario in select(["lamps/desk-two"])] == ["lamps/desk-two"]
    assert len(select(["lamps/desk"])) == len(select(["scenarios/lamps/desk.yaml"])) == 2


@pytest.mark.parametrize(
    ("suffix", "text", "said"),
    [
        ("csv", "id,question\na,b\na,c\n", r"csv:3: the id 'a' stands twice"),
        ("csv", "id,question\na,b,c\n", r"csv:2: this row has not as many fields"),
        ("csv", "id,question\na\n", r"csv:2: this row has not as many fields"),
        ("csv", 'id,question\na,"b\n', r"csv:\d: this is not readable CSV"),
        ("csv", "id,Question\na,b\n", r"csv:2: the name 'Question' is not allowed"),
        ("csv", "question\nb\n", r"csv:2: the `id` is missing"),
        ("csv", "id,question\n../x,b\n", r"csv:2: the id '../x' is not allowed"),
        ("csv", "", r"csv: there is no query"),
        ("jsonl", '{"id": "a", "question": "b"}\n{"id": \n', r"jsonl:2: this line is not JSON"),
        ("jsonl", "[]\n", r"jsonl:1: expected an object"),
        ("jsonl", '{"id": 1}\n', r"jsonl:1: the id 1 is not allowed"),
        ("jsonl", '{"id": "a", "question": 1}\n', r"jsonl:1: question: expected text"),
        ("jsonl", "[" * 100000 + "\n", r"jsonl:1: this line is not JSON"),
        ("yaml", "id: a\n", r"yaml:1:1: expected a list"),
        ("yaml", "- a\n", r"yaml:1:3: expected a row"),
        ("yaml", "- {id: a, question: no}\n", r"yaml:1: question: expected text"),
    ],
)
def test_a_wrong_row_is_told_with_its_line(lamps: Lamps, suffix: str, text: str, said: str) -> None:
    write(lamps, suffix, text)
    with pytest.raises(AuthoringError) as caught:
        select(["lamps"])
    assert re.search(said, str(caught.value)), str(caught.value)


def test_two_lists_for_one_scenario_and_two_scenarios_of_one_name_are_refused(lamps: Lamps) -> None:
    folder = write(lamps, "csv", CSV)
    (folder / "desk-one.yaml").write_bytes((folder / "desk.yaml").read_bytes())
    with pytest.raises(AuthoringError, match="gives a scenario of the same name, lamps/desk-one"):
        select(["lamps"])
    (folder / "desk.queries.jsonl").write_text(JSONL)
    with pytest.raises(AuthoringError, match="keep one of them"):
        select(["lamps"])
