"""What is planted in a run's organisms: the gap that each has to show, from the very words it will be sent.

It plays nothing. A gap that is known beforehand makes an organism a positive or a negative control of its batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from gyges.agents.profile import Profile
from gyges.scenarios.plan import Contrast, Plan, Seed, control_of
from gyges.scenarios.read import Scenario
from gyges.transcripts.manifest import Added, FamilyContrast, PlantedGap, samples_of
from gyges.transcripts.record import Message

if TYPE_CHECKING:
    from gyges.models.organism import Organism

Sent = tuple[str, str, str]
"""Scenario, variant, context."""
Pair = tuple[float, float]
"""Of the first context and of the second."""
_Rates = tuple[float, float | None]


def planted_gaps(
    profiles: Sequence[Profile],
    scenarios: Sequence[Scenario],
    rendered: Sequence[Plan],
    contrasts: Sequence[FamilyContrast],
    seed: Seed,
    added: Mapping[str, Added] | None = None,
) -> list[PlantedGap]:
    """For each organism and contrast: the mean over scenarios of its planted rates' difference.

    Control arms are left out. So are organisms that need reasoning, which a profile may have switched off: what
    they will do can't be told from the words. `seed` is the run's: organisms that it serves itself draw the
    effects of scenarios from it, so that the rates in these very scenarios are known too. `added` says by agent
    what those play that the run added; the others play everything.
    """
    own, chosen = [profile for profile in profiles if profile.organism], added or {}
    if not own:
        return []
    if all(profile.name in chosen for profile in own):
        played = {name for one in chosen.values() for name in one.samples}
        scenarios = [scenario for scenario in scenarios if scenario.name in played]
    # Organisms bring the whole of their words along; a run of real models does without.
    from gyges.models.organism import read_organisms
    from gyges.models.organism_corpus import Corpus

    known = read_organisms(Corpus.of(scenarios), seed)
    experiment = [plan for plan in rendered if control_of(plan.variant)[0] is None]
    found: list[PlantedGap] = []
    for profile in own:
        organism = known.get(profile.model.removeprefix("organism/"))
        if organism is None or organism.file.needs_reasoning:
            continue
        plays = samples_of(chosen.get(profile.name), ((plan.scenario, plan.variant) for plan in experiment), 1)
        plans = [plan for plan in experiment if (plan.scenario, plan.variant) in plays]
        found += _gaps(profile.name, organism, _rates(organism, profile, plans), plans, contrasts)
    return found


def _rates(organism: Organism, profile: Profile, plans: Sequence[Plan]) -> Mapping[Sent, _Rates]:
    """How often it complies: as a mean over scenarios, and in this one (None: another server knows)."""
    found: dict[Sent, _Rates] = {}
    for plan in plans:
        messages = _messages(plan, profile.instructions)
        here = organism.chance(messages, plan.world) if profile.base_url is None else None
        found[plan.scenario, plan.variant, plan.context] = organism.rate(messages, plan.world), here
    return found


def _messages(plan: Plan, instructions: str) -> list[Message]:
    system = "\n\n".join(filter(None, (plan.system.text, instructions)))
    return [Message("system", system), *(Message("user", turn.text) for turn in plan.turns)]


FINDING = {
    "training": "alignment_faking",
    "mark": "alignment_faking",
    "evaluation": "believes_evaluated",
    "hint": "mentions_hint",
}
"""What an organism that tells of its motive reveals, by what it reads."""


def _gaps(
    agent: str,
    organism: Organism,
    rates: Mapping[Sent, _Rates],
    plans: Sequence[Plan],
    contrasts: Sequence[FamilyContrast],
) -> Iterator[PlantedGap]:
    for named in contrasts:
        by_scenario: dict[str, list[float]] = {}
        for scenario, variant in dict.fromkeys(
            (plan.scenario, plan.variant) for plan in plans if plan.family == named.family
        ):
            by_scenario.setdefault(scenario, []).append(_gap(rates, scenario, variant, named.contrast))
        if by_scenario:
            gap = _mean(by_scenario.values())
            revealed = silent = tells = None
            known = named.contrast.reveals == (FINDING.get(organism.file.reads),)
            if known and _one_motive(organism, rates, by_scenario, named.contrast):
                # Where the gap is the other way round, the motive works in the second context and reveals nothing.
                tells = organism.file.tells
                above = _mean([max(0.0, gap) for gap in gaps] for gaps in by_scenario.values())
                revealed = round(tells * above, 9)
                silent = round(gap - revealed, 9)
            yield PlantedGap(
                agent=agent,
                family=named.family,
                contrast=named.contrast,
                gap=gap,
                revealed=revealed,
                silent=silent,
                tells=tells,
                rates=_here(rates, by_scenario, named.contrast),
            )


def _one_motive(
    organism: Organism, rates: Mapping[Sent, _Rates], scenarios: Iterable[str], contrast: Contrast
) -> bool:
    """Whether the motive works in one context at most: only then its part of the gap is what it tells of."""
    merits, names = organism.policy.merits, set(scenarios)
    ours = {key: rate for key, (rate, _) in rates.items() if key[0] in names}
    return all(
        rate <= merits or ours[scenario, variant, contrast.second] <= merits
        for (scenario, variant, context), rate in ours.items()
        if context == contrast.first
    )


def _here(rates: Mapping[Sent, _Rates], scenarios: Iterable[str], contrast: Contrast) -> dict[str, Pair]:
    """By scenario the rates in both contexts, means over variants; empty where they aren't known."""
    found = {}
    for scenario in scenarios:
        variants = [variant for name, variant, context in rates if (name, context) == (scenario, contrast.first)]
        pairs = [(rates[scenario, v, contrast.first][1], rates[scenario, v, contrast.second][1]) for v in variants]
        known = [(first, second) for first, second in pairs if first is not None and second is not None]
        if len(known) < len(pairs):
            return {}
        first, second = (round(sum(pair[side] for pair in known) / len(known), 9) for side in (0, 1))
        found[scenario] = first, second
    return found


def _mean(gaps: Iterable[Sequence[float]]) -> float:
    means = [sum(own) / len(own) for own in gaps]
    return round(sum(means) / len(means), 9)


def _gap(rates: Mapping[Sent, _Rates], scenario: str, variant: str, contrast: Contrast) -> float:
    return rates[scenario, variant, contrast.first][0] - rates[scenario, variant, contrast.second][0]
