"""What an order would take, before anything is sent: calls, tokens, money. It plays nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gyges.batch.order import Prepared
from gyges.batch.prices import price_of, read_prices
from gyges.batch.spending import ROUNDS, Expected, expected
from gyges.errors import several


@dataclass(frozen=True, slots=True)
class AgentPlan:
    """What one agent is expected to take."""

    agent: str
    model: str
    episodes: int
    expected: Expected
    tools: bool = False
    """Whether there are tools: who calls them is asked again, as often as it calls some."""
    added: bool = False
    """Whether it is an organism that the run adds by itself."""
    share: float | None = None
    """Of the full price, what a call costs in the provider's batches; None: each call is made by itself."""


def agent_plans(prepared: Prepared) -> list[AgentPlan]:
    """For every agent of the order. Calls are exact without retries and tools; tokens and money are estimates."""
    prices = read_prices()
    found = []
    for profile in prepared.profiles:
        full, most = price_of(profile.model, prices), profile.sampling.max_tokens
        price = full.in_batch() if full and prepared.order.batch else full
        plays, whole, episodes = prepared.plays(profile.name), Expected(), 0
        for plan in prepared.plans:
            samples = plays.get((plan.scenario, plan.variant), 0)
            rounds = ROUNDS if profile.tools or plan.world else 1
            whole += _times(expected(plan, price, profile.instructions, most, rounds), samples)
            episodes += samples
        tools = bool(profile.tools) or any(plan.world for plan in prepared.plans)
        added = profile.name in prepared.chosen.added
        share = full.batch if full and prepared.order.batch else None
        found.append(AgentPlan(profile.name, profile.model, episodes, whole, tools, added, share))
    return found


def _times(one: Expected, times: int) -> Expected:
    cost = None if one.cost is None else one.cost * times
    return Expected(one.calls * times, one.input * times, one.output * times, cost)


def lines(found: Sequence[AgentPlan]) -> Iterator[str]:
    """For a terminal."""
    asked = [one for one in found if not one.added]
    for one in asked:
        much = one.expected
        yield (
            f"{one.agent}: {several(one.episodes, 'episode')}, {several(much.calls, 'call')}, "
            f"about {thousands(much.input)} tokens in and {thousands(much.output)} out, {money(much.cost)}"
        )
    total = sum((one.expected for one in asked), Expected())
    if len(asked) > 1:
        calls = several(total.calls, "call")
        yield f"together: {calls}, about {thousands(total.tokens)} tokens, {money(total.cost)}"
    if added := [one for one in found if one.added]:
        names, episodes = ", ".join(one.agent for one in added), sum(one.episodes for one in added)
        here = several(episodes, "episode")
        yield f"beside them, to check the run: {names}; {here} here, no cost (--no-organisms)"
    if shares := sorted({one.share for one in asked if one.share is not None and one.expected.cost}):
        told = " or ".join(f"{share:.0%}" for share in shares)
        yield f"in the provider's batches a call costs {told} of its price"
    if 1.0 in shares:
        yield "prices.yaml says nothing of batches: write `batch: 0.5` there if they cost half"
    if any(one.tools for one in asked):
        yield f"an agent with tools is taken to be asked {ROUNDS} times a turn; how often it is, the run will show"


def thousands(tokens: float) -> str:
    """A number of tokens, roughly."""
    return f"{tokens / 1000:,.0f}k" if tokens >= 1000 else f"{tokens:.0f}"


def money(cost: float | None) -> str:
    """US dollars, or that it is not known."""
    if cost is None:
        return "cost unknown (write the price into prices.yaml)"
    return f"about ${cost:,.2f}" if cost else "no cost"
