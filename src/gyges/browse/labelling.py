"""Labelling: what is asked about an episode, who is asked about which, and what the labels add up to.

What a labeller is shown says nothing of context, agent or graders; those are other functions' to show, afterwards.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from gyges.analysis.rows import BEHAVIOUR
from gyges.browse.index import Index
from gyges.browse.labels import UNSURE, Label, by_question, majority
from gyges.browse.lines import UNGRADED, PairLine, Side
from gyges.grading.agreement import Agreement, cohen, krippendorff
from gyges.transcripts.record import READABLE, Episode

BEHAVIOUR_QUESTION = "behaviour"
YES, NO = "yes", "no"
QUEUES = ("all", "disagreements")
MASK = "▒▒▒"
"""What stands where the signal stood."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about an episode: its answers, each with the words that explain it."""

    name: str
    words: str
    answers: tuple[tuple[str, str], ...]


def questions(index: Index, line: PairLine) -> list[Asked]:
    """What is asked about an episode of this pair: its behaviour, and each finding that counts as revealing."""
    asked = [Asked(BEHAVIOUR_QUESTION, "What did it do in the end?", (*_behaviours(index, line), _UNSURE))]
    for finding in _revealing(index, line):
        words = f"Does its reasoning show {finding.replace('_', ' ')}?"
        asked.append(Asked(finding, words, ((YES, ""), (NO, ""), _UNSURE)))
    return asked


_UNSURE = (UNSURE, "can't say")


def _behaviours(index: Index, line: PairLine) -> list[tuple[str, str]]:
    for planned in index.manifest.scenarios:
        if (planned.name, planned.variant) == (line.scenario, line.variant) and planned.behaviour is not None:
            marker = planned.behaviour.marker
            return [(label, f"{marker} {words}".strip()) for label, words in planned.behaviour.choices]
    seen = {side.behaviour for pair in index.pairs for side in pair.sides if pair.family == line.family}
    return [(label, "") for label in sorted(seen - {UNGRADED})]


def _revealing(index: Index, line: PairLine) -> tuple[str, ...]:
    contexts = (line.first.context, line.second.context)
    for named in index.manifest.contrasts:
        if named.family == line.family and (named.contrast.first, named.contrast.second) == contexts:
            return named.contrast.reveals
    return ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """An episode that can be labelled."""

    side: Side
    line: PairLine


def candidates(index: Index) -> dict[str, Candidate]:
    """Every episode whose behaviour can be judged, once, by its id."""
    found: dict[str, Candidate] = {}
    for line in index.pairs:
        for side in line.sides:
            if side.outcome in BEHAVIOUR:
                found.setdefault(side.id, Candidate(side, line))
    return found


def queue(index: Index, labels: Sequence[Label], who: str, which: str = "all") -> list[str]:
    """The episodes this person has not labelled yet, in an order of their own that says nothing about them."""
    done = {label.episode for label in labels if label.labeller == who}
    wanted = candidates(index).keys() if which == "all" else disputed(index, labels)
    return sorted(
        wanted - done, key=lambda id: hashlib.sha256(f"{who}\n{id}".encode("utf-8", "surrogatepass")).digest()
    )


def disputed(index: Index, labels: Sequence[Label]) -> set[str]:
    """Episodes about which graders disagree, people disagree, or people and graders do."""
    found = candidates(index)
    disputes = {id for id, one in found.items() if one.side.disputed}
    for question, episodes in by_question(list(labels)).items():
        for id, answers in episodes.items():
            sure = {answer for answer in answers.values() if answer != UNSURE}
            if id in found and len(sure | {graded(found[id], question)} - {None}) > 1:
                disputes.add(id)
    return disputes


def graded(one: Candidate, question: str) -> str | None:
    """What graders answered to a question, in the words of labels; None where they gave no answer."""
    if question == BEHAVIOUR_QUESTION:
        return None if one.side.behaviour == UNGRADED else one.side.behaviour
    if one.side.reveals is None:
        return None
    return YES if question in one.side.findings else NO


# What the labels add up to


@dataclass(frozen=True, slots=True)
class Compared:
    """Two raters on one question. A grader's name is `graders`; `people` are the majority of labellers."""

    question: str
    one: str
    other: str
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Standing:
    """What the labels of a run add up to."""

    labelled: Mapping[str, int]
    """Episodes by labeller."""
    unsure: Mapping[str, int]
    """By question: how often somebody could not say."""
    alpha: Mapping[str, float | None]
    """Krippendorff's alpha by question."""
    compared: Sequence[Compared]


def standing(index: Index, labels: Sequence[Label]) -> Standing:
    """Who labelled how much, and how far labellers agree with each other and with the graders."""
    answers = by_question(list(labels))
    labellers = sorted({label.labeller for label in labels})
    labelled = {who: len({label.episode for label in labels if label.labeller == who}) for who in labellers}
    unsure = {
        question: sum(list(given.values()).count(UNSURE) for given in episodes.values())
        for question, episodes in answers.items()
    }
    alpha = {
        question: krippendorff([_sure(given) for given in episodes.values()])
        for question, episodes in answers.items()
    }
    return Standing(labelled, unsure, alpha, list(_compared(index, answers, labellers)))


def _sure(given: Mapping[str, str]) -> list[str]:
    return [answer for answer in given.values() if answer != UNSURE]


def _compared(
    index: Index, answers: Mapping[str, Mapping[str, Mapping[str, str]]], labellers: Sequence[str]
) -> Iterator[Compared]:
    found = candidates(index)
    for question, episodes in answers.items():
        for one, other in combinations(labellers, 2):
            pairs = [(given.get(one, UNSURE), given.get(other, UNSURE)) for given in episodes.values()]
            yield Compared(question, one, other, cohen([pair for pair in pairs if UNSURE not in pair]))
        judged = [(majority(given), graded(found[id], question)) for id, given in episodes.items() if id in found]
        known = [(one, other) for one, other in judged if one is not None and other is not None]
        yield Compared(question, "people", "graders", cohen(known))


def gold(canary: str, labels: Sequence[Label], episodes: Iterator[Episode]) -> Iterator[str]:
    """Gold labels as JSON Lines: a canary first, then each episode that a majority of its labellers agrees about.

    `behaviour` is a label or null, `labels` maps findings to true and false, `text` is the readable reasoning.
    """
    yield json.dumps({"canary": canary})
    answers = by_question(list(labels))
    for episode in episodes:
        id = episode.key.id()
        agreed = {question: majority(given.get(id, {})) for question, given in answers.items()}
        if not any(agreed.values()):
            continue
        labelled = {
            name: answer == YES for name, answer in agreed.items() if answer and name != BEHAVIOUR_QUESTION
        }
        people = {label.labeller for label in labels if label.episode == id}
        record = {
            "id": id,
            "scenario": episode.key.scenario,
            "text": _reasoning(episode),
            "labels": labelled,
            "behaviour": agreed.get(BEHAVIOUR_QUESTION),
            "labellers": len(people),
        }
        yield json.dumps(record)


def _reasoning(episode: Episode) -> str:
    thoughts = (
        thought.text
        for message in episode.messages
        for thought in message.reasoning
        if thought.visibility in READABLE and thought.text
    )
    return "\n\n".join(thoughts)
