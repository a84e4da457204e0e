"""The agents of a run with open lines to their models. It plays nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from gyges.agents.graphs import load_graph
from gyges.agents.profile import Profile
from gyges.batch.calls import Line
from gyges.batch.flow import Flow, Limits
from gyges.batch.health import Health
from gyges.batch.local import organism_server
from gyges.batch.order import Prepared, toolbox
from gyges.batch.play import Agent
from gyges.batch.prices import price_of, read_prices
from gyges.batch.retry import Patience
from gyges.batch.spending import Spending
from gyges.models.provider import Continuation
from gyges.scenarios.plan import Seed
from gyges.transcripts.manifest import Added

if TYPE_CHECKING:
    from gyges.models.http import Wire


WITHOUT_TOOLS = ("graphs/chat.py:graph", "graphs/scratchpad.py:graph")
"""The library's graphs that offer a model no tools."""
WITH_TOOLS = "graphs/tools.py:graph"


@asynccontextmanager
async def ready_agents(prepared: Prepared, wire: Wire | None = None) -> AsyncIterator[list[Agent]]:
    """The agents with open lines to their models; organisms are served as long as it lasts.

    `wire` is taken in the place of sockets where an agent is said to answer in this process.
    """
    from gyges.models.http import IN_PROCESS

    order, worlds = prepared.order, any(plan.world for plan in prepared.plans)
    async with AsyncExitStack() as stack:
        served = IN_PROCESS if order.in_process else ""
        if not served and any(profile.organism and not profile.base_url for profile in prepared.profiles):
            served = await stack.enter_async_context(organism_server(prepared.served(), order.seed))
        if order.in_process and wire is None:
            from gyges.models.in_process import InProcess

            wire = InProcess.knowing(prepared.served(), Seed(order.seed))
        added = prepared.chosen.added
        yield await stack.enter_async_context(
            agents_at(served, prepared.profiles, order.limits(), order.patience, worlds, wire, added)
        )


@asynccontextmanager
async def agents_at(
    served: str,
    profiles: Sequence[Profile],
    limits: Limits,
    patience: Patience,
    worlds: bool,
    wire: Wire | None = None,
    added: Mapping[str, Added] | None = None,
) -> AsyncIterator[list[Agent]]:
    """The agents. `served` is the address of organisms that have none, `worlds` says whether plans have any.

    Those that were `added` to the run keep no pace: nobody else's limits are theirs.
    """
    from gyges.models.http import is_in_process
    from gyges.models.registry import provider

    async with AsyncExitStack() as stack:
        prices = read_prices()
        shared: dict[tuple[str, str, bool], tuple[Flow, Health]] = {}
        agents = []
        for profile in profiles:
            name, base_url = wire_name(profile, served)
            line_provider, model = provider(
                name,
                base_url,
                stream=profile.stream,
                continues=continuation(profile),
                wire=wire if base_url and is_in_process(base_url) else None,
            )
            stack.push_async_callback(line_provider.close)
            own = (added or {}).get(profile.name)
            pace = limits if own is None else Limits(limits.connections)
            key = line_provider.base_url, model, own is None
            flow, health = shared.setdefault(key, (Flow(pace), Health()))
            line = Line(
                line_provider,
                model,
                profile.sampling.sampling(),
                patience,
                flow,
                health,
                Spending(price_of(profile.model, prices)),
                profile.organism,
            )
            graph = load_graph(profile.graph)
            acting = load_graph(WITH_TOOLS) if needs_tools(profile, worlds) else None
            agents.append(Agent(profile, graph, line, toolbox(profile), acting, own))
        yield agents


def needs_tools(profile: Profile, worlds: bool) -> bool:
    """Whether plans have worlds that the profile's own graph could not use."""
    return worlds and profile.graph in WITHOUT_TOOLS


def wire_name(profile: Profile, served: str) -> tuple[str, str | None]:
    """The model and address to call: an organism is a model behind the wire format that its profile names."""
    if not profile.organism:
        return profile.model, profile.base_url
    name = profile.model.removeprefix("organism/")
    address = (profile.base_url or served).rstrip("/")
    if profile.wire == "anthropic":
        return f"anthropic/{name}", address.removesuffix("/v1")
    return f"{profile.wire}/{name}", address if address.endswith("/v1") else f"{address}/v1"


def continuation(profile: Profile) -> Continuation | None:
    """How the profile's server goes on from the beginning of an answer; None: as its service is known to."""
    return "prefix" if profile.organism and profile.wire == "openai" else profile.continues
