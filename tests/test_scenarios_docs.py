"""What docs/scenarios.md shows is what the reader reads."""

from __future__ import annotations

import re
from pathlib import Path

from gyges.scenarios.family import FamilyFile, ScenarioFile
from gyges.scenarios.grammar import FILTERS
from gyges.scenarios.nodes import read_document
from gyges.scenarios.queries import queries_of
from gyges.scenarios.validate import validated

PAGE = (Path(__file__).parent.parent / "docs" / "scenarios.md").read_text(encoding="utf-8")
FAMILY, SCENARIO, FACTORS, CONTROLS, COMMENT = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
CANARY = FAMILY.splitlines()[0].partition("#")[0].strip()


def test_the_family_of_the_page_is_valid_with_its_factors_and_controls(tmp_path: Path) -> None:
    file = tmp_path / "family.yaml"
    file.write_text(COMMENT + FAMILY + FACTORS + CONTROLS)
    family = validated(read_document(file), FamilyFile)
    shown = set(family.model_fields_set)
    assert shown == set(FamilyFile.model_fields), "the page leaves a key out"


def test_the_scenario_of_the_page_is_valid(tmp_path: Path) -> None:
    file = tmp_path / "meter.yaml"
    file.write_text(SCENARIO.replace("canary: ...", CANARY))
    assert validated(read_document(file), ScenarioFile).title == "The meter reading"


def test_the_list_of_queries_of_the_page_is_valid(tmp_path: Path) -> None:
    (text,) = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "meter.queries.csv").write_text(text)
    assert [query.id for query in queries_of(tmp_path / "meter.yaml")] == ["gas"]


def test_the_page_names_all_filters() -> None:
    (names,) = re.findall(r"the filters `([^`]*)`", PAGE)
    assert set(names.split()) == FILTERS - {"d"}
