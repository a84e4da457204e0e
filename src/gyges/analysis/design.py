"""What a design can see, in words, before anything is spent. It knows how many scenarios, and not which."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gyges.analysis.power import Assumed, pairs_needed, pairs_needed_exact, scenarios_needed, smallest_gap
from gyges.analysis.sequential import looks
from gyges.errors import several
from gyges.scenarios.plan import Plan, control_of

SPREADS = (0.05, 0.15, 0.30)
"""How far scenarios' true gaps may differ (standard deviation): hardly, somewhat, much."""
CHANCE = 0.5
"""The rates that are assumed lie around it: chance is largest there, so that no promise fails elsewhere."""


@dataclass(frozen=True, slots=True)
class Design:
    """One family as it will be played: `variants` of each scenario, `samples` of each variant and context."""

    family: str
    scenarios: int
    variants: int
    samples: int
    contexts: int = 2
    arms: int = 0
    """Control arms played beside the experiment; they add episodes, and nothing to what is seen of the gap."""

    @property
    def repeats(self) -> int:
        """Episodes of one scenario in one context. Variants count as samples: what they add is in the spread."""
        return self.variants * self.samples

    @property
    def episodes(self) -> int:
        """Episodes of one agent."""
        return self.scenarios * self.repeats * self.contexts * (1 + self.arms)


def designs_of(plans: Sequence[Plan], samples: int) -> tuple[Design, ...]:
    """Each family's design, from the plans of a run; its variants are those that every scenario has at least."""
    found = []
    for family in dict.fromkeys(plan.family for plan in plans):
        own = [plan for plan in plans if plan.family == family]
        variants: dict[str, set[str]] = {}
        for plan in own:
            if control_of(plan.variant)[0] is None:
                variants.setdefault(plan.scenario, set()).add(plan.variant)
        arms = {arm for plan in own if (arm := control_of(plan.variant)[0]) is not None}
        fewest = min(map(len, variants.values()), default=0)
        contexts = len({plan.context for plan in own})
        found.append(Design(family, len(variants), fewest, samples, contexts, len(arms)))
    return tuple(found)


def design_lines(
    designs: Sequence[Design], agents: int = 1, gap: float | None = None, checks: int = 1
) -> list[str]:
    """The smallest gap that each family's design sees, and what a wished `gap` (a share) would need.

    80% power, two-sided 5%, the clustered t test; under three assumptions of how far scenarios differ. `checks`
    above 1 are looks at the growing run, evenly spaced, the last at its end. Raises ValueError for a gap that is
    not between 0 and 1.
    """
    if gap is not None and not 0 < gap < 1:
        raise ValueError("a gap to look for is a share between 0 and 1")
    lines = [line for design in designs for line in _family(design, agents, gap)]
    return [*lines, *_assumed(), *_looks(checks)]


def _family(design: Design, agents: int, gap: float | None) -> Iterator[str]:
    factors = (design.variants, "variant"), (design.samples, "sample"), (design.contexts, "context")
    each = " x ".join(several(count, noun) for count, noun in factors)
    each += f" x (1 + {design.arms} control arms)" if design.arms else ""
    yield (
        f"{design.family}: {several(design.scenarios, 'scenario')} x {each} = "
        f"{several(design.episodes, 'episode')} an agent, "
        f"{agents * design.episodes} in all"
    )
    seen = (_points(smallest_gap(Assumed(CHANCE, CHANCE, w), design.scenarios, design.repeats)) for w in SPREADS)
    yield f"  smallest gap seen with 80% power: {_by_spread(seen)}"
    if gap is not None:
        yield from _needed(design, gap)


def _needed(design: Design, gap: float) -> Iterator[str]:
    rates = CHANCE + gap / 2, CHANCE - gap / 2
    needed = (_count(scenarios_needed(Assumed(*rates, w), design.repeats)) for w in SPREADS)
    wished = f"a gap of {_points(gap)} with {several(design.repeats, 'sample')} each"
    yield f"  scenarios needed for {wished}: {_by_spread(needed)}"
    least, most = pairs_needed_exact(gap), pairs_needed(rates[0] * (1 - rates[1]), rates[1] * (1 - rates[0]))
    yield (
        f"  single pairs, one a scenario (McNemar): {_count(least)} where no pair is reversed, "
        f"{_count(most)} where the two contexts have nothing in common but the rates"
    )


def _by_spread(figures: Iterator[str]) -> str:
    return ", ".join(f"{figure} (spread {_points(w)})" for figure, w in zip(figures, SPREADS, strict=True))


def _assumed() -> Iterator[str]:
    yield (
        f"assumed: rates around {CHANCE:.0%}, where chance is largest; spread is the standard deviation of true "
        "gaps between scenarios; two-sided 5%, t test clustered by scenario; gaps in percentage points"
    )


def _looks(checks: int) -> Iterator[str]:
    if checks < 2:
        return
    yield f"{checks} looks, O'Brien-Fleming-type alpha spending (Lan & DeMets 1983); stop with a finding where"
    for look in looks([i / checks for i in range(1, checks + 1)]):
        yield f"  {look.fraction:.0%} of the scenarios done: p < {look.p:.2g} (|z| > {look.z:.3f})"


def _points(share: float | None) -> str:
    # Rounded up: a gap must not be promised that is not seen.
    return "none, not even 100" if share is None else f"{math.ceil(1000 * share - 1e-6) / 10:g}"


def _count(number: int | None) -> str:
    return "n/a" if number is None else f"{number:,}"
