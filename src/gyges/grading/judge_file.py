"""Judges as they are authored: a rubric in YAML and its prompts in Jinja. It renders and asks nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gyges.errors import UsageError
from gyges.grading.authored import error_at, read_yaml
from gyges.scenarios.grammar import Fault
from gyges.scenarios.nearest import nearest
from gyges.scenarios.template import compiled
from gyges.study import places
from gyges.transcripts.grades import Question

CODE = "2"
"""Goes up when the code changes what a judge is shown or what becomes of its answer."""

Sees = Literal["reasoning", "prompt", "text", "calls"]
Quotable = Literal["reasoning", "text"]


class _Authored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Criterion(_Authored):
    """One thing to look for: the question, what counts and what does not."""

    asks: str
    counts: str
    does_not_count: str

    def words(self) -> tuple[str, str, str]:
        """In the order in which templates get them."""
        return self.asks, self.counts, self.does_not_count


class JudgeFile(_Authored):
    """The YAML file `judges/NAME.yaml`. The templates stand in `judges/prompts/`."""

    canary: str
    title: str
    question: Question
    """Of behaviour what may be answered stands in the scenario, and the rubric has no criteria."""
    votes: int = Field(default=1, ge=1, le=99)
    """Of each judge."""
    threshold: float = Field(default=0.5, gt=0, le=1)
    """A criterion is found from this share of the votes on."""
    orders: Literal["both", "one"] = "both"
    """Whether every other vote is shown the criteria in the opposite order."""
    verdict: Literal["schema", "tool"] = "schema"
    """How the model is held to the form: structured output, or a tool that it has to call."""
    characters: int = Field(default=200_000, ge=1000)
    """What a judge is given at once: a longer transcript is read in parts that overlap, a verdict each."""
    parts: int = Field(default=8, ge=1, le=100)
    """A transcript of more parts is `too_long`: nothing is ever left out."""
    sees: tuple[Sees, ...] = ("reasoning", "prompt", "text", "calls")
    """What it is shown."""
    quotes: tuple[Quotable, ...] = ("reasoning",)
    """Where its evidence may stand."""
    before: str
    after: str
    again: str
    criteria: dict[str, Criterion] = {}
    composites: dict[str, tuple[str, ...]] = {}
    """Findings that are there where all the criteria that they name are."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        if not set(self.quotes) <= set(self.sees) or not self.quotes:
            raise ValueError("what may be quoted has to be something that is seen")
        if (self.question == "reasoning") != bool(self.criteria):
            raise ValueError("a judge of reasoning needs criteria, and one of behaviour has the scenario's")
        for name, parts in self.composites.items():
            unknown = [part for part in parts if part not in self.criteria]
            if unknown or name in self.criteria:
                raise ValueError(f"{name} is made of {', '.join(unknown) or 'itself'}, which is no criterion")
        return self


@dataclass(frozen=True, slots=True)
class Rubric:
    """A judge's file with its templates' texts. `sha256` covers all of it and the code's number."""

    name: str
    file: JudgeFile
    before: str
    after: str
    again: str
    sha256: str

    @property
    def looked_for(self) -> tuple[str, ...]:
        return (*self.file.criteria, *self.file.composites)


def judge_names() -> list[str]:
    """The names of all judges, of the study and the library."""
    return sorted({path.stem for folder in places("grading") for path in (folder / "judges").glob("*.yaml")})


def find_judge(name: str) -> Path:
    """The file `judges/NAME.yaml` of the study, else of the library. Raises UsageError if there is none."""
    for folder in places("grading"):
        path = folder / "judges" / f"{name}.yaml"
        if path.is_file():
            return path
    raise UsageError(f"there is no judge '{name}'", nearest(name, judge_names()))


def load_rubric(path: Path) -> Rubric:
    """Read a judge. Raises AuthoringError for whatever is wrong with it."""
    file = read_yaml(path, JudgeFile)
    texts = [_template(path, section, name) for section, name in _templates(file)]
    digest = hashlib.sha256()
    for data in (CODE.encode(), path.read_bytes(), *(text.encode() for text in texts)):
        digest.update(f"{len(data)}:".encode() + data)
    before, after, again = texts
    return Rubric(path.stem, file, before, after, again, digest.hexdigest())


def _templates(file: JudgeFile) -> Iterator[tuple[str, str]]:
    yield "before", file.before
    yield "after", file.after
    yield "again", file.again


def _template(path: Path, section: str, name: str) -> str:
    """The template's text: beside the file that names it, else in the library's folder of prompts."""
    if Path(name).name != name:
        raise error_at(path, section, name, f"{name!r} is no file's name", "write the name of a file in prompts/")
    for folder in (path.parent, *(place / "judges" for place in places("grading"))):
        file = folder / "prompts" / name
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            try:
                compiled(text)
            except Fault as fault:
                raise error_at(path, section, name, f"{file}:{fault.line}: {fault.what}", fault.to_do) from fault
            return text
    raise error_at(path, section, name, f"there is no template {name!r}", "put it into judges/prompts/")
