"""An authored YAML file as a checked value, or an error that names the place. It knows no rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from gyges.errors import AuthoringError
from gyges.scenarios.nodes import Document, Node, read_document
from gyges.scenarios.validate import validated

Model = TypeVar("Model", bound=BaseModel)


def read_yaml(path: Path, model: type[Model]) -> Model:
    """The file at `path` as a `model`. Raises AuthoringError with file, line and column."""
    return validated(read_document(path), model)


def error_at(path: Path, section: str, subject: str, what: str, to_do: str) -> AuthoringError:
    """An error at the first scalar that holds `subject`; if none does, at the key `section`."""
    document: Document = read_document(path)
    holding = (node for node in _scalars(document.root) if subject in (node.text or ""))
    return document.error(next(holding, None) or document.key_at([section]), what, to_do)


def _scalars(node: Node) -> Iterator[Node]:
    if node.text is not None:
        yield node
    for _, child in node.children():
        yield from _scalars(child)
