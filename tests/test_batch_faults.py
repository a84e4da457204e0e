"""A provider's faults are seen through: results are those of a good day, nothing is asked too often.

The server's witness log is the oracle; an organism's answer depends on nothing but the request and its draw.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gyges.batch.order import Order, prepare, prepare_again
from gyges.batch.retry import Patience
from gyges.batch.run import play_into, play_rest
from gyges.errors import AuthenticationError, ProviderError
from gyges.models.organism import read_organisms
from gyges.models.organism_corpus import Corpus
from gyges.models.serve import serve
from gyges.scenarios.plan import Seed
from gyges.scenarios.read import select
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Episode, Outcome
from tests.conftest import Study

ATTEMPTS = 12
PATIENCE = Patience(ATTEMPTS, ATTEMPTS, first_pause=0.01, longest_pause=0.05, call_seconds=0.5)
EPISODES = 24
OVERRUN = 1.0
"""Seconds that a call may last beyond its deadline."""

Entry = dict[str, object]
Calls = dict[tuple[str, int], tuple[bytes, bytes | None]]


class Results(NamedTuple):
    """What a run came to."""

    episodes: dict[str, Episode]
    calls: Calls

    def __repr__(self) -> str:
        return f"{len(self.episodes)} episodes, {len(self.calls)} calls"


@asynccontextmanager
async def organisms(folder: Path, faults: Sequence[Entry]) -> AsyncIterator[str]:
    """The address of organisms that answer with these faults and write `witness.jsonl`."""
    (folder / "faults.json").write_text(json.dumps({"faults": faults}), encoding="utf-8")
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    known = read_organisms(Corpus.of(select(["walks"])), Seed(1))
    task = asyncio.create_task(
        serve(
            known,
            seed=Seed(1),
            witness=folder / "witness.jsonl",
            faults=folder / "faults.json",
            ready=address.set_result,
        )
    )
    try:
        either: list[asyncio.Future[str] | asyncio.Task[None]] = [address, task]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        yield address.result() if address.done() else str(task.result())
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def order(url: str, agent: str = "faker", connections: int = 6) -> Order:
    return Order(("walks",), (agent,), base_url=url, connections=connections, patience=PATIENCE)


def ignore(episode: Episode) -> None: ...


def results(path: Path) -> Results:
    """Episodes without their times, and what was asked and answered last, byte for byte."""
    with RunReader(path) as reader:
        episodes = {one.key.id(): replace(one, started=0.0, ended=0.0) for one in reader.episodes()}
        calls = {
            (id, ordinal): (call.request, call.response)
            for id in episodes
            for ordinal, call in reader.answered(id).items()
        }
    return Results(episodes, calls)


async def look(late: list[float]) -> None:
    """Until cancelled, keep how many seconds the loop was late at most, for want of a processor."""
    while True:
        due = time.monotonic() + 0.02
        await asyncio.sleep(0.02)
        late[0] = max(late[0], time.monotonic() - due)


def played(
    folder: Path, faults: Sequence[Entry], agent: str = "faker", samples: int = 1, connections: int = 6
) -> Results:
    """A run against organisms with these faults. No task outlives it."""

    late = [0.0]

    async def play() -> None:
        async with organisms(folder, faults) as url:
            looking = asyncio.create_task(look(late))
            async with asyncio.timeout(60):
                prepared = prepare(replace(order(url, agent, connections), samples=samples))
                await play_into(folder / "run.sqlite", prepared, ignore)
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(play())
    (folder / "late.txt").write_text(str(late[0]), encoding="ascii")
    return results(folder / "run.sqlite")


def attempts(folder: Path) -> Mapping[str, list[dict[str, float]]]:
    """By draw, what the witness knows of each attempt: when it was received and when sent, or broken off."""
    found: dict[int, dict[str, float]] = {}
    by_draw: dict[str, list[dict[str, float]]] = defaultdict(list)
    for line in map(json.loads, (folder / "witness.jsonl").read_text(encoding="utf-8").splitlines()):
        if line["event"] == "received":
            found[line["n"]] = {"received": line["at"]}
            by_draw[line["headers"]["x-gyges-draw"]].append(found[line["n"]])
        elif line["event"] == "sent":
            found[line["n"]] |= {"sent": line["at"], "status": line["status"]}
        elif line["event"] == "broken":
            found[line["n"]] |= {"broken": line["at"]}
    return by_draw


def fault(**what: object) -> Entry:
    return {"match": {}, "fault": what}


FAULTS = st.one_of(
    st.builds(
        lambda status, wait: fault(kind="status", status=status, headers={"retry-after": wait} if wait else {}),
        st.sampled_from([408, 409, 429, 500, 502, 503, 529]),
        st.sampled_from(["", "0.05", "0.15", "nonsense", "-1"]),
    ),
    st.sampled_from([None, 0, 40, -1]).map(lambda after: fault(kind="reset", after=after)),
    st.builds(
        lambda keep, honest: fault(kind="truncate", keep=keep, honest=honest),
        st.sampled_from([0.0, 0.5, 0.99]),
        st.booleans(),
    ),
    st.sampled_from(
        ["", "not JSON", "<html>busy</html>", '{"error": {"message": "overloaded"}}', '{"choices": []}']
    ).map(lambda body: fault(kind="garbage", body=body)),
    st.sampled_from([None, 0, 60]).map(lambda after: fault(kind="hang", seconds=3600, after=after)),
    st.just(fault(kind="drip", seconds=0.02, size=1)),
)
SCHEDULES = st.lists(st.tuples(FAULTS, st.floats(0.01, 0.3)), min_size=1, max_size=4)
"""Faults, and the share of requests that each strikes."""
MOST = 0.3
"""The share of requests that are struck at all. No call is struck `ATTEMPTS` times in any of these schedules."""


def schedule(drawn: Sequence[tuple[Entry, float]]) -> list[Entry]:
    scale = min(1.0, MOST / sum(share for _, share in drawn))
    return [{**entry, "match": {"share": share * scale}} for entry, share in drawn]


def is_seen_through(
    drawn: Sequence[tuple[Entry, float]], clean: Results, samples: int = 1, connections: int = 6
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        assert played(folder, schedule(drawn), samples=samples, connections=connections) == clean
        by_draw = attempts(folder)
        assert len(by_draw) == len(clean[0])
        assert max(map(len, by_draw.values())) <= ATTEMPTS
        tried = [one for made in by_draw.values() for one in made]
        lasted = [one["broken"] - one["received"] for one in tried if "broken" in one]
        late = float((folder / "late.txt").read_text(encoding="ascii"))
        assert max(lasted, default=0.0) <= PATIENCE.call_seconds + OVERRUN + late
        with RunReader(folder / "run.sqlite") as reader:
            calls = [call for id in clean[0] for call in reader.calls(id)]
            assert reader.in_flight() == []
        # One layer of retries: the server saw nothing that the ledger does not hold. It may not have seen what was
        # written to a connection that it had just reset.
        unseen = len(calls) - len(tried)
        assert 0 <= unseen <= sum(call.status is None for call in calls)
        for call in calls:
            asked = dict(call.headers).get("retry-after", "")
            if call.status and call.status >= 400 and asked in ("0.05", "0.15"):
                same = [one.sent for one in calls if one.episode == call.episode and one.attempt > call.attempt]
                assert min(same) >= (call.received or 0) + float(asked)


@pytest.fixture
def clean(study: Study) -> Results:
    """The results of a good day."""
    folder = study.root / "clean"
    folder.mkdir()
    found = played(folder, [])
    assert len(found[0]) == len(found[1]) == EPISODES
    return found


@pytest.fixture
def twice(study: Study) -> Results:
    """The same of one more scenario and two samples: 52 calls."""
    family = study.family.parent
    more = (family / "walk-12.yaml").read_text(encoding="utf-8").replace("12", "13")
    (family / "walk-13.yaml").write_text(more, encoding="utf-8")
    folder = study.root / "clean"
    folder.mkdir()
    found = played(folder, [], samples=2)
    assert len(found[0]) == 52
    return found


QUICKLY = settings(
    max_examples=5, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICKLY
@given(drawn=SCHEDULES)
def test_any_schedule_of_passing_faults_changes_nothing(
    clean: Results, drawn: Sequence[tuple[Entry, float]]
) -> None:
    is_seen_through(drawn, clean)


@pytest.mark.full
@settings(QUICKLY, max_examples=300)
@given(drawn=SCHEDULES)
def test_no_schedule_of_passing_faults_out_of_many_changes_anything(
    twice: Results, drawn: Sequence[tuple[Entry, float]]
) -> None:
    is_seen_through(drawn, twice, samples=2, connections=12)


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"choices.0.finish_reason": '"content_filter"'}, Outcome.FILTERED_BY_PROVIDER),
        ({"choices.0.finish_reason": '"length"'}, Outcome.TRUNCATED),
        ({"choices.0.message.refusal": '"I will not."'}, Outcome.REFUSED_BY_MODEL),
        ({"choices.0.message.content": '""'}, Outcome.ERRORED),
    ],
)
def test_what_the_model_or_a_filter_decided_is_asked_for_once(
    tmp_path: Path, change: dict[str, str], outcome: Outcome
) -> None:
    episodes, _ = played(tmp_path, [fault(kind="change", set=change)])
    assert {one.outcome for one in episodes.values()} == {outcome}
    assert {len(made) for made in attempts(tmp_path).values()} == {1}


STATUS = "status"


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize(
    ("planted", "error", "words"),
    [
        (fault(kind=STATUS, status=401), AuthenticationError, "HTTP 401"),
        (fault(kind=STATUS, status=403), AuthenticationError, "HTTP 403"),
        (fault(kind=STATUS, status=429, type="insufficient_quota"), ProviderError, "HTTP 429"),
        (fault(kind=STATUS, status=402), ProviderError, "HTTP 402"),
        (fault(kind=STATUS, status=429, headers={"retry-after": "86400"}), ProviderError, "asks to wait 86400 s"),
    ],
)
async def test_what_would_fail_for_every_call_stops_the_run_and_keeps_what_is_there(
    tmp_path: Path, planted: Entry, error: type[ProviderError], words: str
) -> None:
    path = tmp_path / "run.sqlite"
    late = {**planted, "match": {"nth": list(range(11, 1000))}}
    async with organisms(tmp_path, [late]) as url:
        with pytest.raises(error, match=words):
            await play_into(path, prepare(order(url)), ignore)
    with RunReader(path) as reader:
        kept = list(reader.episodes())
        again = prepare_again(reader.manifest)
    assert {one.outcome for one in kept} == {Outcome.COMPLETED}
    assert len(kept) <= 10
    received = sum(map(len, attempts(tmp_path).values()))
    assert received <= 10 + 6
    # The provider is well again, at its old address.
    async with organisms(tmp_path, []) as url:
        moved = replace(again, profiles=tuple(one.model_copy(update={"base_url": url}) for one in again.profiles))
        await play_rest(path, moved, ignore)
    assert len(results(path)[0]) == EPISODES


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("status", [404, 405, 307])
async def test_a_wrong_model_or_path_stops_the_run_at_once(tmp_path: Path, status: int) -> None:
    async with organisms(tmp_path, [fault(kind=STATUS, status=status, headers={"location": "/"})]) as url:
        with pytest.raises(ProviderError, match=f"HTTP {status}.*check the model's name"):
            await play_into(tmp_path / "run.sqlite", prepare(order(url)), ignore)
    assert not (tmp_path / "run.sqlite").exists()
    assert sum(map(len, attempts(tmp_path).values())) <= 6


@pytest.mark.usefixtures("study")
async def test_requests_that_are_all_rejected_stop_the_run_before_every_episode_is_spoilt(tmp_path: Path) -> None:
    async with organisms(tmp_path, [fault(kind=STATUS, status=400)]) as url:
        with pytest.raises(ProviderError, match="were all rejected"):
            await play_into(tmp_path / "run.sqlite", prepare(order(url, connections=1)), ignore)
    assert sum(map(len, attempts(tmp_path).values())) == 10


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("connections", [1, 6])
async def test_an_outage_costs_few_episodes(tmp_path: Path, connections: int) -> None:
    """More failures than any one call may have, then all is well."""
    down = {**fault(kind=STATUS, status=500), "match": {"nth": list(range(5, 5 + 10 * ATTEMPTS))}}
    async with organisms(tmp_path, [down]) as url:
        await play_into(tmp_path / "run.sqlite", prepare(order(url, connections=connections)), ignore)
    outcomes = [one.outcome for one in results(tmp_path / "run.sqlite")[0].values()]
    assert len(outcomes) == EPISODES
    assert outcomes.count(Outcome.ERRORED) <= 2
