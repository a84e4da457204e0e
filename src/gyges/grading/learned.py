"""A learned file, which is data in JSON, as a checked value with its hash. It knows no grader."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from gyges.errors import AuthoringError, Place

Model = TypeVar("Model", bound=BaseModel)


def read_learned(path: Path, model: type[Model], called: str, to_do: str) -> tuple[Model, str]:
    """The file as a `model`, and the first digits of its SHA-256.

    Raises AuthoringError for whatever is wrong with it: that it is no `called`, and what to do.
    """
    try:
        data = path.read_bytes()
        stored = model.model_validate_json(data)
    except OSError as error:
        raise _refused(path, called, f"the file can't be read ({error.strerror})", to_do) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        what = f"{where}: {first['msg']}" if where else first["msg"]
        raise _refused(path, called, what, to_do) from error
    return stored, hashlib.sha256(data).hexdigest()[:12]


def write_learned(stored: BaseModel, path: Path) -> None:
    """The same bytes for the same model; one of its `features` a line, so that versions can be compared."""
    record = stored.model_dump()
    features = record.pop("features")
    head = json.dumps(record, indent=1, ensure_ascii=False)[:-2]
    path.write_text(f'{head},\n "features": {table(features)}\n}}\n', encoding="utf-8")


def table(features: Mapping[str, Sequence[int]]) -> str:
    """Features and their whole numbers as JSON, a feature a line."""
    lines = ",\n".join(
        f"{json.dumps(name, ensure_ascii=False)}:{json.dumps(row, separators=(',', ':'))}"
        for name, row in features.items()
    )
    return f"{{\n{lines}\n }}"


def _refused(path: Path, called: str, what: str, to_do: str) -> AuthoringError:
    return AuthoringError(Place(path), f"this is no {called} that can be used: {what}", to_do)
