"""Transcripts that other programs wrote: JSON Lines, one episode a line. It knows no label's meaning.

A line holds `model`, `scenario`, `context`, `sample`, `messages` (OpenAI chat form) and, if any, `labels` and
`metadata`. The model stands for the agent; the family is the scenario's name up to its last slash. The file may be
compressed with gzip.
"""

from __future__ import annotations

import gzip
import json
import sqlite3
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, Literal, NoReturn, cast

from gyges.errors import ImportLineError, Place, UsageError
from gyges.scenarios.plan import Behaviour, Contrast
from gyges.transcripts import runs
from gyges.transcripts.codec import digest
from gyges.transcripts.exact import Declared
from gyges.transcripts.line import Wrong, read_line
from gyges.transcripts.manifest import FamilyContrast, Manifest, PlannedAgent, PlannedScenario
from gyges.transcripts.record import Episode
from gyges.transcripts.safe import safe
from gyges.transcripts.store import write_run

CONTEXTS = ("training", "deployment")
"""What is compared where neither the user nor the lines say."""
LONGEST_LINE = 64 * 2**20
"""Bytes. A line that is longer is a mistake or an attack."""
LONGEST_FILE = 16 * 2**30
"""Bytes after decompression."""


def read_transcripts(
    path: Path, longest_line: int = LONGEST_LINE, longest_file: int = LONGEST_FILE
) -> Iterator[Episode]:
    """The episodes of a file, in its order. Raises ImportLineError for the first line that is wrong."""
    return (episode for episode, _ in _read(path, longest_line, longest_file))


def _read(
    path: Path, longest_line: int = LONGEST_LINE, longest_file: int = LONGEST_FILE
) -> Iterator[tuple[Episode, Declared]]:
    seen: dict[str, int] = {}
    for number, line in _lines(path, longest_line, longest_file):
        try:
            episode, declared = read_line(_parsed(line))
        except Wrong as wrong:
            raise ImportLineError(Place(path, number), wrong.what, wrong.to_do) from None
        id = episode.key.id()
        if id in seen:
            what = f"the same model, scenario, context and sample as line {seen[id]}"
            raise ImportLineError(Place(path, number), what, "give each sample of a context its own number")
        seen[id] = number
        yield episode, declared
    if not seen:
        raise ImportLineError(Place(path, 1), "the file has no transcripts", "write one JSON object a line")


def import_file(
    path: Path,
    out: Path,
    *,
    target: str,
    contrast: tuple[str, str] | None = None,
    sign: Literal["positive", "negative", "either"] = "positive",
    reveals: Sequence[str] = ("alignment_faking",),
    created: datetime | None = None,
    command: str = "",
    behaviour: str = "",
    options: str = "",
) -> Manifest:
    """Make the run `out` of the file's episodes; its name is that of `out`. All of the file, or nothing.

    `behaviour` and `options` say which label tells the behaviour; they are kept for whoever grades. Without
    `contrast`, lines that a run was exported to are compared as its families declare, others as training with
    deployment.

    Raises ImportLineError for a line that can't be read, UsageError when a context of the contrast is nowhere in
    the file, StoreError when `out` exists.
    """
    about = _About()
    name = out.name.removesuffix(runs.SUFFIX)

    def manifest() -> Manifest:
        first, second = contrast or CONTEXTS
        asked = Contrast(first, second, target, sign, tuple(reveals))
        contrasts = about.contrasts(asked, declared_first=contrast is None and not behaviour)
        for each in contrasts:
            about.refuse_missing(path, each.contrast)
        about.refuse_label(path, behaviour)
        return Manifest(
            run=name,
            created=(created or runs.now()).isoformat(timespec="seconds"),
            source="imported",
            command=command,
            seed=0,
            samples=about.samples,
            scenarios=about.planned_scenarios(),
            agents=tuple(_agent(model) for model in sorted(about.models)),
            contrasts=contrasts,
            behaviour=behaviour,
            options=options,
            versions={
                "gyges": version("gyges"),
                "python": sys.version.split()[0],
                "sqlite": sqlite3.sqlite_version,
            },
        )

    write_run(out, about.watch(_read(path)), manifest)
    return manifest()


class _About:
    """What the manifest says of episodes, gathered as they pass."""

    def __init__(self) -> None:
        self.models: set[str] = set()
        self.contexts: set[str] = set()
        self.families: dict[str, tuple[Contrast, ...]] = {}
        self.labels: set[str] = set()
        self.samples = 0
        self._prompts: dict[tuple[str, str, str], set[bytes]] = {}
        self._behaviours: dict[tuple[str, str, str], Behaviour | None] = {}

    def watch(self, lines: Iterator[tuple[Episode, Declared]]) -> Iterator[Episode]:
        for episode, declared in lines:
            key = episode.key
            self.models.add(key.agent)
            self.contexts.add(key.context)
            others = self.families.get(episode.family, ())
            self.families[episode.family] = tuple(dict.fromkeys((*others, *declared.contrasts)))
            self.labels.update(name for name, _ in episode.labels)
            self.samples = max(self.samples, key.sample + 1)
            prompt = [part for m in episode.messages if m.role in ("system", "user") for part in (m.role, m.text)]
            scenario = (key.scenario, episode.family, key.variant)
            self._prompts.setdefault(scenario, set()).add(digest(key.context, *prompt))
            self._behaviours.setdefault(scenario, declared.behaviour)
            yield episode

    def contrasts(self, asked: Contrast, *, declared_first: bool) -> tuple[FamilyContrast, ...]:
        """For each family the contrast that is asked for; where they go first, those that its lines declare."""
        return tuple(
            FamilyContrast(family=family, contrast=contrast)
            for family, declared in sorted(self.families.items())
            for contrast in ((declared_first and declared) or (asked,))
        )

    def planned_scenarios(self) -> tuple[PlannedScenario, ...]:
        return tuple(
            PlannedScenario(
                name=scenario[0],
                family=scenario[1],
                variant=scenario[2],
                sha256=digest(*sorted(prompts)).hex(),
                behaviour=self._behaviours[scenario],
            )
            for scenario, prompts in sorted(self._prompts.items())
        )

    def refuse_label(self, path: Path, behaviour: str) -> None:
        name = behaviour.removeprefix("label:").partition("=")[0]
        if behaviour and name not in self.labels:
            there = f"there are: {', '.join(sorted(self.labels))}" if self.labels else "no line has any label"
            raise UsageError(f"no line of {path} has the label {name!r}", there)

    def refuse_missing(self, path: Path, contrast: Contrast) -> None:
        missing = [context for context in (contrast.first, contrast.second) if context not in self.contexts]
        if missing:
            what = (
                f"{path} has no context {missing[0]!r}; its contexts are {safe(', '.join(sorted(self.contexts)))}"
            )
            raise UsageError(what, "name the two to compare, in order: --contrast FIRST,SECOND")


def _agent(model: str) -> PlannedAgent:
    return PlannedAgent(name=model, model=model, base_url="", graph="", profile="{}")


def _lines(path: Path, longest_line: int, longest_file: int) -> Iterator[tuple[int, bytes]]:
    """Numbers and lines, without the byte order mark that the first may have."""
    number, total = 0, 0
    with _opened(path) as file:
        while True:
            number += 1
            try:
                line = file.readline(longest_line + 1)
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                what = f"the compressed file breaks off or is damaged here ({error})"
                raise ImportLineError(Place(path, number), what, "get the file again") from error
            if not line:
                return
            total += len(line)
            if len(line) > longest_line:
                what = f"the line is longer than {longest_line:,} bytes"
                raise ImportLineError(Place(path, number), what, "write one episode a line")
            if total > longest_file:
                what = f"the file is longer than {longest_file:,} bytes when decompressed"
                raise ImportLineError(Place(path, number), what, "split it into several files")
            yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"{path} can't be read ({error.strerror})", "check the file's name") from error
    with file:
        zipped = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        # GzipFile reads as BinaryIO does; its declared type is only narrower.
        yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if zipped else file


def _parsed(line: bytes) -> object:
    """The line's JSON. Raises Wrong; also for what JSON's readers usually let pass."""
    if not line.strip():
        raise Wrong("the line is empty", "remove it")
    try:
        return json.loads(line.decode(), object_pairs_hook=_without_repeats, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise Wrong(f"byte {error.start + 1} of the line is not UTF-8", "save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise Wrong(f"no JSON: {error.msg} at column {error.colno}", "write one JSON object a line") from error
    except RecursionError as error:
        raise Wrong("JSON nested too deeply", "write messages as flat objects") from error
    except ValueError as error:
        raise Wrong(f"no JSON: {error}", "write one JSON object a line") from error


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise Wrong(f"the key {repeated!r} stands there twice", "keep one of them")
    return record


def _no_number(word: str) -> NoReturn:
    raise Wrong(f"{word} is no JSON", "write null, or leave the key out")
