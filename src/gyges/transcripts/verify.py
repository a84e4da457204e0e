"""Does a run's file still say what was recorded? Everything is derived again and compared. It mends nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gyges.errors import StoreError
from gyges.transcripts import codec, judged_rows, rows, schema
from gyges.transcripts.grades import BehaviourShown, Evidence, Grade, ReasoningRead
from gyges.transcripts.record import Episode
from gyges.transcripts.safe import safe

UNREADABLE = (StoreError, ValueError, KeyError, TypeError)
"""What decoding a spoilt row raises."""


def verify(path: Path) -> list[str]:
    """What is wrong with a run, one sentence each; an empty list means that it is sound.

    Checked: the pages and references of the database, the hash of the manifest and of every plan, episode, call
    and grade, the ids of episodes, and that every quotation stands at its place. Raises StoreError when the file
    can't be opened as a run at all.
    """
    db = schema.to_read(path)
    try:
        return [safe(problem) for problem in _problems(db)]
    except sqlite3.DatabaseError as error:
        return [f"the file can't be read to its end: {error}"]
    finally:
        db.close()


def _problems(db: sqlite3.Connection) -> Iterator[str]:
    pages = [text for (text,) in db.execute("PRAGMA quick_check")]
    if pages != ["ok"]:
        # Rows of a damaged database prove nothing.
        yield from (f"the database is damaged: {text}" for text in pages)
        return
    for table, row, parent, _ in db.execute("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} belongs to a row of {parent} that is not there"
    yield from _manifest(db)
    yield from _plans(db)
    yield from _episodes(db)
    yield from _calls(db)
    for name in rows.get_grade_sets(db):
        yield from _grades(db, name)
    yield from judged_rows.problems(db)


def _manifest(db: sqlite3.Connection) -> Iterator[str]:
    row = db.execute("SELECT manifest, sha256 FROM run").fetchone()
    if row is None:
        yield "the manifest is missing"
    elif codec.digest(row[0]) != row[1]:
        yield "the manifest is not the one that was recorded"


def _plans(db: sqlite3.Connection) -> Iterator[str]:
    for body, sha256, scenario, context in db.execute("SELECT body, sha256, scenario, context FROM plan"):
        if codec.digest(body) != sha256:
            yield f"the plan of {scenario} in {context} is not the one that was recorded"


def _episodes(db: sqlite3.Connection) -> Iterator[str]:
    stored = db.execute("SELECT number, id, sha256 FROM episode ORDER BY number").fetchall()
    for number, id, sha256 in stored:
        try:
            episode = next(rows.get_episodes(db, {"id": id}))
        except UNREADABLE as error:
            yield f"episode {id} can't be read: {error}"
            continue
        if episode.key.id() != id:
            yield f"episode {id} has the key of episode {episode.key.id()}"
        if rows.episode_digest(episode) != sha256 or _count_blocks(db, number) != _blocks(episode):
            yield f"episode {id} is not the one that was recorded"


def _blocks(episode: Episode) -> int:
    return sum(1 + len(message.reasoning) for message in episode.messages)


def _count_blocks(db: sqlite3.Connection, number: int) -> int:
    return int(db.execute("SELECT count(*) FROM block WHERE episode = ?", (number,)).fetchone()[0])


def _calls(db: sqlite3.Connection) -> Iterator[str]:
    for at, row in enumerate(db.execute(f"{rows.SELECT_CALLS} ORDER BY number"), 1):
        try:
            call = rows.call_of(row)
        except UNREADABLE as error:
            yield f"the {at}. call can't be read: {error}"
            continue
        if rows.call_digest(call) != row[0]:
            yield f"call {call.ordinal}, attempt {call.attempt} of episode {call.episode} is not the one recorded"


def _grades(db: sqlite3.Connection, set_name: str) -> Iterator[str]:
    for at, row in enumerate(db.execute(rows.SELECT_GRADES, (codec.stored(set_name),)), 1):
        try:
            grade = rows.grade_of(row)
        except UNREADABLE as error:
            yield f"the {at}. grade of the set {set_name} can't be read: {error}"
            continue
        about = f"the grade of {grade.grader} about the {grade.question} of episode {grade.episode}"
        if rows.grade_digest(grade) != row[0]:
            yield f"{about} is not the one that was recorded"
        for quoted in _evidence(grade):
            if not _stands(db, grade.episode, quoted):
                yield f"{about} quotes what is not at its place: {quoted.quote!r}"


def _evidence(grade: Grade) -> Iterator[Evidence]:
    match grade.answer:
        case BehaviourShown():
            yield from grade.answer.evidence
        case ReasoningRead():
            for finding in grade.answer.findings:
                yield from finding.evidence


def _stands(db: sqlite3.Connection, episode: str, quoted: Evidence) -> bool:
    found = db.execute(
        "SELECT block.text FROM block JOIN episode ON block.episode = episode.number"
        " WHERE episode.id = ? AND block.message = ? AND block.channel = ? AND block.block = ?",
        (codec.stored(episode), quoted.message, quoted.channel, quoted.block),
    ).fetchone()
    return bool(found) and codec.original(found[0] or "")[quoted.start : quoted.end] == quoted.quote
