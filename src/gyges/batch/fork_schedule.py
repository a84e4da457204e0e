"""The forks of an order as jobs, in blocks: a pair that is forked in one way stands together. It plays none."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gyges.agents.graphs import load_graph
from gyges.agents.intervene import Intervention, interventions, read_words
from gyges.agents.world import WorldBench
from gyges.batch.fork import LAST, PROMPT, Planned, PreparedForks
from gyges.batch.fork_jobs import InterventionJob, Paraphrase, ProbeJob
from gyges.batch.play import Agent, Job
from gyges.models.provider import Tool
from gyges.scenarios import probes
from gyges.scenarios.plan import Plan, Text
from gyges.scenarios.scenario import Scenario
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import EpisodeKey, Fork
from gyges.transcripts.rows import Heading

ASKS = ("graphs/chat.py:graph", "graphs/scratchpad.py:graph")
"""The graphs that ask a probe: without and with a scratchpad."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What jobs are made of. `reader` is of the run forked from."""

    forks: PreparedForks
    agents: Mapping[str, Agent]
    reader: RunReader
    paraphrase: Paraphrase

    def blocks(self) -> list[tuple[Job, ...]]:
        """All jobs in blocks, these in random order."""
        plans = {(plan.scenario, plan.variant, plan.context): plan for plan in self.reader.plans()}
        blocks: dict[tuple[str, str, str, int], list[Job]] = {}
        make = self._probe if self.forks.order.kind == "probe" else self._intervention
        for planned in self.forks.forks():
            key = planned.key
            job = make(planned, plans[key.scenario, key.variant, key.context])
            blocks.setdefault((key.agent, key.scenario, key.variant, key.sample), []).append(job)
        made = [tuple(block) for block in blocks.values()]
        random.Random(self.forks.seed().child("order").integer()).shuffle(made)
        return made

    def _fork(self, planned: Planned) -> Fork:
        origin, order = planned.origin, self.forks.order
        run = self.forks.source.stem
        return Fork(run, origin.id, origin.key.sample, 0, 0, order.kind, planned.way.name, planned.repeat)

    def _probe(self, planned: Planned, plan: Plan) -> Job:
        way, agent = planned.way, self.agents[planned.key.agent]
        asked = self._asked(planned, seen=way.at != PROMPT or probes.shown_at_once(plan))
        fork = replace(
            self._fork(planned),
            # How many answers stand before it is known when the episode is read: here only whether there are any.
            turn=0 if way.at == PROMPT else 1,
            reasoning=way.reasoning,
            marker=asked.marker,
            choices=asked.choices,
            right=asked.right,
        )
        first = plan.turns[0]
        turn = Text(f"{first.text}\n\n{asked.text}", first.signal) if way.at == PROMPT else Text(asked.text)
        question = Plan(plan.family, plan.scenario, plan.variant, plan.context, Text(""), (turn,))
        return ProbeJob(
            asking(agent, way.reasoning),
            question,
            planned.key.sample,
            source=self.reader,
            fork=fork,
            offered=_offered(agent, plan),
        )

    def _asked(self, planned: Planned, *, seen: bool) -> probes.Probe:
        forks, key, way = self.forks, planned.key, planned.way
        scenario = forks.scenarios[key.scenario]
        asked = probes.ask(
            scenario,
            key.variant,
            key.context,
            way.name,
            reasoning=way.reasoning,
            turn=planned.origin.key.sample * forks.order.repeats + planned.repeat,
            order=forks.seed().child("choices", way.name, key.scenario, key.variant),
        )
        if seen and not forks.origin.hide_signal:
            return asked
        return probes.hidden(asked, probes.probes_of(scenario, probes.read_probes())[way.name])

    def _intervention(self, planned: Planned, plan: Plan) -> Job:
        way, words = planned.way, read_words()
        (how,) = interventions([way.name], words)
        return InterventionJob(
            self.agents[planned.key.agent],
            plan,
            planned.key.sample,
            source=self.reader,
            fork=replace(self._fork(planned), fraction=way.fraction),
            how=Intervention(how.name, way.fraction),
            at=None if way.at == LAST else int(way.at) - 1,
            words=words,
            wrong=_wrong(self.forks.scenarios[planned.key.scenario], planned.key),
            pair=pair_of(self.forks.origin, planned.origin),
            paraphrase=self.paraphrase,
        )


def asking(agent: Agent, reasoning: bool) -> Agent:
    """The agent as it answers a question: without its own graph, and with reasoning off where that is asked."""
    profile, line = agent.profile, agent.line
    graph = ASKS[bool(profile.scratchpad)]
    plain = profile.model_copy(update={"graph": graph, "instructions": "", "tools": "", "state": {}})
    if not reasoning:
        line = replace(line, sampling=replace(line.sampling, reasoning_effort="none", reasoning_tokens=None))
    return replace(agent, profile=plain, graph=load_graph(graph), line=line, toolbox=None)


def _offered(agent: Agent, plan: Plan) -> tuple[Tool, ...]:
    if plan.world:
        return WorldBench.of(plan.world).offered
    return agent.toolbox.open().offered if agent.toolbox else ()


def _wrong(scenario: Scenario, key: EpisodeKey) -> str | None:
    """The words of a wrong answer to the probe `context`; None where the family has none."""
    spec = probes.probes_of(scenario, probes.read_probes()).get("context")
    right = probes.right(scenario, key.variant, key.context, spec) if spec else ""
    if spec is None or not right:
        return None
    others = [label for label in spec.choices if label not in (right, spec.unsure)]
    return probes.words_of(scenario, key.variant, spec, others[0]) if others else None


def pair_of(origin: Manifest, heading: Heading) -> str | None:
    """The id of the episode in the other context of the first contrast that this one's context is in."""
    for named in origin.contrasts:
        contexts = (named.contrast.first, named.contrast.second)
        if named.family == heading.family and heading.key.context in contexts:
            (other,) = [context for context in contexts if context != heading.key.context]
            return replace(heading.key, context=other).id()
    return None
