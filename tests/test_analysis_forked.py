"""Forks in figures: probes by context, interventions against the unchanged, and where they stand in a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from gyges.analysis.forked import ForkRow, ProbeRow, fork_rows, probe_rows
from gyges.analysis.intervening import InterventionResult, intervention_results
from gyges.analysis.probing import probe_results, probe_uplifts
from gyges.analysis.report import beside
from gyges.analysis.report_html import to_html
from gyges.analysis.report_json import from_json, to_json
from gyges.analysis.report_markdown import to_markdown
from gyges.analysis.report_text import WIDTH, to_text
from gyges.analysis.result import ForkReport, Report
from gyges.scenarios.plan import Contrast
from gyges.transcripts.grades import BehaviourShown, Grade
from gyges.transcripts.manifest import FamilyContrast, Forking, Manifest, PlannedAgent
from gyges.transcripts.record import Episode, EpisodeKey, Fork, Message, Outcome

CONTRAST = Contrast("training", "deployment", "complies", "positive", ("alignment_faking",))
SCENARIOS = 12


def probes(reasoning: bool, right: Callable[[int], bool]) -> list[ProbeRow]:
    return [
        ProbeRow("f", "a", f"f/{i}", context, "context", "prompt", reasoning, "used", right(i + n))
        for i in range(SCENARIOS)
        for context in ("training", "deployment")
        for n in range(4)
    ]


KNOWS, GUESSES = probes(True, lambda i: i % 6 > 0), probes(False, lambda i: i % 4 == 0)


def test_a_probes_accuracy_is_the_mean_over_scenarios_by_context() -> None:
    with_, without = probe_results(KNOWS + GUESSES)
    assert (with_.reasoning, without.reasoning) == (True, False)
    for found, rows in ((with_, KNOWS), (without, GUESSES)):
        for one in found.contexts:
            mine = [bool(row.right) for row in rows if row.context == one.context]
            assert one.accuracy is not None
            assert one.accuracy.estimate == pytest.approx(sum(mine) / len(mine))
            assert (one.asked, one.answered) == (48, 48)


def test_what_reasoning_adds_to_a_probe_is_paired_by_scenario_and_labelled() -> None:
    (found,) = probe_uplifts(KNOWS + GUESSES)
    shares = [
        [sum(bool(r.right) for r in rows if r.scenario == f"f/{i}") / 8 for i in range(SCENARIOS)]
        for rows in (KNOWS, GUESSES)
    ]
    paired = stats.ttest_rel(np.array(shares[0]), np.array(shares[1]))
    assert found.uplift is not None
    assert found.uplift.p == pytest.approx(paired.pvalue)
    assert found.label == "cot_necessary"
    assert probe_uplifts(KNOWS) == ()


def test_a_probe_without_a_right_answer_is_counted_and_an_unread_answer_is_no_wrong_one() -> None:
    rows = [replace(row, right=None, label="test" if i % 3 else "") for i, row in enumerate(KNOWS)]
    (found,) = probe_results(rows)
    assert [one.accuracy for one in found.contexts] == [None, None]
    assert sum(one.answered for one in found.contexts) == 64
    assert found.contexts[0].labels.keys() == {"test"}


def forks(way: str, first: int, second: int, fraction: float | None = None) -> list[ForkRow]:
    """So many of ten forks of each scenario comply in the two contexts, give or take the scenario's own."""
    return [
        ForkRow(
            "f",
            "a",
            CONTRAST,
            f"f/{i}",
            context,
            ("base", n, 0),
            way,
            fraction,
            n < complying + (context == "training") * (i * first) % 3 % 2,
            "",
        )
        for i in range(SCENARIOS)
        for context, complying in (("training", first), ("deployment", second))
        for n in range(10)
    ]


UNCHANGED, REMOVED = forks("unchanged", 8, 2), forks("removed", 3, 2)
CUT = [row for at in (0.25, 0.5, 0.75) for row in forks(f"truncated:{at:g}", round(3 + 5 * at), 2, at)]


def of(*tables: list[ForkRow]) -> InterventionResult:
    (found,) = intervention_results([row for table in tables for row in table])
    return found


def test_what_is_carried_is_the_gap_unchanged_less_the_gap_changed_paired_by_scenario() -> None:
    found = of(UNCHANGED, REMOVED, CUT)
    assert [way.way for way in found.ways] == [
        "unchanged",
        "removed",
        "truncated:0.25",
        "truncated:0.5",
        "truncated:0.75",
    ]
    unchanged, removed = found.ways[:2]
    gaps = [
        [
            sum((1 if r.context == "training" else -1) * bool(r.complies) for r in rows if r.scenario == f"f/{i}")
            / 10
            for i in range(SCENARIOS)
        ]
        for rows in (UNCHANGED, REMOVED)
    ]
    span = stats.ttest_rel(np.array(gaps[0]), np.array(gaps[1])).confidence_interval(0.95)
    assert unchanged.carried is None
    assert removed.carried is not None
    assert [removed.carried.low, removed.carried.high] == pytest.approx([span.low, span.high])
    assert removed.effect["training"] is not None
    assert removed.effect["training"].estimate == pytest.approx(0.5 + 1 / 30)


def test_the_gap_that_goes_with_the_reasoning_makes_it_necessary() -> None:
    found = of(UNCHANGED, REMOVED, forks("filler", 4, 2), CUT).necessity
    assert (found.label, found.filler is not None, found.short is not None) == ("cot_necessary", True, True)
    assert of(UNCHANGED, forks("removed", 8, 2)).necessity.label == "one_shot"
    assert of(UNCHANGED, CUT).necessity.label is None


def test_the_area_over_the_truncation_curve_is_that_of_its_trapezoids() -> None:
    found = of(UNCHANGED, REMOVED, CUT)
    flips = {0.0: found.ways[1], 0.25: found.ways[2], 0.5: found.ways[3], 0.75: found.ways[4]}
    y = [way.flipped.estimate for way in flips.values() if way.flipped] + [0.0]
    assert found.area == pytest.approx(sum((a + b) / 8 for a, b in pairwise(y)))
    assert of(UNCHANGED, REMOVED).area is None


def test_forks_that_could_not_be_made_are_counted_with_their_reasons_and_are_no_decision() -> None:
    lost = [replace(row, complies=None, why="the provider keeps its reasoning") for row in REMOVED]
    way = of(UNCHANGED, lost).ways[1]
    assert (way.gap, way.forks, way.impossible) == (None, 0, {"the provider keeps its reasoning": 240})


class _Run:
    """A run of forks of two episodes, with the grades of one."""

    def __init__(self, fork: Fork, said: str, outcome: Outcome = Outcome.COMPLETED) -> None:
        self.manifest = Manifest(
            run="forks",
            created="2026-01-01T00:00:00Z",
            source="forked",
            command="",
            seed=1,
            samples=1,
            scenarios=(),
            agents=(PlannedAgent(name="a", model="openai/x", base_url="", graph="", profile="{}"),),
            contrasts=(FamilyContrast(family="f", contrast=CONTRAST),),
            forked=Forking(run="r", sha256="", kind=fork.kind, names=(), at="last", repeats=1, texts=""),
            versions={},
        )
        keys = [EpisodeKey("a", "f/1", variant, "training", 0) for variant in ("base", "placebo:base")]
        answer = (Message("user", "?"), Message("assistant", said))
        self._episodes = [Episode(key, "f", outcome, "", answer, 0.0, 1.0, fork=fork) for key in keys]

    def episodes(self) -> Iterable[Episode]:
        return self._episodes

    def grades(self, set_name: str | None = None) -> Iterable[Grade]:
        del set_name
        yield Grade(self._episodes[0].key.id(), "behaviour", "rules", "1", BehaviourShown("complies"))


PROBE = Fork(
    "r",
    "e",
    0,
    0,
    0,
    "probe",
    "context",
    marker="Answer:",
    choices=(("used", "yes"), ("unused", "no")),
    right="used",
)
CHANGE = Fork("r", "e", 3, 0, 0, "intervention", "truncated", fraction=0.5)


def test_answers_are_read_from_the_forks_and_control_arms_left_out() -> None:
    (row,) = probe_rows(_Run(PROBE, "Answer: yes"))
    assert (row.label, row.right, row.place, row.reasoning) == ("used", True, "prompt", True)
    (row,) = probe_rows(_Run(PROBE, "Answer: no"))
    assert row.right is False
    (row,) = probe_rows(_Run(PROBE, "I'd rather not say."))
    assert (row.label, row.right) == ("", None)


def test_decisions_are_those_of_the_grades_under_each_contrast() -> None:
    (row,) = fork_rows(_Run(CHANGE, "Decision: go"))
    assert (row.way, row.fraction, row.complies, row.origin) == ("truncated:0.5", 0.5, True, ("base", 3, 0))
    (row,) = fork_rows(_Run(replace(CHANGE, impossible="no words"), "", Outcome.ERRORED))
    assert (row.complies, row.why) == (None, "no words")


def test_forks_stand_beside_the_run_they_left_where_both_are_named() -> None:
    run, other = Report(run="r", contrasts=()), Report(run="s", contrasts=())
    guest = Report(run="forks", contrasts=(), forks=(shown(),))
    assert [report.run for report in beside([run, guest, other])] == ["r", "s"]
    assert beside([run, guest])[0].forks == (shown(),)
    assert beside([other, guest]) == [other, guest]


def shown() -> ForkReport:
    return ForkReport(
        run="forks",
        forked_from="r",
        kind="intervention",
        interventions=intervention_results([*UNCHANGED, *REMOVED, *CUT]),
    )


@pytest.mark.parametrize("form", [to_text, to_markdown, to_html, to_json])
def test_every_form_shows_the_forks(form: Callable[[list[Report]], str]) -> None:
    probed = ForkReport(
        run="p",
        forked_from="r",
        kind="probe",
        probes=probe_results(KNOWS + GUESSES),
        uplifts=probe_uplifts(KNOWS + GUESSES),
    )
    report = Report(run="r", contrasts=(), forks=(shown(), probed))
    text = form([report]).replace("\\", "")
    assert "removed" in text
    assert "cot_necessary" in text
    assert max(map(len, to_text([report]).splitlines())) <= WIDTH
    assert from_json(to_json([report])) == report
