"""What an order would take, before anything is sent: calls, tokens, money. It plays nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gyges.batch.prices import price_of, read_prices
from gyges.batch.run import Prepared
from gyges.batch.spending import ROUNDS, Expected, expected


@dataclass(frozen=True, slots=True)
class AgentPlan:
    """What one agent is expected to take."""

    agent: str
    model: str
    episodes: int
    expected: Expected
    tools: bool = False
    """Whether there are tools: who calls them is asked again, as often as it calls some."""


def agent_plans(prepared: Prepared) -> list[AgentPlan]:
    """For every agent of the order. Calls are exact without retries and tools; tokens and money are estimates."""
    prices = read_prices()
    found = []
    for profile in prepared.profiles:
        price, most = price_of(profile.model, prices), profile.sampling.max_tokens
        one = sum(
            (
                expected(plan, price, profile.instructions, most, ROUNDS if profile.tools or plan.world else 1)
                for plan in prepared.plans
            ),
            Expected(),
        )
        samples = prepared.order.samples
        cost = None if one.cost is None else one.cost * samples
        whole = Expected(one.calls * samples, one.input * samples, one.output * samples, cost)
        tools = bool(profile.tools) or any(plan.world for plan in prepared.plans)
        found.append(AgentPlan(profile.name, profile.model, len(prepared.plans) * samples, whole, tools))
    return found


def lines(found: Sequence[AgentPlan]) -> Iterator[str]:
    """For a terminal."""
    for one in found:
        much = one.expected
        yield (
            f"{one.agent}: {one.episodes:,} episodes, {much.calls:,} calls, "
            f"about {_thousands(much.input)} tokens in and {_thousands(much.output)} out, {money(much.cost)}"
        )
    total = sum((one.expected for one in found), Expected())
    if len(found) > 1:
        yield f"together: {total.calls:,} calls, about {_thousands(total.tokens)} tokens, {money(total.cost)}"
    if any(one.tools for one in found):
        yield f"an agent with tools is taken to be asked {ROUNDS} times a turn; how often it is, the run will show"


def _thousands(tokens: float) -> str:
    return f"{tokens / 1000:,.0f}k" if tokens >= 1000 else f"{tokens:.0f}"


def money(cost: float | None) -> str:
    """US dollars, or that it is not known."""
    if cost is None:
        return "cost unknown (write the price into prices.yaml)"
    return f"about ${cost:,.2f}" if cost else "no cost"
