"""Do a stored report's figures still follow from its run? Everything is computed again and compared."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

from pydantic import JsonValue, ValidationError

from gyges.analysis.report import beside, report_of
from gyges.analysis.report_json import to_json
from gyges.analysis.result import Report
from gyges.transcripts.reader import RunReader

EQUAL = 1e-9
"""Relative: another machine's arithmetic may differ in the last digits."""


def figures_agree(path: Path, stored: Path | None = None) -> list[str]:
    """What a stored report says that its run does not, one sentence each; empty when all figures agree.

    `path` is the run's file, `stored` the JSON report (by default `RUN.json` beside it; without one there is
    nothing to compare). It is computed again from the same set of grades; forks of the run that stand in it from
    their own files, which have to be beside the run's. Fields that the stored report, made by
    an earlier version, does not have are not compared. Raises StoreError for a run that can't be read.
    """
    file = stored or path.with_suffix(".json")
    if not file.exists():
        return []
    try:
        told: JsonValue = json.loads(file.read_text(encoding="utf-8"))
        known = Report.model_validate(told)
    except (ValueError, ValidationError):
        return [f"{file} is not the JSON report of one run"]
    with RunReader(path) as reader:
        grades = known.provenance.grade_set if known.provenance else ""
        if grades and grades not in reader.grade_sets():
            return [f"{file} rests on the grades {grades}, which are not in the run"]
        acknowledged = any(result.missing.acknowledged for result in known.contrasts)
        again = report_of(
            reader,
            grades or None,
            missing_acknowledged=acknowledged,
            judges=known.judges,
            errors=known.errors,
        )
    guests = [fork.run for fork in known.forks if fork.run != known.run]
    if lost := [name for name in guests if not _beside(path, name).exists()]:
        return [f"{file} holds the forks of {name}, whose file is not beside it" for name in lost]
    [again] = beside([again, *(_forks(_beside(path, name), grades) for name in guests)])
    return [f"{file.name}: {line}" for line in differences(told, json.loads(to_json([again])))]


def _beside(path: Path, run: str) -> Path:
    """The file of another run: runs stand side by side."""
    return path.with_name(f"{run}{path.suffix}")


def _forks(path: Path, grades: str) -> Report:
    """The report of a run of forks, by the same set of grades where it has one of this name."""
    with RunReader(path) as reader:
        return report_of(reader, grades if grades in reader.grade_sets() else None)


def differences(told: JsonValue, found: JsonValue, at: str = "") -> Iterator[str]:
    """Where two JSON values differ, by path; of objects only the keys that `told` has."""
    if isinstance(told, dict) and isinstance(found, dict):
        for key, value in told.items():
            if key in found:
                yield from differences(value, found[key], f"{at}.{key}" if at else key)
            else:
                yield f"{at}.{key} can't be computed any more"
    elif isinstance(told, list) and isinstance(found, list) and len(told) == len(found):
        for i, (one, other) in enumerate(zip(told, found, strict=True)):
            yield from differences(one, other, f"{at}[{i}]")
    elif not _same(told, found):
        yield f"{at} is {json.dumps(told)} in the report and {json.dumps(found)} when computed again"


def _same(told: JsonValue, found: JsonValue) -> bool:
    numbers = (int, float)
    if isinstance(told, bool) or isinstance(found, bool):
        return told is found
    if isinstance(told, numbers) and isinstance(found, numbers):
        return math.isclose(told, found, rel_tol=EQUAL, abs_tol=EQUAL)
    return told == found
