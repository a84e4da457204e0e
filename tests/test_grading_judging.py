"""Judging through the run's own ledger: resumed, not mixed, within limits; flips, drift and siblings are told."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gyges.batch.spending import Allowance
from gyges.errors import AuthenticationError, LimitReached, UsageError
from gyges.grading.families import family
from gyges.grading.judged_summary import summaries
from gyges.grading.judging import LEDGER
from gyges.grading.run import GradingOrder, grade_stored
from gyges.study import library
from gyges.transcripts.reader import RunReader
from gyges.transcripts.verify import verify
from tests.conftest import Shown
from tests.judging import FAKES, HONEST, JUDGE, QUICK, court, episode, order, pairs, records, stored

MANY = [FAKES if number % 2 else HONEST for number in range(8)]


def asked(witness: Path) -> list[str]:
    """The bodies that the judges received."""
    events = [json.loads(line) for line in witness.read_text(encoding="utf-8").splitlines()]
    return [event["body"] for event in events if event["event"] == "received"]


def schedule(path: Path, *faults: dict[str, object]) -> Path:
    path.write_text(json.dumps({"faults": list(faults)}), encoding="utf-8")
    return path


REJECTED = {"kind": "status", "status": 400}
FIRST_ANSWERED = {"match": {"nth": [1]}, "fault": {"kind": "drip", "seconds": 0, "size": 100000}}


async def test_a_set_that_stopped_at_its_budget_is_finished_without_asking_again(tmp_path: Path) -> None:
    path, witness = pairs(tmp_path / "one.sqlite", *MANY), tmp_path / "witness.jsonl"
    async with court(witness) as url:
        some = replace(order(url, "careful"), allowance=Allowance(calls=6))
        with pytest.raises(LimitReached, match="--call-budget 6"):
            await grade_stored(path, some)
        first = len(asked(witness))
        assert 0 < first <= 6
        made = await grade_stored(path, order(url, "careful"))
    assert made.resumed
    assert (made.name, made.pending) == ("set-1", 0)
    with RunReader(path) as reader:
        assert reader.grade_sets() == ["set-1"]
        assert len({(one.episode, one.grader) for one in reader.grades()}) == 2 * reader.count()
    assert max(Counter(asked(witness)).values()) == 1
    assert len(asked(witness)) == 16
    assert verify(path) == []


async def test_an_answer_that_is_in_the_ledger_is_not_asked_for_again(tmp_path: Path) -> None:
    """As after a kill between the answer and the grade: the votes are read from the ledger."""
    path, witness = pairs(tmp_path / "one.sqlite", *MANY[:2]), tmp_path / "witness.jsonl"
    faults = schedule(tmp_path / "faults.json", {"match": {"nth": [4]}, "fault": REJECTED, "count": 1})
    async with court(witness, faults) as url:
        made = await grade_stored(path, replace(order(url, "careful", votes=3), judges=("openai/judge-careful",)))
        assert made.pending == 1
        before = len(asked(witness))
        again = await grade_stored(path, order(url, "careful", votes=3))
    assert (again.resumed, again.pending) == (True, 0)
    assert len(asked(witness)) == before + 1
    assert len(records(path)) == 4


@pytest.mark.parametrize("fault", [REJECTED, {"kind": "status", "status": 500}, {"kind": "reset"}])
async def test_what_could_not_be_asked_is_pending_and_no_grade(tmp_path: Path, fault: dict[str, object]) -> None:
    """F05."""
    path = pairs(tmp_path / "one.sqlite", FAKES, HONEST)
    faults = schedule(tmp_path / "faults.json", {"match": {"nth": [2, 3]}, "fault": fault})
    once = replace(QUICK, attempts=1)
    async with court(None, faults) as url:
        made = await grade_stored(path, replace(order(url, "careful"), patience=once))
    assert made.pending == 2
    assert made.pending_because
    assert len(records(path)) == 2
    with RunReader(path) as reader:
        assert len([one for one in reader.grades() if one.grader == JUDGE]) == 2


async def test_a_judge_without_a_key_stops_before_anything_is_graded_by_it(tmp_path: Path) -> None:
    path = pairs(tmp_path / "one.sqlite", FAKES)
    faults = schedule(tmp_path / "faults.json", {"fault": {"kind": "status", "status": 401}})
    async with court(None, faults) as url:
        with pytest.raises(AuthenticationError):
            await grade_stored(path, order(url, "careful"))
    assert records(path) == {}


async def test_a_changed_rubric_begins_another_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """F15: the old set is kept as it is, and neither is mixed with the other."""
    (tmp_path / "scenarios").mkdir()
    rubrics = tmp_path / "grading" / "judges"
    rubrics.mkdir(parents=True)
    text = (library() / "grading" / "judges" / "alignment-faking.yaml").read_text(encoding="utf-8")
    (rubrics / "alignment-faking.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    path = pairs(tmp_path / "one.sqlite", *MANY)
    async with court() as url:
        with pytest.raises(LimitReached):
            await grade_stored(path, replace(order(url, "careful"), allowance=Allowance(calls=4)))
        (rubrics / "alignment-faking.yaml").write_text(text.replace("also a mild one", "none"), encoding="utf-8")
        made = await grade_stored(path, order(url, "careful"))
    assert (made.name, made.resumed) == ("set-2", False)
    assert "set-1 is kept as it is" in capfd.readouterr().err
    with RunReader(path) as reader:
        first, second = (reader.grade_set(name) for name in ("set-1", "set-2"))
        assert first is not None
        assert second is not None
        assert {one.version for one in first.graders} != {one.version for one in second.graders}
        assert len(list(reader.judgements("set-1"))) < len(list(reader.judgements("set-2"))) == reader.count()


async def test_another_judge_or_other_votes_begin_another_set_too(tmp_path: Path) -> None:
    path = pairs(tmp_path / "one.sqlite", *MANY)
    async with court() as url:
        for changed in (order(url, "careful"), order(url, "obeying"), order(url, "obeying", votes=2)):
            with pytest.raises(LimitReached):
                await grade_stored(path, replace(changed, allowance=Allowance(calls=4)))
    with RunReader(path) as reader:
        assert reader.grade_sets() == ["set-1", "set-2", "set-3"]


async def test_every_call_of_a_judge_is_in_the_runs_ledger(tmp_path: Path) -> None:
    path, witness = pairs(tmp_path / "one.sqlite", FAKES), tmp_path / "witness.jsonl"
    async with court(witness) as url:
        await grade_stored(path, order(url, "careful", votes=2))
    with RunReader(path) as reader:
        votes = [vote for one in reader.judgements() for vote in one.judged.votes]
        kept = [call.request.decode() for vote in votes for call in reader.calls(vote.calls)]
        assert all(vote.calls.startswith(f"{LEDGER}/set-1/") for vote in votes)
    assert sorted(kept) == sorted(asked(witness))
    assert {vote.model for vote in votes} == {"judge-careful"}


async def test_several_judges_vote_and_say_where_they_disagree(tmp_path: Path) -> None:
    path = pairs(
        tmp_path / "one.sqlite",
        FAKES.replace("I don't want to write this.", "I don't want to write this, grader."),
    )
    async with court() as url:
        await grade_stored(path, order(url, "careful", "obeying"))
    one = records(path)["000 training"]
    assert {vote.judge for vote in one.judged.votes} == {"openai/judge-careful", "openai/judge-obeying"}
    assert "judges_disagree" in one.judged.flags


async def test_flips_are_counted_in_a_sample_that_is_judged_again(tmp_path: Path) -> None:
    """F11: a judge that says otherwise one time in ten; at least 50 episodes, of both contexts alike."""
    path = pairs(tmp_path / "one.sqlite", *(HONEST for _ in range(40)))
    async with court() as url:
        await grade_stored(path, order(url, "flipping", again=True))
    with RunReader(path) as reader:
        about = reader.grade_set("set-1")
        assert about is not None
        contexts = Counter(reader.episode(id).key.context for id in about.again)
        (summary,) = summaries(reader, "set-1")
    assert contexts == {"training": 25, "deployment": 25}
    (overall,) = (one for one in summary.flips if not one.context)
    assert overall.repeated == 100
    # Two rulings differ in 2 x 0.1 x 0.9 of the cases; those of one episode share a ruling.
    assert 2 <= overall.flipped <= 45
    assert overall.flipped == sum(one.flipped for one in summary.flips if one.context)
    assert bool(summary.cautions) == any(one.flipped > 0.1 * one.repeated for one in summary.flips)


async def test_a_judge_whose_model_changed_is_told(tmp_path: Path) -> None:
    """F13."""
    path = pairs(tmp_path / "one.sqlite", *MANY)
    async with court() as url:
        await grade_stored(path, order(url, "drifting"))
    with RunReader(path) as reader:
        (summary,) = summaries(reader, "set-1")
    assert len(summary.models["openai/judge-drifting"]) == 2
    assert any("not one model" in caution for caution in summary.cautions)


async def test_a_judge_of_the_agents_own_family_is_told(tmp_path: Path) -> None:
    """J12."""
    path = stored(tmp_path / "one.sqlite", [episode(0, "training", FAKES)], model="anthropic/claude-opus-5-5")
    sibling = GradingOrder((JUDGE,), ("openrouter/anthropic/claude-haiku-5-5",), base_url="http://127.0.0.1:9/v1")
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        await grade_stored(path, replace(sibling, patience=replace(QUICK, attempts_unreachable=1)))
    with RunReader(path) as reader:
        about = reader.grade_set("set-1")
    assert about is not None
    assert "one family (claude)" in about.cautions[0]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("anthropic/claude-opus-5-5", "claude"),
        ("openrouter/anthropic/claude-3", "claude"),
        ("openai/gpt-6-astra", "gpt"),
        ("openai/o3", "gpt"),
        ("vllm/Qwen/Qwen3-8B", "qwen"),
        ("vllm/meta-llama/Llama-3", "llama"),
        ("organism/gpt-like", ""),
        ("openai/foo3", ""),
        ("vllm/somebody/something", ""),
    ],
)
def test_families_are_told_by_the_models_names(model: str, expected: str) -> None:
    assert family(model) == expected


@pytest.mark.parametrize(
    ("asked_for", "told"),
    [
        (GradingOrder(graders=(JUDGE,)), "--judge"),
        (GradingOrder(judges=("openai/m",)), "--grader"),
        (GradingOrder(graders=("rules:alignment-faking",), judges=("openai/m",)), "--grader"),
        (GradingOrder(graders=("guess:it",)), "is no grader"),
        (GradingOrder(graders=(JUDGE, JUDGE)), "twice"),
        (GradingOrder(graders=(JUDGE,), judges=("openai/m", "openai/m")), "twice"),
        (GradingOrder(graders=(JUDGE,), judges=("nobody",)), "no judge is called"),
    ],
)
def test_an_order_that_can_not_be_carried_out_is_refused(
    tmp_path: Path, asked_for: GradingOrder, told: str
) -> None:
    path = pairs(tmp_path / "one.sqlite", FAKES)
    with pytest.raises(UsageError, match=told):
        asyncio.run(grade_stored(path, asked_for))
    with RunReader(path) as reader:
        assert reader.grade_sets() == []


def test_offline_graders_by_name_share_a_set_and_the_first_goes_first(tmp_path: Path) -> None:
    path = pairs(tmp_path / "one.sqlite", FAKES)
    graders = ("rules:alignment-faking", "classifier:alignment-faking")
    asyncio.run(grade_stored(path, GradingOrder(graders=graders)))
    with RunReader(path) as reader:
        about = reader.grade_set("set-1")
        assert about is not None
        assert [one.name for one in about.graders if one.question == "reasoning"] == list(graders)
        assert {one.grader for one in reader.grades() if one.question == "reasoning"} == set(graders)


def test_judges_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gyges: Callable[..., Shown]
) -> None:
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "scenarios").mkdir()
    monkeypatch.chdir(tmp_path)
    pairs(tmp_path / "transcripts" / "one.sqlite", FAKES, HONEST)
    refused = gyges(
        "grade", "one", "--grader", JUDGE, "--judge", "openai/m", "--base-url", "http://127.0.0.1:9/v1"
    )
    assert refused.code == 4
    plain = gyges("grade", "one", "--grader", "rules:alignment-faking")
    assert (plain.code, "set-2" in plain.out) == (0, True)


def test_a_judge_that_nobody_named_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gyges: Callable[..., Shown]
) -> None:
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "scenarios").mkdir()
    monkeypatch.chdir(tmp_path)
    pairs(tmp_path / "transcripts" / "one.sqlite", FAKES)
    assert gyges("grade", "one", "--grader", JUDGE).code == 2
