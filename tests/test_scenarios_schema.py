"""The JSON Schemas say what the models say, and the ones in docs/ are current."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gyges.scenarios.family import FamilyFile, ScenarioFile
from gyges.scenarios.schema import schema, schema_texts

DOCS = Path(__file__).parent.parent / "docs" / "schema"


@pytest.mark.parametrize("name", sorted(schema_texts()))
def test_the_schemas_in_docs_are_current(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == schema_texts()[name], "write it again with `gyges schema`"


def test_schemas_know_every_key_refuse_others_and_describe_them() -> None:
    for name, model in (("family.schema.json", FamilyFile), ("scenario.schema.json", ScenarioFile)):
        found = schema()[name]
        properties = found["properties"]
        assert isinstance(properties, dict)
        assert set(properties) == set(model.model_fields)
        assert found["additionalProperties"] is False
        assert properties["examples" if "examples" in properties else "source"]["description"]


def test_schemas_fetch_nothing() -> None:
    for text in schema_texts().values():
        references = [line for line in text.splitlines() if '"$ref"' in line]
        assert references
        assert all('"#/$defs/' in line for line in references)
        assert json.loads(text)["$schema"].startswith("https://json-schema.org/")
