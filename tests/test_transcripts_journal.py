"""Where a run lies decides how it is kept whole; who reads it for very long, or removes it, harms nobody."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gyges.errors import StoreError, UsageError
from gyges.transcripts import commits, journal, schema
from gyges.transcripts.export import export
from gyges.transcripts.runs import find_run
from gyges.transcripts.store import RunReader, RunWriter
from gyges.transcripts.verify import verify
from tests.kill_writer import MANIFEST, episode

MOUNTS = """\
sysfs /sys sysfs rw 0 0
/dev/vda / ext4 rw 0 0
server:/home /home/people nfs4 rw 0 0
//server/share /mnt/our\\040files cifs rw 0 0
tmpfs /home/people/fast tmpfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/run.sqlite", ""),
        ("/home/people/study/run.sqlite", "nfs4"),
        ("/home/people/fast/run.sqlite", ""),
        ("/home/peopleless/run.sqlite", ""),
        ("/mnt/our files/run.sqlite", "cifs"),
    ],
)
def test_a_network_file_system_is_known_by_its_mount(tmp_path: Path, path: str, kind: str) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS, encoding="utf-8")
    assert journal.network(Path(path), mounts) == kind
    assert journal.network(Path(path), tmp_path / "none") == ""


async def written(path: Path) -> None:
    RunWriter.create(path, MANIFEST).close()
    with RunWriter.open(path) as writer:
        for number in range(20):
            await writer.episode(episode(number))
    with RunReader(path) as reader:
        assert list(reader.episodes()) == [episode(number) for number in range(20)]
    assert verify(path) == []
    assert [one.name for one in path.parent.glob("*")] == [path.name]


async def test_over_a_network_a_journal_keeps_the_file_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal, "network", lambda _: "nfs4")
    await written(tmp_path / "run.sqlite")
    assert "on a network file system (nfs4)" in caplog.text


async def test_where_sqlite_can_keep_no_log_a_journal_keeps_the_file_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def connect(path: Path, mode: str) -> sqlite3.Connection:
        # This one of SQLite's ways to a file system has no shared memory.
        uri = f"{path.resolve().as_uri()}?mode={mode}&vfs=unix-none"
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)

    monkeypatch.setattr(schema, "_connect", connect)
    await written(tmp_path / "run.sqlite")
    assert "where SQLite can't keep its log" in caplog.text


async def test_whoever_looks_at_a_run_for_hours_does_not_keep_its_log_from_going_into_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "PAGES_IN_LOG", 10)
    path = tmp_path / "run.sqlite"
    with RunWriter.create(path, MANIFEST) as writer, RunReader(path) as reader:
        for number in range(300):
            await writer.episode(episode(number))
            assert reader.count() == number + 1
        assert path.with_name("run.sqlite-wal").stat().st_size < path.stat().st_size / 4


async def test_a_log_that_a_reader_holds_is_told_once_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(commits, "PAGES_IN_LOG", 10)
    monkeypatch.setattr(commits, "PAGES_THAT_ARE_MANY", 50)
    path = tmp_path / "run.sqlite"
    with RunWriter.create(path, MANIFEST) as writer:
        await writer.episode(episode(0))
        holding = sqlite3.connect(path, isolation_level=None)
        holding.execute("BEGIN")
        holding.execute("SELECT count(*) FROM episode").fetchone()
        for number in range(1, 200):
            await writer.episode(episode(number))
        held = path.with_name("run.sqlite-wal").stat().st_size
        assert caplog.text.count("some program has been reading the run for very long") == 1
        holding.close()
        for number in range(200, 400):
            await writer.episode(episode(number))
        # It is written from its beginning again.
        assert path.with_name("run.sqlite-wal").stat().st_size < 1.5 * held
    with RunReader(path) as reader:
        assert reader.count() == 400
    assert verify(path) == []


async def test_a_run_that_is_removed_while_it_is_read_is_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "scenarios").mkdir()
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "transcripts" / "run.sqlite"
    await written(path)
    with RunReader(path) as reader:
        first = next(episodes := reader.episodes())
        path.unlink()
        assert [first, *episodes] == [episode(number) for number in range(20)]
    with pytest.raises(StoreError, match="there is no run at"):
        RunReader(path)
    with pytest.raises(UsageError, match="there is no run 'run'"):
        find_run("run")


async def test_an_export_of_a_run_that_is_removed_meanwhile_is_whole(tmp_path: Path) -> None:
    path, whole, out = tmp_path / "run.sqlite", tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    await written(path)
    with RunReader(path) as reader:
        export(reader, whole)
        path.unlink()
        assert export(reader, out) == 20
    assert out.read_bytes() == whole.read_bytes()
