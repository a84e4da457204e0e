"""What the user sees of a run: where there is no terminal a line a minute, where there is one a table."""

from __future__ import annotations

import io
import sys

import pytest

from gyges.batch import progress
from gyges.batch.progress import Progress, lasting
from gyges.errors import UsageError
from gyges.transcripts.record import Episode, EpisodeKey, Outcome

PLANNED = {("faker", "training"): 3, ("faker", "deployment"): 3}


def episode(context: str, outcome: Outcome = Outcome.COMPLETED) -> Episode:
    return Episode(EpisodeKey("faker", "walks/one", "", context, 0), "walks", outcome, "", (), 0.0, 1.0)


def test_without_a_terminal_a_line_says_what_is_done_of_what_was_planned(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Progress(PLANNED, {("faker", "training"): 1}) as shown:
        shown.done(episode("training"))
        shown.done(episode("deployment", Outcome.ERRORED))
    first, last = capsys.readouterr().err.splitlines()
    assert first == "episodes: faker training 1/3, faker deployment 0/3"
    assert last.startswith("episodes: faker training 2/3, faker deployment 1/3; 1 completed, 1 errored; about ")


def test_an_error_before_anything_is_played_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError), Progress(PLANNED):
        raise UsageError("no key")
    assert capsys.readouterr().err == ""


def test_a_line_comes_though_no_episode_ends(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.02)
    with Progress(PLANNED):
        time.sleep(0.3)
    assert len(capsys.readouterr().err.splitlines()) > 3


def test_where_standard_error_is_gone_the_run_goes_on_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    with Progress(PLANNED) as shown:
        monkeypatch.setattr(sys, "stderr", closed)
        shown.done(episode("training"))


@pytest.mark.parametrize(("seconds", "words"), [(5, "5 s"), (300, "5 min"), (9000, "2.5 h")])
def test_a_time_is_told_roughly(seconds: float, words: str) -> None:
    assert lasting(seconds) == words
