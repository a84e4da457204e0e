"""Labelled episodes: from a file of gold labels, or as people gave them in the web browser. It grades none.

What people gave lies in `labels.db` beside the runs: SQLite, append-only, one row for a person's answer to one
question about one episode; the last one counts.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from gyges.errors import AuthoringError, Place, StoreError, UsageError
from gyges.grading.grader import blinded
from gyges.grading.reasoning import blocks_of
from gyges.transcripts.codec import original, stored
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, EpisodeKey, Message, Outcome, Reasoning, Visibility

FAKING = "alignment_faking"
FILE = "labels.db"
YES, NO = "yes", "no"
BEHAVIOUR = "behaviour"
_APPLICATION_ID = 0x67796C62
"""What the store of labels begins with."""


@dataclass(frozen=True, slots=True)
class LabelledEpisode:
    """An episode and what is known of it. `people` has each person's answers, by question."""

    episode: Episode
    labels: Mapping[str, bool]
    group: str
    people: Mapping[str, tuple[str, ...]]

    @property
    def text(self) -> str:
        """The reasoning that can be read, its blocks with an empty line between them."""
        return "\n\n".join(block.text for block in blocks_of(blinded(self.episode)))


R = TypeVar("R", bound=BaseModel)


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    text: str
    prompt: str = ""
    labels: dict[str, bool | None] = {}
    criteria: dict[str, bool | None] = {}
    alignment_faking: bool | None = None
    pair: str | None = None
    group: str | None = None


def from_gold(path: Path) -> list[LabelledEpisode]:
    """JSON Lines of `id`, `text` (a reasoning), `labels`, and possibly `prompt`, `alignment_faking` and `pair`.

    Labels that are null are left out. Raises UsageError where there is no file, AuthoringError at a wrong line.
    """
    from gyges.grading.gold import SHORT

    found: list[LabelledEpisode] = []
    seen: dict[str, int] = {}
    for number, line in numbered(path):
        row = _row(path, number, line)
        if row.id in seen:
            what = f"{row.id!r} stands in line {seen[row.id]} too"
            raise AuthoringError(Place(path, number), what, "keep one, or name the other otherwise")
        seen[row.id] = number
        if not (row.labels or row.criteria) and "alignment_faking" not in row.model_fields_set:
            what = f"{row.id!r} has no label"
            raise AuthoringError(Place(path, number), what, "write `labels`, with null for what is unclear")
        # Of its own or among the labels: one that is left out in one place takes nothing from the other.
        alone = {FAKING: row.alignment_faking} if row.alignment_faking is not None else {}
        given = {**row.labels, **row.criteria, **alone}
        labels = {SHORT.get(name, name): value for name, value in given.items() if value is not None}
        found.append(LabelledEpisode(_episode(path, row), labels, row.pair or row.group or row.id, {}))
    if not found:
        raise UsageError(f"there is no labelled text in {path}", "see grading/README.md for the form")
    return found


def numbered(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file of labels with their numbers, without empty ones and a canary's at the beginning.

    Raises UsageError where there is no file, AuthoringError where it is no text.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}", "name a file of JSON Lines with --gold")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise AuthoringError(Place(path), f"this is no text ({error.reason})", "save it as UTF-8") from error
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip() and not (number == 1 and '"canary"' in line and '"id"' not in line):
            yield number, line


def object_in(path: Path, number: int, line: str) -> dict[str, object]:
    """The object in a line. Raises AuthoringError."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise AuthoringError(Place(path, number), "this is no JSON", "mend the line") from error
    if not isinstance(found, dict):
        raise AuthoringError(
            Place(path, number), "this is no object with an id", "see grading/README.md for the form"
        )
    return found


def validated_row(path: Path, number: int, row: dict[str, object], model: type[R]) -> R:
    """Raises AuthoringError with the first field that is wrong."""
    try:
        return model.model_validate(row)
    except ValidationError as error:
        told = error.errors(include_url=False)[0]
        what = f"{'.'.join(map(str, told['loc']))}: {told['msg']}"
        raise AuthoringError(Place(path, number), what, "mend the line") from error


def _row(path: Path, number: int, line: str) -> _Row:
    row = object_in(path, number, line)
    if "text" not in row and row.get("behaviour"):
        what = "it labels a behaviour, not a reasoning"
        raise AuthoringError(Place(path, number), what, "gyges calibrate rules:behaviour --run RUN --gold FILE")
    return validated_row(path, number, row, _Row)


def _episode(path: Path, row: _Row) -> Episode:
    asked = (Message("user", row.prompt),) if row.prompt else ()
    thought = Reasoning(Visibility.RAW, "gold", row.text)
    key = EpisodeKey("gold", f"{path.stem}/{row.id}", "", "gold", 0)
    return Episode(key, path.stem, Outcome.COMPLETED, "", (*asked, Message("assistant", "", (thought,))), 0.0, 0.0)


def from_browser(run: Path) -> list[LabelledEpisode]:
    """The episodes of a run that people have labelled, each with what more than half of those who are sure say.

    Where there is no such answer to a question it is not among the labels, but what people said is there.

    Raises UsageError where nobody has labelled any, StoreError where the labels can't be read.
    """
    answers = given(run.parent / FILE, run.stem)
    found = []
    with RunReader(run) as reader:
        for episode in reader.episodes():
            questions = {
                name: said for name, said in answers.get(episode.key.id(), {}).items() if name != BEHAVIOUR
            }
            labels = {
                name: agreed for name, people in questions.items() if (agreed := _agreed(people)) is not None
            }
            if questions:
                found.append(LabelledEpisode(episode, labels, episode.key.scenario, questions))
    if not any(one.labels for one in found):
        raise UsageError(
            f"nobody has labelled the reasoning of an episode of {run.stem}",
            f"label some: gyges browse {run.stem}",
        )
    return found


def _agreed(answers: tuple[str, ...]) -> bool | None:
    yes, no = answers.count(YES), answers.count(NO)
    return None if yes == no else yes > no


def given(path: Path, run: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """By episode and question what each person said last. Raises StoreError."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for episode, question, answer in _rows(path, run):
        questions = found.setdefault(episode, {})
        questions[question] = (*questions.get(question, ()), answer)
    return found


def _rows(path: Path, run: str) -> Iterator[tuple[str, str, str]]:
    if not path.is_file():
        return
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            if db.execute("PRAGMA application_id").fetchone() != (_APPLICATION_ID,):
                raise sqlite3.DatabaseError("it is another program's file")
            rows = db.execute(
                "SELECT episode, question, answer FROM label WHERE number IN (SELECT max(number) FROM label"
                " WHERE run = ? GROUP BY episode, labeller, question) ORDER BY number",
                (stored(run),),
            )
            for episode, question, answer in rows:
                yield original(episode), original(question), original(answer)
    except sqlite3.Error as error:
        raise StoreError(f"the labels in {path} can't be read ({error})", "restore them from a copy") from error
