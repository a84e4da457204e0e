"""The result of a contrast and the report of a run, as values and as JSON. It computes nothing.

The JSON that other programs rely on stands in the design notes and in docs; fields are only ever added. What can't
be computed is None, with its reason in `reasons`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from gyges.analysis.bootstrap import Bootstrap, Components
from gyges.analysis.by_grader import ByGrader
from gyges.analysis.compare import Comparison, Ladder
from gyges.analysis.controls import Control
from gyges.analysis.depth import DepthCurve
from gyges.analysis.factors import FactorGaps
from gyges.analysis.hints import HintFaithfulness, LeastFaithful
from gyges.analysis.interval import Estimate, Widened
from gyges.analysis.intervening import InterventionResult
from gyges.analysis.judge_error import Calibration, Corrected
from gyges.analysis.looking import LookNow
from gyges.analysis.organisms import CheckedFigure
from gyges.analysis.pooled import RandomEffects
from gyges.analysis.probing import ProbeResult, ProbeUplift
from gyges.analysis.provenance import Provenance
from gyges.analysis.quadrants import Quadrants
from gyges.transcripts.grades import Question

ORGANISM = "organism/"
"""How the model of a scripted agent begins."""


@dataclass(frozen=True, slots=True)
class AuditNote:
    """Something that the audit found of an agent. One that `blocks` makes the agent's results not reportable."""

    agent: str
    kind: str
    text: str
    blocks: bool


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Bounds(_Value):
    """The gap if every missing episode were at its worst, both ways."""

    low: float
    high: float


class MissingInContext(_Value):
    """Episodes without a graded behaviour, of all planned."""

    missing: int
    planned: int
    share: float | None
    causes: dict[str, int]


class MissingData(_Value):
    """What is missing, whether it differs between the contexts, and what it could do."""

    contexts: dict[str, MissingInContext]
    fisher_p: float
    differential: bool
    bounds: Bounds | None
    acknowledged: bool


class SinglePairs(_Value):
    """Complete pairs by behaviour. `p`, `low`, `high` are None where a scenario has several: `reason` says so."""

    both: int
    first_only: int
    second_only: int
    neither: int
    p: float | None
    low: float | None
    high: float | None
    method: str
    reason: str


class ByVisibility(_Value):
    """The first context's episodes of one visibility of reasoning: `seen` of `read` reveal."""

    seen: int
    read: int
    episodes: int


class JudgeCorrected(_Value):
    """Figures corrected for the errors of their judges; None where that judge has no calibration.

    `gap` and each context's `rate` by the behaviour's judge; `reveals`, the first context's rate, by the
    reasoning's, with the share of its positives that are right at the corrected rate (`predictive_value`);
    `revealed_gap` and `silent_gap` by both, or by the reasoning's alone where the other has no calibration.
    """

    gap: Corrected | None
    reveals: Corrected | None
    predictive_value: float | None
    rate: dict[str, Corrected | None] = {}
    revealed_gap: Corrected | None = None
    silent_gap: Corrected | None = None
    judges: dict[Question, Calibration] = {}
    """What is known of the errors that were undone."""
    told: tuple[str, ...] = ()
    """By which labels they are known, and what these are like."""


class Coverage(_Value):
    """How much of one context's reasoning was read: `read` of `episodes`, and why the others were not (`unread`).

    `legible` is the mean share of their visible reasoning that a reader could follow; None where nobody measured
    it. What the provider summarised, omitted or redacted is no part of it.
    """

    read: int
    episodes: int
    legible: float | None
    unread: dict[str, int]


class Revealing(_Value):
    """How often the first context's reasoning reveals: `seen` of `read` episodes that could be read.

    `rate` is the mean over scenarios. Where none was seen, `upper` is the one-sided 95% exact bound with
    n = scenarios, which holds however alike a scenario's episodes are; `upper_independent` takes the `read`
    episodes as independent, and `rule_of_three` is its usual approximation, 3 / `read`.
    """

    seen: int
    read: int
    episodes: int
    rate: Estimate | None
    upper: float | None
    upper_independent: float | None
    rule_of_three: float | None
    unread: dict[str, int]
    visibility: dict[str, dict[str, int]]
    """For each context: episodes by the visibility of their reasoning, where it is known."""
    by_visibility: dict[str, ByVisibility] = {}
    """How often each visibility reveals, in the first context: a summary tells less than the words do."""
    coverage: dict[str, Coverage] = {}
    """For each context."""


class Cell(_Value):
    """Episodes of one context by what they did: `complied`, `revealed`; None is ungraded or unread."""

    context: str
    complied: bool | None
    revealed: bool | None
    episodes: int


class PooledGap(_Value):
    """One agent's gap over several families. None with `reason` where fewer than two families can be pooled."""

    agent: str
    contrast: tuple[str, str]
    families: tuple[str, ...]
    left_out: tuple[str, ...]
    gap: RandomEffects | None
    reason: str


class ContrastResult(_Value):
    """One agent on one family's contrast. Gaps are shares between -1 and 1; a page shows percentage points.

    `rate` is over the scenarios that enter the gap, so that the difference of the two rates is the gap; where no
    scenario does, over all that have a graded episode in that context. `reasons` says why figures are None and,
    last, why the result is not reportable (`not_reportable_because`). `p_holm` and `p_bh` are the gap's p adjusted
    for all gaps of the report; `bootstrap` cross-checks its interval; `components` splits its variance.
    """

    family: str
    agent: str
    model: str
    contrast: tuple[str, str]
    target: str
    reveals: tuple[str, ...]
    expected_sign: Literal["positive", "negative", "either"]
    scenarios: int
    scenarios_in_gap: int
    scenarios_dropped: tuple[str, ...]
    pairs: int
    rate: dict[str, float | None]
    rate_interval: dict[str, Estimate | None]
    gap: Estimate | None
    p_holm: float | None = None
    p_bh: float | None = None
    bootstrap: Bootstrap | None
    widened: Widened | None = None
    """The gap's interval, widened for scenarios unlike those seen: a cross-check where there are few."""
    over_wordings: Estimate | None = None
    """The gap with an interval that holds for other wordings too; None where too few were played."""
    components: Components | None
    revealed_gap: Estimate | None
    silent_gap: Estimate | None
    unread_gap: Estimate | None
    quadrants: Quadrants
    cells: tuple[Cell, ...]
    controls: tuple[Control, ...] = ()
    factors: tuple[FactorGaps, ...] = ()
    depth: DepthCurve | None = None
    corrected: JudgeCorrected | None = None
    """None where no judge has a calibration."""
    look: LookNow | None = None
    """Where the plan declared looks at the growing run."""
    graded_by: dict[Question, str] = {}
    """For each question the grader and its version that figures go by; empty where the grades do not say."""
    by_grader: tuple[ByGrader, ...] = ()
    """By each grader, where several answered a question: the range over graders."""
    hint: HintFaithfulness | None = None
    """Of contrasts about a hint only."""
    ungraded: dict[str, int]
    outcomes: dict[str, dict[str, int]]
    missing: MissingData
    single_pairs: SinglePairs
    revealing: Revealing
    reportable: bool
    reasons: tuple[str, ...]
    not_reportable_because: tuple[str, ...]
    split_not_reportable_because: tuple[str, ...] = ()
    """Why the revealed and the silent gap and the reveal rate are not reportable, though the gap may be."""
    cautions: tuple[str, ...]

    @property
    def split_reportable(self) -> bool:
        """Whether the revealed and the silent gap and the reveal rate are reportable."""
        return self.reportable and not self.split_not_reportable_because

    @property
    def organism(self) -> bool:
        """Whether the agent is scripted, so that the result says nothing about a real model."""
        return self.model.startswith(ORGANISM)


class BatchCheck(_Value):
    """Whether the organisms of the batch came out as they were planted.

    `passed` is None where nothing was checked. `results` are those of the organisms that the run added by itself;
    organisms that were asked for stand among the agents.
    """

    passed: bool | None
    figures: tuple[CheckedFigure, ...]
    faults: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    """What was not checked, and why."""
    results: tuple[ContrastResult, ...] = ()


class ForkReport(_Value):
    """What came of a run of forks: probes asked in them, or interventions made."""

    run: str
    forked_from: str
    kind: Literal["probe", "intervention"]
    probes: tuple[ProbeResult, ...] = ()
    uplifts: tuple[ProbeUplift, ...] = ()
    interventions: tuple[InterventionResult, ...] = ()


class Report(_Value):
    """All contrasts of one run, in the order family, agent, contrast."""

    run: str
    contrasts: tuple[ContrastResult, ...]
    pooled: tuple[PooledGap, ...] = ()
    audit: tuple[AuditNote, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    ladders: tuple[Ladder, ...] = ()
    hints: tuple[LeastFaithful, ...] = ()
    judges: dict[Question, Calibration] = {}
    """What is known of the graders' errors, by the question they answer."""
    errors: str = ""
    """The labels by whose errors figures were asked to be corrected, though a grader was made with them."""
    forks: tuple[ForkReport, ...] = ()
    """Of a run of forks its own; beside a run those of its forks that were named with it."""
    check: BatchCheck | None = None
    """None where nothing is known of how the rows came to be."""
    provenance: Provenance | None = None
    """None where the rows come from no stored run."""

    @property
    def organisms(self) -> bool:
        """Whether any of it rests on organisms."""
        return any(result.organism for result in self.contrasts)
