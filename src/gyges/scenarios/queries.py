"""Lists of queries: a file beside a scenario, each row of which makes a scenario of its own. It renders nothing.

Rows are data, never templates: braces in them are braces.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from gyges.errors import AuthoringError, Place
from gyges.scenarios.nodes import decoded, read_document
from gyges.scenarios.phrase import Phrase

MAX_BYTES = 20_000_000
SUFFIXES = (".queries.csv", ".queries.jsonl", ".queries.yaml")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """One row: its id, and the values that it gives the scenario."""

    id: str
    values: dict[str, Phrase]


def queries_of(scenario: Path) -> list[Query]:
    """The queries beside a scenario's file (`meter.yaml`: `meter.queries.csv`, `.jsonl` or `.yaml`), if any.

    Raises AuthoringError with the line of what is wrong.
    """
    files = [file for suffix in SUFFIXES if (file := scenario.with_name(scenario.stem + suffix)).is_file()]
    if len(files) > 1:
        raise AuthoringError(
            Place(files[1]), f"{files[0].name} gives the same scenario's queries", "keep one of them"
        )
    found: dict[str, Query] = {}
    for file in files:
        for line, row in _rows(file):
            query = _query(Place(file, line), row)
            if query.id in found:
                raise AuthoringError(
                    Place(file, line), f"the id {query.id!r} stands twice", "give each row its own"
                )
            found[query.id] = query
        if not found:
            raise AuthoringError(Place(file), "there is no query in this file")
    return list(found.values())


def _rows(file: Path) -> Iterator[tuple[int, dict[object, object]]]:
    """Each row with its line."""
    if file.suffix == ".yaml":
        yield from _yaml_rows(file)
    elif file.suffix == ".jsonl":
        yield from _json_rows(file)
    else:
        yield from _csv_rows(file)


def _yaml_rows(file: Path) -> Iterator[tuple[int, dict[object, object]]]:
    document = read_document(file)
    rows = document.data()
    if not isinstance(rows, list):
        raise document.error(document.root, "expected a list of rows, each with an `id`")
    for index, row in enumerate(rows):
        node = document.at([index])
        if not isinstance(row, dict):
            raise document.error(node, "expected a row: `id` and values")
        yield node.line, {str(key): value for key, value in row.items()}


def _json_rows(file: Path) -> Iterator[tuple[int, dict[object, object]]]:
    for line, text in enumerate(decoded(file, MAX_BYTES).split("\n"), start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise AuthoringError(Place(file, line), f"this line is not JSON ({error})") from error
        if not isinstance(row, dict):
            raise AuthoringError(Place(file, line), "expected an object: `id` and values")
        yield line, row


def _csv_rows(file: Path) -> Iterator[tuple[int, dict[object, object]]]:
    reader = csv.DictReader(StringIO(decoded(file, MAX_BYTES), newline=""), strict=True)
    before = 1
    try:
        for row in reader:
            if None in row or None in row.values():
                raise AuthoringError(Place(file, before + 1), "this row has not as many fields as the first line")
            yield before + 1, dict(row)
            before = reader.line_num
    except csv.Error as error:
        raise AuthoringError(Place(file, reader.line_num), f"this is not readable CSV ({error})") from error


def _query(place: Place, row: dict[object, object]) -> Query:
    name = row.get("id")
    if not isinstance(name, str) or not _ID.fullmatch(name):
        to_do = "an id is text: up to 32 small letters, digits, - and _"
        raise AuthoringError(place, f"the id {name!r} is not allowed" if name else "the `id` is missing", to_do)
    values: dict[str, Phrase] = {}
    for key, text in row.items():
        if key == "id":
            continue
        if not isinstance(key, str) or not _WORD.fullmatch(key):
            raise AuthoringError(place, f"the name {key!r} is not allowed", "use small letters, digits and _")
        if not isinstance(text, str):
            raise AuthoringError(place, f"{key}: expected text", "put text in quotes")
        values[key] = Phrase(text, text.source if isinstance(text, Phrase) else None, verbatim=True)
    return Query(name, values)
