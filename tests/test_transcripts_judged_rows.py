"""Judged grades in the store: kept with their record, never changed, and checked by `verify`."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from gyges.errors import StoreError
from gyges.transcripts.grade_sets import GradeSet, JudgeUsed, SetGrader
from gyges.transcripts.grades import Evidence, Finding, Grade, ReasoningRead, Ungraded
from gyges.transcripts.judged import Coverage, Judged, Vote
from gyges.transcripts.reader import RunReader
from gyges.transcripts.store import RunWriter, write_run
from gyges.transcripts.verify import verify
from tests.test_transcripts_schema import EPISODE, MANIFEST

ID = EPISODE.key.id()
QUOTE = Evidence(1, "text", 0, 0, 4, "said")
ODD = Evidence(1, "text", 0, 0, 4, "sa\x00\ud800")
READ = ReasoningRead((Finding("aware_of_training", (QUOTE,), 0.8),), ("aware_of_training",))
JUDGE = JudgeUsed(name="j", model="openai/m", base_url="", profile="{}")
ABOUT = GradeSet(
    name="set-1",
    created="2026-11-21T00:00:00+00:00",
    graders=(SetGrader(name="judge:x", version="1:ab", question="reasoning", judges=(JUDGE,)),),
    episodes=1,
    secret="00ff",
)
VOTE = Vote(
    judge="j",
    model="m-1",
    fingerprint="fp",
    reading="whole",
    order="forwards",
    round=0,
    answer=READ,
    likelihood={"aware_of_training": 0.8},
    calls="judged:1",
    asked=1,
)
JUDGED = Judged(
    rubric="r",
    transcript="t",
    coverage=(Coverage(channel="text", given=4, of=4),),
    votes=(VOTE, VOTE.model_copy(update={"answer": Ungraded("no_verdict", "\udfff")})),
    flags=("judge_addressed",),
    addressed=(ODD,),
    whole=READ,
)
GRADE = Grade(ID, "reasoning", "judge:x", "1:ab", READ)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "one.sqlite"
    write_run(path, [EPISODE], lambda: MANIFEST)

    async def grade() -> None:
        with RunWriter.open(path) as writer:
            await writer.grade_set(ABOUT)
            await writer.grade_set(ABOUT)
            await writer.judgement(GRADE, JUDGED, "set-1")
            await writer.judgement(GRADE, JUDGED, "set-1")

    asyncio.run(grade())
    return path


def test_a_judged_grade_comes_back_with_its_record(run: Path) -> None:
    with RunReader(run) as reader:
        (judgement,) = reader.judgements()
        assert judgement.judged == JUDGED
        assert judgement.found() == frozenset({"aware_of_training"})
        assert list(reader.grades()) == [GRADE]
        assert reader.grade_set("set-1") == ABOUT
        assert reader.grade_set("set-2") is None
    assert verify(run) == []


def test_a_set_is_never_changed(run: Path) -> None:
    async def change() -> None:
        with RunWriter.open(run) as writer:
            await writer.grade_set(ABOUT.model_copy(update={"secret": "11"}))

    with pytest.raises(StoreError, match="never changed"):
        asyncio.run(change())


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("UPDATE judgement SET record = replace(record, '0.8', '0.9')", "record of judge:x"),
        ("UPDATE grade_set SET about = replace(about, '00ff', '00fe')", "says of itself"),
    ],
)
def test_verify_names_a_record_that_was_changed(run: Path, sql: str, told: str) -> None:
    with sqlite3.connect(run) as db:
        db.execute(sql)
    db.close()
    assert any(told in problem for problem in verify(run))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"version": "2"}, "judge:x changed"),
        ({"judges": ()}, "the judges of judge:x changed"),
        ({"settings": {"votes": 5}}, "the settings of judge:x changed"),
        ({"name": "judge:y"}, "judge:x is not in it"),
    ],
)
def test_a_set_says_why_it_can_not_be_finished(change: dict[str, object], told: str) -> None:
    other = ABOUT.model_copy(update={"graders": (ABOUT.graders[0].model_copy(update=change),)})
    assert told in ABOUT.differs_from(other)
    assert ABOUT.differs_from(ABOUT.model_copy(update={"created": "later", "secret": "x"})) == []
