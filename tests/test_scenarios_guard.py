"""The guarded check says what the check says, and ends when a limit is reached."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gyges.errors import UsageError
from gyges.scenarios.check import check_names
from gyges.scenarios.guard import check_guarded

pytest_plugins = ["tests.lamps"]
Lamps = Callable[..., Path]


def test_the_guarded_check_finds_what_the_check_finds(lamps: Lamps) -> None:
    lamps(scenario={"A new lamp?": '"{{ nothing }}"'})
    assert check_guarded(["lamps"]) == check_names(["lamps"])
    with pytest.raises(UsageError, match=r"no scenario 'lmaps'; did you mean 'lamps'\?"):
        check_guarded(["lmaps"])


def test_modules_in_the_study_are_not_imported(lamps: Lamps, tmp_path: Path) -> None:
    lamps()
    for name in ("json", "jinja2", "gyges"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(9)")
    assert check_guarded(["lamps"]) == check_names(["lamps"])


def test_a_check_that_takes_too_long_or_too_much_is_stopped(lamps: Lamps) -> None:
    folder = lamps()
    text = (folder / "desk.yaml").read_text()
    work = "{% for i in range(9999) %}{% for j in range(9999) %}{{ j }}{% endfor %}{% endfor %}"
    for number in range(200):
        (folder / f"desk{number}.yaml").write_text(text.replace("A new lamp?", f'"{work}{number}"'))
    start = time.monotonic()
    with pytest.raises(UsageError, match="was stopped"):
        check_guarded(["lamps"], seconds=1)
    with pytest.raises(UsageError, match="was stopped"):
        check_guarded(["lamps"], memory=20_000_000)
    assert time.monotonic() - start < 10
