"""Judged grades and what a set of grades says of itself, as rows and back. It knows neither file nor lock."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from pydantic import BaseModel

from gyges.errors import StoreError
from gyges.transcripts import codec, rows, schema
from gyges.transcripts.codec import original, stored
from gyges.transcripts.grade_sets import GradeSet
from gyges.transcripts.grades import Grade
from gyges.transcripts.judged import Judged, Judgement


def put_grade_set(db: sqlite3.Connection, about: GradeSet) -> None:
    """Begin a set. Again with the same words is nothing; with others it is refused."""
    body = _spelt(about)
    found = db.execute("SELECT about FROM grade_set WHERE name = ?", (stored(about.name),)).fetchone()
    if found is None:
        sql = "INSERT INTO grade_set(name, about, about_sha256) VALUES (?, ?, ?)"
        db.execute(sql, (stored(about.name), body, codec.digest(body)))
    elif found[0] != body:
        raise StoreError(
            f"there is a set of grades {about.name!r} already", "sets are never changed; begin another"
        )


def get_grade_set(db: sqlite3.Connection, name: str) -> GradeSet | None:
    """What the set says of itself; None where it says nothing, as sets of older schemas do."""
    if schema.version(db) < schema.WITH_JUDGEMENTS:
        return None
    row = db.execute("SELECT about FROM grade_set WHERE name = ?", (stored(name),)).fetchone()
    return GradeSet.model_validate(json.loads(row[0])) if row and row[0] is not None else None


def put_judgement(db: sqlite3.Connection, grade: Grade, judged: Judged, set_name: str) -> None:
    """Add a grade with its record. Raises StoreError as `put_grade` does."""
    rows.put_grade(db, grade, set_name)
    (number,) = db.execute(
        "SELECT grade.number FROM grade JOIN grade_set ON grade.grade_set = grade_set.number"
        " WHERE grade_set.name = ? AND episode = ? AND question = ? AND grader = ?",
        (stored(set_name), stored(grade.episode), stored(grade.question), stored(grade.grader)),
    ).fetchone()
    body = _spelt(judged)
    sql = "INSERT OR IGNORE INTO judgement(grade, record, sha256) VALUES (?, ?, ?)"
    db.execute(sql, (number, body, codec.digest(body)))


def get_judgements(db: sqlite3.Connection, set_name: str) -> Iterator[Judgement]:
    """The judged grades of a set with their records, in the order they were given."""
    if schema.version(db) < schema.WITH_JUDGEMENTS:
        return
    found = db.execute(
        "SELECT grade.episode, grade.grader, grade.answer, judgement.record"
        " FROM judgement JOIN grade ON judgement.grade = grade.number"
        " JOIN grade_set ON grade.grade_set = grade_set.number WHERE grade_set.name = ? ORDER BY grade.number",
        (stored(set_name),),
    )
    for episode, grader, answer, record in found:
        judged = Judged.model_validate(json.loads(record))
        yield Judgement(
            episode=original(episode), grader=original(grader), answer=codec.read_answer(answer), judged=judged
        )


def problems(db: sqlite3.Connection) -> Iterator[str]:
    """Rows that are not those that were recorded, one sentence each."""
    if schema.version(db) < schema.WITH_JUDGEMENTS:
        return
    for name, body, sha256 in db.execute("SELECT name, about, about_sha256 FROM grade_set"):
        if body is not None and codec.digest(body) != sha256:
            yield f"what the set of grades {original(name)} says of itself is not what was recorded"
    found = db.execute(
        "SELECT grade.episode, grade.grader, record, judgement.sha256"
        " FROM judgement JOIN grade ON judgement.grade = grade.number"
    )
    for episode, grader, record, sha256 in found:
        if codec.digest(record) != sha256:
            yield f"the record of {original(grader)} about episode {original(episode)} is not what was recorded"


def _spelt(value: BaseModel) -> str:
    # ASCII: quotations may hold NUL and surrogates, which SQLite's text can't.
    return json.dumps(value.model_dump(mode="python"), sort_keys=True, separators=(",", ":"))
