"""Episodes, calls and grades as rows, and back. It knows the tables, but not the file, its lock or its thread."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gyges.errors import StoreError
from gyges.scenarios.plan import Plan
from gyges.transcripts import codec, schema
from gyges.transcripts.codec import Json, original, stored
from gyges.transcripts.forks import read_fork, spell_fork
from gyges.transcripts.grades import Grade
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.record import Call, Episode, EpisodeKey, Intent, Message, Outcome, Reasoning, Visibility

Row = tuple[Any, ...]
"""What SQLite gives; STRICT tables see to the types."""


class Heading(NamedTuple):
    """What can be said of an episode without reading its messages."""

    id: str
    key: EpisodeKey
    family: str
    outcome: Outcome
    reason: str


# Manifest and plans


def put_manifest(db: sqlite3.Connection, manifest: Manifest) -> None:
    # Not pydantic's JSON: that refuses the surrogates by which Python spells odd bytes of a command line.
    body = json.dumps(manifest.model_dump(mode="python"))
    db.execute("INSERT OR REPLACE INTO run VALUES (1, ?, ?)", (body, codec.digest(body)))


def get_manifest(db: sqlite3.Connection) -> Manifest:
    row = db.execute("SELECT manifest FROM run").fetchone()
    if row is None:
        raise StoreError("the run has no manifest", "the file is damaged; restore it from a copy")
    return Manifest.model_validate(json.loads(row[0]))


def put_plan(db: sqlite3.Connection, plan: Plan) -> None:
    """Store a plan, unless the same is there already."""
    body = codec.spell_plan(plan)
    names = [stored(name) for name in (plan.family, plan.scenario, plan.variant, plan.context)]
    db.execute("INSERT OR IGNORE INTO plan VALUES (?, ?, ?, ?, ?, ?)", (codec.digest(body), *names, body))


def get_plans(db: sqlite3.Connection) -> Iterator[Plan]:
    for (body,) in db.execute("SELECT body FROM plan ORDER BY scenario, variant, context, sha256"):
        yield codec.read_plan(body)


# Episodes

_KEY = "id, agent, scenario, variant, sample, context, family, outcome, reason"
_EPISODE = f"{_KEY}, started, ended, model, labels, metadata"
_BLOCK = "message, channel, block, role, text, signal, replay, visibility, source, tokens, closed"
_INSERT_EPISODE = f"INSERT INTO episode(sha256, {_EPISODE}) VALUES ({', '.join('?' * 15)})"
_INSERT_BLOCK = f"INSERT INTO block(episode, {_BLOCK}) VALUES ({', '.join('?' * 12)})"
_INSERT_TOOLS = f"INSERT INTO block(episode, {_BLOCK}, tools) VALUES ({', '.join('?' * 13)})"
_INSERT_FORK = f"INSERT INTO episode(sha256, {_EPISODE}, fork) VALUES ({', '.join('?' * 16)})"
_UPDATE_EPISODE = "UPDATE episode SET {} WHERE number = ?".format(
    ", ".join(f"{column} = ?" for column in ["sha256", *_EPISODE.split(", ")])
)


def put_episode(db: sqlite3.Connection, episode: Episode) -> None:
    """Store an episode, or replace it while it is pending. Raises StoreError for another one of the same id."""
    row, blocks = _episode_cells(episode), _block_cells(episode)
    sha256 = _episode_digest(row, blocks)
    found = db.execute("SELECT number, outcome, sha256 FROM episode WHERE id = ?", (row[0],)).fetchone()
    if found is None:
        number = db.execute(_INSERT_FORK if episode.fork else _INSERT_EPISODE, (sha256, *row)).lastrowid
    else:
        number, outcome, already = found
        if already == sha256:
            return
        if outcome != Outcome.PENDING:
            raise StoreError(f"episode {row[0]} is recorded already, with other words", "play it in a new run")
        db.execute("DELETE FROM block WHERE episode = ?", (number,))
        db.execute(_UPDATE_EPISODE, (sha256, *row[:_EPISODE_CELLS], number))
        if episode.fork:
            db.execute("UPDATE episode SET fork = ? WHERE number = ?", (row[-1], number))
    for block in blocks:
        db.execute(_INSERT_BLOCK if len(block) == _PLAIN_CELLS else _INSERT_TOOLS, (number, *block))


def episode_digest(episode: Episode) -> bytes:
    """The hash that is stored with an episode: over all its cells."""
    return _episode_digest(_episode_cells(episode), _block_cells(episode))


def _episode_digest(row: list[Json], blocks: list[list[Json]]) -> bytes:
    return codec.digest(json.dumps([row, *blocks], ensure_ascii=False))


_EPISODE_CELLS = len(_EPISODE.split(", "))


def _episode_cells(episode: Episode) -> list[Json]:
    """A fork has one cell more: without it, hashes are those of older schemas."""
    key = episode.key
    return [
        key.id(),
        stored(key.agent),
        stored(key.scenario),
        stored(key.variant),
        key.sample,
        stored(key.context),
        stored(episode.family),
        str(episode.outcome),
        stored(episode.reason),
        float(episode.started),
        float(episode.ended),
        stored(episode.model),
        codec.spell_pairs(episode.labels),
        codec.spell_pairs(episode.metadata),
        *([spell_fork(episode.fork)] if episode.fork else []),
    ]


_PLAIN_CELLS = len(_BLOCK.split(", "))


def _block_cells(episode: Episode) -> list[list[Json]]:
    """One list a block. A message with tools has one cell more: without it, hashes are those of older schemas."""
    cells: list[list[Json]] = []
    for at, message in enumerate(episode.messages):
        signal = codec.spell_spans(message.signal) if message.signal else None
        said = [stored(message.text), signal, _stored(message.replay)]
        tools = codec.spell_tools(message)
        cells.append([at, "text", 0, message.role, *said, None, None, None, None, *([tools] if tools else [])])
        for block, reasoning in enumerate(message.reasoning):
            about = [str(reasoning.visibility), stored(reasoning.source), reasoning.tokens, int(reasoning.closed)]
            cells.append([at, "reasoning", block, message.role, _stored(reasoning.text), None, None, *about])
    return cells


def _stored(text: str | None) -> str | None:
    return None if text is None else stored(text)


def _original(text: str | None) -> str | None:
    return None if text is None else original(text)


def get_headings(db: sqlite3.Connection, wanted: Mapping[str, str]) -> Iterator[tuple[int, Heading]]:
    """Numbers and headings; `wanted` maps columns to values. The contexts of a pair follow each other."""
    where = " AND ".join(f"{column} = ?" for column in wanted) or "1"
    rows = db.execute(
        f"SELECT number, {_KEY} FROM episode WHERE {where} ORDER BY agent, scenario, variant, sample, context",
        [stored(value) for value in wanted.values()],
    )
    for number, id, agent, scenario, variant, sample, context, family, outcome, reason in rows:
        key = EpisodeKey(original(agent), original(scenario), original(variant), original(context), sample)
        yield number, Heading(id, key, original(family), Outcome(outcome), original(reason))


def get_episodes(db: sqlite3.Connection, wanted: Mapping[str, str]) -> Iterator[Episode]:
    """Whole episodes in the order of `get_headings`, one at a time."""
    fork_column = "fork" if schema.version(db) >= schema.WITH_FORKS else "NULL"
    select = f"SELECT started, ended, model, labels, metadata, {fork_column} FROM episode WHERE number = ?"
    for number, heading in get_headings(db, wanted):
        started, ended, model, labels, metadata, fork = db.execute(select, (number,)).fetchone()
        yield Episode(
            key=heading.key,
            family=heading.family,
            outcome=heading.outcome,
            reason=heading.reason,
            messages=tuple(_get_messages(db, number)),
            started=started,
            ended=ended,
            model=original(model),
            labels=codec.read_pairs(labels),
            metadata=codec.read_pairs(metadata),
            fork=read_fork(fork) if fork else None,
        )


def _get_messages(db: sqlite3.Connection, number: int) -> list[Message]:
    messages: list[Message] = []
    # A message's reasoning comes before its own row here ('reasoning' < 'text').
    reasoning: list[Reasoning] = []
    columns = f"{_BLOCK}, tools" if schema.version(db) >= schema.WITH_TOOLS else f"{_BLOCK}, NULL"
    for row in db.execute(
        f"SELECT {columns} FROM block WHERE episode = ? ORDER BY message, channel, block", (number,)
    ):
        _, channel, _, role, text, signal, replay, visibility, source, tokens, closed, tools = row
        if channel == "reasoning":
            visible = Visibility(visibility)
            reasoning.append(Reasoning(visible, original(source), _original(text), tokens, bool(closed)))
            continue
        spans = codec.read_spans(signal) if signal else ()
        calls, result, changes = codec.read_tools(tools)
        said = (original(text), tuple(reasoning), spans, _original(replay))
        notes = codec.read_notes(tools)
        messages.append(Message(role, *said, calls=calls, result=result, changes=changes, notes=notes))
        reasoning = []
    return messages


# Calls

_CALL = "episode, ordinal, attempt, request, response, status, error, sent, received, headers"
_INSERT_CALL = f"INSERT INTO call(sha256, {_CALL}) VALUES ({', '.join('?' * 11)})"


def put_call(db: sqlite3.Connection, call: Call) -> None:
    row = (
        stored(call.episode),
        call.ordinal,
        call.attempt,
        codec.pack(call.request),
        None if call.response is None else codec.pack(call.response),
        call.status,
        stored(call.error),
        call.sent,
        call.received,
        codec.spell_pairs(call.headers),
    )
    db.execute(_INSERT_CALL, (call_digest(call), *row))


def call_digest(call: Call) -> bytes:
    """The hash that is stored with a call: over everything, before compression."""
    numbers: list[Json] = [call.ordinal, call.attempt, call.status, call.sent, call.received]
    words = [call.episode, codec.spell(numbers), call.error, codec.spell_pairs(call.headers)]
    return codec.digest(*words, call.request, b"" if call.response is None else b"=" + call.response)


SELECT_CALLS = f"SELECT sha256, {_CALL} FROM call"


def get_calls(db: sqlite3.Connection, episode: str) -> Iterator[Call]:
    """The calls of an episode in the order they were made."""
    for row in db.execute(f"{SELECT_CALLS} WHERE episode = ? ORDER BY ordinal, number", (stored(episode),)):
        yield call_of(row)


def call_of(row: Row) -> Call:
    """The call of a row of `SELECT_CALLS`."""
    _, id, ordinal, attempt, request, response, status, error, sent, received, headers = row
    return Call(
        episode=original(id),
        ordinal=ordinal,
        attempt=attempt,
        request=codec.unpack(request),
        response=None if response is None else codec.unpack(response),
        status=status,
        error=original(error),
        sent=sent,
        received=received,
        headers=codec.read_pairs(headers),
    )


# Intents

_INTENT = "episode, ordinal, attempt, sent"
_UNSETTLED = (
    f"SELECT {_INTENT} FROM intent WHERE NOT EXISTS (SELECT 1 FROM call WHERE call.episode = intent.episode"
    " AND call.ordinal = intent.ordinal AND call.sent = intent.sent{}) ORDER BY number"
)


def put_intent(db: sqlite3.Connection, intent: Intent) -> None:
    row = (stored(intent.episode), intent.ordinal, intent.attempt, intent.sent)
    db.execute(f"INSERT INTO intent({_INTENT}) VALUES (?, ?, ?, ?)", row)


def get_unsettled(db: sqlite3.Connection, *, answered: bool) -> Iterator[Intent]:
    """Intents whose call is not stored; with `answered`, also those whose call got no answer from anybody."""
    # Where nobody was reached, nobody can have sent a bill.
    answer = " AND (call.response IS NOT NULL OR call.error LIKE 'unreachable:%')" if answered else ""
    for episode, ordinal, attempt, sent in db.execute(_UNSETTLED.format(answer)):
        yield Intent(original(episode), ordinal, attempt, sent)


# Grades

_ANSWER = "version, answer, sha256"


def put_grade(db: sqlite3.Connection, grade: Grade, set_name: str) -> None:
    """Add to a set of grades. Raises StoreError for an unknown episode or another answer in the same set."""
    if db.execute("SELECT 1 FROM episode WHERE id = ?", (stored(grade.episode),)).fetchone() is None:
        raise StoreError(f"there is no episode {grade.episode!r} to grade", "store the episode before its grades")
    db.execute("INSERT OR IGNORE INTO grade_set(name) VALUES (?)", (stored(set_name),))
    (number,) = db.execute("SELECT number FROM grade_set WHERE name = ?", (stored(set_name),)).fetchone()
    place = (number, stored(grade.episode), stored(grade.question), stored(grade.grader))
    sha256 = grade_digest(grade)
    added = db.execute(
        f"INSERT INTO grade(grade_set, episode, question, grader, {_ANSWER}) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (grade_set, episode, question, grader) DO NOTHING",
        (*place, stored(grade.version), codec.spell_answer(grade.answer), sha256),
    )
    if added.rowcount == 0:
        (already,) = db.execute(
            "SELECT sha256 FROM grade WHERE grade_set = ? AND episode = ? AND question = ? AND grader = ?", place
        ).fetchone()
        if already != sha256:
            what = f"{grade.grader} has answered already about episode {grade.episode}, differently"
            raise StoreError(what, "grades are never changed; give the new ones to another set")


def grade_digest(grade: Grade) -> bytes:
    """The hash that is stored with a grade."""
    return codec.digest(
        grade.episode, grade.question, grade.grader, grade.version, codec.spell_answer(grade.answer)
    )


_GRADES = (
    "SELECT sha256, episode, question, grader, version, answer FROM grade"
    " WHERE grade_set = (SELECT number FROM grade_set WHERE name = ?){} ORDER BY number"
)
SELECT_GRADES = _GRADES.format("")
# By the table's own index: an episode's grades are unique by set, episode, question and grader.
GRADES_OF_EPISODE = _GRADES.format(" AND episode = ?")


def get_grades(db: sqlite3.Connection, set_name: str, episode: str | None = None) -> Iterator[Grade]:
    """The grades of one set, in the order they were given; with an episode's id, only of that one."""
    names = [stored(set_name)] if episode is None else [stored(set_name), stored(episode)]
    for row in db.execute(SELECT_GRADES if episode is None else GRADES_OF_EPISODE, names):
        yield grade_of(row)


def grade_of(row: Row) -> Grade:
    """The grade of a row of `SELECT_GRADES`."""
    _, episode, question, grader, version, answer = row
    return Grade(original(episode), question, original(grader), original(version), codec.read_answer(answer))


def get_grade_sets(db: sqlite3.Connection) -> list[str]:
    """Names, oldest first."""
    return [original(name) for (name,) in db.execute("SELECT name FROM grade_set ORDER BY number")]
