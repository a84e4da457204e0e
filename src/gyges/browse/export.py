"""One self-contained page with chosen pairs and the figures: for a paper's supplement, or a colleague.

It holds no command, address or path of this machine, and no secret of this process's environment.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl

from markupsafe import Markup

from gyges.browse.choice import Choice
from gyges.browse.index import FILTERS, Index, PairLine
from gyges.browse.page import asset, render
from gyges.browse.pair import PairView, view
from gyges.browse.shelf import Shelf
from gyges.errors import UsageError
from gyges.transcripts.grades import BehaviourShown, Evidence, Grade, ReasoningRead
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, Message

LARGEST = 64_000_000
"""Bytes of a page; what is larger, browsers open unwillingly."""
MASK = "█"
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_SHORTEST_SECRET = 8


@dataclass(frozen=True, slots=True)
class _Exported:
    """One pair of the page. `values` are what it can be filtered by."""

    id: str
    line: PairLine
    view: PairView
    values: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class _Run:
    name: str
    index: Index
    pairs: list[_Exported]


def write_static(paths: Sequence[Path], file: Path, choose: str = "", overwrite: bool = False) -> int:
    """Write the page, whole or not at all; returns how many pairs are in it.

    `choose` is what stands after the `?` in the address of a table of pairs: which pairs, in which order. Raises
    UsageError when there is none like that, when the page would be too large, or when `file` can't be written.
    """
    if file.exists() and not overwrite:
        raise UsageError(f"{file} is there already", "name another file, or remove it")
    page, pairs = static_page(paths, choose)
    data = page.encode("utf-8", "backslashreplace")
    if len(data) > LARGEST:
        what = f"{pairs} pairs make a page of {len(data) // 1_000_000} MB"
        raise UsageError(what, "choose fewer of them, such as quadrant=diverges_revealed")
    unfinished = file.with_name(file.name + ".part")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(file)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise UsageError(f"{file} can't be written ({error.strerror})", "name another file") from error
    return pairs


def static_page(paths: Sequence[Path], choose: str = "") -> tuple[str, int]:
    """The page and how many pairs are in it. Raises UsageError when there is none."""
    shelf, choice = Shelf(paths), Choice.read(parse_qsl(choose.removeprefix("?")))
    mask = Mask(list(_secrets()))
    runs = [_run(shelf, name, choice, mask) for name in shelf.names]
    pairs = sum(len(run.pairs) for run in runs)
    if not pairs:
        raise UsageError("no pair is like that", "choose others, or none to take all")
    script, style = asset("gyges.js") + asset("export.js"), asset("gyges.css")
    page = render(
        "export.html",
        runs=runs,
        policy=_policy(script, style),
        # Ours, and allowed by their hashes: the only texts on any page that are not escaped.
        script=Markup(script),
        style=Markup(style),
    )
    return mask.text(page), pairs


def _policy(script: str, style: str) -> str:
    allowed = (f"{kind}-src 'sha256-{_hash(text)}'" for kind, text in (("script", script), ("style", style)))
    return "; ".join(("default-src 'none'", *allowed, "img-src data:", "form-action 'none'", "base-uri 'none'"))


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _run(shelf: Shelf, name: str, choice: Choice, mask: Mask) -> _Run:
    index = shelf.index(name)
    with shelf.open(name) as reader:
        found = {hit.episode for hit in reader.search(choice.words, limit=100_000)} if choice.words else None
        lines = choice.pairs(index.pairs, found)
        wanted = {side.id for line in lines for side in line.sides}
        grades: dict[str, list[Grade]] = {}
        for grade in reader.grades():
            if grade.episode in wanted:
                grades.setdefault(grade.episode, []).append(grade)
        return _Run(name, index, [_exported(reader, line, grades, mask) for line in lines])


def _exported(reader: RunReader, line: PairLine, grades: dict[str, list[Grade]], mask: Mask) -> _Exported:
    sides = [mask.episode(reader.episode(side.id)) if side.stored else None for side in line.sides]
    said = [mask.grade(grade) for side in line.sides for grade in grades.get(side.id, ())]
    values = {name: list(values_of(line)) for name, values_of in FILTERS.items()}
    return _Exported(line.id, line, view(sides[0], sides[1], said, whole=LARGEST), values)


def _secrets() -> Iterator[str]:
    """What must not leave this machine: its keys, and where on it we are."""
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET:
            yield value
    for folder in (Path.cwd(), Path.home()):
        if len(folder.parts) > 2:  # `/root` or `/home` may be meant by a model; `/home/ann` is ours.
            yield str(folder)


class Mask:
    """Replaces secrets by as many blocks, so that places in a text stay where they are."""

    def __init__(self, secrets: Iterable[str]) -> None:
        longest_first = sorted(set(secrets), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        return self._pattern.sub(lambda found: MASK * len(found[0]), text) if self._pattern else text

    def episode(self, episode: Episode) -> Episode:
        return replace(episode, messages=tuple(map(self._message, episode.messages)))

    def _message(self, message: Message) -> Message:
        reasoning = tuple(
            replace(thought, text=None if thought.text is None else self.text(thought.text))
            for thought in message.reasoning
        )
        return replace(message, text=self.text(message.text), reasoning=reasoning, replay=None)

    def grade(self, grade: Grade) -> Grade:
        match grade.answer:
            case BehaviourShown():
                answer = replace(grade.answer, evidence=self._evidence(grade.answer.evidence))
                return replace(grade, answer=answer)
            case ReasoningRead():
                found = tuple(replace(one, evidence=self._evidence(one.evidence)) for one in grade.answer.findings)
                return replace(grade, answer=ReasoningRead(found))
            case _:
                return grade

    def _evidence(self, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
        return tuple(replace(one, quote=self.text(one.quote), decoded=self.text(one.decoded)) for one in evidence)
