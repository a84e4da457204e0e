"""Grade a stored run into a new set of grades. Earlier sets are never touched; nothing is played."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from gyges.grading.default import default_graders, grade
from gyges.scenarios.plan import Behaviour
from gyges.transcripts.grades import Grade
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.reader import RunReader
from gyges.transcripts.store import RunWriter

GROUP = 500
"""Grades handed to the store at once."""


@dataclass(frozen=True, slots=True)
class Made:
    """The new set: its name, how many episodes it covers and how many grades are in it."""

    name: str
    episodes: int
    grades: int


def grade_run(path: Path) -> Made:
    """Grade every episode of the run with the default graders. Raises StoreError where the run can't be used."""
    return asyncio.run(_grade_run(path))


async def _grade_run(path: Path) -> Made:
    with RunWriter.open(path) as writer, RunReader(path) as reader:
        manifest = reader.manifest
        name = f"set-{len(reader.grade_sets()) + 1}"
        graders = default_graders(manifest.behaviour or None, manifest.options)
        made = grade(reader.episodes(), behaviours(manifest), graders)
        count = 0
        for group in grouped(made):
            await writer.grades(group, name)
            count += len(group)
        return Made(name, reader.count(), count)


def behaviours(manifest: Manifest) -> dict[tuple[str, str], Behaviour]:
    """What to look for, by scenario and variant, as it was when the run began."""
    return {
        (planned.name, planned.variant): planned.behaviour
        for planned in manifest.scenarios
        if planned.behaviour is not None
    }


def grouped(grades: Iterator[Grade]) -> Iterator[list[Grade]]:
    while group := list(islice(grades, GROUP)):
        yield group
