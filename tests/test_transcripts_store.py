"""The store: what was acknowledged is there, word for word, and there is one writer."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gyges.errors import StoreError, UsageError
from gyges.scenarios.plan import Behaviour, BehaviourKind, Contrast, Plan, Text
from gyges.scenarios.world import Change
from gyges.transcripts import rows
from gyges.transcripts.grades import (
    Answer,
    BehaviourShown,
    Evidence,
    Finding,
    Grade,
    ReasoningRead,
    Ungraded,
)
from gyges.transcripts.manifest import FamilyContrast, Manifest, PlannedScenario
from gyges.transcripts.record import (
    Call,
    Episode,
    EpisodeKey,
    Message,
    Outcome,
    Reasoning,
    ToolCall,
    ToolResult,
    Visibility,
)
from gyges.transcripts.store import RunReader, RunWriter, write_run

MANIFEST = Manifest(
    run="one",
    created="2026-11-21T00:00:00+00:00",
    source="played",
    command="gyges run \udcff\x00",
    seed=7,
    samples=2,
    scenarios=(
        PlannedScenario(
            name="f/s",
            family="f",
            variant="",
            sha256="0" * 64,
            behaviour=Behaviour(BehaviourKind.DECISION, "Decision:", (("complies", "yes"), ("declines", "no"))),
        ),
    ),
    agents=(),
    contrasts=(
        FamilyContrast(family="f", contrast=Contrast("training", "deployment", "complies", "positive", ("af",))),
    ),
    versions={"gyges": "0"},
)


def episode(sample: int = 0, text: str = "said", outcome: Outcome = Outcome.COMPLETED, **key: str) -> Episode:
    names = {"agent": "a", "scenario": "f/s", "variant": "", "context": "training"} | key
    reasoning = (Reasoning(Visibility.RAW, "field:reasoning", "thought"),)
    messages = (Message("user", "asked", signal=((0, 2),)), Message("assistant", text, reasoning))
    return Episode(EpisodeKey(**names, sample=sample), "f", outcome, "", messages, 1.0, 2.0)


def call(ordinal: int = 0, attempt: int = 0, response: bytes | None = b"{}", error: str = "") -> Call:
    return Call(episode().key.id(), ordinal, attempt, b"asked", response, 200, error, 1.0, 2.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "transcripts" / "one.sqlite"


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """What a full disk is to a process: writing past `size` fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# Every text there can be, lone surrogates, NUL and noncharacters among them.
texts = st.text(st.characters(codec=None), max_size=40) | st.sampled_from(
    [
        "\x00",
        "\x10",
        "\x10\x80\x80\x80\x80",
        "\ud83d\ude00",
        "\udc80",
        "\ufffe",
        "\u202e",
        '{"lc":1}',
        "\x1b]52;",
        "a\u200db",
        "</s>",
    ]
)
spans = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=3).map(tuple)
integers = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
pairs = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
reasonings = st.builds(
    Reasoning, st.sampled_from(Visibility), texts, st.none() | texts, st.none() | integers, st.booleans()
)
stands = st.none() | st.builds(Text, texts, spans)
tool_calls = st.lists(st.builds(ToolCall, texts, texts, texts), max_size=2).map(tuple)
messages = st.builds(
    Message,
    st.sampled_from(["system", "user", "assistant", "tool"]),
    texts,
    st.lists(reasonings, max_size=3).map(tuple),
    spans,
    st.none() | texts,
    tool_calls,
    st.none() | st.builds(ToolResult, texts, st.booleans()),
    st.lists(st.builds(Change, texts, stands, stands), max_size=2).map(tuple),
)
episodes = st.builds(
    Episode,
    st.builds(EpisodeKey, texts, texts, texts, texts, integers),
    texts,
    st.sampled_from(Outcome),
    texts,
    st.lists(messages, max_size=4).map(tuple),
    floats,
    floats,
    texts,
    pairs,
    pairs,
)
calls = st.builds(
    Call,
    texts,
    integers,
    integers,
    st.binary(max_size=2000),
    st.none() | st.binary(max_size=2000),
    st.none() | integers,
    texts,
    floats,
    st.none() | floats,
    pairs,
)
evidence = st.lists(
    st.builds(
        Evidence, st.integers(0, 9), st.sampled_from(["text", "reasoning"]), st.just(0), integers, integers, texts
    ),
    max_size=2,
).map(tuple)
findings = st.lists(st.builds(Finding, texts, evidence), max_size=2).map(tuple)
answers: st.SearchStrategy[Answer] = (
    st.builds(BehaviourShown, texts, evidence)
    | st.builds(ReasoningRead, findings)
    | st.builds(Ungraded, texts, texts)
)
plan_texts = st.builds(Text, texts, spans)
plans = st.builds(Plan, texts, texts, texts, texts, plan_texts, st.lists(plan_texts, max_size=2).map(tuple))


@given(
    played=st.lists(episodes, max_size=4, unique_by=lambda episode: episode.key.id()),
    made=st.lists(calls, max_size=3),
    answered=st.lists(st.tuples(texts, texts, answers), max_size=3, unique_by=lambda one: one[0]),
    planned=st.lists(plans, max_size=2, unique=True),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_was_written_is_read_back_equal(
    tmp_path_factory: pytest.TempPathFactory,
    played: list[Episode],
    made: list[Call],
    answered: list[tuple[str, str, Answer]],
    planned: list[Plan],
) -> None:
    path = tmp_path_factory.mktemp("run") / "one.sqlite"
    given_to = episode(0, agent="graded")
    grades = [
        Grade(given_to.key.id(), "reasoning", grader, version, answer) for grader, version, answer in answered
    ]

    async def write() -> None:
        with RunWriter.create(path, MANIFEST) as writer:
            await asyncio.gather(*(writer.episode(one) for one in [*played, given_to]))
            await asyncio.gather(*(writer.call(one) for one in made))
            await asyncio.gather(*(writer.plan(one) for one in planned))
            await writer.grades(grades, "first")

    asyncio.run(write())
    with RunReader(path) as reader:
        assert reader.manifest == MANIFEST
        assert {one.key: one for one in reader.episodes()} == {one.key: one for one in [*played, given_to]}
        assert all(reader.episode(one.key.id()) == one for one in played)
        assert list(reader.grades()) == grades
        assert set(reader.plans()) == set(planned)
        for id in {one.episode for one in made}:
            expected = sorted((one for one in made if one.episode == id), key=lambda one: one.ordinal)
            assert reader.calls(id) == expected


async def test_an_episode_is_stored_once_and_a_pending_one_is_replaced(path: Path) -> None:
    with RunWriter.create(path, MANIFEST) as writer:
        await writer.episode(episode(text="not yet", outcome=Outcome.PENDING))
        await writer.episode(episode(text="done"))
        await writer.episode(episode(text="done"))
        with pytest.raises(StoreError, match="recorded already"):
            await writer.episode(episode(text="other words"))
        await writer.episode(episode(1))  # Whoever was refused does no harm to the others.
    with RunReader(path) as reader:
        assert list(reader.episodes()) == [episode(text="done"), episode(1)]


async def test_a_replay_reads_the_latest_answer_of_each_call(path: Path) -> None:
    failed = call(1, 0, response=b"<html>", error="garbled")
    with RunWriter.create(path, MANIFEST) as writer:
        for made in (call(0, 0, b"first"), failed, call(1, 1, b"second"), call(2, 0, None, "timed out")):
            await writer.call(made)
        await writer.call(call(0, 0, b"asked again after a crash"))
    with RunReader(path) as reader:
        answered = reader.answered(episode().key.id())
        assert {ordinal: one.response for ordinal, one in answered.items()} == {
            0: b"asked again after a crash",
            1: b"second",
        }
        assert len(reader.calls(episode().key.id())) == 5
        assert reader.calls("unknown") == []


async def test_grades_are_never_changed_and_the_latest_set_is_read(path: Path) -> None:
    def grade(reason: str, sample: int = 0) -> Grade:
        return Grade(episode(sample).key.id(), "behaviour", "rule", "1", Ungraded(reason))

    with RunWriter.create(path, MANIFEST) as writer:
        await writer.episode(episode(0))
        await writer.episode(episode(1))
        await writer.grades([grade("first")], "one")
        await writer.grades([grade("first"), grade("more", 1)], "one")
        with pytest.raises(StoreError, match="differently"):
            await writer.grades([grade("not this", 1), grade("other")], "one")
        with pytest.raises(StoreError, match="no episode"):
            await writer.grades([grade("first", 2)], "never")
        await writer.grades([grade("second")], "two")
    with RunReader(path) as reader:
        assert reader.grade_sets() == ["one", "two"]
        assert list(reader.grades()) == [grade("second")]
        assert list(reader.grades("one")) == [grade("first"), grade("more", 1)]
        with pytest.raises(UsageError, match="it has: one, two"):
            list(reader.grades("three"))


async def test_the_grades_of_one_episode_are_found_without_reading_the_others(path: Path) -> None:
    made = [episode(sample) for sample in range(50)]
    grades = [
        Grade(one.key.id(), question, "rule", "1", Ungraded(f"{question} {one.key.sample}"))
        for one in made
        for question in ("behaviour", "reasoning")
    ]
    with RunWriter.create(path, MANIFEST) as writer:
        for one in made:
            await writer.episode(one)
        await writer.grades(grades, "set")
    with RunReader(path) as reader:
        assert list(reader.grades(episode=made[7].key.id())) == grades[14:16]
        assert list(reader.grades(episode="unknown")) == []
    with sqlite3.connect(path) as db:
        plan = db.execute(f"EXPLAIN QUERY PLAN {rows.GRADES_OF_EPISODE}", ("set", made[7].key.id())).fetchall()
    assert not any(str(step[3]).startswith("SCAN") for step in plan)


async def test_episodes_come_pair_by_pair_and_can_be_chosen(path: Path) -> None:
    made = [
        episode(sample, agent=agent, context=context, scenario=scenario)
        for context in ("training", "deployment")
        for sample in (1, 0)
        for scenario in ("f/two", "f/one")
        for agent in ("b", "a")
    ]
    with RunWriter.create(path, MANIFEST) as writer:
        await asyncio.gather(*(writer.episode(one) for one in made))
    with RunReader(path) as reader:
        keys = [one.key for one in reader.episodes()]
        assert keys == sorted(keys, key=lambda key: (key.agent, key.scenario, key.sample, key.context))
        assert [heading.key for heading in reader.headings()] == keys
        assert reader.count() == len(made)
        chosen = list(reader.episodes(agent="a", scenario="f/one", context="training"))
        assert [one.key.sample for one in chosen] == [0, 1]
        assert reader.counts()[("b", "deployment")] == {Outcome.COMPLETED: 4}


@pytest.mark.parametrize("id", ["", "zz", "'; DROP TABLE episode; --", "%", "\ud800"])
async def test_an_unknown_episode_is_a_usage_error(path: Path, id: str) -> None:
    write_run(path, [episode(0), episode(1)], lambda: MANIFEST)
    with RunReader(path) as reader, pytest.raises(UsageError, match="episode"):
        reader.episode(id)


async def test_the_beginning_of_an_id_is_enough(path: Path) -> None:
    write_run(path, [episode(0), episode(1)], lambda: MANIFEST)
    with RunReader(path) as reader:
        assert reader.episode(episode(1).key.id()[:5]) == episode(1)


async def test_an_acknowledged_row_is_there_for_every_other_connection(path: Path) -> None:
    with RunWriter.create(path, MANIFEST) as writer, RunReader(path) as reader:
        for ordinal in range(30):
            await asyncio.gather(*(writer.call(call(ordinal, attempt)) for attempt in range(20)))
            assert len(reader.answered(episode().key.id())) == ordinal + 1


async def test_a_cancelled_writer_of_a_row_does_not_lose_it(path: Path) -> None:
    with RunWriter.create(path, MANIFEST) as writer:
        tasks = [asyncio.create_task(writer.episode(episode(sample))) for sample in range(20)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    with RunReader(path) as reader:
        assert reader.count() == 20


async def test_rows_are_held_while_the_disk_is_full_and_stored_when_it_is_not(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with RunWriter.create(path, MANIFEST) as writer:
        await writer.episode(episode(0))
        with no_file_longer_than(200_000):
            large = asyncio.gather(*(writer.episode(episode(sample, "x" * 50_000)) for sample in range(1, 20)))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(large), 0.3)
            assert writer.held == 19
        await asyncio.wait_for(large, 5)
        assert writer.held == 0
    assert ["free space" in record.message or "again" in record.message for record in caplog.records] == [True] * 2
    with RunReader(path) as reader:
        assert reader.count() == 20


async def test_a_disk_that_stays_full_keeps_what_was_acknowledged_and_says_what_is_lost(path: Path) -> None:
    writer = RunWriter.create(path, MANIFEST)
    await writer.episode(episode(0))
    with no_file_longer_than(200_000):
        large = [asyncio.create_task(writer.episode(episode(sample, "x" * 50_000))) for sample in range(1, 20)]
        await asyncio.sleep(0.1)
        with pytest.raises(StoreError, match="19 rows that were held in memory could not be stored"):
            writer.close()
        results = await asyncio.gather(*large, return_exceptions=True)
        assert all(isinstance(result, StoreError) and "space" in result.to_do for result in results)
        with pytest.raises(StoreError):
            await writer.episode(episode(20))
    with RunReader(path) as reader:
        assert list(reader.episodes()) == [episode(0)]
    with RunWriter.open(path) as again:
        await again.episode(episode(20))


async def test_a_closed_writer_says_so(path: Path) -> None:
    writer = RunWriter.create(path, MANIFEST)
    writer.close()
    writer.close()
    with pytest.raises(StoreError, match="closed"):
        await writer.episode(episode())
    assert [file.name for file in path.parent.iterdir()] == [path.name]


async def test_a_row_that_can_not_be_stored_is_refused_alone(path: Path) -> None:
    with RunWriter.create(path, MANIFEST) as writer:
        results = await asyncio.gather(
            writer.episode(replace(episode(0), started=float("nan"))),
            writer.episode(episode(2**63)),
            writer.episode(episode(1)),
            return_exceptions=True,
        )
    assert [type(result) for result in results] == [StoreError, StoreError, type(None)]
    with RunReader(path) as reader:
        assert list(reader.episodes()) == [episode(1)]


async def test_a_second_writer_is_refused_by_name(path: Path) -> None:
    with RunWriter.create(path, MANIFEST):
        owner = rf"process {os.getpid()} on {socket.gethostname()}"
        with pytest.raises(StoreError, match=owner):
            RunWriter.open(path)
        with pytest.raises(StoreError, match=owner):
            RunWriter.create(path, MANIFEST)
        with RunReader(path) as reader:
            assert reader.count() == 0
    RunWriter.open(path).close()


async def test_an_existing_run_is_not_overwritten(path: Path) -> None:
    write_run(path, [episode()], lambda: MANIFEST)
    with pytest.raises(StoreError, match="exists already"):
        RunWriter.create(path, MANIFEST)
    with pytest.raises(StoreError, match="exists already"):
        write_run(path, [], lambda: MANIFEST)
    with RunReader(path) as reader:
        assert reader.count() == 1


def test_a_run_that_can_not_be_made_leaves_nothing(path: Path, tmp_path: Path) -> None:
    def breaks_off() -> Iterator[Episode]:
        yield episode()
        raise UsageError("the file ends here")

    with pytest.raises(UsageError):
        write_run(path, breaks_off(), lambda: MANIFEST)
    assert list(path.parent.iterdir()) == []
    with pytest.raises(StoreError, match="space"), no_file_longer_than(10_000):
        write_run(path, [episode(text="x" * 50_000)], lambda: MANIFEST)
    assert list(path.parent.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="can't be made"):
        RunWriter.create(tmp_path / "file" / "one.sqlite", MANIFEST)


async def test_a_reader_follows_a_run_that_is_being_played(path: Path) -> None:
    with RunWriter.create(path, MANIFEST) as writer, RunReader(path) as reader:
        await writer.episode(episode(0))
        reading = reader.episodes()
        assert next(reading) == episode(0)
        await writer.episode(episode(1))
        assert list(reading) == []  # One reading sees one state.
        assert reader.count() == 2
    with RunReader(path) as reader:
        assert reader.count() == 2


def copied(path: Path) -> Path:
    copy = path.with_name("copy.sqlite")
    copy.write_bytes(path.read_bytes())
    return copy


async def test_a_closed_run_is_whole_in_its_own_file_though_somebody_reads_it(path: Path) -> None:
    writer = RunWriter.create(path, MANIFEST)
    with RunReader(path) as reader:
        await writer.episode(episode(0))
        assert reader.count() == 1
        writer.close()
        with RunReader(copied(path)) as other:
            assert list(other.episodes()) == list(reader.episodes()) == [episode(0)]


async def test_a_large_message_does_not_hold_up_the_event_loop(path: Path) -> None:
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - before)

    large = episode(0, "a line of text\n" * 700_000)
    with RunWriter.create(path, MANIFEST) as writer:
        ticking = asyncio.create_task(tick())
        await asyncio.sleep(0.01)
        await writer.episode(large)
        ticking.cancel()
    assert longest < 0.25
    with RunReader(path) as reader:
        assert list(reader.episodes()) == [large]


def test_a_run_may_have_any_file_name(tmp_path: Path) -> None:
    path = tmp_path / "a b?mode=rwc#%41é.sqlite"
    write_run(path, [episode()], lambda: MANIFEST)
    with RunReader(path) as reader:
        assert reader.count() == 1
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def damage(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def read_all(path: Path) -> None:
    with RunReader(path) as reader:
        assert reader.manifest
        list(reader.episodes())


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.unlink(), "there is no run"),
        (lambda path: path.write_bytes(b""), "not a run of gyges"),
        (lambda path: path.write_bytes(b"Dear diary, " * 99), "not a run of gyges"),
        (lambda path: damage(path, 0, b"\0" * 100), "not a run of gyges"),
        (lambda path: damage(path, 100, b"\xff" * 3000), "damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "damaged"),
        (lambda path: damage(path, 8192, b"\0" * 80_000), "damaged"),
        (lambda path: change(path, "PRAGMA application_id = 1"), "not a run of gyges"),
        (lambda path: change(path, "PRAGMA user_version = 99"), "newer gyges"),
        (lambda path: change(path, "PRAGMA user_version = 0"), "not a run of gyges"),
        (lambda path: change(path, "DROP TABLE grade"), "not those that gyges makes"),
        (lambda path: change(path, "CREATE VIEW v AS SELECT 1"), "not those that gyges makes"),
        (lambda path: change(path, "UPDATE episode SET outcome = 'splendid'"), "can't be read"),
        (lambda path: change(path, "UPDATE episode SET labels = '['"), "can't be read"),
        (lambda path: change(path, "UPDATE run SET manifest = '{}'"), "can't be read"),
        (lambda path: change(path, "DELETE FROM run"), "no manifest"),
        (lambda path: change(path, "UPDATE block SET text = CAST(x'ff' AS TEXT) WHERE channel = 'text'"), "UTF-8"),
    ],
)
def test_a_file_that_is_no_sound_run_is_explained(path: Path, spoil: Callable[[Path], object], says: str) -> None:
    write_run(path, (episode(sample, "x" * 5000) for sample in range(30)), lambda: MANIFEST)
    spoil(path)
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(StoreError, match=says) as caught:
        read_all(path)
    assert caught.value.to_do
    assert (path.read_bytes() if path.exists() else None) == before


def test_no_statement_of_a_reader_can_write(path: Path) -> None:
    write_run(path, [episode()], lambda: MANIFEST)
    before = path.read_bytes()
    with RunReader(path) as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._db.execute("DELETE FROM episode")
    assert path.read_bytes() == before


async def test_rows_survive_the_loss_of_power_when_asked(path: Path) -> None:
    with RunWriter.create(path, MANIFEST, durability="power") as writer:
        await writer.episode(episode())
        (synchronous,) = writer._connection.execute("PRAGMA synchronous").fetchone()
    assert synchronous == 2


def kills(folder: Path, trials: int, seed: int) -> str:
    harness = Path(__file__).with_name("kill_writer.py")
    command = [sys.executable, str(harness), str(folder), str(trials), str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_rows_acknowledged_before_a_kill_are_there(tmp_path: Path) -> None:
    assert "10 kills" in kills(tmp_path, 10, 1)


@pytest.mark.full
def test_rows_acknowledged_before_many_kills_are_there(tmp_path: Path) -> None:
    assert "200 kills" in kills(tmp_path, 200, 2)


def test_json_of_the_file_can_be_read_by_other_tools(path: Path) -> None:
    write_run(path, [replace(episode(), labels=(("option", "a"),))], lambda: MANIFEST)
    connection = sqlite3.connect(path)
    (labels,) = connection.execute("SELECT labels FROM episode").fetchone()
    (text,) = connection.execute("SELECT text FROM block WHERE role = 'user'").fetchone()
    connection.close()
    assert json.loads(labels) == [["option", "a"]]
    assert text == "asked"
