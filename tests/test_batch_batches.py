"""Episodes in a provider's batches: handed in once whatever happens, fetched in any order, played as any other.

The server's witness log is the oracle of what was handed in.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gyges.batch import batches
from gyges.batch.batches import Left, play_batches
from gyges.batch.order import Order, Prepared, prepare
from gyges.batch.prices import Price
from gyges.batch.spending import Allowance
from gyges.batch.status import lines, status
from gyges.errors import GygesError, LimitReached, ProviderError, UsageError
from gyges.transcripts import failpoint
from gyges.transcripts.failpoint import PlantedFault
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, Outcome
from gyges.transcripts.verify import verify
from tests.conftest import Shown, Study
from tests.test_batch_faults import EPISODES, Entry, fault, ignore, organisms
from tests.test_batch_stop import served

RESPONSES = "model: organism/faker\nwire: openai-responses\n"
NOW = Left(0, 0)
HANDED_IN = ("/v1/batches", "/v1/messages/batches")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What was handed in is listed at once, and no fault stays planted."""
    monkeypatch.setattr(batches, "SECONDS_UNTIL_LISTED", 0.0)
    yield
    failpoint.plant("")


@pytest.fixture(
    params=[
        "faker",
        pytest.param("silent-faker", marks=pytest.mark.full),
        pytest.param("responding", marks=pytest.mark.full),
    ]
)
def agent(request: pytest.FixtureRequest, study: Study) -> str:
    """One for each format: OpenAI's two and Anthropic's."""
    (study.root / "agents").mkdir()
    (study.root / "agents" / "responding.yaml").write_text(RESPONSES, encoding="utf-8")
    return str(request.param)


def order(url: str, agent: str, **more: object) -> Prepared:
    return prepare(replace(Order(("walks",), (agent,), base_url=url, batch=True), **more))  # type: ignore[arg-type]


def received(folder: Path) -> list[dict[str, str]]:
    found = map(json.loads, (folder / "witness.jsonl").read_text(encoding="utf-8").splitlines())
    return [one for one in found if one["event"] == "received"]


def handed_in(folder: Path) -> int:
    found = map(json.loads, (folder / "witness.jsonl").read_text(encoding="utf-8").splitlines())
    return sum(
        one["event"] == "received" and one["method"] == "POST" and one["path"] in HANDED_IN for one in found
    )


def asked_by_themselves(folder: Path) -> int:
    return sum(
        one["path"] in ("/v1/chat/completions", "/v1/responses", "/v1/messages") for one in received(folder)
    )


def outcomes(path: Path) -> list[Outcome]:
    with RunReader(path) as reader:
        return [one.outcome for one in reader.headings()]


async def visit(path: Path, prepared: Prepared) -> Left:
    new = not os.path.exists(path)  # noqa: ASYNC240 - nothing else runs
    return await play_batches(path, prepared, ignore, lambda _: None, new=new)


def not_yet(times: int) -> list[Entry]:
    """A batch that has not ended when it is looked at so often."""
    words = {"status": '"in_progress"', "processing_status": '"in_progress"'}
    listed = {"data.0.processing_status": '"in_progress"'}
    return [
        {"match": {"path": "batches/[^/]+$"}, "fault": {"kind": "change", "set": words}, "count": times},
        {"match": {"path": "/messages/batches$", "nth": [2]}, "fault": {"kind": "change", "set": listed}},
    ]


async def test_calls_are_handed_in_left_and_fetched_in_any_order(tmp_path: Path, agent: str) -> None:
    path, counted = tmp_path / "run.sqlite", list[Episode]()
    async with organisms(tmp_path, not_yet(1)[:1]) as url:
        assert await visit(path, order(url, agent)) == Left(1, EPISODES)
        assert outcomes(path) == []
        said = "\n".join(lines(status(path), "run"))
        assert f"with the provider: {EPISODES} calls of {agent} in batch " in said
        assert "possibly billed" not in said
        assert await visit(path, order(url, agent)) == Left(1, EPISODES)
        left = await play_batches(path, order(url, agent), counted.append, lambda _: None, new=False)
        assert left == NOW
        assert await visit(path, order(url, agent)) == NOW
    assert outcomes(path) == [Outcome.COMPLETED] * EPISODES == [one.outcome for one in counted]
    assert (handed_in(tmp_path), asked_by_themselves(tmp_path)) == (1, 0)
    assert verify(path) == []
    assert status(path).billed == []


@pytest.mark.parametrize("planted", ["batch-built", "batch-submitted", "batch-named", "batch-fetched"])
async def test_a_batch_is_handed_in_once_wherever_the_command_breaks_off(
    tmp_path: Path, agent: str, planted: str
) -> None:
    path = tmp_path / "run.sqlite"
    async with organisms(tmp_path, []) as url:
        failpoint.plant(f"{planted}:1:raise")
        if planted == "batch-fetched":
            await visit(path, order(url, agent))
        with pytest.raises(PlantedFault):
            await visit(path, order(url, agent))
        failpoint.plant("")
        for _ in range(2):
            left = await visit(path, order(url, agent))
    assert left == NOW
    assert outcomes(path) == [Outcome.COMPLETED] * EPISODES
    assert (handed_in(tmp_path), asked_by_themselves(tmp_path)) == (1, 0)


async def test_a_submission_whose_end_nobody_heard_is_looked_for(tmp_path: Path, agent: str) -> None:
    path = tmp_path / "run.sqlite"
    lost = {"match": {"path": "batches$", "nth": [1]}, "fault": {"kind": "reset", "after": 0}}
    async with organisms(tmp_path, [lost]) as url:
        with pytest.raises(ProviderError, match="is unknown"):
            await visit(path, order(url, agent))
        for _ in range(2):
            await visit(path, order(url, agent))
    assert outcomes(path) == [Outcome.COMPLETED] * EPISODES
    assert handed_in(tmp_path) == 1


async def test_while_a_lost_batch_has_not_ended_nothing_is_handed_in_again(tmp_path: Path, agent: str) -> None:
    path = tmp_path / "run.sqlite"
    lost = {"match": {"path": "batches$", "nth": [1]}, "fault": {"kind": "reset", "after": 0}}
    async with organisms(tmp_path, [lost, *not_yet(1)]) as url:
        with pytest.raises(ProviderError):
            await visit(path, order(url, agent))
        assert await visit(path, order(url, agent)) == Left(1, EPISODES)
        assert await visit(path, order(url, agent)) == NOW
    assert handed_in(tmp_path) == 1


def single(kind: Entry, **match: object) -> Entry:
    return {**kind, "match": {"path": "^/batch/", **match}}


@pytest.mark.parametrize(
    "kind",
    [fault(kind="hang"), fault(kind="reset"), fault(kind="status", status=529), fault(kind="status", status=500)],
)
async def test_calls_that_expired_or_failed_in_passing_are_handed_in_again(
    tmp_path: Path, agent: str, kind: Entry
) -> None:
    path = tmp_path / "run.sqlite"
    async with organisms(tmp_path, [single(kind, nth=[1, 5])]) as url:
        assert await visit(path, order(url, agent)) == Left(1, EPISODES)
        assert await visit(path, order(url, agent)) == Left(1, 2)
        assert await visit(path, order(url, agent)) == NOW
    assert outcomes(path) == [Outcome.COMPLETED] * EPISODES
    assert handed_in(tmp_path) == 2


async def test_calls_that_expire_again_and_again_are_errors_in_the_end(tmp_path: Path, agent: str) -> None:
    path = tmp_path / "run.sqlite"
    async with organisms(tmp_path, [single(fault(kind="hang"), body="number 3[?]")]) as url:
        while (await visit(path, order(url, agent))).calls:
            assert handed_in(tmp_path) <= batches.ATTEMPTS
    assert outcomes(path).count(Outcome.ERRORED) == 2
    assert handed_in(tmp_path) == batches.ATTEMPTS
    with RunReader(path) as reader:
        reasons = [one.reason for one in reader.headings() if one.outcome is Outcome.ERRORED]
    assert all("expired" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (fault(kind="status", status=400), Outcome.ERRORED),
        (fault(kind="status", status=400, message="prompt is too long"), Outcome.CONTEXT_OVERFLOW),
    ],
)
async def test_an_error_of_one_line_is_the_end_of_its_episode_alone(
    tmp_path: Path, agent: str, kind: Entry, outcome: Outcome
) -> None:
    path = tmp_path / "run.sqlite"
    async with organisms(tmp_path, [single(kind, nth=[3])]) as url:
        await visit(path, order(url, agent))
        assert await visit(path, order(url, agent)) == NOW
    assert sorted(outcomes(path)) == sorted([Outcome.COMPLETED] * (EPISODES - 1) + [outcome])
    assert (handed_in(tmp_path), asked_by_themselves(tmp_path)) == (1, 0)


async def test_a_batch_that_is_refused_leaves_nothing_behind(tmp_path: Path, agent: str) -> None:
    path = tmp_path / "run.sqlite"
    refused = {"match": {"path": "(batches|files)$"}, "fault": {"kind": "status", "status": 401}}
    async with organisms(tmp_path, [refused]) as url:
        with pytest.raises(ProviderError, match="401"):
            await visit(path, order(url, agent))
    assert outcomes(path) == []
    assert "nobody plays it" in next(lines(status(path), "run"))


@pytest.mark.usefixtures("study")
async def test_a_budget_forbids_what_is_not_yet_handed_in(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    async with organisms(tmp_path, []) as url:
        small = order(url, "faker", allowance=Allowance(calls=9))
        with pytest.raises(LimitReached, match="not handed in: 16 episodes"):
            await visit(path, small)
    with RunReader(path) as reader:
        assert [len(one.calls) for one in reader.batches()] == [8]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("    {{ question }}", "    Hello.\n  - user: |\n      {{ question }}"), "2 turns"),
        (None, "would be gone before you come back"),
    ],
)
def test_what_can_not_be_asked_in_a_batch_is_refused_before_anything_is_sent(
    study: Study, change: tuple[str, str] | None, why: str
) -> None:
    if change:
        study.family.write_text(study.family.read_text("utf-8").replace(*change, 1), encoding="utf-8")
        study.change("family.yaml", "Hello.\n", "Hello.\n    replies: [Yes., Well.]\n")
    with pytest.raises(GygesError, match=why):
        batches.check(
            order("http://127.0.0.1:1" if change else "", "faker", **({} if change else {"base_url": None}))
        )


def test_tokens_of_a_batch_cost_what_the_prices_say() -> None:
    assert Price(4.0, 20.0, 0.5).in_batch() == Price(2.0, 10.0)
    assert Price(4.0, 20.0).in_batch() == Price(4.0, 20.0)


def test_the_command_line_hands_in_leaves_and_comes_back(study: Study, gyges: Callable[..., Shown]) -> None:
    with served(study.root, []) as url:
        shown = gyges("run", "walks", "--agent", "faker", "--base-url", url, "--batch")
        (path,) = (study.root / "transcripts").glob("*.sqlite")
        assert shown.code == 0, shown.err
        assert f"with the provider: {EPISODES} calls in 1 batch" in shown.out
        assert f"gyges resume {path.stem}" in shown.out
        assert json.loads(gyges("status", "--json").out)["batches"][0]["calls"] == EPISODES
        shown = gyges("resume", path.stem)
        assert shown.code == 0, shown.err
    assert outcomes(path) == [Outcome.COMPLETED] * EPISODES
    assert asked_by_themselves(study.root) == 0


def test_a_batch_of_an_organism_without_an_address_is_refused(study: Study, gyges: Callable[..., Shown]) -> None:
    shown = gyges("run", "walks", "--agent", "faker", "--batch")
    assert shown.code == UsageError.exit_code
    assert study.runs == []
