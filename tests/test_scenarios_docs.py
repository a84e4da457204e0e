"""What docs/scenarios.md shows is what the reader reads."""

from __future__ import annotations

import re
from pathlib import Path

from gyges.scenarios.check import check_names
from gyges.scenarios.family import FamilyFile, ScenarioFile
from gyges.scenarios.grammar import FILTERS
from gyges.scenarios.nodes import read_document
from gyges.scenarios.queries import queries_of
from gyges.scenarios.read import select
from gyges.scenarios.render import plans
from gyges.scenarios.validate import validated

PAGE = (Path(__file__).parent.parent / "docs" / "scenarios.md").read_text(encoding="utf-8")
FAMILY, SCENARIO, WORLD, IN_WORLD, TURNS, FACTORS, CONTROLS, PROBES, COMMENT = re.findall(
    r"```yaml\n(.*?)```", PAGE, re.DOTALL
)
CANARY = FAMILY.splitlines()[0].partition("#")[0].strip()
HEAD = f"{CANARY}\ntitle: Night\nsource: docs/scenarios.md\n"


def test_the_family_of_the_page_is_valid_with_its_factors_and_controls(tmp_path: Path) -> None:
    file = tmp_path / "family.yaml"
    file.write_text(COMMENT + FAMILY + FACTORS + CONTROLS + PROBES)
    family = validated(read_document(file), FamilyFile)
    file.write_text(HEAD + WORLD)
    shown = set(family.model_fields_set) | validated(read_document(file), FamilyFile).model_fields_set
    assert shown == set(FamilyFile.model_fields), "the page leaves a key out"


def test_the_scenario_of_the_page_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "meter.yaml"
    file.write_text(SCENARIO.replace("canary: ...", CANARY))
    assert validated(read_document(file), ScenarioFile).title == "The meter reading"


def test_the_world_of_the_page_is_checked_and_played_without_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "scenarios" / "night"
    folder.mkdir(parents=True)
    (folder / "family.yaml").write_text(HEAD + WORLD)
    (folder / "heating.yaml").write_text(f"{CANARY}\ntitle: The heating stays cold\n{IN_WORLD}")
    assert [str(one) for one in check_names([str(folder)]) if one.severity == "error"] == []
    turns = TURNS.removeprefix("turns:\n")
    (folder / "family.yaml").write_text(HEAD + re.sub(r"(?<=turns:\n)  - user: .*\n", lambda _: turns, WORLD))
    (scenario,) = select([str(folder)])
    assert [len(others) for others in plans(scenario)[0].alternatives] == [0, 1]
    assert [str(one) for one in check_names([str(folder)]) if one.severity == "error"] == []


def test_the_list_of_queries_of_the_page_is_valid(tmp_path: Path) -> None:
    (text,) = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "meter.queries.csv").write_text(text)
    assert [query.id for query in queries_of(tmp_path / "meter.yaml")] == ["gas"]


def test_the_page_names_all_filters() -> None:
    (names,) = re.findall(r"the filters `([^`]*)`", PAGE)
    assert set(names.split()) == FILTERS - {"d"}
