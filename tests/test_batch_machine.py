"""The checkup of a machine: what it sees, and that it shows no secret."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gyges.batch import machine
from gyges.batch.machine import Checkup, checkups
from tests.conftest import Shown, Study

KEY, PASSWORD = "sk-hunter2-hunter2", "correct-horse"


def found(folder: Path, **environment: str) -> dict[str, Checkup]:
    return {one.name: one for one in checkups(folder, environment)}


def test_this_machine_can_be_looked_at_before_there_is_a_transcript(tmp_path: Path) -> None:
    seen = found(tmp_path / "transcripts")
    assert {"Python", "packages", "SQLite", "disk", "open files", "clock", "keys"} <= seen.keys()
    assert all(one.verdict != "bad" for one in seen.values())
    assert str(tmp_path) in seen["disk"].text


def test_keys_and_passwords_in_addresses_are_never_shown(tmp_path: Path) -> None:
    seen = found(tmp_path, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=f"https://me:{PASSWORD}@proxy.example/v1")
    text = " ".join(one.text for one in seen.values())
    assert KEY not in text
    assert PASSWORD not in text
    assert "proxy.example" in seen["openai"].text
    assert "keys" not in seen


@pytest.mark.parametrize(
    ("environment", "name", "verdict"),
    [
        ({}, "keys", "warning"),
        ({"OPENAI_API_KEY": KEY}, "openai", "ok"),
        ({"OPENAI_API_KEY": f"{KEY}\n"}, "openai", "warning"),
        ({"ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}, "anthropic", "warning"),
        ({"VLLM_BASE_URL": "http://127.0.0.1:8000/v1"}, "vllm", "ok"),
        ({"HTTPS_PROXY": "http://proxy"}, "proxy", "ok"),
    ],
)
def test_providers_are_known_by_their_variables(
    tmp_path: Path, environment: dict[str, str], name: str, verdict: str
) -> None:
    assert found(tmp_path, **environment)[name].verdict == verdict


@pytest.mark.parametrize(("needed", "verdict"), [((3, 0), "ok"), ((99, 0, 0), "warning")])
def test_an_old_sqlite_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, needed: tuple[int, ...], verdict: str
) -> None:
    monkeypatch.setattr(machine, "SQLITE", needed)
    assert found(tmp_path)["SQLite"].verdict == verdict
    assert sqlite3.sqlite_version in found(tmp_path)["SQLite"].text


@pytest.mark.usefixtures("study")
def test_the_doctor_prints_a_line_a_thing(gyges: Callable[..., Shown], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    shown = gyges("doctor")
    assert shown.code == 0, shown.err
    assert KEY not in shown.out
    assert "OPENAI_API_KEY is set" in shown.out


@pytest.mark.full
def test_validation_tells_what_was_planted_from_what_was_measured(
    gyges: Callable[..., Shown], study: Study
) -> None:
    kept = study.root / "kept"
    shown = gyges(
        "validate", "walks", "--agent", "silent-faker", "--seeds", "1", "--samples", "4", "--keep", str(kept)
    )
    assert shown.code == 0, shown.out + shown.err
    assert shown.out.splitlines()[-1] == "pass"
    assert "silent-faker" in shown.out
    assert [path.name for path in kept.glob("*.sqlite")] == ["validate-1.sqlite"]


@pytest.mark.usefixtures("study")
def test_nothing_is_validated_on_a_real_model(gyges: Callable[..., Shown]) -> None:
    refused = gyges("validate", "walks", "--agent", "openai/some-model", "--seeds", "1")
    assert refused.code == 2
    assert "nothing is planted in openai/some-model" in refused.err
