"""Read a run. It can't write, and may be open while the run is being played."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from math import inf
from pathlib import Path
from types import TracebackType
from typing import Self

from gyges.errors import StoreError, UsageError
from gyges.scenarios.plan import Plan
from gyges.transcripts import batch_rows, codec, judged_rows, rows, schema, search, search_index
from gyges.transcripts.batch_rows import Submitted
from gyges.transcripts.grade_sets import GradeSet
from gyges.transcripts.grades import Grade
from gyges.transcripts.judged import Judgement
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.record import Call, Episode, Intent, Outcome
from gyges.transcripts.rows import Heading
from gyges.transcripts.search import Hit, Query
from gyges.transcripts.search_index import Found, SearchIndex

_STEPS = 100_000
"""Of SQLite's machine, between two looks at the clock: a few milliseconds."""


class RunReader:
    """A run's file, opened for reading. For one thread at a time.

    Every method raises StoreError when the file turns out to be damaged.
    """

    def __init__(self, path: Path) -> None:
        """Raises StoreError when there is no run at `path` that this version can read."""
        self.path = path
        self._db = schema.to_read(path)
        self._deadline = inf

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def end_after(self, seconds: float) -> None:
        """From now on, whatever the database is still doing after so many seconds ends with a StoreError."""
        self._deadline = deadline = time.monotonic() + seconds
        self._db.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)

    @cached_property
    def manifest(self) -> Manifest:
        with self._told():
            return rows.get_manifest(self._db)

    def count(self) -> int:
        """How many episodes are stored, pending ones included."""
        with self._told():
            return int(self._db.execute("SELECT count(*) FROM episode").fetchone()[0])

    def numbers(self) -> dict[str, int]:
        """By id the number of every episode in this file, by which a search knows it."""
        with self._told():
            return dict(self._db.execute("SELECT id, number FROM episode"))

    def counts(self) -> dict[tuple[str, str], Counter[Outcome]]:
        """Outcomes by (agent, context)."""
        counts: dict[tuple[str, str], Counter[Outcome]] = {}
        for heading in self.headings():
            counts.setdefault((heading.key.agent, heading.key.context), Counter())[heading.outcome] += 1
        return counts

    def headings(
        self, agent: str | None = None, scenario: str | None = None, context: str | None = None
    ) -> Iterator[Heading]:
        """Headings by agent, scenario, variant, sample and context, in this order."""
        with self._told():
            for _, heading in rows.get_headings(self._db, _wanted(agent, scenario, context)):
                yield heading

    def episodes(
        self, agent: str | None = None, scenario: str | None = None, context: str | None = None
    ) -> Iterator[Episode]:
        """Whole episodes in the order of `headings`, read one at a time."""
        with self._told():
            yield from rows.get_episodes(self._db, _wanted(agent, scenario, context))

    def episode(self, id: str) -> Episode:
        """The episode of this id, or of this unambiguous beginning of one. Raises UsageError for any other."""
        with self._told():
            # A whole id is found by its index; whoever asks for every episode of a long run asks so.
            whole = next(rows.get_episodes(self._db, {"id": id}), None)
            if whole is not None:
                return whole
            found = self._db.execute(
                "SELECT id FROM episode WHERE substr(id, 1, ?) = ? ORDER BY id LIMIT 2",
                (len(id), codec.stored(id)),
            ).fetchall()
            if len(found) == 1 and id:
                return next(rows.get_episodes(self._db, {"id": found[0][0]}))
        what = f"more than one episode begins with {id!r}" if found else f"there is no episode {id!r} in this run"
        raise UsageError(what, f"`gyges show {self.path.stem}` lists episodes")

    def forks(self, episode: str, most: int) -> Iterator[tuple[str, Episode]]:
        """The episodes of this run, with their ids, that are forks of that episode of another one."""
        with self._told():
            if schema.version(self._db) < schema.WITH_FORKS:
                return
            ids = self._db.execute(
                "SELECT id FROM episode WHERE fork ->> '$.episode' = ? ORDER BY number LIMIT ?", (episode, most)
            ).fetchall()
            for (id,) in ids:
                yield id, next(rows.get_episodes(self._db, {"id": id}))

    def calls(self, episode: str) -> list[Call]:
        """Every attempt at every call of an episode, in order."""
        with self._told():
            return list(rows.get_calls(self._db, episode))

    def answered(self, episode: str) -> dict[int, Call]:
        """For each ordinal the latest call that was answered without an error: what a replay reads."""
        return {call.ordinal: call for call in self.calls(episode) if call.response is not None and not call.error}

    def answers(self) -> int:
        """How many calls were answered without an error."""
        with self._told():
            found = self._db.execute("SELECT count(*) FROM call WHERE error = '' AND response IS NOT NULL")
            return int(found.fetchone()[0])

    def in_flight(self) -> list[Intent]:
        """Attempts that were about to be sent and of which nothing is stored since, oldest first."""
        return self._unsettled(answered=False)

    def unanswered(self) -> list[Intent]:
        """Attempts that brought no answer and may have reached a provider: they may have been billed."""
        return self._unsettled(answered=True)

    def _unsettled(self, *, answered: bool) -> list[Intent]:
        with self._told():
            if schema.version(self._db) < schema.WITH_INTENTS:
                return []
            return list(rows.get_unsettled(self._db, answered=answered))

    def batches(self) -> list[Submitted]:
        """What was handed to providers as batches, oldest first."""
        with self._told():
            return list(batch_rows.get(self._db))

    def plans(self) -> Iterator[Plan]:
        with self._told():
            yield from rows.get_plans(self._db)

    def grade_sets(self) -> list[str]:
        """Names of the sets of grades, oldest first."""
        with self._told():
            return rows.get_grade_sets(self._db)

    def grades(self, set_name: str | None = None, *, episode: str | None = None) -> Iterator[Grade]:
        """The grades of a set, by default of the latest; nothing if nothing was graded. UsageError if unknown.

        With an episode's id only those of that episode, without reading the others.
        """
        sets = self.grade_sets()
        if set_name is not None and set_name not in sets:
            raise UsageError(f"this run has no grades {set_name!r}", f"it has: {', '.join(sets) or 'none'}")
        if not sets:
            return
        with self._told():
            yield from rows.get_grades(self._db, sets[-1] if set_name is None else set_name, episode)

    def grade_set(self, name: str) -> GradeSet | None:
        """What a set of grades says of itself; None for a set that says nothing."""
        with self._told():
            return judged_rows.get_grade_set(self._db, name)

    def judgements(self, set_name: str | None = None) -> Iterator[Judgement]:
        """The judged grades of a set, by default of the latest, with their records."""
        sets = self.grade_sets()
        if sets:
            with self._told():
                yield from judged_rows.get_judgements(self._db, sets[-1] if set_name is None else set_name)

    def search(self, query: Query, patience: float = inf) -> Found:
        """The episodes that hold the words. What is not in the run's search index yet is read, for `patience`
        seconds at the most. Raises UsageError for what is no expression.
        """
        with self._told(), closing(SearchIndex(self._db, self.path)) as index:
            if self._deadline < inf:
                index.end_at(self._deadline)
            return search_index.find(self._db, index, query, patience)

    def places(self, query: Query, ids: Iterable[str]) -> Iterator[Hit]:
        """Where the words stand in these episodes: the first place in each of their texts."""
        with self._told():
            for id in ids:
                found = self._db.execute("SELECT number FROM episode WHERE id = ?", (id,)).fetchone()
                if found:
                    yield from search.places(self._db, found[0], id, query)

    @contextmanager
    def _told(self) -> Generator[None]:
        with schema.told(self.path):
            try:
                yield
            except (ValueError, KeyError, TypeError) as error:
                what = f"{self.path} holds a row that can't be read ({error})"
                raise StoreError(what, "restore the file from a copy") from error


def _wanted(agent: str | None, scenario: str | None, context: str | None) -> dict[str, str]:
    given = {"agent": agent, "scenario": scenario, "context": context}
    return {column: value for column, value in given.items() if value is not None}
