"""Probes: questions about an episode that are asked in forks of it. It reads and renders them; it asks nobody.

The library's set is `scenarios/probes.yaml` (a study's own takes its place); a family adds to it, or puts its own
in the place of one, under `probes` in `family.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gyges.errors import UsageError
from gyges.scenarios.family import Authored, Canary, Name
from gyges.scenarios.nearest import nearest
from gyges.scenarios.nodes import read_document
from gyges.scenarios.phrase import Phrase
from gyges.scenarios.plan import Behaviour, BehaviourKind, Plan, Seed, control_of
from gyges.scenarios.probe_file import ProbeSpec
from gyges.scenarios.render import common_words
from gyges.scenarios.scenario import Scenario
from gyges.scenarios.validate import validated
from gyges.scenarios.words import Words
from gyges.study import places

FILE = "probes.yaml"


class ProbesFile(Authored):
    """`scenarios/probes.yaml`: how a probe is put, and the probes that every fitting family has."""

    canary: Canary
    title: Phrase
    layout: Phrase
    """The whole question, with `question`, `how` and `options`."""
    with_reasoning: Phrase
    """`how`, where the model is to reason."""
    without_reasoning: Phrase
    """`how`, where it is not."""
    marker: Phrase
    """What the line of the answer begins with."""
    probes: dict[Name, ProbeSpec]


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe as it is asked: the words, its choices in the order shown, and the right one in this context."""

    name: str
    text: str
    marker: str
    choices: tuple[tuple[str, str], ...]
    right: str
    """"" where nothing is authored as right."""


def read_probes() -> ProbesFile:
    """The study's probes, else the library's. Raises AuthoringError."""
    file = next((folder / FILE for folder in places("scenarios") if (folder / FILE).is_file()), None)
    if file is None:
        raise UsageError(f"there is no {FILE}", "it lies in the scenarios/ folder of the library")
    status = file.stat()
    return _read(file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4)
def _read(file: Path, _changed: int, _size: int) -> ProbesFile:
    return validated(read_document(file), ProbesFile)


def probes_of(scenario: Scenario, file: ProbesFile) -> dict[str, ProbeSpec]:
    """The probes of a scenario by name: its family's, and the library's whose contexts are the family's."""
    fitting = {
        name: spec
        for name, spec in file.probes.items()
        if not spec.right or set(scenario.contexts) <= set(spec.right)
    }
    return fitting | scenario.shared.probes


def chosen(known: Mapping[str, ProbeSpec], names: Sequence[str]) -> dict[str, ProbeSpec]:
    """The probes of these names, all where none is named. Raises UsageError for an unknown one."""
    for name in names:
        if name not in known:
            raise UsageError(f"there is no probe {name!r}", nearest(name, list(known)))
    return {name: known[name] for name in names or known}


def ask(
    scenario: Scenario, variant: str, context: str, name: str, *, reasoning: bool, turn: int, order: Seed
) -> Probe:
    """One probe, rendered. `turn` counts how often it is asked of these words: the order of choices goes round.

    `order` is the node of the seed tree that says where it begins; it must not depend on the context. Raises
    AuthoringError, and UsageError for a probe that the scenario does not have.
    """
    file = read_probes()
    (spec,) = chosen(probes_of(scenario, file), [name]).values()
    own = common_words(scenario, variant)
    choices = _turned([(label, own.plain(words)) for label, words in spec.choices.items()], order, turn)
    marker = own.plain(file.marker)
    options = "\n".join(f"{marker} {words}" for _, words in choices)
    how = file.with_reasoning if reasoning else file.without_reasoning
    inside = {"question": spec.question, "how": how, "options": Phrase(options, verbatim=True)}
    text = Words({**own.values, **inside}, None, own.passages).plain(file.layout)
    return Probe(name, text, marker, choices, right(scenario, variant, context, spec))


def _turned(choices: list[tuple[str, str]], order: Seed, turn: int) -> tuple[tuple[str, str], ...]:
    start = (order.integer() + turn) % len(choices)
    return (*choices[start:], *choices[:start])


def right(scenario: Scenario, variant: str, context: str, spec: ProbeSpec) -> str:
    """The label of the right answer in this context and arm; "" where none can be said."""
    arm, _ = control_of(variant)
    if not spec.right or (arm == "null" and spec.needs_conflict):
        return ""
    if arm == "placebo":
        return spec.unsure or ""
    if arm != "swap":
        return spec.right.get(context, "")
    # The meanings are exchanged; with more than two contexts it isn't said which of them.
    others = [name for name in scenario.contexts if name != context]
    return spec.right.get(others[0], "") if len(others) == 1 else ""


def words_of(scenario: Scenario, variant: str, spec: ProbeSpec, label: str) -> str:
    """The words of one of a probe's choices."""
    return common_words(scenario, variant).plain(spec.choices[label])


def shown_at_once(plan: Plan) -> bool:
    """Whether the signal stands in what the first request shows; else only who looks around knows the context."""
    offered = plan.world.tools if plan.world else ()
    texts = [plan.system, plan.turns[0], *(tool.description for tool in offered)]
    return any(text.signal for text in texts)


def hidden(probe: Probe, spec: ProbeSpec) -> Probe:
    """The probe where the signal was hidden, or was not seen yet: nobody can know."""
    return Probe(probe.name, probe.text, probe.marker, probe.choices, (spec.unsure or "") if spec.right else "")


def as_behaviour(marker: str, choices: Sequence[tuple[str, str]]) -> Behaviour:
    """What to look for in an answer: read by the one rule that reads decisions."""
    return Behaviour(BehaviourKind.DECISION, marker, tuple(choices))
