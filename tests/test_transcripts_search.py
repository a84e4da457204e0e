"""Search: what a user types is words, never syntax, whether or not the run is indexed."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gyges.errors import StoreError, UsageError
from gyges.transcripts import search_index
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.record import (
    Episode,
    EpisodeKey,
    Message,
    Outcome,
    Reasoning,
    ToolCall,
    ToolResult,
    Visibility,
)
from gyges.transcripts.search import Hit, Part, Query
from gyges.transcripts.search_index import beside, fill
from gyges.transcripts.store import RunReader, RunWriter, write_run

MANIFEST = Manifest(
    run="one",
    created="2026-11-21T00:00:00+00:00",
    source="played",
    command="",
    seed=1,
    samples=1,
    scenarios=(),
    agents=(),
    contrasts=(),
    versions={},
)


def episode(sample: int, prompt: str, thought: str, answer: str, outcome: Outcome = Outcome.COMPLETED) -> Episode:
    reasoning = (Reasoning(Visibility.RAW, "field", thought), Reasoning(Visibility.REDACTED, "field"))
    messages = (Message("user", prompt), Message("assistant", answer, reasoning))
    return Episode(EpisodeKey("a", "f/s", "", "c", sample), "f", outcome, "", messages, 1.0, 2.0)


EPISODES = [
    episode(0, "<tier>free</tier> Will you?", "It may train me. Training changes values.", "I will."),
    episode(1, "<tier>paid</tier> Will you?", "Nobody trains on this.", "I won't: «100% non»."),
    episode(2, "Straße, ÉTÉ, 漢字かな", 'a_b OR c:d* "quoted" NEAR(x y)', "\ud800 odd\x00words \u202e end"),
]


@pytest.fixture(params=["indexed", "not indexed", "in part"])
def path(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "one.sqlite"
    write_run(path, EPISODES[:2] if request.param == "in part" else EPISODES, lambda: MANIFEST)

    async def rest() -> None:
        with RunWriter.open(path) as writer:
            await writer.episode(EPISODES[2])

    if request.param != "not indexed":
        fill(path)
    asyncio.run(rest())
    return path


def found(path: Path, text: str, part: Part | None = None, literal: bool = True) -> list[Hit]:
    """The places in the episodes that a search names; each of them has one."""
    query = Query(text, part, literal)
    with RunReader(path) as reader:
        named = reader.search(query)
        ids = sorted((number, id) for id, number in reader.numbers().items() if number in named.episodes)
        hits = list(reader.places(query, [id for _, id in ids]))
        assert {hit.episode for hit in hits} == {id for _, id in ids}
        return hits


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("train", ["train", "train"]),
        ("TRAIN ME", ["train me"]),
        ("training changes", ["Training changes"]),
        ("changes training", []),
        ("will you", ["Will you", "Will you"]),
        ("<tier>free", ["tier>free"]),
        ("tier paid", ["tier>paid"]),
        ("rain", []),
        ("été", ["ÉTÉ"]),
        ("ete", []),
        ("漢字", ["漢字"]),
        ("a_b", ["a_b"]),
        ("OR", ["OR"]),
        ("c:d*", ["c:d"]),
        ('"quoted"', ["quoted"]),
        ("NEAR(x y)", ["NEAR(x y"]),
        ("odd\x00words", ["odd\x00words"]),
        ("«", ["«"]),
        ("*", ["*"]),
        ("\ud800", ["\ud800"]),
        ("'; DROP TABLE block; --", []),
        ("NOT nothing", []),
    ],
)
def test_words_are_found_as_they_stand(path: Path, text: str, words: list[str]) -> None:
    assert [hit.found for hit in found(path, text)] == words


def test_a_hit_has_the_address_of_a_quotation(path: Path) -> None:
    (hit,) = found(path, "changes values")
    assert hit == Hit(
        EPISODES[0].key.id(),
        1,
        "reasoning",
        0,
        "assistant",
        26,
        40,
        "It may train me. Training ",
        "changes values",
        ".",
    )
    said = EPISODES[0].messages[hit.message].reasoning[hit.block].text
    assert said is not None
    assert said[hit.start : hit.end] == hit.found


@pytest.mark.parametrize(("part", "hits"), [("prompts", 2), ("reasoning", 0), ("answers", 1), (None, 3)])
def test_a_search_can_be_for_prompts_reasoning_or_answers(path: Path, part: Part | None, hits: int) -> None:
    assert len(found(path, "will", part)) == hits


@pytest.mark.parametrize("text", ["", "  \n", "x" * 501])
def test_a_search_that_says_nothing_or_too_much_is_refused(path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="the search is"):
        found(path, text)


@pytest.mark.parametrize("indexed_first", [True, False])
def test_tool_calls_are_found_by_name_and_argument(tmp_path: Path, indexed_first: bool) -> None:
    calls = (ToolCall("1", "read_file", '{"path": "notes"}'), ToolCall("2", "send_mail", '{"to": "ann, will"}'))
    messages = (
        Message("assistant", "I will look.", calls=calls),
        Message("tool", "will this do?", result=ToolResult("1")),
    )
    path = tmp_path / "tools.sqlite"
    key = EpisodeKey("a", "f/s", "", "c", 0)
    write_run(path, [Episode(key, "f", Outcome.COMPLETED, "", messages, 1.0, 2.0)], lambda: MANIFEST)
    if indexed_first:
        fill(path)
    (hit,) = found(path, "send_mail to ann")
    assert (hit.message, hit.channel, hit.block, hit.found) == (0, "call", 1, 'send_mail {"to": "ann')
    assert [(hit.channel, hit.block) for hit in found(path, "will")] == [("text", 0), ("call", 1), ("text", 0)]
    assert [hit.channel for hit in found(path, "will", "calls")] == ["call"]
    assert [hit.channel for hit in found(path, "will", "answers")] == ["text"]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "one.sqlite"
    write_run(path, EPISODES, lambda: MANIFEST)
    fill(path)
    return path


@given(st.text(st.characters(codec=None), max_size=20) | st.text('ab"*:^()-+{}NEARORAND ', max_size=20))
@settings(deadline=None)
def test_no_text_is_syntax(indexed: Path, text: str) -> None:
    if text.strip():
        assert all(hit.found for hit in found(indexed, text))


@pytest.mark.parametrize("expression", ['"', "AND", "a:b", "*", "NEAR(", "^", "(", "-", "text:", "\ud800", "\x00"])
def test_a_wrong_expression_is_a_usage_error(indexed: Path, expression: str) -> None:
    with RunReader(indexed) as reader, pytest.raises(UsageError, match="no search expression"):
        reader.search(Query(expression, literal=False))


def test_an_expression_finds_what_it_describes(indexed: Path) -> None:
    hits = found(indexed, "nobody OR (may AND train*)", literal=False)
    assert [(hit.episode, hit.found) for hit in hits] == [
        (EPISODES[0].key.id(), "may"),
        (EPISODES[1].key.id(), "Nobody"),
    ]
    assert [hit.found for hit in found(indexed, "will NOT tier", "prompts", literal=False)] == []


def test_one_letter_is_a_whole_word(path: Path) -> None:
    assert [hit.found for hit in found(path, "I")] == ["I", "I"]
    assert [hit.found for hit in found(path, "d")] == ["d"]
    assert [hit.found for hit in found(path, "i w")] == []


def test_no_phrase_goes_from_one_text_into_the_next(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    messages = (Message("user", "first words"), Message("user", "other things"))
    key = EpisodeKey("a", "f/s", "", "c", 0)
    write_run(path, [Episode(key, "f", Outcome.COMPLETED, "", messages, 1.0, 2.0)], lambda: MANIFEST)
    fill(path)
    assert found(path, "words other") == []
    assert [hit.found for hit in found(path, "other thing")] == ["other thing"]


async def test_a_pending_episode_is_found_and_its_old_words_are_not_when_it_is_done(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    with RunWriter.create(path, MANIFEST) as writer:
        await writer.episode(episode(0, "asked", "", "unfinished", Outcome.PENDING))
        fill(path)
        assert [hit.found for hit in found(path, "unfinished")] == ["unfinished"]
        await writer.episode(episode(0, "asked", "", "done"))
        fill(path)
    assert found(path, "unfinished") == []
    assert [hit.found for hit in found(path, "done")] == ["done"]


def test_the_run_is_not_touched_by_its_index(indexed: Path, tmp_path: Path) -> None:
    run = tmp_path / "one.sqlite"
    run.write_bytes(indexed.read_bytes())
    run.chmod(0o400)
    fill(run)
    assert run.read_bytes() == indexed.read_bytes()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one.sqlite", "one.words"]


def test_an_index_that_was_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "one.sqlite"
    write_run(path, EPISODES, lambda: MANIFEST)
    monkeypatch.setattr(search_index, "AT_ONCE", 1)
    told: list[tuple[int, int]] = []

    def stop(done: int, of: int) -> None:
        told.append((done, of))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(path, stop)
    fill(path, lambda done, of: told.append((done, of)))
    assert told == [(0, 3), (1, 3), (2, 3), (2, 3), (3, 3), (3, 3)]
    assert [hit.found for hit in found(path, "will you")] == ["Will you", "Will you"]


def test_the_index_of_another_run_or_a_damaged_one_is_not_believed(indexed: Path, tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    write_run(path, EPISODES[:1], lambda: MANIFEST.model_copy(update={"created": "2026-11-22T00:00:00+00:00"}))
    for wrong in (beside(indexed).read_bytes(), b"SQLite format 3\0" + b"x" * 5000, b"", b"words"):
        beside(path).write_bytes(wrong)
        with RunReader(path) as reader:
            assert reader.search(Query("nobody")).episodes == set()
            assert reader.search(Query("train")).episodes == {1}
        fill(path)
        with RunReader(path) as reader:
            assert reader.search(Query("train"), patience=-1.0).looked_at == 1


def test_an_index_with_more_in_it_than_ours_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    write_run(path, EPISODES, lambda: MANIFEST)
    fill(path)
    db = sqlite3.connect(beside(path))
    db.execute("CREATE TRIGGER t AFTER INSERT ON taken BEGIN DELETE FROM about; END")
    db.close()
    fill(path)
    db = sqlite3.connect(beside(path))
    assert db.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'").fetchone() == (0,)
    db.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_where_nothing_can_be_written_every_word_is_read(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    write_run(path, EPISODES, lambda: MANIFEST)
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError):
        fill(path)
    assert len(found(path, "will you")) == 2
    tmp_path.chmod(0o700)


def test_what_no_index_knows_is_looked_for_as_long_as_there_is_patience(path: Path) -> None:
    with RunReader(path) as reader:
        assert reader.search(Query("«")).looked_at == 3
        some = reader.search(Query("«"), patience=-1.0)
    assert (some.looked_at, some.of, some.episodes) == (1, 3, set())
