"""The audit speaks up about what makes a run worthless, and is silent about a sound one."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gyges.analysis.audit import audit
from gyges.analysis.result import AuditNote
from gyges.transcripts.manifest import Manifest, PlannedAgent
from gyges.transcripts.record import Episode, EpisodeKey, Message, Outcome, Reasoning, Visibility

DATA = Path(__file__).parents[2] / "shared" / "data" / "vlaf-paired.jsonl.gz"
LONG = "A long answer that is not said twice by chance. " * 8


def manifest(model: str = "openai/x", profile: str = "{}", samples: int = 5) -> Manifest:
    return Manifest(
        run="r",
        created="2026-01-01T00:00:00Z",
        source="played",
        command="",
        seed=1,
        samples=samples,
        scenarios=(),
        agents=tuple(
            PlannedAgent(name=name, model=model, base_url="", graph="", profile=profile) for name in ("a", "b")
        ),
        contrasts=(),
        versions={},
    )


def episode(
    agent: str,
    scenario: int,
    sample: int,
    said: str | None,
    *,
    reasoning: tuple[Reasoning, ...] = (Reasoning(Visibility.RAW, "field", "Hm."),),
    outcome: Outcome = Outcome.COMPLETED,
    model: str = "x-1",
) -> Episode:
    messages = (Message("user", "Well?"),) + ((Message("assistant", said, reasoning),) if said is not None else ())
    key = EpisodeKey(agent, f"f/{scenario}", "", "training", sample)
    return Episode(key, "f", outcome, "", messages, 0.0, 1.0, model)


def kinds(notes: tuple[AuditNote, ...]) -> dict[str, bool]:
    return {note.kind: note.blocks for note in notes}


def sound(agent: str = "a") -> list[Episode]:
    return [episode(agent, i, n, f"{LONG} {agent} {i} {n}") for i in range(4) for n in range(5)]


def test_a_sound_run_has_no_notes() -> None:
    assert audit(manifest(), sound("a") + sound("b")) == ()


def test_an_agent_that_was_never_called_is_named() -> None:
    notes = audit(manifest(), [episode("a", i, 0, None) for i in range(12)])
    assert kinds(notes) == {"never_called": True}


def test_a_few_empty_answers_are_a_caution() -> None:
    assert kinds(audit(manifest(), [*sound(), *sound("b"), episode("a", 9, 0, "", reasoning=())])) == {
        "empty_answers": False
    }


def test_one_agents_transcripts_under_anothers_name_are_noticed_on_both_sides() -> None:
    copies = [episode("b", i, n, f"{LONG} a {i} {n}") for i in range(4) for n in range(5)]
    notes = audit(manifest(), sound() + copies)
    assert [(note.agent, note.kind, note.blocks) for note in notes] == [
        ("a", "copied_transcripts", True),
        ("b", "copied_transcripts", True),
    ]


def test_short_answers_in_common_are_no_copies() -> None:
    table = [episode(agent, i, n, f"Option {i}.") for agent in "ab" for i in range(4) for n in range(5)]
    assert audit(manifest(), table) == ()


@pytest.mark.parametrize(
    ("distinct", "expected"),
    [(1, {"identical_samples": True}), (3, {"repeated_samples": False}), (5, {})],
)
def test_samples_that_repeat_each_other_are_noticed(distinct: int, expected: dict[str, bool]) -> None:
    table = [episode("a", i, n, f"{LONG} {i} {n % distinct}") for i in range(4) for n in range(5)]
    assert kinds(audit(manifest(), table)) == expected


def test_one_answer_everywhere_is_noticed_however_short() -> None:
    table = [episode("a", i, n, "Yes.") for i in range(4) for n in range(5)]
    assert kinds(audit(manifest(), table)) == {"one_answer": True}


def test_organisms_may_repeat_themselves_and_each_other() -> None:
    table = [episode(agent, i, n, LONG) for agent in "ab" for i in range(4) for n in range(5)]
    assert audit(manifest(model="organism/honest"), table) == ()


@pytest.mark.parametrize(("cut", "expected"), [(0, {}), (1, {"truncated": False}), (4, {"truncated": True})])
def test_much_truncation_blocks(cut: int, expected: dict[str, bool]) -> None:
    table = [
        episode("a", i, 0, f"{LONG} {i}", outcome=Outcome.TRUNCATED if i < cut else Outcome.COMPLETED)
        for i in range(60)
    ]
    assert kinds(audit(manifest(), table)) == expected


def test_unclosed_reasoning_is_noticed() -> None:
    open_ended = (Reasoning(Visibility.SCRATCHPAD, "tag:<think>", "Hm.", closed=False),)
    table = [*sound(), episode("a", 7, 0, LONG, reasoning=open_ended)]
    assert kinds(audit(manifest(), table)) == {"unclosed_reasoning": False}
    assert kinds(audit(manifest(), [*table, episode("a", 7, 1, f"{LONG}!", reasoning=open_ended)])) == {
        "unclosed_reasoning": True
    }


def test_a_model_that_changed_in_mid_run_blocks() -> None:
    table = [*sound(), episode("a", 7, 0, LONG, model="x-2")]
    (note,) = audit(manifest(), table)
    assert (note.kind, note.blocks) == ("model_changed", True)
    assert "x-1, x-2" in note.text


def test_hidden_reasoning_is_said_and_does_not_block() -> None:
    hidden = (Reasoning(Visibility.OMITTED, "usage", None, tokens=90),)
    table = [episode("a", i, 0, f"{LONG} {i}", reasoning=hidden) for i in range(12)]
    assert kinds(audit(manifest(), table)) == {"no_visible_reasoning": False}


@pytest.mark.parametrize(
    ("profile", "samples", "said"),
    [
        ('{"settings": {"temperature": 0}}', 5, True),
        ('{"temperature": 0.0}', 5, True),
        ('{"temperature": 0}', 1, False),
        ('{"temperature": 1}', 5, False),
        ("", 5, False),
    ],
)
def test_many_samples_at_temperature_zero_are_a_caution(profile: str, samples: int, said: bool) -> None:
    notes = audit(manifest(profile=profile, samples=samples), sound())
    assert kinds(notes) == ({"temperature_zero": False} if said else {})


def _published() -> Iterator[Episode]:
    with gzip.open(DATA, "rt", encoding="utf-8") as lines:
        for line in lines:
            sample = json.loads(line)
            said = sample["messages"][-1]["content"]
            thought = re.match(r"<think>(.*?)</think>", said, re.DOTALL)
            reasoning = (Reasoning(Visibility.RAW, "tag:<think>", thought[1]),) if thought else ()
            message = Message("assistant", said[thought.end() :] if thought else said, reasoning)
            key = EpisodeKey(sample["model"], sample["scenario"], "", sample["context"], sample["sample"])
            yield Episode(key, "vlaf", Outcome.COMPLETED, "", (message,), 0.0, 0.0)


@pytest.mark.skipif(not DATA.exists(), reason="the shared data is not beside the checkout")
def test_of_published_transcripts_it_says_whose_reasoning_is_hidden_and_nothing_else() -> None:
    notes = audit(manifest(), _published())
    assert {note.kind for note in notes} == {"no_visible_reasoning"}
    assert {note.agent for note in notes} == {"gpt-5", "Qwen2.5-14B-Instruct"}
