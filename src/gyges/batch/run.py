"""A whole run: everything checked, then every episode played into one file. It neither grades nor reports."""

from __future__ import annotations

import asyncio
import hashlib
import json
import platform
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence, Set
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from gyges.agents.code import find_file
from gyges.agents.graphs import load_graph
from gyges.agents.profile import Profile, load_profile
from gyges.agents.tools import Toolbox, load_tools
from gyges.batch import stop
from gyges.batch.calls import Line
from gyges.batch.flow import Flow, Limits
from gyges.batch.health import Health
from gyges.batch.local import organism_server
from gyges.batch.organisms import Chosen, choose
from gyges.batch.planted import planted_gaps
from gyges.batch.play import Agent, Job, Play, play_all, schedule
from gyges.batch.prices import price_of, read_prices
from gyges.batch.queue import Queue
from gyges.batch.retry import Patience
from gyges.batch.spending import Allowance, Budget, Spending
from gyges.errors import Interrupted, LimitReached, UsageError
from gyges.models.provider import Continuation
from gyges.scenarios.plan import Plan, Seed
from gyges.scenarios.read import Scenario, select
from gyges.scenarios.render import behaviour, contrasts, plans
from gyges.transcripts.failpoint import reach
from gyges.transcripts.manifest import (
    Added,
    FamilyContrast,
    Manifest,
    PlannedAgent,
    PlannedScenario,
    Setting,
    Variant,
    samples_of,
)
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Call, Episode, EpisodeKey, Outcome
from gyges.transcripts.store import RunWriter

if TYPE_CHECKING:
    from gyges.models.http import Wire

PACKAGES = ("gyges", "langgraph", "openai", "anthropic", "jinja2", "pydantic")


Watch = Callable[[Sequence[Agent], RunWriter], None]
"""Is given what there is to look at while a run goes on."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asked for."""

    scenarios: tuple[str, ...]
    agents: tuple[str, ...]
    samples: int = 1
    seed: int = 1
    base_url: str | None = None
    connections: int = 20
    """Episodes at once, and calls at once of each model."""
    requests_a_minute: float | None = None
    """Of each model."""
    tokens_a_minute: float | None = None
    allowance: Allowance = field(default_factory=Allowance)
    patience: Patience = field(default_factory=Patience)
    hide_signal: bool = False
    batch: bool = False
    """In the provider's batches."""
    controls: tuple[str, ...] = ()
    """Control arms to play beside the experiment: null, placebo, swap."""
    sampling: tuple[tuple[str, Setting], ...] = ()
    """Settings of sampling in the place of the profiles'."""
    looks: int = 1
    """How often the growing run will be looked at."""
    command: str = ""
    processes: int = 1
    """That play episodes; more than one are workers beside this one."""
    in_process: bool = False
    """Whether organisms answer without a socket: for benchmarks and soaks."""
    organisms: bool = False
    """Whether organisms are added by which the run checks itself."""

    def limits(self) -> Limits:
        return Limits(self.connections, self.requests_a_minute, self.tokens_a_minute)


@dataclass(frozen=True, slots=True)
class Prepared:
    """An order, checked: nothing that can be known beforehand will stop it any more."""

    order: Order
    scenarios: tuple[Scenario, ...]
    plans: tuple[Plan, ...]
    profiles: tuple[Profile, ...]
    chosen: Chosen = field(default_factory=Chosen)
    """The organisms among the profiles that the run adds by itself."""

    def plays(self, agent: str) -> dict[Variant, int]:
        """Episodes that an agent has to play in each context of each scenario and variant."""
        variants = ((plan.scenario, plan.variant) for plan in self.plans)
        return samples_of(self.chosen.added.get(agent), variants, self.order.samples)

    def served(self) -> tuple[str, ...]:
        """The scenarios that a server of organisms has to know: of those that were added, what they can play."""
        if not self.chosen.unchecked or any(
            one.organism for one in self.profiles if one.name in self.order.agents
        ):
            return self.order.scenarios
        return tuple(sorted({name for one in self.chosen.added.values() for name in one.samples}))

    def planned(self) -> dict[tuple[str, str], int]:
        """How many episodes each agent has to play, by agent and context."""
        found: Counter[tuple[str, str]] = Counter()
        for profile in self.profiles:
            plays = self.plays(profile.name)
            for plan in self.plans:
                found[profile.name, plan.context] += plays.get((plan.scenario, plan.variant), 0)
        return {key: count for key, count in found.items() if count}

    def manifest(self, run: str) -> Manifest:
        named = tuple(family_contrasts(self.scenarios))
        return Manifest(
            run=run,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            source="played",
            command=self.order.command,
            seed=self.order.seed,
            samples=self.order.samples,
            hide_signal=self.order.hide_signal,
            batch=self.order.batch,
            looks=self.order.looks,
            controls=self.order.controls,
            sampling=dict(self.order.sampling),
            scenarios=tuple(planned_scenarios(self.scenarios, self.plans)),
            agents=tuple(planned_agent(one, self.chosen.added.get(one.name)) for one in self.profiles),
            contrasts=named,
            organisms=self.order.organisms,
            unchecked=dict(self.chosen.unchecked),
            planted=tuple(
                planted_gaps(
                    self.profiles, self.scenarios, self.plans, named, Seed(self.order.seed), self.chosen.added
                )
            ),
            versions=versions(),
        )


def prepare(order: Order) -> Prepared:
    """Read, render and check everything that the order names. Raises UsageError or AuthoringError."""
    if order.samples < 1 or order.connections < 1:
        raise UsageError("--samples and --max-connections are at least 1")
    if len(set(order.agents)) != len(order.agents):
        raise UsageError("an agent is named twice", "name each --agent once")
    profiles = tuple(load_profile(name, order.base_url).asked(dict(order.sampling)) for name in order.agents)
    for profile in profiles:
        load_graph(profile.graph)
        toolbox(profile)
    check_prices(order, profiles)
    scenarios = tuple(select(order.scenarios))
    if not scenarios:
        raise UsageError(
            f"there is no scenario in {', '.join(order.scenarios)}", "write one beside its family.yaml"
        )
    rendered = [
        plan
        for scenario in scenarios
        for plan in plans(scenario, hide_signal=order.hide_signal, controls=order.controls, seed=Seed(order.seed))
    ]
    chosen = Chosen()
    if order.organisms:
        chosen = choose(profiles, scenarios, rendered, family_contrasts(scenarios), Seed(order.seed))
    return Prepared(order, scenarios, tuple(rendered), (*profiles, *chosen.profiles), chosen)


def limited(prepared: Prepared, limits: Limits, allowance: Allowance, processes: int = 1) -> Prepared:
    """The same, played no faster and for no more than this, by so many processes. Raises UsageError."""
    order = replace(
        prepared.order,
        connections=limits.connections,
        requests_a_minute=limits.requests_a_minute,
        tokens_a_minute=limits.tokens_a_minute,
        allowance=allowance,
        processes=processes,
    )
    if order.connections < 1 or processes < 1:
        raise UsageError("--max-connections and --processes are at least 1")
    check_prices(order, prepared.profiles)
    return replace(prepared, order=order)


def check_prices(order: Order, profiles: Sequence[Profile]) -> None:
    """A limit on money is no limit where a price is unknown. Raises UsageError, and AuthoringError for prices."""
    prices = read_prices()
    for profile in profiles:
        limits = {"--cost-budget": order.allowance.cost, f"limits.cost of {profile.name}": profile.limits.cost}
        limit = next((name for name, most in limits.items() if most is not None), None)
        if limit and price_of(profile.model, prices) is None:
            raise UsageError(
                f"{limit} can't be kept: the price of {profile.model} is unknown",
                "write it into a prices.yaml at the root of the study, or give --token-budget",
            )


def order_of(manifest: Manifest) -> Order:
    """What the user asked for when the run began. Raises UsageError for a run that was not played."""
    if manifest.source != "played":
        raise UsageError(f"{manifest.run} was imported", "there is nothing to play")
    profiles = [Profile.model_validate_json(agent.profile) for agent in manifest.agents if agent.added is None]
    addresses = {profile.base_url for profile in profiles}
    return Order(
        scenarios=tuple(dict.fromkeys(planned.name for planned in manifest.scenarios)),
        agents=tuple(profile.name for profile in profiles),
        samples=manifest.samples,
        seed=manifest.seed,
        base_url=next(iter(addresses)) if len(addresses) == 1 else None,
        hide_signal=manifest.hide_signal,
        batch=manifest.batch,
        controls=manifest.controls,
        sampling=tuple(manifest.sampling.items()),
        looks=manifest.looks,
        command=manifest.command,
        organisms=manifest.organisms,
    )


def prepare_again(manifest: Manifest) -> Prepared:
    """The order of a run that stopped, checked to be what it was. Raises UsageError naming what differs."""
    prepared = prepare(order_of(manifest))
    differing = differences(manifest, prepared.manifest(manifest.run))
    if differing:
        raise UsageError(
            f"{manifest.run} can't be resumed: {', '.join(differing)} changed since",
            "start a new run, or one that takes over what still holds: --fork",
        )
    return prepared


def differences(old: Manifest, new: Manifest) -> list[str]:
    """What differs between two manifests of the same run, apart from when they were made."""
    was, now = old.model_dump(mode="json"), new.model_dump(mode="json")
    fields = [name for name in was if name not in ("created", "command") and was[name] != now[name]]
    names = {
        "scenarios": [f"scenario {one['name']}" for one in was["scenarios"] if one not in now["scenarios"]],
        "agents": [f"agent {one['name']}" for one in was["agents"] if one not in now["agents"]],
        "versions": [
            f"version of {name}" for name in was["versions"] if was["versions"][name] != now["versions"].get(name)
        ],
    }
    return [detail for field in fields for detail in names.get(field) or [field]]


def planned_scenarios(scenarios: Sequence[Scenario], rendered: Sequence[Plan]) -> list[PlannedScenario]:
    """Each scenario and variant with the hash of what is sent in all its contexts."""
    by_variant: dict[tuple[str, str], list[Plan]] = {}
    for plan in rendered:
        by_variant.setdefault((plan.scenario, plan.variant), []).append(plan)
    known = {scenario.name: scenario for scenario in scenarios}
    return [
        PlannedScenario(
            name=name,
            family=own[0].family,
            variant=variant,
            sha256=sha256([plan.written() for plan in own]),
            behaviour=behaviour(known[name], variant),
        )
        for (name, variant), own in by_variant.items()
    ]


def planned_agent(profile: Profile, added: Added | None = None) -> PlannedAgent:
    return PlannedAgent(
        name=profile.name,
        model=profile.model,
        base_url=address(profile),
        graph=profile.graph,
        profile=profile.model_dump_json(),
        code=hashlib.sha256(find_file(profile.graph.rpartition(":")[0]).read_bytes()).hexdigest(),
        added=added,
    )


def address(profile: Profile) -> str:
    """Where its calls go, also where the environment says so; "" for organisms that the run serves itself."""
    from gyges.models.registry import address_of

    return (profile.base_url or "") if profile.organism else address_of(profile.model, profile.base_url)


def family_contrasts(scenarios: Sequence[Scenario]) -> list[FamilyContrast]:
    """The contrasts of all families, each once."""
    found = {
        (scenario.family, contrast): FamilyContrast(family=scenario.family, contrast=contrast)
        for scenario in scenarios
        for contrast in contrasts(scenario)
    }
    return list(found.values())


def sha256(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def versions() -> dict[str, str]:
    """Of everything that may change what is sent or read."""
    return {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{package: version(package) for package in PACKAGES},
    }


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


def toolbox(profile: Profile) -> Toolbox | None:
    return load_tools(profile.tools, profile.state) if profile.tools else None


WITHOUT_TOOLS = ("graphs/chat.py:graph", "graphs/scratchpad.py:graph")
"""The library's graphs that offer a model no tools."""


WITH_TOOLS = "graphs/tools.py:graph"


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


async def play_into(
    path: Path,
    prepared: Prepared,
    done: Callable[[Episode], None],
    wire: Wire | None = None,
    watch: Watch | None = None,
) -> None:
    """Play everything into a new file. A run that ends before its first answer leaves no file.

    Raises ProviderError, LimitReached or Interrupted where it comes to no end; what was played is kept.
    """
    async with ready_agents(prepared, wire) as agents:
        try:
            with RunWriter.create(path, prepared.manifest(path.stem)) as writer:
                for plan in prepared.plans:
                    await writer.plan(plan)
                reach("plans-stored")
                if watch:
                    watch(agents, writer)
                await play_some(prepared, agents, writer, done, frozenset())
        except (LimitReached, Interrupted):
            # The message says how to go on, so there has to be something to go on with.
            raise
        except BaseException:
            discard_if_empty(path)
            raise


def discard_if_empty(path: Path) -> None:
    """Remove a run that stopped before anything was answered: there is nothing in it to keep or to resume.

    What organisms said that the run added by itself is nothing to keep.
    """
    if not path.exists():
        return
    with RunReader(path) as reader:
        made, rendered = reader.manifest, list(reader.plans())
        own = {
            EpisodeKey(agent.name, plan.scenario, plan.variant, plan.context, sample).id()
            for agent in made.agents
            if agent.added is not None
            for plays in [made.plays(agent)]
            for plan in rendered
            for sample in range(plays.get((plan.scenario, plan.variant), 0))
        }
        answered = reader.answers() - sum(len(reader.answered(episode)) for episode in own)
    if not answered:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)


async def play_rest(
    path: Path, prepared: Prepared, done: Callable[[Episode], None], watch: Watch | None = None
) -> None:
    """Play what is missing in a run: calls that were answered are not made again. Raises as `play_into` does."""
    async with ready_agents(prepared) as agents:
        # The reader goes first: with nobody reading, closing leaves one plain file.
        with RunWriter.open(path) as writer, RunReader(path) as reader:
            finished = frozenset(one.key for one in reader.headings() if one.outcome is not Outcome.PENDING)
            if watch:
                watch(agents, writer)
            await play_some(prepared, agents, writer, done, finished, reader.answered)


async def play_some(
    prepared: Prepared,
    agents: Sequence[Agent],
    writer: RunWriter,
    done: Callable[[Episode], None],
    finished: Set[EpisodeKey],
    answered: Callable[[str], dict[int, Call]] | None = None,
) -> None:
    """Play what is not finished, until the end, the budget's end, or a signal to stop."""
    order, seed = prepared.order, Seed(prepared.order.seed)
    blocks = schedule(agents, prepared.plans, order.samples, seed)
    left = [[job for job in block if job.key() not in finished] for block in blocks]
    paid = [agent.line.spending for agent in agents if agent.added is None]
    queue = Queue(left, Budget(order.allowance, paid), Job.expected)
    async with players(prepared, agents, writer) as play:
        await play_queue(queue, order, seed, writer, done, answered, play)


@asynccontextmanager
async def players(prepared: Prepared, agents: Sequence[Agent], writer: RunWriter) -> AsyncIterator[Play | None]:
    """Worker processes as the order has it; None where this process plays by itself."""
    from gyges.batch.process_crew import crew
    from gyges.batch.process_messages import Start

    def stored(episode: str) -> dict[int, Call]:
        with RunReader(writer.path) as reader:
            return reader.answered(episode)

    order = prepared.order
    if order.processes == 1:
        yield None
        return
    # With their addresses: the server of organisms is this process's own.
    profiles = [agent.profile.model_copy(update={"base_url": agent.line.provider.base_url}) for agent in agents]
    start = Start(
        tuple(profile.model_dump_json() for profile in profiles),
        order.scenarios,
        order.seed,
        order.patience,
        any(plan.world for plan in prepared.plans),
    )
    async with crew(order.processes, agents, writer, start, stored) as hired:
        yield hired.play


async def play_queue(
    queue: Queue[Job],
    order: Order,
    seed: Seed,
    writer: RunWriter,
    done: Callable[[Episode], None],
    answered: Callable[[str], dict[int, Call]] | None = None,
    play: Play | None = None,
) -> None:
    """Play what the queue gives, until the end, the budget's end, or a signal to stop."""
    playing = asyncio.ensure_future(
        play_all(queue, writer, seed, at_once=order.connections, done=done, answered=answered, play=play)
    )
    with stop.told(lambda: come_to_an_end(queue), playing.cancel) as stopped:
        try:
            await playing
        except asyncio.CancelledError:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
            if not stopped:
                raise
    resume = f"finish it with: gyges resume {writer.path.stem}"
    if queue.reached:
        raise LimitReached(f"{queue.reached} is reached; {queue.left} episodes are left to play", resume)
    if stopped and (queue.left or playing.cancelled()):
        raise Interrupted("stopped; what was played is kept", resume)


def come_to_an_end(queue: Queue[Job]) -> None:
    """What the first signal to stop does."""
    queue.close()
    told = f"no more episodes are begun; {queue.playing} are coming to their end (again: stop at once)"
    print(told, file=sys.stderr, flush=True)
