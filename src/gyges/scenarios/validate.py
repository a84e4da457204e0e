"""A positioned YAML document to a pydantic model, errors at file, line and column. It knows no scenario."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gyges.errors import AuthoringError
from gyges.scenarios.nearest import nearest
from gyges.scenarios.nodes import Document, Node
from gyges.scenarios.phrase import Implicit

__all__ = ["nearest", "validated"]

Model = TypeVar("Model", bound=BaseModel)


def validated(document: Document, model: type[Model]) -> Model:
    """The document as `model`. Raises AuthoringError for the first thing that is wrong."""
    if document.root.pairs is None:
        raise document.error(document.root, "expected a mapping (`key: value` lines)", "see docs/scenarios.md")
    try:
        return model.model_validate(document.data())
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
        # A misspelt key is also a missing one, and what holds it is too short: say first what was written wrongly.
        first = min(details, key=lambda detail: (_rank(detail), _at(document, detail)))
        raise _authoring_error(document, model, first) from error


def _node(document: Document, detail: ErrorDetails) -> Node:
    path = _there(document, [step for step in detail["loc"] if step != "[key]"])
    wrong_key = detail["type"] == "extra_forbidden" or detail["loc"][-1:] == ("[key]",)
    return document.key_at(path) if wrong_key else document.at(path)


def _there(document: Document, loc: Sequence[str | int]) -> list[str | int]:
    """The steps of a place that are in the document: pydantic also names the kind where there are several."""
    path: list[str | int] = []
    node = document.root
    for at, step in enumerate(loc):
        found = next((child for name, child in node.children() if name == step), None)
        if found is not None:
            node = found
            path.append(step)
        elif at == len(loc) - 1:
            path.append(step)
    return path


def _rank(detail: ErrorDetails) -> int:
    return {"extra_forbidden": 0, "missing": 2, "too_short": 3}.get(detail["type"], 1)


def _at(document: Document, detail: ErrorDetails) -> tuple[int, int]:
    node = _node(document, detail)
    return node.line, node.column


def _authoring_error(document: Document, model: type[BaseModel], detail: ErrorDetails) -> AuthoringError:
    node = _node(document, detail)
    what, to_do = _sentence(model, detail)
    return document.error(node, what, to_do)


def _sentence(model: type[BaseModel], detail: ErrorDetails) -> tuple[str, str]:
    loc = detail["loc"]
    where = ".".join(str(step) for step in loc if step != "[key]")
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown key {str(loc[-1])!r}", nearest(str(loc[-1]), _fields(model, loc[:-1]))
        case "missing":
            return f"the key {str(loc[-1])!r} is missing", "add it" + _inside(loc[:-1])
        case "not_text":
            return f"{where}: {detail['msg']}", "put text in quotes"
        case "string_type":
            written = detail["input"].text if isinstance(detail["input"], Implicit) else detail["input"]
            return f"{where}: expected text, but found {written!r}", "put text in quotes"
        case "string_pattern_mismatch" if loc == ("canary",):
            what = "the canary has to begin with `gyges-canary:` and an id of eight or more of 0-9, a-f and -"
            return what, "copy the line of another file of the study"
        case "string_pattern_mismatch":
            return f"the name {detail['input']!r} is not allowed", f"names match {context.get('pattern')}"
        case "literal_error":
            return f"{where}: {detail['input']!r} is not known", f"expected {context.get('expected')}"
        case "union_tag_invalid":
            key, tag = str(context.get("discriminator")).strip("'"), str(context.get("tag"))
            known = re.findall(r"'([^']+)'", str(context.get("expected_tags")))
            return f"{where}.{key}: {tag!r} is not known", nearest(tag, known)
        case "value_error":
            return f"{where}: {context.get('error')}", ""
        case "too_short":
            least, found = context.get("min_length"), context.get("actual_length")
            return f"{where}: at least {least} expected, found {found}", ""
        case _:
            return f"{where}: {detail['msg'][:1].lower()}{detail['msg'][1:]}", ""


def _inside(loc: Sequence[str | int]) -> str:
    return f" to {'.'.join(str(step) for step in loc)}" if loc else ""


def _fields(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that a model knows at a place inside it."""
    here: type[BaseModel] | None = model
    for step in loc:
        if here is not None and step in here.model_fields:
            here = _model_in(here.model_fields[str(step)].annotation)
    return [field.alias or name for name, field in here.model_fields.items()] if here is not None else []


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
