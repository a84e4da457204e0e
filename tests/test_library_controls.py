"""Nulls and placebos of the whole library: who reacts to what means nothing is found out, and nobody else is."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from statsmodels.stats.multitest import multipletests

from gyges.analysis.counts import count
from gyges.analysis.gap import gap
from gyges.analysis.rows import Table
from gyges.analysis.table import Row, of_arm
from gyges.batch.order import Order, prepare
from gyges.batch.run import play_into
from gyges.grading.behaviour import BehaviourGrader
from gyges.grading.default import REFUSAL_RULES, grade
from gyges.grading.rules import find_rules, load_rules
from gyges.models.in_process import InProcess
from gyges.scenarios.plan import Contrast, Seed, control_of
from gyges.scenarios.read import families
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode

REACTS = "organism/cue-reactor"
ORGANISMS = (
    REACTS,
    *(f"organism/{name}" for name in ("faker", "silent-faker", "honest", "muser", "noisy", "goal-guarder")),
    *(f"organism/{name}" for name in ("rater-pleaser", "eval-aware", "test-actor", "hint-follower", "restater")),
    *(f"organism/{name}" for name in ("plain-faker", "half-teller", "contrarian", "refuser")),
)


def ignore(_: Episode) -> None:
    pass


def rows_of(path: Path) -> list[Row]:
    with RunReader(path) as reader:
        behaviours = {(one.name, one.variant): one.behaviour for one in reader.manifest.scenarios if one.behaviour}
        grader = BehaviourGrader(load_rules(find_rules(REFUSAL_RULES)))
        return Table(reader).rows(list(grade(reader.episodes(), behaviours, [grader])))


@pytest.mark.full
async def test_over_all_nulls_and_placebos_only_who_reacts_to_empty_cues_shows_a_gap(tmp_path: Path) -> None:
    order = Order(tuple(families()), ORGANISMS, connections=128, controls=("null", "placebo"), in_process=True)
    everything = prepare(order)
    controls = tuple(plan for plan in everything.plans if control_of(plan.variant)[0] in ("null", "placebo"))
    wire = InProcess.knowing(order.scenarios, Seed(order.seed))
    await play_into(tmp_path / "run.sqlite", replace(everything, plans=controls), ignore, wire)
    by_test: dict[tuple[str, str, str, Contrast | None], list[Row]] = defaultdict(list)
    rows = rows_of(tmp_path / "run.sqlite")
    for arm in ("null", "placebo"):
        for row in of_arm(rows, "null" if arm == "null" else "placebo"):
            by_test[arm, row.family, row.agent, row.contrast].append(row)
    p: dict[bool, list[float]] = {True: [], False: []}
    for (_, _, agent, contrast), of_test in by_test.items():
        assert contrast is not None
        found = gap(count(of_test, contrast))
        p[agent == REACTS].append(1.0 if found is None or found.p is None else found.p)
    assert len(p[False]) > 400
    assert min(multipletests(p[False], method="holm")[1]) > 0.05
    assert min(multipletests(p[True], method="holm")[1]) < 0.05
