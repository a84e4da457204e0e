"""Forks in the store: what an episode says of the one it was forked from comes back as it was."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from gyges.errors import StoreError
from gyges.transcripts import codec
from gyges.transcripts.exact import Details, Said
from gyges.transcripts.forks import read_fork, spell_fork
from gyges.transcripts.manifest import Forking, Manifest
from gyges.transcripts.record import Episode, EpisodeKey, Fork, Message, Outcome
from gyges.transcripts.store import RunReader, RunWriter
from gyges.transcripts.terminal import show_episode
from gyges.transcripts.verify import verify

PLAIN = Fork("one", "0123456789abcdef", 3, 1, 4, "intervention", "removed")
WHOLE = replace(
    PLAIN,
    kind="probe",
    name="context \x00\ud800",
    repeat=2,
    reasoning=False,
    marker="Answer:",
    choices=(("yes", "it is"), ("no", "it is not")),
    right="yes",
    fraction=0.5,
    impossible="no \x10 way",
)
FORKING = Forking(
    run="one", sha256="0" * 64, kind="probe", names=("context",), at="end", repeats=2, texts="1" * 64
)
MANIFEST = Manifest(
    run="two",
    created="2026-11-21T00:00:00+00:00",
    source="forked",
    command="",
    seed=1,
    samples=8,
    forked=FORKING,
    scenarios=(),
    agents=(),
    contrasts=(),
    versions={},
)


def episode(fork: Fork | None, outcome: Outcome = Outcome.COMPLETED) -> Episode:
    said = (Message("user", "asked"), Message("assistant", "said"))
    return Episode(EpisodeKey("a", "f/s", "", "c", 0), "f", outcome, "", said, 1.0, 2.0, fork=fork)


@pytest.mark.parametrize("fork", [PLAIN, WHOLE])
def test_a_fork_is_read_as_it_was_spelt(fork: Fork) -> None:
    assert read_fork(spell_fork(fork)) == fork


def test_what_a_fork_does_not_say_is_not_spelt() -> None:
    assert "choices" not in spell_fork(PLAIN)
    assert "reasoning" not in spell_fork(PLAIN)


@pytest.mark.parametrize("fork", [PLAIN, WHOLE, None])
def test_an_episode_comes_back_with_its_fork(tmp_path: Path, fork: Fork | None) -> None:
    path = tmp_path / "two.sqlite"

    async def write() -> None:
        with RunWriter.create(path, MANIFEST) as writer:
            await writer.episode(episode(fork, Outcome.PENDING))
            await writer.episode(episode(fork))
            with pytest.raises(StoreError, match="recorded already"):
                await writer.episode(episode(replace(PLAIN, name="another")))

    asyncio.run(write())
    with RunReader(path) as reader:
        assert reader.manifest.forked == FORKING
        assert list(reader.episodes()) == [episode(fork)]
    assert verify(path) == []


def test_what_a_provider_noted_is_stored_exported_and_shown() -> None:
    said = Message("assistant", "said", notes=("reasoning removed: prefix_mismatch", "\ud800"))
    assert codec.read_notes(codec.spell_tools(said)) == said.notes
    assert Said.of(said).message("assistant", "said") == said
    shown = "\n".join(show_episode(replace(episode(None), messages=(said,))))
    assert "note: reasoning removed: prefix_mismatch" in shown


@pytest.mark.parametrize("fork", [PLAIN, WHOLE])
def test_a_fork_is_exported_and_comes_back(fork: Fork) -> None:
    spelt = json.loads(json.dumps(Details.of(episode(fork)).model_dump(mode="python")))
    assert Details.model_validate(spelt).left() == fork


def test_a_fork_that_is_none_is_refused() -> None:
    spelt = Details.of(episode(PLAIN)).model_dump(mode="python")
    with pytest.raises(ValidationError):
        Details.model_validate({**spelt, "fork": {"run": 1}})


def test_a_transcript_says_that_it_is_a_fork_and_of_what() -> None:
    shown = "\n".join(show_episode(episode(replace(WHOLE, name="context"))))
    assert "fork of episode 0123456789abcdef of one: probe context:0.5 without reasoning, after 1 answer" in shown
    assert "right would be: it is" in shown
    assert "could not be done: no" in shown
