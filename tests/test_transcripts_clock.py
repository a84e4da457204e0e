"""A clock that is set while a run goes on moves nothing: no call ends before it begins, no age is a day off."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gyges.batch.status import status
from gyges.models.failures import retry_after
from gyges.transcripts import clock
from gyges.transcripts.lock import Lock, writer_of
from gyges.transcripts.record import Call, Intent
from gyges.transcripts.runs import new_run_name
from gyges.transcripts.store import RunReader, RunWriter
from tests.test_transcripts_schema import MANIFEST

DAY = 86_400.0


@pytest.mark.parametrize("step", [-DAY, -1.0, 0.0, 1.0, DAY, 2.0**31])
def test_the_time_of_day_goes_on_evenly_whatever_the_clock_is_set_to(
    monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    before = clock.now()
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real + step)
    assert 0 <= clock.now() - before < 5
    assert abs(before - real) < 60


@pytest.mark.parametrize("step", [-DAY, DAY])
async def test_a_call_in_flight_has_its_age_though_the_clock_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    path = tmp_path / "run.sqlite"
    with RunWriter.create(path, MANIFEST) as writer:
        real = time.time()
        monkeypatch.setattr(time, "time", lambda: real + step)
        await writer.intent(Intent("0" * 16, 0, 0, clock.now()))
        ((_, _, age),) = status(path).in_flight
        assert 0 <= age < 10
        sent = clock.now()
        await writer.call(Call("0" * 16, 0, 0, b"", b"", 200, "", sent, clock.now()))
    with RunReader(path) as reader:
        (call,) = reader.calls("0" * 16)
    assert call.received is not None
    assert call.received >= call.sent


def test_runs_that_begin_in_the_same_second_have_names_of_their_own() -> None:
    moment = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert len({new_run_name(lambda: moment) for _ in range(50)}) == 50


@pytest.mark.parametrize("ours", [-DAY, 0.0, DAY])
def test_a_date_to_wait_for_is_read_by_the_provider_s_clock(monkeypatch: pytest.MonkeyPatch, ours: float) -> None:
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real + ours)
    headers = (("Date", "Sat, 21 Nov 2026 12:00:00 GMT"), ("Retry-After", "Sat, 21 Nov 2026 12:00:30 GMT"))
    assert retry_after(headers) == 30.0


def test_a_lock_of_an_older_gyges_has_no_clock(tmp_path: Path) -> None:
    run = tmp_path / "run.sqlite"
    lock = Lock(run)
    owner = writer_of(run)
    assert owner
    assert abs(owner.now() - time.time()) < 60
    lock.release()
