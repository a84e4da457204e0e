"""A phrase: authored text that remembers where it was written. It knows nothing of YAML or Jinja."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from gyges.errors import AuthoringError, Place


@dataclass(frozen=True, slots=True)
class Source:
    """Where a scalar stands: lines and columns count from 1; `style` is `|`, `>`, a quote or None."""

    file: Path
    line: int
    column: int
    last_line: int
    style: str | None
    lines: tuple[str, ...]
    """All lines of the file."""

    def place(self, line: int = 1, name: str = "") -> Place:
        """The place of `name` in line `line` of the text (from 1), as near as the scalar's style allows."""
        if self.style == "|":
            # Of a rendered text the line may lie beyond the template's last one.
            at = min(self.line + line, max(self.line + 1, self.last_line - 1))
            found = self._column(at, name)
            return Place(self.file, at, found or self._indent(at))
        # Folded and quoted text has lost its lines: look for the name where the scalar stands.
        for at in range(self.line, max(self.line, self.last_line) + 1):
            if name and (found := self._column(at, name)):
                return Place(self.file, at, found)
        return Place(self.file, self.line, self.column)

    def _column(self, at: int, name: str) -> int | None:
        line = self.lines[at - 1] if at <= len(self.lines) else ""
        start = self.column - 1 if at == self.line else 0
        found = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)").search(line, start) if name else None
        return found.start() + 1 if found else None

    def _indent(self, at: int) -> int:
        line = self.lines[at - 1] if at <= len(self.lines) else ""
        return len(line) - len(line.lstrip(" ")) + 1


class Phrase(str):
    """Authored text. `source` is None for text that was not read from a file."""

    source: Source | None
    verbatim: bool
    """Data, not a template: braces in it are braces."""

    def __new__(cls, text: str, source: Source | None = None, *, verbatim: bool = False) -> Phrase:
        phrase = super().__new__(cls, text)
        phrase.source = source
        phrase.verbatim = verbatim
        return phrase

    def error(self, what: str, to_do: str = "", line: int = 1, name: str = "") -> AuthoringError:
        place = self.source.place(line, name) if self.source else Place(Path("<text>"), line)
        return AuthoringError(place, what, to_do)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _phrase, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, object]:
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Implicit:
    """An unquoted scalar that some reader of YAML takes for something else than text."""

    text: str
    kind: str


def _phrase(value: object) -> Phrase:
    if isinstance(value, Phrase):
        return value
    if isinstance(value, str):
        return Phrase(value)
    kind = _kind(value)
    raise PydanticCustomError("not_text", "expected text, but found {kind}", {"kind": kind})


def _kind(value: object) -> str:
    match value:
        case Implicit():
            return f"a {value.kind}, {value.text}"
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return type(value).__name__
