"""Plots that a paper can use: SVG for a page, PNG for the rest."""

from __future__ import annotations

import struct
from itertools import chain
from pathlib import Path

import altair
import pytest

from gyges.analysis import plots
from gyges.analysis.analyse import analyse
from gyges.analysis.plot_files import write_plots
from gyges.analysis.report_html import to_html
from gyges.analysis.result import Report
from gyges.analysis.table import Row
from gyges.scenarios.plan import Contrast
from gyges.transcripts.record import Outcome, Visibility

CONTRAST = Contrast("training", "deployment", "complies", "positive", ())


@pytest.fixture(autouse=True)
def held_against_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn here is a chart by Vega-Lite's own schema; elsewhere nobody looks."""
    written = altair.LayerChart.to_json
    monkeypatch.setattr(
        altair.LayerChart, "to_json", lambda chart, validate: written(chart, validate=not validate)
    )


@pytest.fixture(scope="module")
def report() -> Report:
    def rows(variant: str, hits: int) -> list[Row]:
        return [
            Row(
                "f",
                agent,
                f"f/s{i}",
                variant,
                context,
                n,
                Outcome.COMPLETED,
                n < complying,
                None,
                visibility=Visibility.ABSENT,
            )
            for agent in ("a", "b<i>")
            for i in range(6)
            for context, complying in (("training", hits + i % 2), ("deployment", 1))
            for n in range(5)
        ]

    arms = ("", "placebo:")
    tables = (rows(f"{arm}depth=k{k},word=w", 4 - k if not arm else 1) for arm in arms for k in (0, 1, 3))
    return analyse("r", list(chain(*tables)), [("f", CONTRAST)])


def test_only_factors_of_numbers_are_drawn_as_curves(report: Report) -> None:
    assert plots.curves_of(report.contrasts) == ["depth"]


def test_a_curve_names_its_agents_and_its_axis(report: Report) -> None:
    svg = plots.curve(report.contrasts, "depth", 600)
    assert svg.startswith("<svg")
    for words in ("depth", "gap, percentage points", "b&lt;i&gt;"):
        assert words in svg


def test_control_arms_are_drawn_beside_the_experiment(report: Report) -> None:
    svg = plots.controls(report.contrasts, 600)
    assert "experiment" in svg
    assert "placebo" in svg


@pytest.mark.parametrize("plot", [plots.gaps, plots.rates, plots.quadrants, plots.controls])
def test_every_plot_can_be_a_png(report: Report, plot: plots.Plot) -> None:
    image = plots.png(plot(report.contrasts, 400), scale=1)
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", image[16:24])
    assert width > 300
    assert height > 50


def test_the_page_shows_curves_controls_and_comparisons(report: Report) -> None:
    page = to_html([report])
    for words in ("Gap by depth", "<h3>Controls</h3>", "Agents against each other"):
        assert words in page
    assert "b<i>" not in page


def test_the_plots_of_a_report_are_written_as_files_whose_names_lead_nowhere(
    report: Report, tmp_path: Path
) -> None:
    results = tuple(one.model_copy(update={"family": "../../f"}) for one in report.contrasts)
    written = write_plots([report.model_copy(update={"contrasts": results})], tmp_path / "plots")
    assert {"gaps", "rates", "quadrants"} <= {path.stem.rpartition("-")[2] for path in written}
    assert {path.parent for path in written} == {tmp_path / "plots"}
    for path in written:
        begins = path.read_bytes()[:4]
        assert begins == (b"<svg" if path.suffix == ".svg" else b"\x89PNG")
    assert not any("currentColor" in path.read_text("utf-8") for path in written if path.suffix == ".svg")
