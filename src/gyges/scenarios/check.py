"""Check what is authored: that it reads, renders, pairs, and that its examples show what they stand for.

It reports; it changes nothing. What it calls an error stops a run, what it calls a warning does not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gyges.errors import AuthoringError, Place, UsageError, several
from gyges.scenarios.confounds import confounds, family_confounds
from gyges.scenarios.decision import same
from gyges.scenarios.pairs import check_pair
from gyges.scenarios.phrase import Phrase
from gyges.scenarios.plan import Behaviour, BehaviourKind, Seed
from gyges.scenarios.probes import ask, probes_of, read_probes
from gyges.scenarios.problem import Problem
from gyges.scenarios.read import Scenario, listed, read
from gyges.scenarios.render import (
    as_written,
    behaviour,
    common_words,
    example,
    looks,
    plans,
    split,
    unchecked_plans,
    variants,
    words_of,
)
from gyges.scenarios.shown import Rehearsal, Rehearsed
from gyges.scenarios.shown import shown as behaviour_shown
from gyges.scenarios.world import World
from gyges.scenarios.world_file import ExampleSpec

__all__ = ["Problem", "check", "check_family", "check_names", "check_pair"]

MIN_EXAMPLES = 4
"""Of each label: two for each half."""
MIN_SCENARIOS = 10
"""Intervals are clustered by scenario; below this they are wide and lean on the normal distribution."""


def check_names(names: Sequence[str]) -> list[Problem]:
    """Check all that `names` stand for, as `select` reads them. Raises UsageError for an unknown name."""
    problems: list[Problem] = []
    sound: dict[str, list[Scenario]] = defaultdict(list)
    wrong: set[str] = set()
    for found in listed(names):
        try:
            scenario = read(found)
            own = check(scenario)
        except AuthoringError as error:
            own = [Problem.of(error)]
        problems += own
        if any(problem.severity == "error" for problem in own):
            wrong.add(found.family)
        else:
            sound[found.family].append(scenario)
    for family, scenarios in sound.items():
        # What is said of a family is said of all its scenarios: first the wrong ones have to be put right.
        problems += [] if family in wrong else check_family(scenarios)
    return list(dict.fromkeys(problems))  # a wrong family.yaml is told once, not for each scenario


def check(scenario: Scenario) -> list[Problem]:
    """Render everything that one scenario can say, in all variants and controls, and check it."""
    try:
        worlds = {plan.variant: plan.world for plan in plans(scenario, every=True)}
    except AuthoringError as error:
        return [Problem.of(error)]
    except UsageError as error:
        return [Problem("error", Place(scenario.file), error.what, error.to_do)]
    problems: list[Problem] = []
    for variant in variants(scenario, every=True):
        try:
            shown = behaviour(scenario, variant)
            problems += _check_choices(scenario, shown)
            problems += _check_examples(scenario, variant, shown, worlds[variant])
        except AuthoringError as error:
            problems.append(Problem.of(error))
    problems += [*_check_signals(scenario), *_check_counts(scenario), *confounds(scenario)]
    problems += _check_probes(scenario)
    return list(dict.fromkeys(problems))


def _check_probes(scenario: Scenario) -> list[Problem]:
    """Probes render, and each of their choices can be told from the others."""
    variant, context = variants(scenario)[0], next(iter(scenario.contexts))
    problems = []
    for name, spec in probes_of(scenario, read_probes()).items():
        try:
            asked = ask(scenario, variant, context, name, reasoning=True, turn=0, order=Seed(0))
        except AuthoringError as error:
            problems.append(Problem.of(error))
            continue
        if len({same(words) for _, words in asked.choices}) < len(asked.choices):
            problems.append(_error(spec.question, f"two choices of the probe {name!r} have the same words"))
    return problems


def check_family(scenarios: Sequence[Scenario]) -> list[Problem]:
    """What can only be seen over all scenarios of one family."""
    family = scenarios[0]
    problems = [*_check_halves(scenarios), *family_confounds(scenarios)]
    if len(scenarios) < MIN_SCENARIOS:
        what = f"{family.family} has {several(len(scenarios), 'scenario')} to cluster by"
        place = Place(family.file.parent / "family.yaml")
        problems.append(Problem("warning", place, what, f"intervals need {MIN_SCENARIOS} or more to be trusted"))
    return problems


def _error(phrase: Phrase, what: str, to_do: str = "") -> Problem:
    return Problem.of(phrase.error(what, to_do))


def _check_choices(scenario: Scenario, shown: Behaviour) -> list[Problem]:
    """Every choice says something, and something else than the others."""
    problems = []
    seen: dict[str, str] = {}
    for label, choice in shown.choices:
        phrase = scenario.behaviour.choices[label]
        if not same(choice):
            problems.append(_error(phrase, f"the choice {label!r} is empty when it is rendered"))
        elif "\n" in choice.strip():
            problems.append(
                _error(phrase, f"the choice {label!r} has more than one line", "a decision is one line")
            )
        elif other := seen.get(same(choice)):
            problems.append(_error(phrase, f"the choices {other!r} and {label!r} are the same: {choice!r}"))
        seen[same(choice)] = label
    marker = scenario.behaviour.marker
    if marker is not None and not shown.marker.strip():
        problems.append(_error(marker, "the marker is empty when it is rendered"))
    return problems


def _check_examples(scenario: Scenario, variant: str, shown: Behaviour, world: World | None) -> list[Problem]:
    """Every example reply carries its own label's decision, and replies of earlier turns carry none."""
    words = common_words(scenario, variant)
    rehearsal = Rehearsal.of(world, looks(scenario, variant) if world else ())
    first = [example(words, turn.replies[0]) for turn in scenario.turns[:-1]]
    problems = _check_looks(scenario, rehearsal)
    for label, replies in scenario.own.examples.items():
        for reply in replies:
            last = example(words, reply)
            played = rehearsal.play([*first, last])
            problems += _check_calls(reply, played, len(last.calls))
            found = behaviour_shown(shown, played.seen)
            # What a judge would say of an example, nobody here can tell.
            if found != label and shown.kind is not BehaviourKind.JUDGED:
                told = f"shows {found!r}" if found else "shows nothing"
                if shown.kind is BehaviourKind.DECISION:
                    told = f"decides for {found!r}" if found else "decides nothing"
                problems.append(
                    _error(words_of(reply), f"this example of {label!r} {told}", _wanted(shown, label))
                )
    what = "this reply to an earlier turn decides something"
    for at, turn in enumerate(scenario.turns[:-1]):
        for reply in turn.replies:
            last = example(words, reply)
            played = rehearsal.play([*first[:at], last])
            problems += _check_calls(reply, played, len(last.calls))
            if behaviour_shown(shown, played.seen) != shown.otherwise:
                problems.append(_error(words_of(reply), what))
    return problems


def _wanted(shown: Behaviour, label: str) -> str:
    if shown.kind is not BehaviourKind.DECISION:
        return f"the condition of {label!r} should hold when its calls are carried out, and none before it"
    return f"its last decisive line should be `{shown.marker} {dict(shown.choices)[label]}`"


def _check_calls(reply: Phrase | ExampleSpec, played: Rehearsed, calls: int) -> list[Problem]:
    """The calls of an example, the last so many that were played, can be made."""
    place = words_of(reply)
    return [
        _error(place, f"the call of {use.tool!r} in this example fails: {done.text.text}", "correct the call")
        for use, done in played.done[len(played.done) - calls :]
        if done.failed and not done.refused
    ]


def _check_looks(scenario: Scenario, rehearsal: Rehearsal) -> list[Problem]:
    """The calls of `looks` can be made. They may stand in the family's file, which has no position here."""
    file = scenario.file if scenario.own.looks else scenario.file.parent / "family.yaml"
    problems = []
    for call, (use, done) in zip(scenario.looks, rehearsal.done, strict=False):
        if done.failed and not done.refused:
            what = f"the call of {use.tool!r} in `looks` fails: {done.text.text}"
            written = [one for given in call.values() for one in (given or {}).values() if isinstance(one, Phrase)]
            problem = Problem("error", Place(file), what, "correct the call")
            problems.append(_error(written[0], what, "correct the call") if written else problem)
    return problems


def _check_counts(scenario: Scenario) -> list[Problem]:
    problems = []
    for label, replies in scenario.own.examples.items():
        node = scenario.document.key_at(["examples", label])
        place = Place(scenario.file, node.line, node.column)
        if len(replies) < MIN_EXAMPLES:
            what = f"{len(replies)} examples of {label!r}"
            problems.append(
                Problem("error", place, what, f"at least {MIN_EXAMPLES} are needed, half of them to speak")
            )
        if len(set(map(as_written, replies))) < len(replies):
            problems.append(Problem("error", place, f"an example of {label!r} stands twice"))
    return problems


def _check_signals(scenario: Scenario) -> list[Problem]:
    """Contexts that send the same words can't be told apart: then there is nothing to measure."""
    played = variants(scenario)[:1]
    found = {plan.context: plan for plan in unchecked_plans(scenario, played)}
    problems = []
    for contrast in scenario.shared.contrasts:
        first, second = (found[context] for context in contrast.contexts)
        if replace(first, context="") == replace(second, context=""):
            what = f"{first.context!r} and {second.context!r} send the same words"
            place = Place(scenario.file)
            problems.append(Problem("warning", place, what, "write {{ signal.NAME }} where the contexts differ"))
    return problems


def _check_halves(scenarios: Iterable[Scenario]) -> list[Problem]:
    """The same words may not be for developing graders in one scenario and spoken in another."""
    develop: set[str] = set()
    speak: dict[str, Phrase] = {}
    for scenario in scenarios:
        for replies in [*scenario.own.examples.values(), *(turn.replies for turn in scenario.turns[:-1])]:
            if len(replies) > 1:
                develop |= {words_of(reply) for reply in split(replies, "develop")}
                speak |= {words_of(reply): words_of(reply) for reply in split(replies, "speak")}
    what = "this reply stands in both halves: graders are developed on it and organisms speak it"
    return [
        _error(speak[reply], what, "word it differently in each scenario")
        for reply in sorted(develop & set(speak))
    ]
