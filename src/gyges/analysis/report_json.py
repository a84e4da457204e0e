"""The report as JSON, in the shape that other programs rely on. It knows no words and no plots."""

from __future__ import annotations

from collections.abc import Sequence

from gyges.analysis.result import Report


def to_json(reports: Sequence[Report]) -> str:
    """One object for one run, a list of such objects for several; ends with a newline. Never NaN."""
    if len(reports) == 1:
        return reports[0].model_dump_json(indent=2) + "\n"
    return "[" + ",\n".join(report.model_dump_json(indent=2) for report in reports) + "]\n"


def from_json(text: str) -> Report:
    """The report of one run. Raises pydantic's ValidationError for another shape."""
    return Report.model_validate_json(text)
