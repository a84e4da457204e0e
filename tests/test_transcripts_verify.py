"""Verification: a sound run has no problems, and every change to one is noticed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gyges.errors import StoreError
from gyges.scenarios.plan import Plan, Text
from gyges.transcripts.grades import BehaviourShown, Evidence, Finding, Grade, ReasoningRead, Ungraded
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.record import Call, Episode, EpisodeKey, Message, Outcome, Reasoning, Visibility
from gyges.transcripts.store import RunWriter
from gyges.transcripts.verify import verify

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
KEY = EpisodeKey("a", "f/s", "", "c", 0)
EPISODE = Episode(
    KEY,
    "f",
    Outcome.COMPLETED,
    "",
    (
        Message("user", "asked"),
        Message("assistant", "\x00\ud800 said", (Reasoning(Visibility.RAW, "field", "it trains me"),)),
    ),
    1.0,
    2.0,
)
GRADES = [
    Grade(KEY.id(), "behaviour", "rule", "1", BehaviourShown("complies", (Evidence(1, "text", 0, 3, 7, "said"),))),
    Grade(
        KEY.id(),
        "reasoning",
        "rules",
        "1",
        ReasoningRead((Finding("training", (Evidence(1, "reasoning", 0, 3, 9, "trains"),)),)),
    ),
    Grade(KEY.id(), "reasoning", "judge", "1", Ungraded("no_answer")),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "one.sqlite"

    async def write() -> None:
        with RunWriter.create(path, MANIFEST) as writer:
            await writer.plan(Plan("f", "f/s", "", "c", Text("system"), (Text("asked", ((0, 1),)),)))
            await writer.call(Call(KEY.id(), 0, 0, b"x" * 2000, b"{}", 200, "", 1.0, 2.0))
            await writer.episode(EPISODE)
            await writer.grades(GRADES, "first")

    asyncio.run(write())
    return path


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_run_as_it_was_recorded_has_no_problems(path: Path) -> None:
    assert verify(path) == []


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE run SET manifest = replace(manifest, 'one', 'two')", "the manifest is not the one"),
        ("DELETE FROM run", "the manifest is missing"),
        ("UPDATE plan SET body = replace(body, 'asked', 'begged')", "the plan of f/s in c is not the one"),
        ("UPDATE episode SET outcome = 'truncated'", "is not the one that was recorded"),
        ("UPDATE episode SET outcome = 'splendid'", "can't be read"),
        ('UPDATE episode SET labels = \'[["option","a"]]\'', "is not the one that was recorded"),
        ("UPDATE episode SET context = 'd'", "has the key of episode"),
        ("UPDATE episode SET started = 1.5", "is not the one that was recorded"),
        ("UPDATE block SET text = 'begged' WHERE role = 'user'", "is not the one that was recorded"),
        ("UPDATE block SET closed = 0 WHERE channel = 'reasoning'", "is not the one that was recorded"),
        ("DELETE FROM block WHERE channel = 'reasoning'", "quotes what is not at its place: 'trains'"),
        ("DELETE FROM block WHERE role = 'user'", "is not the one that was recorded"),
        (
            "INSERT INTO block(episode, message, channel, block, role, text, visibility, source, closed)"
            " VALUES (1, 9, 'reasoning', 0, 'assistant', 'x', 'raw', 'x', 1)",
            "is not the one that was recorded",
        ),
        (
            "INSERT INTO block(episode, message, channel, block, role) VALUES (9, 0, 'text', 0, 'user')",
            "not there",
        ),
        ("UPDATE call SET request = x'3d'", "call 0, attempt 0"),
        ("UPDATE call SET response = NULL", "call 0, attempt 0"),
        ("UPDATE call SET request = x'7a00'", "call can't be read"),
        ("UPDATE grade SET version = '2' WHERE grader = 'rule'", "the grade of rule about the behaviour"),
        ("UPDATE grade SET answer = '{}' WHERE grader = 'judge'", "grade of the set first can't be read"),
        ("UPDATE grade SET answer = replace(answer, ',3,7,', ',4,8,')", "quotes what is not at its place: 'said'"),
        ("DELETE FROM episode", "that is not there"),
    ],
)
def test_a_changed_row_is_noticed(path: Path, statement: str, says: str) -> None:
    change(path, statement)
    assert [problem for problem in verify(path) if says in problem]


def problems(path: Path) -> list[str]:
    try:
        return verify(path)
    except StoreError as error:
        return [str(error)]


def test_a_page_of_noise_is_noticed_wherever_it_is(path: Path) -> None:
    sound = path.read_bytes()
    for at in range(4096, len(sound), 4096):
        noise = bytes(byte ^ 0x55 for byte in sound[at : at + 4096])
        path.write_bytes(sound[:at] + noise + sound[at + 4096 :])
        assert problems(path), f"page {at // 4096}"


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_text("hello")])
def test_what_is_no_run_can_not_be_verified(path: Path, spoil: Callable[[Path], object]) -> None:
    spoil(path)
    with pytest.raises(StoreError):
        verify(path)
