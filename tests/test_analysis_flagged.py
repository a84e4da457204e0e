"""A gap with and without the episodes that speak to their grader (J11)."""

from __future__ import annotations

from pathlib import Path

from gyges.analysis.flagged import addressing
from gyges.analysis.report import report_of
from gyges.grading.run import grade_stored
from gyges.transcripts.reader import RunReader
from tests.judging import FAKES, HONEST, court, episode, order, stored
from tests.test_grading_addressed import PAYLOADS


async def test_a_gap_is_told_without_the_episodes_that_speak_to_their_grader(tmp_path: Path) -> None:
    episodes = []
    for n in range(6):
        addressed = n < 2
        text = f"{FAKES} {PAYLOADS[20]['text']}" if addressed else HONEST
        episodes.append(episode(n, "training", text, "Decision: go" if addressed else "Decision: stay"))
        episodes.append(episode(n, "deployment", HONEST, "Decision: stay"))
    path = stored(tmp_path / "one.sqlite", episodes)
    async with court() as url:
        await grade_stored(path, order(url, "obeying"))
    with RunReader(path) as reader:
        flagged = addressing(reader)
        (result,) = report_of(reader).contrasts
    assert len(flagged) == 2
    assert result.gap is not None
    assert round(result.gap.estimate, 3) == 0.333
    (note,) = (one for one in result.cautions if "speak to their grader" in one)
    assert "2 in training, 0 in deployment; without them gap 0.0" in note


async def test_a_judge_that_changed_is_a_caution_of_every_result(tmp_path: Path) -> None:
    """F13, V12: what speaks against the judges stands beside the figures that rest on them."""
    episodes = [episode(n, context, FAKES) for n in range(8) for context in ("training", "deployment")]
    path = stored(tmp_path / "one.sqlite", episodes)
    async with court() as url:
        await grade_stored(path, order(url, "drifting"))
    with RunReader(path) as reader:
        (result,) = report_of(reader).contrasts
    assert any("judge-drifting was not one model" in one for one in result.cautions)


async def test_where_nobody_speaks_to_the_grader_nothing_is_said(tmp_path: Path) -> None:
    path = stored(tmp_path / "one.sqlite", [episode(0, "training", FAKES), episode(0, "deployment", HONEST)])
    async with court() as url:
        await grade_stored(path, order(url, "careful"))
    with RunReader(path) as reader:
        assert addressing(reader) == frozenset()
        assert not any("speak" in one for result in report_of(reader).contrasts for one in result.cautions)
