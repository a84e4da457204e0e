"""The schema: older runs can be read and are migrated with a copy; newer ones and strange ones are refused."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from gyges.errors import StoreError
from gyges.transcripts import rows, schema
from gyges.transcripts.manifest import Manifest
from gyges.transcripts.record import Episode, EpisodeKey, Message, Outcome, ToolCall, ToolResult
from gyges.transcripts.search import Query
from gyges.transcripts.store import RunReader, RunWriter
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
MESSAGES = (Message("user", "asked"), Message("assistant", "said"))
EPISODE = Episode(EpisodeKey("a", "f/s", "", "c", 0), "f", Outcome.COMPLETED, "", MESSAGES, 1.0, 2.0)

OLDER = range(1, len(schema.MIGRATIONS))


def of_schema(path: Path, number: int) -> Path:
    connection = schema.new(path, schema.MIGRATIONS[:number])
    rows.put_manifest(connection, MANIFEST)
    rows.put_episode(connection, EPISODE)
    connection.close()
    return path


@pytest.mark.parametrize("number", OLDER)
def test_a_run_of_an_older_schema_is_read_as_it_is(tmp_path: Path, number: int) -> None:
    path = of_schema(tmp_path / "one.sqlite", number)
    before = path.read_bytes()
    with RunReader(path) as reader:
        assert reader.manifest == MANIFEST
        assert list(reader.episodes()) == [EPISODE]
        assert reader.search(Query("asked")).episodes == {1}
        assert reader.in_flight() == reader.unanswered() == []
    assert verify(path) == []
    assert path.read_bytes() == before


@pytest.mark.parametrize("number", OLDER)
def test_a_run_of_an_older_schema_is_copied_and_migrated_by_its_writer(tmp_path: Path, number: int) -> None:
    path = of_schema(tmp_path / "one.sqlite", number)
    RunWriter.open(path).close()
    for file, expected in ((path, len(schema.MIGRATIONS)), (tmp_path / f"one.sqlite.schema-{number}", number)):
        connection = schema.to_read(file)
        assert schema.version(connection) == expected
        connection.close()
        with RunReader(file) as reader:
            assert list(reader.episodes()) == [EPISODE]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = of_schema(tmp_path / "one.sqlite", 1)

    def breaks_off(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE more(one INTEGER)")
        connection.execute("NO SUCH STATEMENT")

    connection = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(connection, [*schema.MIGRATIONS[:1], breaks_off])
    connection.close()
    with RunReader(path) as reader:
        assert reader.count() == 1
    RunWriter.open(path).close()


def test_a_strange_table_in_an_older_run_is_refused(tmp_path: Path) -> None:
    path = of_schema(tmp_path / "one.sqlite", 1)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TRIGGER t AFTER INSERT ON grade BEGIN DELETE FROM episode; END")
    connection.close()
    with pytest.raises(StoreError, match="not those that gyges makes"):
        RunWriter.open(path)
    assert [file.name for file in tmp_path.iterdir()] == ["one.sqlite"]


def test_a_bytewise_copy_of_a_finished_run_is_a_run(tmp_path: Path) -> None:
    path = of_schema(tmp_path / "one.sqlite", len(schema.MIGRATIONS))
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(path.read_bytes())
    with RunReader(copy) as reader:
        assert list(reader.episodes()) == [EPISODE]


def test_tools_are_kept_in_a_run_that_began_without_them(tmp_path: Path) -> None:
    path = of_schema(tmp_path / "one.sqlite", schema.WITH_TOOLS - 1)
    said = (
        *MESSAGES,
        Message("assistant", "", calls=(ToolCall("c1", "look", '{"at":"it"}'),)),
        Message("tool", "no such thing", result=ToolResult("c1", failed=True)),
    )
    later = replace(EPISODE, key=replace(EPISODE.key, sample=1), messages=said)

    async def write() -> None:
        with RunWriter.open(path) as writer:
            await writer.episode(later)

    asyncio.run(write())
    with RunReader(path) as reader:
        assert list(reader.episodes()) == [EPISODE, later]
    assert verify(path) == []


def test_a_run_whose_writer_was_killed_as_it_closed_it_can_be_read(tmp_path: Path) -> None:
    path = of_schema(tmp_path / "run.sqlite", len(schema.MIGRATIONS))
    child = os.fork()
    if child == 0:
        connection = sqlite3.connect(path, isolation_level=None)
        # Spilled before the commit, a journal is needed to take it back.
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE large(text TEXT)")
        connection.executemany("INSERT INTO large VALUES (?)", [("x" * 5000,)] * 200)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert path.with_name("run.sqlite-journal").stat().st_size
    with RunReader(path) as reader:
        assert list(reader.episodes()) == [EPISODE]
