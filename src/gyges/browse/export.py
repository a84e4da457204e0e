"""Chosen pairs and the figures to share: one self-contained page, or a folder where one page would be too large.

It holds no command, address or path of this machine, and no secret of this process's environment.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from markupsafe import Markup

from gyges.browse.choice import Choice
from gyges.browse.figures import figures
from gyges.browse.index import Index, build
from gyges.browse.lines import PairLine, facets_of
from gyges.browse.mask import Mask, secrets
from gyges.browse.page import asset, render
from gyges.browse.pair import PairView, view
from gyges.errors import UsageError
from gyges.transcripts.grades import Grade
from gyges.transcripts.reader import RunReader

LARGEST = 64_000_000
"""Bytes of a page; what is larger, browsers open unwillingly."""
PAIRS = "pairs"
"""Where in a folder the pages of pairs lie."""


@dataclass(frozen=True, slots=True)
class _Exported:
    """One pair, and the run that it is of."""

    run: str
    line: PairLine
    view: PairView


@dataclass(frozen=True, slots=True)
class _Run:
    """A run's figures and those of its pairs that were chosen."""

    name: str
    path: Path
    index: Index
    lines: list[PairLine]
    figures: Markup


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: how many pairs, and the page to open."""

    pairs: int
    page: Path


class Export:
    """The chosen pairs of some runs. Raises UsageError when there is none like that."""

    def __init__(self, paths: Sequence[Path], choose: str = "") -> None:
        """`choose` says which pairs, as it stands after the `?` in the address of a table of pairs."""
        self._choice = Choice.read(parse_qsl(choose.removeprefix("?")))
        self._mask = Mask(list(secrets()))
        self._runs = [self._chosen(path) for path in paths]
        self.pairs = sum(len(run.lines) for run in self._runs)
        if not self.pairs:
            raise UsageError("no pair is like that", "choose others, or none to take all")

    def _chosen(self, path: Path) -> _Run:
        (index, report), query = build(path), self._choice.query()
        with RunReader(path) as reader:
            found = reader.search(query).episodes if query else None
        # Made from our own template, which escapes.
        shown = Markup(figures(report, "#list", index.manifest.added()))
        return _Run(path.stem, path, index, self._choice.pairs(index.pairs, found), shown)

    def characters(self) -> int:
        """What the agents said in the chosen pairs; any page of them is larger."""
        return sum(line.length for run in self._runs for line in run.lines)

    def page(self) -> str:
        """All of it as one page."""
        return self._render(
            "export.html", ("export_list.js", "export.js"), **self._listed(), pairs=list(self._pairs())
        )

    def pages(self) -> Iterator[tuple[str, str]]:
        """Names and texts of a folder's pages: each pair's first, then `index.html`."""
        words: dict[str, list[int]] = {}
        ids = [line.id for run in self._runs for line in run.lines]
        for number, pair in enumerate(self._pairs()):
            before = ids[number - 1] if number else None
            after = ids[number + 1] if number + 1 < len(ids) else None
            page = self._render("export_pair.html", (), pair=pair, before=before, after=after, folder=PAIRS)
            for word in _words(pair):
                words.setdefault(self._mask.text(word), []).append(number)
            yield f"{PAIRS}/{pair.line.id}.html", page
        listed = self._render(
            "export_list.html", ("export_list.js", "export_folder.js"), **self._listed(), words=words, folder=PAIRS
        )
        yield "index.html", listed

    def _listed(self) -> dict[str, object]:
        """What the list shows: the runs, the boxes to filter by, the contexts where all pairs have the same."""
        lines = [line for run in self._runs for line in run.lines]
        contexts = {(line.first.context, line.second.context) for line in lines}
        named = contexts.pop() if len(contexts) == 1 else ("first context", "second context")
        return {"runs": self._runs, "facets": facets_of(lines), "contexts": named}

    def _pairs(self) -> Iterator[_Exported]:
        for run in self._runs:
            with RunReader(run.path) as reader:
                grades = _grades(reader, run.lines)
                for line in run.lines:
                    yield _Exported(run.name, line, self._view(reader, line, grades))

    def _view(self, reader: RunReader, line: PairLine, grades: dict[str, list[Grade]]) -> PairView:
        sides = [self._mask.episode(reader.episode(side.id)) if side.stored else None for side in line.sides]
        said = [self._mask.grade(grade) for side in line.sides for grade in grades.get(side.id, ())]
        return view(sides[0], sides[1], said, whole=LARGEST)

    def _render(self, template: str, scripts: tuple[str, ...], **values: object) -> str:
        script, style = "".join(asset(name) for name in ("gyges.js", *scripts)), asset("gyges.css")
        page = render(
            template,
            **values,
            policy=_policy(script, style),
            # Ours, and allowed by their hashes: the only texts on any page that are not escaped.
            script=Markup(script),
            style=Markup(style),
        )
        return self._mask.text(page)


def write_static(paths: Sequence[Path], file: Path, choose: str = "", overwrite: bool = False) -> Written:
    """Write the page, or the folder of that name without its suffix; whole or not at all.

    A folder is written where `file` has no suffix, or where one page would be larger than `LARGEST`. Raises
    UsageError when no pair is chosen, or when there is something already or nothing can be written.
    """
    export = Export(paths, choose)
    if file.suffix and export.characters() <= LARGEST:
        _refuse(file, overwrite)
        data = export.page().encode("utf-8", "backslashreplace")
        if len(data) <= LARGEST:
            _write_page(file, data)
            return Written(export.pairs, file)
    folder = file.with_suffix("")
    _refuse(folder, overwrite)
    _write_folder(folder, export)
    return Written(export.pairs, folder / "index.html")


def _refuse(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise UsageError(f"{path} is there already", "name another file, or remove it")


def _write_page(file: Path, data: bytes) -> None:
    unfinished = file.with_name(file.name + ".part")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(file)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise UsageError(f"{file} can't be written ({error.strerror})", "name another file") from error


def _write_folder(folder: Path, export: Export) -> None:
    unfinished = folder.with_name(folder.name + ".part")
    try:
        (unfinished / PAIRS).mkdir(parents=True)
        for name, page in export.pages():
            (unfinished / name).write_bytes(page.encode("utf-8", "backslashreplace"))
        if folder.exists():
            shutil.rmtree(folder)
        unfinished.rename(folder)
    except OSError as error:
        raise UsageError(f"{folder} can't be written ({error.strerror})", "name another folder") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _policy(script: str, style: str) -> str:
    allowed = (f"{kind}-src 'sha256-{_hash(text)}'" for kind, text in (("script", script), ("style", style)))
    return "; ".join(("default-src 'none'", *allowed, "img-src data:", "form-action 'none'", "base-uri 'none'"))


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _grades(reader: RunReader, lines: Sequence[PairLine]) -> dict[str, list[Grade]]:
    wanted = {side.id for line in lines for side in line.sides}
    grades: dict[str, list[Grade]] = {}
    for grade in reader.grades():
        if grade.episode in wanted:
            grades.setdefault(grade.episode, []).append(grade)
    return grades


def _words(pair: _Exported) -> set[str]:
    """The words of everything said in a pair, in lower case: what a search in a folder finds it by."""
    said = [pair.line.scenario, pair.line.agent]
    for episode in (pair.view.first, pair.view.second):
        for message in episode.messages if episode else ():
            said += [message.text, *(thought.text or "" for thought in message.reasoning)]
            said += [f"{call.name} {call.arguments}" for call in message.calls]
    return set(re.findall(r"[^\W_]+", " ".join(said).lower()))
