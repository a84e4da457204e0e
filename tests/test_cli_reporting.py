"""The report beside a run goes by its newest grades and says so; older ones are asked for by name."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.conftest import Shown, Study
from tests.test_batch_stop import run_of


def test_grading_again_makes_the_report_anew_and_each_form_says_by_which_grades(
    study: Study, gyges: Callable[..., Shown]
) -> None:
    assert gyges("run", "walks", "--agent", "faker").code == 0
    path = run_of(study)
    page, figures = path.with_suffix(".html"), path.with_suffix(".json")
    first = json.loads(figures.read_text(encoding="utf-8"))["provenance"]["grade_set"]
    assert f"by the grades {first}" in page.read_text(encoding="utf-8")
    shown = gyges("grade", path.stem, "--grader", "rules:motives")
    assert shown.code == 0, shown.err
    newest = json.loads(figures.read_text(encoding="utf-8"))["provenance"]["grade_set"]
    assert newest != first
    assert f"go by {newest}, the newest" in shown.out
    assert f"by the grades {newest}" in page.read_text(encoding="utf-8")
    assert gyges("verify", path.stem).code == 0
    older = gyges("report", path.stem, "--grades", first)
    assert older.out.startswith(f"run {path.stem}, by the grades {first}\n")
    assert f"by the grades {newest}" in page.read_text(encoding="utf-8")
