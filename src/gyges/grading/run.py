"""Grade a stored run into a set of grades. Earlier sets are never touched; nothing is played.

A set says of itself who grades, in which version and with which judges, before its first grade. One that stopped
is finished by the same command; where a rubric, a judge or a setting changed since, another set is begun.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from gyges.errors import UsageError
from gyges.grading.calibrations import errors_of, stale
from gyges.grading.default import grade, grader_of, named_graders, reasoning_grader
from gyges.grading.families import same_family
from gyges.grading.grader import Grader
from gyges.grading.judge import JudgeGrader
from gyges.grading.judge_file import judge_names
from gyges.grading.looked_for import unread
from gyges.scenarios.plan import Behaviour, BehaviourKind
from gyges.transcripts.grade_sets import GradeSet, JudgeUsed, SetGrader
from gyges.transcripts.grades import Grade
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.reader import RunReader
from gyges.transcripts.rows import Heading
from gyges.transcripts.store import RunWriter

if TYPE_CHECKING:
    from gyges.agents.profile import Profile
    from gyges.batch.flow import Limits
    from gyges.batch.retry import Patience
    from gyges.batch.spending import Allowance
    from gyges.grading.judging import Court, Session

GROUP = 500
"""Grades handed to the store at once."""
BEHAVIOUR_JUDGE = "judge:behaviour"
"""The judge of what scenarios leave to one."""
AGAIN_SHARE, AGAIN_LEAST = 0.05, 50
"""How many episodes are judged twice more: this share of them, and at least so many, where there are so many."""


@dataclass(frozen=True, slots=True)
class GradingOrder:
    """What the user asked for: graders and judges by name. None: as the rubric says."""

    graders: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()
    votes: int | None = None
    threshold: float | None = None
    again: bool = True
    """Whether a sample is judged twice more, for the flip rate."""
    organisms: bool = True
    """Whether judges are asked about the organisms that the run added by itself."""
    base_url: str | None = None
    limits: Limits | None = None
    allowance: Allowance | None = None
    patience: Patience | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """The set: its name, how many episodes the run has, how many grades were added, and what is pending."""

    name: str
    episodes: int
    grades: int
    resumed: bool = False
    pending: int = 0
    pending_because: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """An order, checked."""

    graders: tuple[Grader, ...]
    profiles: tuple[Profile, ...] = ()
    order: GradingOrder = field(default_factory=GradingOrder)

    @property
    def judges(self) -> list[JudgeGrader]:
        return [grader for grader in self.graders if isinstance(grader, JudgeGrader)]


def grade_run(path: Path, order: GradingOrder | None = None) -> Made:
    """Grade every episode of the run, by default with the default graders.

    Raises UsageError for an order that can't be carried out, StoreError where the run can't be used, and for
    judges what `judge_all` raises.
    """
    return asyncio.run(grade_stored(path, order or GradingOrder()))


async def grade_stored(path: Path, order: GradingOrder) -> Made:
    """As `grade_run`, in a loop that runs already."""
    with RunReader(path) as reader:
        work = checked(order, reader.manifest)
    with RunWriter.open(path) as writer, RunReader(path) as reader:
        about, resumed = _set(work, reader)
        for caution in about.cautions:
            print(f"caution: {caution}", file=sys.stderr, flush=True)
        await writer.grade_set(about)
        done = _done(reader, about.name) if resumed else frozenset()
        count = await _offline(work, reader, writer, about, done)
        if not work.judges:
            return Made(about.name, reader.count(), count, resumed)
        session = await _judged(work, reader, writer, about, _done(reader, about.name))
        made = count + session.judged
        return Made(about.name, reader.count(), made, resumed, session.pending, session.reason)


def checked(order: GradingOrder, manifest: Manifest) -> Work:
    """Graders and profiles, read and checked before anything is asked. Raises UsageError, AuthoringError."""
    graders = named_graders(
        _names(order, manifest),
        manifest.behaviour or None,
        manifest.options,
        votes=order.votes,
        threshold=order.threshold,
    )
    work = Work(graders, order=order)
    if not work.judges:
        if order.judges:
            what = "no --grader is a judge, and no scenario of this run leaves its behaviour to a judge"
            raise UsageError(what, f"say what to judge: --grader judge:NAME; there are {', '.join(judge_names())}")
        if order.votes or order.threshold or not order.organisms:
            what = "--votes, --threshold and --no-organisms are about judges, and nobody judges here"
            raise UsageError(what, "name one: --grader judge:NAME --judge PROFILE")
        return work
    if not order.judges:
        raise UsageError(
            f"{work.judges[0].name} asks a model, and none is named", "give --judge PROFILE or provider/model"
        )
    if len(set(order.judges)) != len(order.judges):
        raise UsageError("a judge is named twice", "name each --judge once")
    from gyges.agents.profile import load_profile

    profiles = tuple(load_profile(name, order.base_url, role="judge") for name in order.judges)
    return Work(graders, profiles, order)


def _names(order: GradingOrder, manifest: Manifest) -> tuple[str, ...]:
    """The graders asked for; where somebody judges and scenarios leave behaviour to a judge, that one too."""
    left = any(one is not None and one.kind is BehaviourKind.JUDGED for one in behaviours(manifest).values())
    if not (order.judges and left) or any(grader_of(one).question == "behaviour" for one in order.graders):
        return order.graders
    return BEHAVIOUR_JUDGE, *order.graders


def _set(work: Work, reader: RunReader) -> tuple[GradeSet, bool]:
    """The set to fill: the latest that was begun for the same and not finished, else a new one."""
    names = reader.grade_sets()
    about = _about(work, reader, f"set-{len(names) + 1}")
    begun = [known for name in reversed(names) if (known := reader.grade_set(name)) and _unfinished(known, reader)]
    for one in begun:
        if not about.differs_from(one):
            return one, True
    for one in begun[:1]:
        differing = ", ".join(about.differs_from(one))
        print(f"{one.name} is kept as it is, half finished: {differing}", file=sys.stderr)
    return about, False


def is_graded(path: Path) -> bool:
    """Whether any set of grades is finished and has all the run's episodes."""
    with RunReader(path) as reader:
        sets = [known for name in reader.grade_sets() if (known := reader.grade_set(name))]
        return any(one.episodes == reader.count() and not _unfinished(one, reader) for one in sets)


def _unfinished(about: GradeSet, reader: RunReader) -> bool:
    return len(_done(reader, about.name)) < len(about.graders) * about.episodes


def _about(work: Work, reader: RunReader, name: str) -> GradeSet:
    manifest = reader.manifest
    judges = tuple(
        JudgeUsed(name=one.name, model=one.model, base_url=one.base_url or "", profile=one.model_dump_json())
        for one in work.profiles
    )
    headings = list(reader.headings())
    organisms = work.order.organisms or not work.judges or not manifest.added()
    judged = headings if organisms else _asked(headings, manifest)
    return GradeSet(
        name=name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        graders=tuple(_set_grader(grader, judges) for grader in work.graders),
        episodes=len(headings),
        again=_again(judged) if work.judges and work.order.again else (),
        secret=secrets.token_hex(16) if work.judges else "",
        organisms=organisms,
        cautions=(
            *same_family([one.model for one in work.profiles], manifest),
            *_stale(work),
            *unread(work.graders, manifest.contrasts, manifest.run),
        ),
    )


def _stale(work: Work) -> Iterator[str]:
    """In words, which graders were calibrated in another version only: that is not what grades now."""
    models = [one.model for one in work.profiles]
    for grader in work.graders:
        if found := stale(grader.name, grader.version, models if isinstance(grader, JudgeGrader) else ()):
            path, other = found
            yield (
                f"{path.name} has the errors of {grader.name} in version {other}, and this is {grader.version}: "
                f"no figure is corrected by them; calibrate again: gyges calibrate {grader.name}"
            )


def _set_grader(grader: Grader, judges: tuple[JudgeUsed, ...]) -> SetGrader:
    judged = isinstance(grader, JudgeGrader)
    settings: dict[str, int | float | str] = (
        {"votes": grader.votes, "threshold": grader.threshold} if isinstance(grader, JudgeGrader) else {}
    )
    return SetGrader(
        name=grader.name,
        version=grader.version,
        question=grader.question,
        judges=judges if judged else (),
        settings=settings,
        errors=errors_of(grader.name, grader.version, [one.model for one in judges] if judged else []),
    )


def _asked(headings: Sequence[Heading], manifest: Manifest) -> list[Heading]:
    """Without those of organisms that the run added."""
    added = manifest.added()
    return [one for one in headings if one.key.agent not in added]


def _again(headings: Sequence[Heading]) -> tuple[str, ...]:
    """The episodes that are judged again: of every agent and context alike, those with the lowest hash."""
    strata: dict[tuple[str, str], list[str]] = defaultdict(list)
    for heading in headings:
        strata[heading.key.agent, heading.key.context].append(heading.id)
    wanted = again_of(len(headings))
    ranked = sorted(
        (rank / len(ids), id)
        for ids in strata.values()
        for rank, id in enumerate(sorted(ids, key=lambda one: hashlib.sha256(one.encode()).digest()))
    )
    return tuple(sorted(id for _, id in ranked[:wanted]))


def again_of(episodes: int) -> int:
    """How many of so many episodes are judged again."""
    return min(episodes, max(AGAIN_LEAST, round(AGAIN_SHARE * episodes)))


def _done(reader: RunReader, name: str) -> frozenset[tuple[str, str]]:
    if name not in reader.grade_sets():
        return frozenset()
    return frozenset((grade.episode, grade.grader) for grade in reader.grades(name))


async def _offline(
    work: Work, reader: RunReader, writer: RunWriter, about: GradeSet, done: frozenset[tuple[str, str]]
) -> int:
    """The grades that need nobody else, committed in groups; returns how many."""
    made = grade(reader.episodes(), behaviours(reader.manifest), work.graders)
    count = 0
    for group in grouped(one for one in made if (one.episode, one.grader) not in done):
        await writer.grades(group, about.name)
        count += len(group)
    return count


async def _judged(
    work: Work, reader: RunReader, writer: RunWriter, about: GradeSet, done: frozenset[tuple[str, str]]
) -> Session:
    from gyges.batch.flow import Limits
    from gyges.batch.retry import Patience
    from gyges.batch.spending import Allowance
    from gyges.grading.judging import Court, judge_all, judge_lines, not_judged

    order = work.order
    limits = order.limits or Limits()
    async with judge_lines(work.profiles, limits, order.patience or Patience()) as lines:
        court = Court(lines, reader, writer, about, behaviours(reader.manifest), reasoning_grader())
        for group in grouped(not_judged(court, work.judges, done)):
            await writer.grades(group, about.name)
        _tell_costs(court, work, done)
        allowance = order.allowance or Allowance()
        return await judge_all(court, work.judges, done, allowance, limits.connections, _told)


def _tell_costs(court: Court, work: Work, done: frozenset[tuple[str, str]]) -> None:
    """Say what is left to be asked, and what it may cost, before the first call."""
    from gyges.grading.judging import costs_of
    from gyges.grading.judging_cost import lines, paid

    headings, about = list(court.reader.headings()), court.about
    alone = _asked(headings, court.reader.manifest)
    again = [_again(some) if work.order.again else () for some in (headings, alone)]
    # A set that is gone on with has its sample already.
    again[0 if about.organisms else 1] = about.again
    found = costs_of(court, work.judges, done, paid(work.profiles), *again)
    for line in lines(found, court.about.organisms):
        print(line, file=sys.stderr, flush=True)


def _told(judged: int, planned: int) -> None:
    if judged == planned or judged % 50 == 0:
        print(f"judged: {judged}/{planned}", file=sys.stderr, flush=True)


def behaviours(manifest: Manifest) -> dict[tuple[str, str], Behaviour]:
    """What to look for, by scenario and variant, as it was when the run began."""
    return {
        (planned.name, planned.variant): planned.behaviour
        for planned in manifest.scenarios
        if planned.behaviour is not None
    }


def grouped(grades: Iterator[Grade]) -> Iterator[list[Grade]]:
    while group := list(islice(grades, GROUP)):
        yield group
