"""Search: what a user types is words, never syntax, whether or not the run is indexed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gyges.errors import UsageError
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
from gyges.transcripts.search import Hit, Part
from gyges.transcripts.store import RunReader, RunWriter, index_run, write_run

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
        asyncio.run(index_run(path))
    asyncio.run(rest())
    return path


def found(path: Path, text: str, part: Part | None = None) -> list[Hit]:
    with RunReader(path) as reader:
        return list(reader.search(text, part=part))


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
        asyncio.run(index_run(path))
    (hit,) = found(path, "send_mail to ann")
    assert (hit.message, hit.channel, hit.block, hit.found) == (0, "call", 1, 'send_mail {"to": "ann')
    assert [(hit.channel, hit.block) for hit in found(path, "will")] == [("text", 0), ("call", 1), ("text", 0)]
    assert [hit.channel for hit in found(path, "will", "calls")] == ["call"]
    assert [hit.channel for hit in found(path, "will", "answers")] == ["text"]


def test_no_more_hits_than_asked_for(path: Path) -> None:
    with RunReader(path) as reader:
        assert len(list(reader.search("will", limit=2))) == 2


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "one.sqlite"
    write_run(path, EPISODES, lambda: MANIFEST)
    asyncio.run(index_run(path))
    return path


@given(st.text(st.characters(codec=None), max_size=20) | st.text('ab"*:^()-+{}NEARORAND ', max_size=20))
@settings(deadline=None)
def test_no_text_is_syntax(indexed: Path, text: str) -> None:
    if text.strip():
        assert all(hit.found for hit in found(indexed, text))


@pytest.mark.parametrize("expression", ['"', "AND", "a:b", "*", "NEAR(", "^", "(", "-", "text:", "\ud800", "\x00"])
def test_a_wrong_expression_is_a_usage_error(indexed: Path, expression: str) -> None:
    with RunReader(indexed) as reader, pytest.raises(UsageError, match="no search expression"):
        list(reader.search(expression, literal=False))


def test_an_expression_finds_what_it_describes(indexed: Path) -> None:
    with RunReader(indexed) as reader:
        hits = list(reader.search("nobody OR (may AND train*)", literal=False))
    assert [(hit.episode, hit.found) for hit in hits] == [
        (EPISODES[0].key.id(), "may"),
        (EPISODES[1].key.id(), "Nobody"),
    ]


async def test_a_pending_episode_is_found_and_its_old_words_are_not_when_it_is_done(tmp_path: Path) -> None:
    path = tmp_path / "one.sqlite"
    with RunWriter.create(path, MANIFEST) as writer:
        await writer.episode(episode(0, "asked", "", "unfinished", Outcome.PENDING))
        await writer.index()
        assert [hit.found for hit in found(path, "unfinished")] == ["unfinished"]
        await writer.episode(episode(0, "asked", "", "done"))
        await writer.index()
    assert found(path, "unfinished") == []
    assert [hit.found for hit in found(path, "done")] == ["done"]
