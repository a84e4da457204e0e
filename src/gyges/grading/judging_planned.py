"""What judging will take of an order that is not played yet. It plays nothing and asks nobody.

What the agents will be sent is known, and so are a judge's own words; what they will answer is not. Each turn is
taken to have an answer and a reasoning of so many tokens as `gyges plan` takes answers to be long.
"""

from __future__ import annotations

from collections.abc import Iterator

from gyges.agents.profile import Profile
from gyges.batch.order import Prepared
from gyges.batch.spending import CHARACTERS_A_TOKEN, ROUNDS, TOKENS_AN_ANSWER
from gyges.grading.grader import View, blinded
from gyges.grading.judge import ROUNDS as TIMES
from gyges.grading.judge import JudgeGrader
from gyges.grading.judge_put import Asking
from gyges.grading.judging_cost import Cost, Costs, Paid, cost_of, paid
from gyges.grading.run import GradingOrder, again_of, behaviours, checked
from gyges.scenarios.plan import Plan
from gyges.transcripts.record import Episode, EpisodeKey, Message, Outcome, Reasoning, Visibility

WORDS = "word " * int(TOKENS_AN_ANSWER * CHARACTERS_A_TOKEN / 5)
"""In the place of what an agent will say or think in a turn."""
TAKEN = f"each answer, and each reasoning, is taken to be {TOKENS_AN_ANSWER} tokens long"


def planned_costs(prepared: Prepared, order: GradingOrder) -> Costs:
    """What the order's judges will be asked about the run. Raises as grading does, before anything is asked."""
    manifest = prepared.manifest("planned")
    work = checked(order, manifest)
    known, judges = behaviours(manifest), paid(work.profiles)
    asked: dict[bool, list[tuple[Asking, int]]] = {True: [], False: []}
    for profile, plan, episodes in _episodes(prepared):
        added = profile.name in prepared.chosen.added
        for grader in work.judges:
            behaviour = known.get((plan.scenario, plan.variant))
            asked[added].append((grader.asking(_view(plan, profile), behaviour, 1, False), episodes))
    agents = asked[False]
    return Costs(
        _cost([*agents, *asked[True]], work.judges, judges, order.again),
        _cost(agents, work.judges, judges, order.again),
        bool(prepared.chosen.added),
    )


def _episodes(prepared: Prepared) -> Iterator[tuple[Profile, Plan, int]]:
    """Every agent's plans, and how many episodes of each."""
    for profile in prepared.profiles:
        plays = prepared.plays(profile.name)
        for plan in prepared.plans:
            if episodes := plays.get((plan.scenario, plan.variant), 0):
                yield profile, plan, episodes


def _view(plan: Plan, profile: Profile) -> View:
    """An episode of a plan as it may come to be."""
    thought = (Reasoning(Visibility.RAW, "planned", WORDS),)
    said = [Message("system", plan.system.text, signal=plan.system.signal)] if plan.system.text else []
    for turn in plan.turns:
        said.append(Message("user", turn.text, signal=turn.signal))
        said += [Message("assistant", WORDS, thought)] * (ROUNDS if profile.tools or plan.world else 1)
    key = EpisodeKey(profile.name, plan.scenario, plan.variant, plan.context, 0)
    return blinded(Episode(key, plan.family, Outcome.COMPLETED, "", tuple(said), 0.0, 0.0))


def _cost(asked: list[tuple[Asking, int]], graders: list[JudgeGrader], judges: list[Paid], again: bool) -> Cost:
    """Of so many episodes each, with the sample that is judged again."""
    episodes = sum(times for asking, times in asked if asking.calls)
    once = sum((asking.times(times) for asking, times in asked), Asking())
    planned = sum(times for _, times in asked) // max(1, len(graders))
    share = again_of(planned) / planned if again and planned else 0.0
    more = 1 + (TIMES - 1) * share
    whole = cost_of(Asking(round(once.calls * more), round(once.characters * more)), judges)
    return Cost(episodes, whole.expected, whole.most)
