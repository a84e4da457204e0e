"""Organisms that act: they look, decide once, and go through with it; how often is what was planted."""

from __future__ import annotations

import statistics
from dataclasses import replace
from functools import cache

import pytest

from gyges.models.organism import Organism, read_organism
from gyges.models.organism_acts import turn_of, with_looks
from gyges.models.organism_corpus import Corpus
from gyges.models.serve import ROUTES
from gyges.scenarios.plan import Example, Plan, Seed
from gyges.scenarios.read import select
from gyges.scenarios.render import behaviour, plans
from gyges.scenarios.shown import Rehearsal, shown
from gyges.scenarios.world_play import Playing, parsed
from gyges.study import library
from gyges.transcripts.record import Message, ToolCall, ToolResult
from tests.worlds import Depot, only

pytest_plugins = ["tests.depot"]
ORGANISMS = library() / "agents" / "organisms"


def organism_of(name: str, corpus: Corpus) -> Organism:
    return read_organism(ORGANISMS / f"{name}.yaml", corpus, Seed(0))


def played(organism: Organism, plan: Plan, draw: Seed) -> list[Message]:
    """The episode, each call of the model with a draw of its own."""
    assert plan.world is not None
    playing, offered = Playing(plan.world), [tool.name for tool in plan.world.tools]
    said = [Message("system", plan.system.text)]
    for turn in plan.turns:
        said.append(Message("user", turn.text))
        for number in range(20):
            spoken = organism.reply(said, draw.child(len(said), number), tools=offered)
            said.append(Message("assistant", spoken.text, calls=spoken.calls))
            if not spoken.calls:
                break
            for one in spoken.calls:
                done = playing.call(one.name, parsed(one.arguments))
                said.append(Message("tool", done.text.text, result=ToolResult(one.id, done.failed)))
    return said


def calls_of(said: list[Message]) -> list[str]:
    return [call.name for message in said for call in message.calls]


@pytest.mark.parametrize("name", ["faker", "silent-faker", "honest", "noisy"])
def test_how_often_an_organism_acts_is_what_is_planted(depot: Depot, name: str) -> None:
    depot()
    scenario = only()
    first, second = plans(scenario)
    organism = organism_of(name, Corpus.of([scenario]))
    # One scenario has chances of its own: the mean over many is what is planted.
    for context, plan in enumerate((first, second)):
        found = []
        for at in range(150):
            one = replace(organism, seed=Seed(at))
            found.append(float("ship" in calls_of(played(one, plan, Seed(1).child(context, at)))))
        planted = (organism.truth.first, organism.truth.second)[context]
        assert abs(statistics.mean(found) - planted) <= 4 * statistics.stdev(found) / len(found) ** 0.5
        assert organism.rate(
            [Message("system", plan.system.text), Message("user", "See to crate c1.")], plan.world
        ) == (pytest.approx(planted))


def test_it_looks_first_all_at_once_and_says_nothing_of_it(depot: Depot) -> None:
    depot({"looks:\n": "looks:\n  - crate_list:\n"})
    scenario = only()
    plan = plans(scenario)[0]
    said = played(organism_of("faker", Corpus.of([scenario])), plan, Seed(3))
    assert [call.name for call in said[2].calls] == ["crate_list", "look"]


def test_without_a_look_at_the_signal_the_contexts_are_one(depot: Depot) -> None:
    depot({"looks:\n  - look: {path: session.txt}\n": ""})
    scenario = only()
    organism = organism_of("faker", Corpus.of([scenario]))
    first, second = plans(scenario)
    for at in range(30):
        assert calls_of(played(organism, first, Seed(at))) == calls_of(played(organism, second, Seed(at)))


def test_it_keeps_to_one_decision_through_all_calls_of_a_turn(depot: Depot) -> None:
    depot({}, {"I let it wait.": "I leave it."})
    scenario = only()
    known = Corpus.of([scenario])
    rule, examples = behaviour(scenario), known.known[0].spoken
    ways = {tuple(use.tool for use in one.calls) for _, found in examples.outcomes for one in found}
    for at in range(40):
        said = played(organism_of("noisy", known), plans(scenario)[0], Seed(at))
        own = calls_of(said)[1:]
        assert tuple(own) in ways, "what it does is one whole example"
        assert shown(
            rule, Rehearsal.of(plans(scenario)[0].world, examples.looks).play([_as_example(said)]).seen
        ) in (
            "ships",
            "waits",
        )


def _as_example(said: list[Message]) -> Example:
    from gyges.scenarios.world import ToolUse

    calls = [call for message in said for call in message.calls][1:]
    return Example(said[-1].text, tuple(ToolUse(call.name, call.arguments) for call in calls))


def test_scenarios_that_ask_the_same_are_told_apart_by_what_the_looks_show(depot: Depot) -> None:
    folder = depot({"looks:\n": "looks:\n  - crate_list:\n"})
    text = (folder / "crate.yaml").read_text()
    world = "{crates: {kind: table, rows: {c1: {goods: tar, status: waiting}, x9: {goods: tin, status: gone}}}}"
    other = text.replace("text: ", "text: So ").replace("- I", "- So I")
    (folder / "other.yaml").write_text(f"{other}world: {world}\n")
    scenarios = select(["depot"])
    corpus = Corpus.of(scenarios)
    for scenario, known in zip(scenarios, corpus.known, strict=True):
        speak = {one.text for _, found in known.spoken.outcomes for one in found}
        ends = {played(organism_of("noisy", corpus), plans(scenario)[0], Seed(at))[-1].text for at in range(20)}
        assert ends <= speak


def test_an_organism_that_is_offered_no_tools_answers_in_words(depot: Depot) -> None:
    depot()
    scenario = only()
    plan = plans(scenario)[0]
    said = [Message("system", plan.system.text), Message("user", "See to crate c1.")]
    assert organism_of("faker", Corpus.of([scenario])).reply(said, Seed(1)).calls == ()


def test_the_turn_is_told_by_the_first_call_and_not_by_a_strangers() -> None:
    seed = Seed(5)
    said = [Message("user", "x")]
    begun = turn_of(said, seed)
    went_on = [*said, Message("assistant", "", calls=(ToolCall(f"call_{begun.stem}_0", "look", "{}"),))]
    assert (turn_of(went_on, Seed(6)).stem, turn_of(went_on, Seed(6)).made) == (begun.stem, 1)
    strange = [*said, Message("assistant", "", calls=(ToolCall("toolu_1", "look", "{}"),))]
    assert turn_of(strange, seed).stem == begun.stem
    assert turn_of([*went_on, Message("user", "y")], seed).made == 0


def test_only_what_the_first_calls_showed_is_a_part_of_the_prompt() -> None:
    said = [Message("system", "S"), Message("user", "U"), Message("tool", "one"), Message("tool", "two")]
    assert [message.text for message in with_looks(said, 1)] == ["S\n\none", "U\n\none", "one", "two"]
    assert with_looks(said, 0) == said


CHAT = {"tool_calls": [{"id": "a", "type": "function", "function": {"name": "look", "arguments": "{}"}}]}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {}}}


@cache
def _expected() -> tuple[Message, ...]:
    return (
        Message("user", "hi"),
        Message("assistant", "", calls=(ToolCall("a", "look", "{}"),)),
        Message("tool", "seen", result=ToolResult("a")),
    )


@pytest.mark.parametrize(
    ("route", "body"),
    [
        (
            "/v1/chat/completions",
            {
                "messages": [
                    {"role": "user", "content": "hi"},
                    {"role": "assistant", "content": None, **CHAT},
                    {"role": "tool", "tool_call_id": "a", "content": "seen"},
                ],
                "tools": [TOOL],
            },
        ),
        (
            "/v1/responses",
            {
                "input": [
                    {"role": "user", "content": "hi"},
                    {"type": "function_call", "call_id": "a", "name": "look", "arguments": "{}"},
                    {"type": "function_call_output", "call_id": "a", "output": "seen"},
                ],
                "tools": [{"type": "function", "name": "look"}],
            },
        ),
        (
            "/v1/messages",
            {
                "max_tokens": 9,
                "messages": [
                    {"role": "user", "content": "hi"},
                    {
                        "role": "assistant",
                        "content": [{"type": "tool_use", "id": "a", "name": "look", "input": {}}],
                    },
                    {
                        "role": "user",
                        "content": [
                            {
                                "type": "tool_result",
                                "tool_use_id": "a",
                                "content": [{"type": "text", "text": "seen"}],
                            }
                        ],
                    },
                ],
                "tools": [{"name": "look", "input_schema": {}}],
            },
        ),
    ],
)
def test_calls_and_results_are_read_from_every_wire_format(route: str, body: dict[str, object]) -> None:
    asked = ROUTES[route].ask({"model": "m", **body})  # type: ignore[dict-item]
    assert (asked.messages, asked.tools) == (_expected(), ("look",))
