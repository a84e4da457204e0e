"""A run of forks: which episodes of a stored run, forked how, played into a run of their own. It judges nothing.

The run forked from is opened for reading only. A run of forks is resumed as any other: what was answered is not
asked again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Literal

from gyges.agents.episode import opening
from gyges.agents.graphs import load_graph
from gyges.agents.intervene import (
    CannotIntervene,
    Intervention,
    WordsFile,
    interventions,
    paraphrase_request,
    read_words,
)
from gyges.agents.paraphrase import by_rule, read_rules
from gyges.agents.profile import Profile, load_profile
from gyges.batch.calls import Caller
from gyges.batch.flow import Limits
from gyges.batch.fork_jobs import InterventionJob, Paraphrase, ProbeJob
from gyges.batch.play import Agent, Job
from gyges.batch.queue import Queue
from gyges.batch.run import (
    Prepared,
    discard_if_empty,
    limited,
    order_of,
    planned_agent,
    planned_scenarios,
    play_queue,
    prepare,
    ready_agents,
    sha256,
    versions,
)
from gyges.batch.spending import Allowance, Budget
from gyges.errors import Interrupted, LimitReached, UsageError
from gyges.models.provider import CallFailed
from gyges.scenarios import probes
from gyges.scenarios.plan import Plan, Seed, Text
from gyges.scenarios.read import Scenario
from gyges.transcripts.manifest import Forking, Manifest
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Call, Episode, EpisodeKey, Fork, Message, Outcome
from gyges.transcripts.rows import Heading
from gyges.transcripts.runs import find_run
from gyges.transcripts.store import RunWriter

FORKED = frozenset({Outcome.COMPLETED, Outcome.REFUSED_BY_MODEL})
"""Outcomes of episodes that can be forked: others came to no end."""
PROMPT, END = "prompt", "end"
"""Where a probe is asked: before the first answer, after the last."""
LAST = "last"
"""The answer that an intervention takes the place of, where none is named."""
ASKS = ("graphs/chat.py:graph", "graphs/scratchpad.py:graph")
"""The graphs that ask a probe: without and with a scratchpad."""


@dataclass(frozen=True, slots=True)
class ForkOrder:
    """What the user asked for."""

    run: str
    kind: Literal["probe", "intervention"]
    names: tuple[str, ...]
    """Probes or interventions; no probe: all there are."""
    at: tuple[str, ...]
    """`prompt` and `end`, or the number of an answer from 1, or `last`."""
    repeats: int = 1
    episodes: int | None = None
    """At most so many of each agent and context."""
    paraphraser: str | None = None
    command: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to fork an episode."""

    name: str
    at: str
    reasoning: bool = True
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class PreparedForks:
    """An order, checked. `source` is the run forked from; `prepared` has its plans, scenarios and agents."""

    order: ForkOrder
    source: Path
    origin: Manifest
    prepared: Prepared
    ways: tuple[Way, ...]
    paraphraser: Profile | None
    chosen: tuple[Heading, ...]
    """The episodes to be forked."""

    def seed(self) -> Seed:
        """Another one than the source's, whose noise its forks must not share."""
        return Seed(self.origin.seed).child("fork", self.order.kind)

    def planned(self) -> dict[str, int]:
        """How many forks each agent has to play, at the most: not every family has every probe."""
        counts = {profile.name: 0 for profile in self.prepared.profiles}
        for job in self.made():
            counts[job[0].agent] += 1
        return counts

    def made(self) -> Iterator[tuple[EpisodeKey, Heading, Way, int]]:
        """The key of each fork, the episode it is forked from, the way and the repetition."""
        for heading in self.chosen:
            for number, way in enumerate(self.ways):
                if not self._fits(heading, way):
                    continue
                for repeat in range(self.order.repeats):
                    within = (heading.key.sample * len(self.ways) + number) * self.order.repeats + repeat
                    yield replace(heading.key, sample=within), heading, way, repeat

    def _fits(self, heading: Heading, way: Way) -> bool:
        if self.order.kind == "intervention":
            return True
        return way.name in probes.probes_of(self.scenario(heading), probes.read_probes())

    def scenario(self, heading: Heading) -> Scenario:
        return self.scenarios()[heading.key.scenario]

    def scenarios(self) -> Mapping[str, Scenario]:
        return {scenario.name: scenario for scenario in self.prepared.scenarios}

    def manifest(self, run: str) -> Manifest:
        order = self.order
        forking = Forking(
            run=self.source.stem,
            sha256=self.origin.sha256(),
            kind=order.kind,
            names=order.names,
            at=",".join(order.at),
            repeats=order.repeats,
            episodes=order.episodes,
            paraphraser=planned_agent(self.paraphraser) if self.paraphraser else None,
            texts=self.texts(),
        )
        changes: dict[str, object] = {
            "run": run,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "source": "forked",
            "command": order.command,
            "samples": self.origin.samples * len(self.ways) * order.repeats,
            "planted": (),
            "forked": forking,
            "versions": versions(),
        }
        return self.origin.model_copy(update=changes)

    def texts(self) -> str:
        """The hash of the authored words that are put to the models."""
        if self.order.kind == "intervention":
            return sha256([read_words().model_dump(mode="json"), read_rules().model_dump(mode="json")])
        file = probes.read_probes()
        own = {s.family: {n: p.model_dump() for n, p in s.shared.probes.items()} for s in self.prepared.scenarios}
        return sha256([file.model_dump(), own])


def prepare_forks(order: ForkOrder) -> PreparedForks:
    """Read and check everything that the order names. Raises UsageError or AuthoringError."""
    source = find_run(order.run)
    with RunReader(source) as reader:
        origin = reader.manifest
        chosen = tuple(_choose(list(reader.headings()), order.episodes, Seed(origin.seed)))
    if origin.source != "played":
        to_do = "fork the run that was played" if origin.source == "forked" else "there are no calls to go on from"
        raise UsageError(f"{source.stem} was {origin.source}", to_do)
    if order.repeats < 1:
        raise UsageError("at least one repetition is needed")
    if not chosen:
        raise UsageError(f"{source.stem} has no finished episode to fork", "finish it with `gyges resume`")
    prepared = prepare(order_of(origin))
    _check_unchanged(origin, prepared)
    ways = _ways(order, prepared)
    paraphraser = load_profile(order.paraphraser, role="paraphraser") if order.paraphraser else None
    return PreparedForks(order, source, origin, prepared, ways, paraphraser, chosen)


def prepare_forks_again(manifest: Manifest) -> PreparedForks:
    """The order of a run of forks that stopped, checked to be what it was. Raises UsageError."""
    forked = manifest.forked
    assert forked is not None
    order = ForkOrder(
        forked.run,
        forked.kind,
        forked.names,
        tuple(forked.at.split(",")),
        forked.repeats,
        forked.episodes,
        forked.paraphraser.name if forked.paraphraser else None,
        manifest.command,
    )
    found = prepare_forks(order)
    now = found.manifest(manifest.run)
    if now.forked != forked or now.versions != manifest.versions:
        what = f"{manifest.run} can't be resumed: the run forked from, the words or versions changed since"
        raise UsageError(what, "start a new one")
    return found


def _check_unchanged(origin: Manifest, prepared: Prepared) -> None:
    """Raise UsageError where scenarios or agents are no longer what they were in the run forked from."""
    now = {(one.name, one.variant): one.sha256 for one in planned_scenarios(prepared.scenarios, prepared.plans)}
    odd = [f"scenario {one.name}" for one in origin.scenarios if now.get((one.name, one.variant)) != one.sha256]
    profiles = {profile.name: planned_agent(profile) for profile in prepared.profiles}
    odd += [f"agent {one.name}" for one in origin.agents if profiles.get(one.name) != one]
    if odd:
        raise UsageError(f"{', '.join(dict.fromkeys(odd))} changed since {origin.run} was played", "play it anew")


def _ways(order: ForkOrder, prepared: Prepared) -> tuple[Way, ...]:
    if order.kind == "intervention":
        made = interventions(order.names, read_words())
        return tuple(Way(one.name, order.at[0], fraction=one.fraction) for one in made)
    file = probes.read_probes()
    known = {name: spec for one in prepared.scenarios for name, spec in probes.probes_of(one, file).items()}
    names = probes.chosen(known, order.names)
    return tuple(Way(*way) for way in product(names, order.at, (True, False)))


def _choose(headings: Sequence[Heading], most: int | None, seed: Seed) -> Iterator[Heading]:
    """At most so many of each agent and context, whole pairs, every scenario before any has a second."""
    blocks: dict[tuple[str, str, str, int], list[Heading]] = {}
    for one in headings:
        if one.outcome in FORKED:
            blocks.setdefault((one.key.agent, one.key.scenario, one.key.variant, one.key.sample), []).append(one)
    drawn = sorted(blocks, key=lambda block: seed.child("forked", *block).hex())
    seen: dict[tuple[str, str], int] = {}
    turns = []
    for agent, scenario, variant, sample in drawn:
        turn = seen[agent, scenario] = seen.get((agent, scenario), 0) + 1
        turns.append((turn, (agent, scenario, variant, sample)))
    taken: dict[str, int] = {}
    for _, block in sorted(turns, key=lambda turn: turn[0]):
        taken[block[0]] = taken.get(block[0], 0) + 1
        if most is None or taken[block[0]] <= most:
            yield from blocks[block]


# Jobs


def jobs(
    forks: PreparedForks, agents: Mapping[str, Agent], reader: RunReader, paraphrase: Paraphrase
) -> list[tuple[Job, ...]]:
    """Blocks of jobs in random order: the contexts of a pair that are forked in the same way stand together."""
    plans = {(plan.scenario, plan.variant, plan.context): plan for plan in reader.plans()}
    blocks: dict[tuple[str, str, str, int], list[Job]] = {}
    for key, heading, way, repeat in forks.made():
        plan = plans[key.scenario, key.variant, key.context]
        fork = Fork(forks.source.stem, heading.id, heading.key.sample, 0, 0, forks.order.kind, way.name, repeat)
        agent = agents[key.agent]
        job: Job
        if forks.order.kind == "probe":
            job = _probe(forks, agent, plan, key, heading, way, fork, reader)
        else:
            job = _intervention(forks, agent, plan, key, heading, way, fork, reader, paraphrase)
        blocks.setdefault((key.agent, key.scenario, key.variant, key.sample), []).append(job)
    chance = random.Random(forks.seed().child("order").integer())
    made = [tuple(block) for block in blocks.values()]
    chance.shuffle(made)
    return made


def _probe(
    forks: PreparedForks,
    agent: Agent,
    plan: Plan,
    key: EpisodeKey,
    heading: Heading,
    way: Way,
    fork: Fork,
    reader: RunReader,
) -> ProbeJob:
    scenario = forks.scenario(heading)
    asked = probes.ask(
        scenario,
        key.variant,
        key.context,
        way.name,
        reasoning=way.reasoning,
        turn=heading.key.sample * forks.order.repeats + fork.repeat,
        order=forks.seed().child("choices", way.name, key.scenario, key.variant),
    )
    if forks.origin.hide_signal:
        asked = probes.hidden(asked, probes.probes_of(scenario, probes.read_probes())[way.name])
    fork = replace(
        fork,
        # Only told apart here; how many answers stand before it is known when the episode is read.
        turn=0 if way.at == PROMPT else 1,
        reasoning=way.reasoning,
        marker=asked.marker,
        choices=asked.choices,
        right=asked.right,
    )
    first = plan.turns[0]
    turn = Text(f"{first.text}\n\n{asked.text}", first.signal) if way.at == PROMPT else Text(asked.text)
    question = Plan(plan.family, plan.scenario, plan.variant, plan.context, Text(""), (turn,))
    offered = agent.toolbox.open().offered if agent.toolbox else ()
    return ProbeJob(_asking(agent, way.reasoning), question, key.sample, source=reader, fork=fork, offered=offered)


def _asking(agent: Agent, reasoning: bool) -> Agent:
    """The agent as it answers a question: without its own graph, and with reasoning off where that is asked."""
    profile, line = agent.profile, agent.line
    graph = ASKS[bool(profile.scratchpad)]
    plain = profile.model_copy(update={"graph": graph, "instructions": "", "tools": "", "state": {}})
    if not reasoning:
        line = replace(line, sampling=replace(line.sampling, reasoning_effort="none", reasoning_tokens=None))
    return replace(agent, profile=plain, graph=load_graph(graph), line=line, toolbox=None)


def _intervention(
    forks: PreparedForks,
    agent: Agent,
    plan: Plan,
    key: EpisodeKey,
    heading: Heading,
    way: Way,
    fork: Fork,
    reader: RunReader,
    paraphrase: Paraphrase,
) -> InterventionJob:
    (how,) = interventions([way.name], read_words())
    return InterventionJob(
        agent,
        plan,
        key.sample,
        source=reader,
        fork=replace(fork, fraction=way.fraction),
        how=Intervention(how.name, way.fraction),
        at=None if way.at == LAST else int(way.at) - 1,
        words=read_words(),
        wrong=_wrong(forks.scenario(heading), key),
        pair=_pair(forks.origin, heading),
        paraphrase=paraphrase,
    )


def _wrong(scenario: Scenario, key: EpisodeKey) -> str | None:
    """The words of a wrong answer to the probe `context`; None where the family has none."""
    spec = probes.probes_of(scenario, probes.read_probes()).get("context")
    right = probes.right(scenario, key.variant, key.context, spec) if spec else ""
    if spec is None or not right:
        return None
    others = [label for label in spec.choices if label not in (right, spec.unsure)]
    return probes.words_of(scenario, key.variant, spec, others[0]) if others else None


def _pair(origin: Manifest, heading: Heading) -> str | None:
    """The id of the episode in the other context of the first contrast that this one's context is in."""
    for named in origin.contrasts:
        contexts = (named.contrast.first, named.contrast.second)
        if named.family == heading.family and heading.key.context in contexts:
            (other,) = [context for context in contexts if context != heading.key.context]
            return replace(heading.key, context=other).id()
    return None


# Playing


async def play_forks(path: Path, forks: PreparedForks, done: Callable[[Episode], None], *, new: bool) -> None:
    """Play the forks into a new run, or what is missing in one. A run without any answer leaves no file.

    Raises ProviderError, LimitReached or Interrupted where it comes to no end; what was played is kept.
    """
    if new:
        RunWriter.create(path, forks.manifest(path.stem)).close()
    try:
        with RunReader(path) as reader, RunReader(forks.source) as source:
            finished = frozenset(one.key for one in reader.headings() if one.outcome is not Outcome.PENDING)
            async with ready_agents(with_paraphraser(forks)) as ready:
                with RunWriter.open(path) as writer:
                    if new:
                        for plan in source.plans():
                            await writer.plan(plan)
                    await _play(forks, ready, source, reader, writer, finished, done)
    except (LimitReached, Interrupted):
        raise
    except BaseException:
        if new:
            discard_if_empty(path)
        raise


async def _play(
    forks: PreparedForks,
    ready: Sequence[Agent],
    source: RunReader,
    reader: RunReader,
    writer: RunWriter,
    finished: frozenset[EpisodeKey],
    done: Callable[[Episode], None],
) -> None:
    agents = {agent.profile.name: agent for agent in ready[: len(forks.prepared.profiles)]}
    helper = ready[-1] if forks.paraphraser else None
    paraphrase = paraphrasing(helper, writer, reader.answered, forks.seed())
    left = [
        [job for job in block if job.key() not in finished] for block in jobs(forks, agents, source, paraphrase)
    ]
    order = forks.prepared.order
    queue = Queue(left, Budget(order.allowance, [agent.line.spending for agent in ready]), Job.expected)
    await play_queue(queue, order, forks.seed(), writer, done, reader.answered)


def with_paraphraser(forks: PreparedForks) -> Prepared:
    """The agents of the run, and behind them the paraphraser, where there is one."""
    profiles = forks.prepared.profiles
    return replace(forks.prepared, profiles=(*profiles, forks.paraphraser) if forks.paraphraser else profiles)


def limited_forks(forks: PreparedForks, limits: Limits, allowance: Allowance) -> PreparedForks:
    """The same, played no faster and for no more than this. Raises UsageError."""
    return replace(forks, prepared=limited(forks.prepared, limits, allowance))


def paraphrasing(
    agent: Agent | None, writer: RunWriter, answered: Callable[[str], dict[int, Call]], seed: Seed
) -> Paraphrase:
    """How texts are paraphrased: by the agent, whose calls stand in the ledger beside the fork's, or by rule."""
    rules, words = read_rules(), read_words()

    async def by_agent(fork: str, text: str) -> str:
        assert agent is not None
        name = f"{fork}/paraphraser"
        caller = Caller(agent.line, writer, name, seed.child(name), answered(name))
        asked = (*opening(Text(""), agent.profile.instructions), _request(text, words))
        try:
            async with asyncio.timeout(agent.profile.limits.seconds):
                reply = await caller(asked)
        except CallFailed as failure:
            if failure.stops_the_run:
                raise
            raise CannotIntervene(f"the paraphraser did not answer: {failure}") from None
        return _usable(reply.message.text if reply.outcome is Outcome.COMPLETED else "", str(reply.outcome))

    async def offline(_fork: str, text: str) -> str:
        return by_rule(text, rules)

    return by_agent if agent else offline


def _request(text: str, words: WordsFile) -> Message:
    return Message("user", paraphrase_request(text, words))


def _usable(text: str, outcome: str) -> str:
    if not text.strip():
        raise CannotIntervene(f"the paraphraser gave no words ({outcome})")
    return text.strip()
