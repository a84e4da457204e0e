"""Make a study: the folders, and a small family that can be checked, rendered and played as it is."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath
from uuid import uuid4

from gyges.errors import UsageError
from gyges.scenarios.schema import schema_texts

_CANARY = re.compile(r"gyges-canary:[0-9a-f-]+")
_FOLDERS = ("scenarios", "agents", "grading", "transcripts")


def init(folder: Path) -> list[Path]:
    """Write a new study into `folder`, which need not exist; returns the files written.

    The study gets a canary of its own. Raises UsageError, before anything is written, when a file is in the way.
    """
    # An identifier, not a draw: no seed should ever give two studies the same one.
    canary = f"gyges-canary:{uuid4()}"
    starter = files("gyges.scenarios") / "starter"
    texts = {path: _CANARY.sub(canary, text) for path, text in _texts(starter, PurePosixPath()).items()}
    texts |= {PurePosixPath("schema") / name: text for name, text in schema_texts().items()}
    texts[PurePosixPath("transcripts/.gitignore")] = "*\n!.gitignore\n"
    for path in (PurePosixPath(), *map(PurePosixPath, _FOLDERS), *texts):
        target = folder / path
        if path in texts and target.exists():
            raise UsageError(f"{target} exists already", "choose another folder")
        if path not in texts and target.exists() and not target.is_dir():
            raise UsageError(f"{target} is a file", "choose another folder")
    return _write(folder, texts)


def _write(folder: Path, texts: dict[PurePosixPath, str]) -> list[Path]:
    try:
        for name in _FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} can't be written ({error.strerror})") from error
    return [folder / path for path in texts]


def _texts(place: Traversable, path: PurePosixPath) -> dict[PurePosixPath, str]:
    """Every file below `place` with its text, by its path."""
    if place.is_file():
        return {path: place.read_text(encoding="utf-8")}
    found: dict[PurePosixPath, str] = {}
    for inner in sorted(place.iterdir(), key=lambda entry: entry.name):
        found |= _texts(inner, path / inner.name)
    return found
