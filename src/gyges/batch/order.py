"""An order, read, rendered and checked before it is played, and what its run says of itself. It plays nothing."""

from __future__ import annotations

import hashlib
import json
import platform
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from gyges.agents.code import find_file
from gyges.agents.graphs import load_graph
from gyges.agents.profile import Profile, load_profile
from gyges.agents.tools import Toolbox, load_tools
from gyges.batch.flow import Limits
from gyges.batch.organisms import Chosen, choose
from gyges.batch.planted import planted_gaps
from gyges.batch.prices import price_of, read_prices
from gyges.batch.retry import Patience
from gyges.batch.spending import Allowance
from gyges.errors import UsageError
from gyges.scenarios.plan import Plan, Seed
from gyges.scenarios.read import Scenario, select
from gyges.scenarios.render import behaviour, contrasts, plans
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

if TYPE_CHECKING:
    pass


PACKAGES = ("gyges", "langgraph", "openai", "anthropic", "jinja2", "pydantic")


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
    _check_counts(("--samples", order.samples), ("--max-connections", order.connections))
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
    _check_counts(("--max-connections", order.connections), ("--processes", processes))
    check_prices(order, prepared.profiles)
    return replace(prepared, order=order)


def _check_counts(*given: tuple[str, int]) -> None:
    for option, number in given:
        if number < 1:
            raise UsageError(f"{option} {number} is none", "1 is the least")


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


def toolbox(profile: Profile) -> Toolbox | None:
    return load_tools(profile.tools, profile.state) if profile.tools else None
