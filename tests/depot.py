"""A study with the family of tests/worlds.py, for several test modules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def depot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes the family into a study of its own, with these replacements; the study is the working folder."""

    def write(family: dict[str, str] | None = None, scenario: dict[str, str] | None = None) -> Path:
        from tests.worlds import FAMILY, SCENARIO

        folder = tmp_path / "scenarios" / "depot"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text, replaced in (("family", FAMILY, family), ("crate", SCENARIO, scenario)):
            for old, new in (replaced or {}).items():
                assert old in text, old
                text = text.replace(old, new)
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        return folder

    monkeypatch.chdir(tmp_path)
    return write
