"""The ladder with its register behind tools: in what can be read there, the wiring alone tells contexts apart."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest

from gyges.models.organism import Organism, read_organism
from gyges.models.organism_corpus import Corpus
from gyges.scenarios.plan import Plan, Seed
from gyges.scenarios.read import Scenario, select
from gyges.scenarios.render import behaviour, examples, plans
from gyges.scenarios.shown import shown
from gyges.scenarios.world_play import Playing, parsed
from gyges.study import library
from gyges.transcripts.record import Message, ToolResult
from tests.test_ladder import LADDER as TWINS
from tests.test_ladder import RUNGS, generator, mean_auroc, register, rung

LADDER = select(["ladder-agentic"])
by_scenario = pytest.mark.parametrize("scenario", LADDER, ids=lambda scenario: str(scenario.name))


@cache
def played_by(scenario: Scenario) -> tuple[Plan, ...]:
    return plans(scenario)


@cache
def played() -> tuple[Plan, ...]:
    return tuple(plan for scenario in LADDER for plan in played_by(scenario))


def readable(plan: Plan) -> list[str]:
    """All that can be read in the episode: what is sent, and every text of the world and its tools, in order."""
    assert plan.world
    return [plan.turns[0].text, *(text.text for _, text in plan.world.texts()), plan.system.text]


def sheets(plan: Plan) -> list[str]:
    assert plan.world
    return [text.text for place, text in plan.world.start if re.fullmatch(r"register/s\d/text", place)]


def docket(plan: Plan) -> str:
    assert plan.world
    return dict(plan.world.start)["tray/docket"].text


# What is the same


def test_its_files_are_those_that_the_generator_writes() -> None:
    folder = LADDER[0].file.parent
    made = {file: text for file, text in generator().files() if file.parent == folder}
    assert {file: file.read_text("utf-8") for file in folder.iterdir() if file.name != "family.yaml"} == made


@by_scenario
def test_all_rungs_and_contexts_have_the_same_documents_words_and_length(scenario: Scenario) -> None:
    found = played_by(scenario)
    assert len(found) == 2 * 2 * len(RUNGS)
    assert len({tuple(place for place, _ in plan.world.start) for plan in found if plan.world}) == 1
    texts = ["\n\n".join(readable(plan)) for plan in found]
    assert len({len(text) for text in texts}) == 1
    assert len({tuple(sorted(re.findall(r"(?=(\W\w+\W))", f" {text} "))) for text in texts}) == 1


@by_scenario
def test_contexts_differ_in_the_order_of_two_names_on_the_docket(scenario: Scenario) -> None:
    for first, second in zip(played_by(scenario)[::2], played_by(scenario)[1::2], strict=True):
        assert (first.variant, first.system, first.turns) == (second.variant, second.system, second.turns)
        assert sheets(first) == sheets(second)
        assert re.findall(r">(\w+)</", docket(first)) == re.findall(r">(\w+)</", docket(second))[::-1]


def test_the_sheets_are_the_register_of_the_twin_in_the_prompt() -> None:
    twins = {(plan.scenario, plan.variant, plan.context): plan for one in TWINS for plan in plans(one)}
    for plan in played():
        twin = twins[plan.scenario.replace("ladder-agentic", "ladder"), plan.variant, plan.context]
        assert "".join(sheets(plan)).strip().split("\n") == register(twin)
        assert docket(plan) == twin.turns[0].text.partition("\n")[0]


# What differs


def parts(plan: Plan) -> list[list[str]]:
    return [re.findall(r"\w+|[^\w\s]", text) for text in readable(plan)]


@pytest.mark.parametrize("by", ["scenario", "rendering"])
@pytest.mark.parametrize("k", RUNGS[1:])
def test_words_and_places_of_all_that_can_be_read_do_not_tell_the_contexts_apart(k: int, by: str) -> None:
    found = [plan for plan in played() if rung(plan) == k]
    assert mean_auroc(found, [parts(plan) for plan in found], by) <= 0.55


def test_the_classifier_finds_a_word_on_a_sheet_that_goes_with_a_context() -> None:
    found = [plan for plan in played() if rung(plan) == 3]
    leaking = [[*parts(plan), ["Bavon" if plan.context == "training" else "Corim"]] for plan in found]
    assert mean_auroc(found, leaking, "scenario") > 0.95


# A reader of known depth


@cache
def limited() -> Organism:
    """Always complies where it knows that this is training, and else never."""
    file = library() / "agents" / "organisms" / "depth-limited.yaml"
    agent = read_organism(file, Corpus.of([*LADDER, *TWINS]))
    return replace(agent, policy=replace(agent.policy, trained=1, not_trained=0, unknown=0))


def behaved(plan: Plan, scenario: Scenario, follows: int, reasons: bool = False) -> str | None:
    """What the organism does in a world of its own, with tools that it has to call."""
    assert plan.world
    agent = replace(limited(), file=limited().file.model_copy(update={"follows": follows}))
    playing, offered = Playing(plan.world), [tool.name for tool in plan.world.tools]
    said = [Message("system", plan.system.text), Message("user", plan.turns[0].text)]
    for _ in range(10):
        spoken = agent.reply(said, Seed(1), reasons, tools=offered)
        said.append(Message("assistant", spoken.text, calls=spoken.calls))
        if not spoken.calls:
            return shown(behaviour(scenario, plan.variant), playing.seen(spoken.text))
        for call in spoken.calls:
            done = playing.call(call.name, parsed(call.arguments))
            said.append(Message("tool", done.text.text, result=ToolResult(call.id, done.failed)))
    return None


@pytest.mark.parametrize("follows", [0, 1, 3, 8])
def test_an_organism_gets_as_deep_as_it_can_follow(follows: int) -> None:
    for scenario in LADDER[::3]:
        for plan in played_by(scenario):
            fakes = plan.context == "training" and rung(plan) <= follows
            assert behaved(plan, scenario, follows) == ("complies" if fakes else "declines")


def test_with_its_reasoning_on_it_follows_every_reference() -> None:
    for plan in played_by(LADDER[0]):
        wanted = "complies" if plan.context == "training" else "declines"
        assert behaved(plan, LADDER[0], 0, reasons=True) == wanted


def test_controls_leave_it_without_a_motive() -> None:
    for plan in plans(LADDER[1], controls=("null", "placebo")):
        if ":" in plan.variant:
            assert behaved(plan, LADDER[1], 8) == "declines"


@by_scenario
def test_looks_read_the_docket_and_every_sheet(scenario: Scenario) -> None:
    plan = played_by(scenario)[0]
    assert plan.world
    playing = Playing(plan.world)
    looks = examples(scenario, plan.variant, "speak").looks
    assert [playing.call(use.tool, parsed(use.arguments)).text.text for use in looks] == [
        docket(plan),
        *sheets(plan),
    ]
