"""JSON that a client sent, read leniently: what is of another type is as good as not there. It knows no format."""

from __future__ import annotations

Json = dict[str, "Value"]
Value = str | int | float | bool | None | list["Value"] | Json


def object_in(body: Json, name: str) -> Json:
    return as_object(body.get(name))


def objects_in(body: Json, name: str) -> list[Json]:
    """The objects of a list; [] where there is none."""
    return as_objects(body.get(name))


def as_object(value: Value) -> Json:
    return value if isinstance(value, dict) else {}


def as_objects(value: Value) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text_of(content: Value) -> str:
    """The words of a message's content: a string, or its parts of type text (of any format)."""
    if isinstance(content, str):
        return content
    return "\n".join(str(part["text"]) for part in as_objects(content) if isinstance(part.get("text"), str))
