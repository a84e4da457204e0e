"""The part of JSON Schema that tools' parameters are written in, and arguments checked against it.

Nothing is repaired, added, left out or made another type, and nothing is ever fetched: there is no `$ref`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gyges.scenarios.nearest import nearest
from gyges.scenarios.phrase import Phrase

JsonType = Literal["string", "integer", "number", "boolean", "array", "object"]
MOST_CHARACTERS = 100_000
"""Of one text among the arguments."""


class Wrong(ValueError):  # noqa: N818 - told to the model, never to the user
    """Arguments that are not as the schema wants them."""


class Schema(BaseModel):
    """JSON Schema of one value."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    type: JsonType = "string"
    description: Phrase | None = None
    enum: tuple[Phrase, ...] = ()
    """The only texts that are taken."""
    items: Schema | None = None
    """Of an array."""
    properties: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")], Schema] = {}
    """Of an object: all of them are required, and no others are taken."""
    minimum: float | None = None
    maximum: float | None = None


_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def check(schema: Mapping[str, object], value: object, where: str = "") -> None:
    """Raise Wrong unless the value is as the schema wants it."""
    kind = str(schema["type"])
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        raise Wrong(f"{where or 'the arguments'}: expected {kind}, but found {_name(value)}")
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        raise Wrong(f"{where}: {len(value):,} characters, and {MOST_CHARACTERS:,} are allowed")
    among = schema.get("enum")
    if isinstance(among, list) and value not in among:
        raise Wrong(f"{where}: {value!r} is not one of {', '.join(map(repr, among))}")
    _check_size(schema, value, where)
    items, properties = schema.get("items"), schema.get("properties")
    if isinstance(value, list) and isinstance(items, dict):
        for at, item in enumerate(value):
            check(items, item, f"{where}[{at}]")
    if isinstance(value, dict) and isinstance(properties, dict):
        _check_members(schema, properties, value, where)


def _check_size(schema: Mapping[str, object], value: object, where: str) -> None:
    least, most = schema.get("minimum"), schema.get("maximum")
    if isinstance(value, int | float):
        if isinstance(least, int | float) and value < least:
            raise Wrong(f"{where}: {value} is less than {least}")
        if isinstance(most, int | float) and value > most:
            raise Wrong(f"{where}: {value} is more than {most}")


def _check_members(
    schema: Mapping[str, object],
    properties: Mapping[str, Mapping[str, object]],
    value: Mapping[str, object],
    where: str,
) -> None:
    required = schema.get("required")
    for name in required if isinstance(required, list) else ():
        if name not in value:
            raise Wrong(f"the argument {name!r} is missing")
    for name, given in value.items():
        if name not in properties:
            raise Wrong(f"there is no argument {name!r}. {nearest(name, properties)}".strip())
        check(properties[name], given, f"{where}.{name}" if where else name)


def _name(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def as_text(value: object) -> str:
    """An argument as a world takes it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)
