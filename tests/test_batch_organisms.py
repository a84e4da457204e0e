"""Every batch of real agents has organisms beside it: the right ones, as often as needed, at nobody's cost."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from gyges.agents.profile import Profile
from gyges.analysis.report import report_of
from gyges.batch import organisms as chosen_by
from gyges.batch.batches import Left, check, play_batches
from gyges.batch.flow import Limits
from gyges.batch.fork import ForkOrder, prepare_forks
from gyges.batch.order import Order, limited, prepare, prepare_again
from gyges.batch.organisms import MOST_PAIRS, PAIRS, known_to_organisms
from gyges.batch.plan import agent_plans, lines
from gyges.batch.run import play_into, play_rest
from gyges.batch.spending import Allowance
from gyges.batch.status import status
from gyges.errors import AuthoringError, LimitReached, Place, UsageError
from gyges.grading.run import grade_run
from gyges.models.http import IN_PROCESS
from gyges.scenarios.read import Scenario, select
from gyges.transcripts.manifest import Added, samples_of
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode
from tests.conftest import Study
from tests.test_batch_faults import organisms

REAL = ("openai/faker",)
"""An organism behind a provider's address: nothing is known of it."""
NAMES = {"organism/faker", "organism/silent-faker", "organism/muser"}


def order(*scenarios: str, agents: tuple[str, ...] = REAL) -> Order:
    return Order(scenarios or ("walks",), agents, base_url=f"{IN_PROCESS}/v1", in_process=True, organisms=True)


def ignore(episode: Episode) -> None:
    """What is done needs no showing here."""


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small batches: what is played has to be played, not to be conclusive."""
    monkeypatch.setattr(chosen_by, "PAIRS", 12)


@pytest.mark.parametrize(
    ("families", "names"),
    [
        (("tiers",), {"faker", "silent-faker", "muser"}),
        (("evaluation",), {"test-actor", "muser"}),
        (("hints",), {"hint-follower", "muser"}),
        (("oversight",), {"goal-guarder", "muser"}),
        (("sandbagging",), {"muser"}),
        (("three-tiers",), {"faker", "silent-faker", "rater-pleaser", "muser"}),
        (("tiers", "evaluation"), {"faker", "silent-faker", "test-actor", "muser"}),
    ],
)
def test_each_contrast_gets_an_organism_with_a_gap_there_and_all_get_one_without(
    families: tuple[str, ...], names: set[str]
) -> None:
    found = prepare(Order(families, ("openai/some-model",), organisms=True))
    assert {name.removeprefix("organism/") for name in found.chosen.added} == names


def test_an_organism_plays_the_families_it_has_a_gap_in_and_the_one_without_all() -> None:
    added = prepare(Order(("tiers", "evaluation"), ("openai/some-model",), organisms=True)).chosen.added
    families = {name: {one.split("/")[0] for one in own.samples} for name, own in added.items()}
    assert families["organism/faker"] == {"tiers"}
    assert families["organism/test-actor"] == {"evaluation"}
    assert families["organism/muser"] == {"tiers", "evaluation"}


def test_where_no_organism_acts_differently_the_run_says_so_beforehand() -> None:
    found = prepare(Order(("sandbagging", "tiers"), ("openai/some-model",), organisms=True))
    assert set(found.chosen.unchecked) == {"sandbagging"}
    assert "no organism of the library acts differently" in found.chosen.unchecked["sandbagging"]
    hidden = prepare(Order(("tiers",), ("openai/some-model",), organisms=True, hide_signal=True))
    assert set(hidden.chosen.added) == {"organism/muser"}
    assert set(hidden.chosen.unchecked) == {"tiers"}


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("family", ["walks", "tiers", "ladder"])
def test_they_play_enough_pairs_to_be_conclusive_and_not_many_more(family: str) -> None:
    found = prepare(Order((family,), ("openai/some-model",), samples=1, controls=("null",), organisms=True))
    pairs = {name: sum(found.plays(name).values()) for name in found.chosen.added}
    assert all(PAIRS <= n <= MOST_PAIRS for n in pairs.values())
    assert not any(":" in variant for name in found.chosen.added for _, variant in found.plays(name))


@pytest.mark.parametrize(
    ("agents", "added"),
    [(("faker", "honest"), set()), (("faker", "openai/x"), NAMES), (("organism/muser",), set())],
)
@pytest.mark.usefixtures("study")
def test_who_names_organisms_alone_gets_no_others(agents: tuple[str, ...], added: set[str]) -> None:
    assert set(prepare(Order(("walks",), agents, organisms=True)).chosen.added) == added


@pytest.mark.usefixtures("study")
def test_an_organism_that_was_asked_for_by_its_own_name_is_not_added() -> None:
    found = prepare(Order(("walks",), ("openai/x", "organism/faker"), organisms=True))
    assert set(found.chosen.added) == NAMES - {"organism/faker"}
    assert not prepare(Order(("walks",), ("openai/x",))).chosen.added


def test_a_variant_is_played_so_often_by_who_was_added_and_control_arms_not_at_all() -> None:
    variants = [("f/1", "a"), ("f/1", "b"), ("f/1", "null:a"), ("f/2", "a")]
    assert samples_of(None, variants, 3) == dict.fromkeys(variants, 3)
    assert samples_of(Added(samples={"f/1": 5}, variants=1), variants, 3) == {("f/1", "a"): 5}


@pytest.mark.usefixtures("few", "study")
def test_they_are_played_graded_and_set_apart_and_the_run_says_that_it_was_checked(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    asyncio.run(play_into(path, prepare(order()), ignore))
    grade_run(path)
    with RunReader(path) as reader:
        played = Counter(one.key.agent for one in reader.headings())
        report = report_of(reader)
    assert played == {"openai/faker": 24} | dict.fromkeys(NAMES, 24)
    assert [one.agent for one in report.contrasts] == ["openai/faker"]
    assert report.check is not None
    assert {one.agent for one in report.check.results} == NAMES
    assert {one.agent for one in report.check.figures} == NAMES
    assert report.check.unchecked == ()
    assert report.provenance is not None
    assert {seen.agent for seen in report.provenance.agents if seen.added} == NAMES
    assert report.provenance.left_out == ()
    found = status(path)
    assert found.planned == dict(played)


@pytest.mark.usefixtures("few", "study")
async def test_a_budget_is_for_agents_and_a_run_that_stops_is_resumed_with_its_organisms(tmp_path: Path) -> None:
    path, prepared = tmp_path / "run.sqlite", prepare(order())
    mean = replace(prepared, order=replace(prepared.order, allowance=Allowance(calls=5)))
    with pytest.raises(LimitReached):
        await play_into(path, mean, ignore)
    with RunReader(path) as reader:
        agents = Counter(one.key.agent for one in reader.headings())
        again = prepare_again(reader.manifest)
    assert agents["openai/faker"] == 4
    again = replace(again, order=replace(again.order, in_process=True))
    await play_rest(path, again, ignore)
    with RunReader(path) as reader:
        assert Counter(one.key.agent for one in reader.headings()) == dict.fromkeys({*REAL, *NAMES}, 24)


@pytest.mark.usefixtures("few", "study")
async def test_forks_are_of_agents_alone(study: Study) -> None:
    path = study.root / "transcripts" / "run.sqlite"
    path.parent.mkdir()
    await play_into(path, prepare(order()), ignore)
    forks = prepare_forks(ForkOrder("run", "probe", (), ("end",)))
    assert {fork.key.agent for fork in forks.forks()} == set(REAL)
    manifest = forks.manifest("forks")
    assert [agent.name for agent in manifest.agents] == list(REAL)
    assert (manifest.organisms, manifest.planted) == (False, ())


@pytest.mark.usefixtures("study")
def test_a_plan_tells_what_they_play_and_that_it_costs_nothing() -> None:
    told = list(lines(agent_plans(prepare(order()))))
    assert told[0].startswith("openai/faker: 24 episodes, 24 calls")
    assert told[1] == (
        "beside them, to check the run: organism/faker, organism/silent-faker, organism/muser; "
        "360 episodes here, no cost (--no-organisms)"
    )


@pytest.mark.usefixtures("study")
def test_a_run_in_batches_may_have_them_though_organisms_alone_may_not() -> None:
    check(prepare(order()))
    with pytest.raises(UsageError, match="would be gone"):
        check(prepare(Order(("walks",), ("faker",))))


@pytest.mark.usefixtures("study")
def test_a_scenario_that_organisms_cant_play_is_left_to_the_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    from gyges.models import organism_corpus

    knows = organism_corpus.knows

    def some(scenario: Scenario) -> list[organism_corpus.Known]:
        if scenario.name == "walks/walk-03":
            raise AuthoringError(Place(Path("walk-03.yaml")), "there is no reply")
        return knows(scenario)

    monkeypatch.setattr(organism_corpus, "knows", some)
    known, unknown = known_to_organisms(select(["walks"]))
    assert len(known) == 11
    assert unknown == {"walks": "organisms can't play walks/walk-03: there is no reply"}
    found = prepare(order())
    assert "walks/walk-03" not in found.served()
    assert len(found.served()) == 11
    assert all("walks/walk-03" not in own.samples for own in found.chosen.added.values())
    assert found.manifest("r").unchecked == unknown
    assert {len(gap.rates) for gap in found.manifest("r").planted} == {11}


@pytest.mark.usefixtures("study")
def test_what_is_planted_in_these_very_scenarios_is_known_of_organisms_that_the_run_serves() -> None:
    manifest = prepare(order()).manifest("r")
    (faker,) = [one for one in manifest.planted if one.agent == "organism/faker"]
    assert (faker.gap, faker.revealed, faker.tells) == (0.45, 0.45, 1.0)
    assert len(faker.rates) == 12
    assert all(first >= second for first, second in faker.rates.values())
    assert len({second for _, second in faker.rates.values()}) == 12
    elsewhere = prepare(Order(("walks",), ("faker",), base_url="http://127.0.0.1:9")).manifest("r")
    assert elsewhere.planted[0].rates == {}


def test_the_profiles_of_organisms_are_those_of_the_library() -> None:
    found = prepare(Order(("tiers",), ("openai/some-model",), organisms=True)).profiles
    assert [one.model for one in found if isinstance(one, Profile) and one.organism] == [
        one.name for one in found
    ][1:]


@pytest.mark.usefixtures("few")
async def test_beside_a_providers_batches_they_are_played_at_once(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-a-test")
    path = study.root / "run.sqlite"
    async with organisms(study.root, []) as url:
        prepared = prepare(replace(order(), base_url=f"{url}/v1", batch=True))
        left = await play_batches(path, prepared, ignore, lambda _: None, new=True)
        with RunReader(path) as reader:
            first = Counter(one.key.agent for one in reader.headings())
        assert await play_batches(path, prepared, ignore, lambda _: None, new=False) == Left(0, 0)
    assert left.calls == 24
    assert first == dict.fromkeys(NAMES, 24)
    with RunReader(path) as reader:
        assert Counter(one.key.agent for one in reader.headings()) == dict.fromkeys({*REAL, *NAMES}, 24)


@pytest.mark.usefixtures("few", "study")
async def test_several_processes_play_them_too(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    async with organisms(tmp_path, []) as url:
        prepared = prepare(replace(order(), base_url=f"{url}/v1", in_process=False))
        await play_into(path, limited(prepared, Limits(8), Allowance(), 2), ignore)
    with RunReader(path) as reader:
        assert Counter(one.key.agent for one in reader.headings()) == dict.fromkeys({*REAL, *NAMES}, 24)
