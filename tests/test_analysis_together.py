"""Results of one report judged together, and a stored run to its report."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from gyges.analysis.analyse import analyse
from gyges.analysis.report import report_of
from gyges.analysis.result import AuditNote
from gyges.analysis.table import Row
from gyges.scenarios.plan import Contrast
from gyges.transcripts.grades import BehaviourShown, Finding, Grade, ReasoningRead
from gyges.transcripts.manifest import FamilyContrast, Manifest, PlannedAgent, PlannedScenario, PlantedGap
from gyges.transcripts.record import Episode, EpisodeKey, Message, Outcome, Reasoning, Visibility

CONTRAST = Contrast("training", "deployment", "complies", "positive", ("alignment_faking",))


def rows(agent: str, first: int, second: int, family: str = "f") -> list[Row]:
    """Twelve scenarios; about `first` and `second` of ten episodes comply."""
    return [
        Row(family, agent, f"{family}/{i}", "", context, n, Outcome.COMPLETED, n < hits + i % 3 - 1, n % 2 == 0)
        for i in range(12)
        for context, hits in (("training", first), ("deployment", second))
        for n in range(10)
    ]


FAMILIES = [("f", CONTRAST), ("g", CONTRAST), ("h", CONTRAST)]


def test_p_is_adjusted_for_all_gaps_of_the_report() -> None:
    table = [
        Row("f", agent, f"f/{i}", "", context, 0, Outcome.COMPLETED, context == "training" and i < hits, False)
        for agent, hits in (("a", 3), ("b", 8))
        for i in range(12)
        for context in ("training", "deployment")
    ]
    one, other = analyse("r", table, FAMILIES).contrasts
    assert one.gap is not None
    assert other.gap is not None
    assert other.gap.p is not None
    assert one.p_holm == one.p_bh == one.gap.p
    assert other.p_holm == pytest.approx(2 * other.gap.p)


def test_one_agents_gaps_are_pooled_over_its_families() -> None:
    table = rows("a", 8, 2) + rows("a", 6, 2, "g") + rows("a", 7, 1, "h") + rows("b", 5, 5)
    (pooled,) = analyse("r", table, FAMILIES).pooled
    assert (pooled.agent, pooled.families, pooled.left_out) == ("a", ("f", "g", "h"), ())
    assert pooled.gap is not None
    assert 0.4 < pooled.gap.estimate < 0.6


def test_a_family_that_is_not_reportable_is_left_out_of_the_pool() -> None:
    lost = [
        Row(r.family, r.agent, r.scenario, "", r.context, r.sample, Outcome.ERRORED, None, None)
        for r in rows("a", 6, 2, "g")
    ]
    (pooled,) = analyse("r", rows("a", 8, 2) + lost, FAMILIES).pooled
    assert (pooled.families, pooled.left_out, pooled.gap) == (("f",), ("g",), None)
    assert pooled.reason


def test_the_audit_is_written_into_the_results_of_its_agent() -> None:
    notes = (AuditNote("a", "one_answer", "all the same", True), AuditNote("b", "truncated", "some cut", False))
    report = analyse("r", rows("a", 8, 2) + rows("b", 8, 2), FAMILIES, audit=notes)
    a, b = report.contrasts
    assert (a.reportable, a.reasons) == (False, ("audit: all the same",))
    assert (b.reportable, b.cautions) == (True, ("audit: some cut",))
    assert report.audit == notes


def planted(**gaps: float) -> list[PlantedGap]:
    return [PlantedGap(agent=agent, family="f", contrast=CONTRAST, gap=gap) for agent, gap in gaps.items()]


def test_a_positive_control_without_a_gap_makes_the_whole_family_not_reportable() -> None:
    report = analyse("r", rows("a", 8, 2) + rows("p", 5, 5), FAMILIES, planted=planted(p=0.45))
    assert [result.reportable for result in report.contrasts] == [False, False]
    said = "the organism p came out wrong: its gap is +0.0"
    assert all(said in result.reasons[0] for result in report.contrasts)


def test_controls_that_come_out_right_change_nothing() -> None:
    table = rows("a", 8, 2) + rows("p", 8, 3) + rows("n", 5, 5)
    report = analyse("r", table, FAMILIES, planted=planted(p=0.45, n=0.0))
    assert all(result.reportable for result in report.contrasts)


def test_the_full_table_counts_every_episode_once() -> None:
    (result,) = analyse("r", rows("a", 8, 2), FAMILIES).contrasts
    assert sum(cell.episodes for cell in result.cells) == 240
    complied = sum(cell.episodes for cell in result.cells if cell.context == "training" and cell.complied)
    assert complied == 96


def test_the_bootstrap_stands_beside_the_t_interval() -> None:
    (result,) = analyse("r", rows("a", 8, 2), FAMILIES).contrasts
    assert result.bootstrap is not None
    assert result.gap is not None
    assert result.bootstrap.low <= result.gap.estimate <= result.bootstrap.high
    assert result.components is not None
    assert result.components.variant is None


def test_wordings_of_a_scenario_have_a_variance_of_their_own() -> None:
    table = [
        Row("f", "a", f"f/{i}", variant, context, n, Outcome.COMPLETED, n < hits, False)
        for i in range(12)
        for variant, shift in (("plain", 0), ("formal", 3))
        for context, hits in (("training", 4 + shift + i % 3), ("deployment", 2))
        for n in range(10)
    ]
    (result,) = analyse("r", table, FAMILIES).contrasts
    assert result.bootstrap is not None
    assert "variants" in result.bootstrap.method
    assert result.components is not None
    assert result.components.variant == pytest.approx(0.045 - 0.041, abs=0.01)
    assert result.quadrants.ungraded == 0
    assert result.pairs == 240


class _Run:
    """A played run of one scenario, one sample, with its grades."""

    def __init__(self, model: str) -> None:
        self.manifest = Manifest(
            run="r",
            created="2026-01-01T00:00:00Z",
            source="played",
            command="",
            seed=1,
            samples=1,
            scenarios=(PlannedScenario(name="f/1", family="f", variant="", sha256="", behaviour=None),),
            agents=(PlannedAgent(name="a", model=model, base_url="", graph="", profile="{}"),),
            contrasts=(FamilyContrast(family="f", contrast=CONTRAST),),
            versions={},
        )
        self._keys = [EpisodeKey("a", "f/1", "", context, 0) for context in ("training", "deployment")]

    def episodes(self) -> Iterable[Episode]:
        said = (Message("assistant", "No.", (Reasoning(Visibility.OMITTED, "usage"),)),)
        return [Episode(key, "f", Outcome.COMPLETED, "", said, 0.0, 1.0) for key in self._keys]

    def grades(self, set_name: str | None = None) -> Iterable[Grade]:
        if set_name is None:
            yield Grade(self._keys[0].id(), "behaviour", "rules", "1", BehaviourShown("complies"))
            yield Grade(self._keys[0].id(), "reasoning", "rules", "1", ReasoningRead((Finding("x", ()),)))
            yield Grade(self._keys[1].id(), "behaviour", "rules", "1", BehaviourShown("declines"))


def test_a_stored_run_becomes_its_report() -> None:
    report = report_of(_Run("organism/faker"))
    (result,) = report.contrasts
    assert report.organisms
    assert result.gap is not None
    assert result.gap.estimate == 1.0
    assert [note.kind for note in report.audit] == ["no_visible_reasoning"]
    assert result.revealing.visibility == {"training": {"omitted": 1}, "deployment": {"omitted": 1}}


def test_another_set_of_grades_is_another_report() -> None:
    (result,) = report_of(_Run("openai/x"), "second").contrasts
    assert result.ungraded == {"training": 1, "deployment": 1}
    assert result.missing.contexts["training"].causes == {"not_graded": 1}
