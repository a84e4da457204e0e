"""A new study works as it is: it passes the check and can be rendered in all its variants and controls."""

from __future__ import annotations

from pathlib import Path

import pytest

from gyges.errors import UsageError
from gyges.scenarios.check import check_names
from gyges.scenarios.read import select
from gyges.scenarios.render import plans
from gyges.scenarios.start import init


def test_a_new_study_passes_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = init(tmp_path / "new")
    monkeypatch.chdir(tmp_path / "new")
    assert all(path.is_file() for path in written)
    assert [problem.what for problem in check_names(["museum"])] == ["museum has 2 scenarios to cluster by"]
    whale = select(["museum/whale"])[0]
    assert len(plans(whale)) == 4
    assert len(plans(whale, every=True)) == 16


def test_the_files_name_their_schema_which_is_there(tmp_path: Path) -> None:
    for path in init(tmp_path):
        if path.suffix == ".yaml":
            comment, _, target = path.read_text().splitlines()[0].partition("$schema=")
            assert comment == "# yaml-language-server: "
            assert (path.parent / target).resolve().is_file()


def test_every_study_has_a_canary_of_its_own(tmp_path: Path) -> None:
    init(tmp_path / "one")
    init(tmp_path / "two")
    one, two = ((tmp_path / name / "scenarios/museum/family.yaml").read_text() for name in ("one", "two"))
    assert one != two
    assert "gyges-canary:00000000" not in one


def test_nothing_is_written_where_something_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        init(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        init(tmp_path / "file")
