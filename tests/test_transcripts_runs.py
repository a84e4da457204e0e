"""Names of runs, and finding a run by what a user types."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest

from gyges.errors import UsageError
from gyges.transcripts.runs import find_run, list_runs, new_run_name, run_path
from gyges.transcripts.store import write_run
from tests.test_transcripts_schema import MANIFEST

NAMES = ["20261119T235959Z-aaaaaa", "20261121T083603Z-5e9f03", "20261121T083603Z-b00000"]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "transcripts").mkdir()
    for name in reversed(NAMES):
        run_path(name, tmp_path).touch()
    return tmp_path


def test_a_name_is_the_utc_time_and_some_noise() -> None:
    noon = datetime(2026, 11, 21, 12, 0, 5, tzinfo=timezone(timedelta(hours=2)))
    assert new_run_name(lambda: noon, lambda size: "ab" * size) == "20261121T100005Z-ababab"


def test_names_of_one_second_differ() -> None:
    second = datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)
    assert len({new_run_name(lambda: second) for _ in range(50)}) == 50


@pytest.mark.parametrize(
    ("typed", "found"),
    [("latest", 2), (NAMES[0], 0), ("20261119", 0), ("20261121T083603Z-5", 1), ("20261121T083603Z-b00000", 2)],
)
def test_a_run_is_found_by_what_tells_it_from_the_others(study: Path, typed: str, found: int) -> None:
    assert find_run(typed, study) == run_path(NAMES[found], study)


@pytest.mark.parametrize(
    ("sources", "found"),
    [(["played", "played", "forked", "imported"], 1), (["forked", "imported"], 1), (["played"], 0)],
)
def test_latest_is_what_was_played_last_though_forks_and_imports_are_newer(
    tmp_path: Path, sources: list[str], found: int
) -> None:
    (tmp_path / "scenarios").mkdir()
    paths = [run_path(f"2026112{number}T000000Z-aaaaaa", tmp_path) for number in range(len(sources))]
    for path, source in zip(paths, sources, strict=True):
        write_run(path, [], partial(MANIFEST.model_copy, update={"source": source}))
    assert find_run("latest", tmp_path) == paths[found]


def test_a_run_is_found_by_its_path(study: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.db"
    elsewhere.touch()
    assert find_run(str(elsewhere), study) == elsewhere


def test_runs_are_listed_oldest_first_and_a_named_one_by_when_it_was_written(study: Path) -> None:
    named = run_path("my-run", study)
    named.touch()
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
    os.utime(named, (noon, noon))
    assert [path.stem for path in list_runs(study)] == [NAMES[0], "my-run", *NAMES[1:]]


@pytest.mark.parametrize("typed", ["20261121", "2"])
def test_an_ambiguous_beginning_names_the_candidates(study: Path, typed: str) -> None:
    with pytest.raises(UsageError, match="several") as caught:
        find_run(typed, study)
    assert NAMES[1] in caught.value.to_do
    assert NAMES[2] in caught.value.to_do


@pytest.mark.parametrize("typed", ["20261121T083603Z-5e9f04", "", "../x", "x" * 999, "nul\x00"])
def test_an_unknown_run_names_the_nearest(study: Path, typed: str) -> None:
    with pytest.raises(UsageError, match="no run") as caught:
        find_run(typed, study)
    assert NAMES[1] in caught.value.to_do


def test_a_study_without_runs_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    assert list_runs(tmp_path) == []
    with pytest.raises(UsageError, match="gyges run"):
        find_run("latest", tmp_path)
