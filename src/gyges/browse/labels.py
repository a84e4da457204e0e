"""People's labels, in a store of their own beside the runs. Runs are never touched.

Rows are only ever added: a label given again stands beside the earlier one, and the last counts.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gyges.errors import StoreError
from gyges.transcripts.codec import original, stored

FILE = "labels.db"
"""The store's name. Not the suffix of runs: it is none."""

UNSURE = "unsure"
"""An answer too; it is counted, and left out of agreement."""

_APPLICATION_ID = 0x67796C62  # "gylb"
_SCHEMA = """
CREATE TABLE label(
  number INTEGER PRIMARY KEY,
  run TEXT NOT NULL, episode TEXT NOT NULL,
  labeller TEXT NOT NULL, question TEXT NOT NULL,
  answer TEXT NOT NULL, note TEXT NOT NULL,
  given REAL NOT NULL
) STRICT
"""
_INSERT = "INSERT INTO label(run, episode, labeller, question, answer, note, given) VALUES (?, ?, ?, ?, ?, ?, ?)"
_INDEX = "CREATE INDEX label_of_run ON label(run, question)"


@dataclass(frozen=True, slots=True)
class Label:
    """One person's answer to one question about one episode."""

    episode: str
    labeller: str
    question: str
    answer: str
    note: str = ""


class Labels:
    """The store at `path`; it is made when the first label is given. Any thread may call any method."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def give(self, run: str, labels: list[Label]) -> None:
        """Store all of them, or none. Raises StoreError."""
        now = time.time()
        rows = [(run, one.episode, one.labeller, one.question, one.answer, one.note) for one in labels]
        with self._open(write=True) as db:
            db.executemany(_INSERT, [(*map(stored, row), now) for row in rows])

    def of(self, run: str) -> list[Label]:
        """The last label of each person about each question and episode of a run. Raises StoreError."""
        if not self.path.exists():
            return []
        with self._open(write=False) as db:
            rows = db.execute(
                "SELECT episode, labeller, question, answer, note FROM label WHERE number IN"
                " (SELECT max(number) FROM label WHERE run = ? GROUP BY episode, labeller, question)"
                " ORDER BY number",
                (stored(run),),
            )
            return [Label(*map(original, row)) for row in rows]

    @contextmanager
    def _open(self, write: bool) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._connect("rwc" if write else "ro")) as db, db:
                yield db
        except sqlite3.Error as error:
            what = f"the store of labels can't be {'written' if write else 'read'} ({error})"
            raise StoreError(what, f"look at {FILE} beside the runs") from error

    def _connect(self, mode: str) -> sqlite3.Connection:
        db = sqlite3.connect(f"{self.path.resolve().as_uri()}?mode={mode}", uri=True)
        db.execute("PRAGMA trusted_schema = OFF")
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if mode == "rwc" and not tables:
            db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            db.execute(_SCHEMA)
            db.execute(_INDEX)
        elif application != _APPLICATION_ID:
            db.close()
            raise sqlite3.DatabaseError("it is another program's file")
        return db


def by_question(labels: list[Label]) -> dict[str, dict[str, dict[str, str]]]:
    """Answers by question, then episode, then labeller."""
    answers: dict[str, dict[str, dict[str, str]]] = {}
    for label in labels:
        answers.setdefault(label.question, {}).setdefault(label.episode, {})[label.labeller] = label.answer
    return answers


def majority(answers: Mapping[str, str]) -> str | None:
    """What more than half of those who are sure say; None where there is no such answer."""
    sure = [answer for answer in answers.values() if answer != UNSURE]
    return next((answer for answer in set(sure) if sure.count(answer) * 2 > len(sure)), None)
