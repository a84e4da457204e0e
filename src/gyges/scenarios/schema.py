"""The format as JSON Schema, for editors. Generated from the models; it knows nothing that they don't say."""

from __future__ import annotations

import json

from pydantic import BaseModel

from gyges.scenarios.family import FamilyFile, ScenarioFile

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FILES: dict[str, type[BaseModel]] = {"family.schema.json": FamilyFile, "scenario.schema.json": ScenarioFile}


def schema() -> dict[str, dict[str, object]]:
    """The JSON Schemas of `family.yaml` and of a scenario's file, by the name of the schema's file."""
    return {name: {"$schema": _DIALECT, **_closed(model.model_json_schema())} for name, model in _FILES.items()}


def schema_texts() -> dict[str, str]:
    """The schemas as they are written to files."""
    return {name: json.dumps(one, indent=2, ensure_ascii=False) + "\n" for name, one in schema().items()}


def _closed(part: dict[str, object]) -> dict[str, object]:
    """Without the titles that pydantic makes up, and closed where names have to match a pattern."""
    kept = {
        key: _closed_value(value) for key, value in part.items() if not (key == "title" and isinstance(value, str))
    }
    if "patternProperties" in kept:
        kept.setdefault("additionalProperties", False)
    return kept


def _closed_value(value: object) -> object:
    if isinstance(value, dict):
        return _closed(value)
    return [_closed_value(item) for item in value] if isinstance(value, list) else value
