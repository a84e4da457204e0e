"""A run as a file for other tools: JSON Lines that can be imported again, or a table of its episodes as CSV.

A file has its name only when it is whole, and no file is overwritten. JSON Lines say everything unchanged. CSV is
for spreadsheets, which run what looks like a formula: such a cell begins with an apostrophe here, unless the
caller asks for raw cells.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from gyges.errors import StoreError, UsageError
from gyges.scenarios.plan import Contrast
from gyges.transcripts.exact import Declared
from gyges.transcripts.grades import BehaviourShown, Grade, ReasoningRead, Ungraded
from gyges.transcripts.line import line_from_episode
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode

COLUMNS = (
    *("episode", "family", "scenario", "variant", "context", "sample", "agent", "model", "outcome", "reason"),
    *("started", "ended", "reasoning", "answer", "behaviour", "findings", "ungraded", "labels", "metadata"),
)

_FORMULA = tuple("=+-@\t\r\n|%＝＋－＠")


def export_jsonl(reader: RunReader, path: Path) -> int:
    """Every episode as a line; how many. Compressed when the name ends in `.gz`. Raises UsageError, StoreError."""
    number = 0
    declared = _declared(reader.manifest)
    with new_file(path) as file:
        for episode in reader.episodes():
            line = line_from_episode(episode, declared(episode))
            file.write(json.dumps(line).encode() + b"\n")
            number += 1
    return number


def _declared(manifest: Manifest) -> Callable[[Episode], Declared]:
    """What the scenario of an episode declared, so that who takes the lines in can judge and compare them."""
    behaviours = {(one.name, one.variant): one.behaviour for one in manifest.scenarios}
    contrasts: dict[str, tuple[Contrast, ...]] = {}
    for each in manifest.contrasts:
        contrasts[each.family] = (*contrasts.get(each.family, ()), each.contrast)

    def of(episode: Episode) -> Declared:
        behaviour = behaviours.get((episode.key.scenario, episode.key.variant))
        return Declared(behaviour, contrasts.get(episode.family, ()))

    return of


def export_csv(reader: RunReader, path: Path, raw: bool = False) -> int:
    """A row for every episode, with the latest grades; how many. Raises UsageError, StoreError.

    Reasoning and answer are those of the agent's last message.
    """
    number, graded = 0, dict[str, list[Grade]]()
    for grade in reader.grades():
        graded.setdefault(grade.episode, []).append(grade)
    with new_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="", write_through=True)
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        for episode in reader.episodes():
            cells = _cells(episode, graded.get(episode.key.id(), []))
            writer.writerow(cells if raw else [inert(cell) for cell in cells])
            number += 1
        text.detach()
    return number


FORMATS: dict[str, Callable[[RunReader, Path], int]] = {"jsonl": export_jsonl, "csv": export_csv}


def export(reader: RunReader, path: Path, form: str | None = None) -> int:
    """Write a run in one of `FORMATS`, by default the one that the name ends in; how many episodes.

    Raises UsageError for another format, or an existing file.
    """
    if form is None:
        form = next((one.lstrip(".") for one in reversed(path.suffixes) if one != ".gz"), "")
        if form not in FORMATS:
            raise UsageError(f"{path} does not say in what format", f"add --to FORMAT: {', '.join(FORMATS)}")
    if form not in FORMATS:
        raise UsageError(f"there is no format {form!r}", f"formats are {', '.join(FORMATS)}")
    return FORMATS[form](reader, path)


def inert(cell: str) -> str:
    """The cell, with an apostrophe in front if a spreadsheet could take it for a formula."""
    return f"'{cell}" if cell.lstrip(" \u00a0\u3000\ufeff").startswith(_FORMULA) else cell


def _cells(episode: Episode, grades: list[Grade]) -> list[str]:
    key = episode.key
    answers = [message for message in episode.messages if message.role == "assistant"]
    last = answers[-1] if answers else None
    return [
        *(key.id(), episode.family, key.scenario, key.variant, key.context, str(key.sample), key.agent),
        *(episode.model, str(episode.outcome), episode.reason, repr(episode.started), repr(episode.ended)),
        "\n\n".join(one.text for one in last.reasoning if one.text) if last else "",
        last.text if last else "",
        "; ".join(grade.answer.label for grade in grades if isinstance(grade.answer, BehaviourShown)),
        "; ".join(
            finding.name
            for grade in grades
            if isinstance(grade.answer, ReasoningRead)
            for finding in grade.answer.findings
        ),
        "; ".join(f"{g.question}: {g.answer.reason}" for g in grades if isinstance(g.answer, Ungraded)),
        json.dumps(dict(episode.labels), ensure_ascii=False),
        json.dumps(dict(episode.metadata), ensure_ascii=False),
    ]


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    """A file that gets its name when the block ends well, and is gone when it doesn't.

    Raises UsageError if something of that name exists, be it a link to nowhere; StoreError if writing fails.
    """
    if os.path.lexists(path):
        raise UsageError(f"{path} exists already", "choose another name, or remove it first")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as zipped:
                    yield zipped
            else:
                yield file
            file.flush()
            os.fsync(file.fileno())
        _name(part, path)
    except OSError as error:
        what = f"{path} can't be written ({error.strerror})"
        raise StoreError(what, "check its folder, the permissions and the free space") from error
    finally:
        part.unlink(missing_ok=True)


def _name(part: Path, path: Path) -> None:
    """Give the file its name unless somebody took it in the meantime."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise UsageError(f"{path} exists already", "choose another name, or remove it first") from None
    except OSError:
        part.rename(path)  # No hard links on this file system: the check at the beginning has to do.
