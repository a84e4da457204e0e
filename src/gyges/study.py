"""Find what is authored: the user's study first, then the library that comes with gyges.

A study is a folder with `scenarios/`, `agents/`, `grading/` and `transcripts/`; any of them may be missing. The
checkout of gyges is itself one. It knows where files lie, not what they say.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

Folder = Literal["scenarios", "agents", "grading"]


def library() -> Path:
    """The folder that holds the library's `scenarios/`, `agents/` and `grading/`."""
    package = Path(str(files("gyges")))
    installed = package / "library"
    # In a checkout and an editable install the library is the checkout itself, two folders up (`src/gyges`).
    return installed if installed.is_dir() else package.parent.parent


def study(start: Path | None = None) -> Path:
    """The user's study: the nearest folder at or above `start` with something authored in it, else `start`."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "scenarios").is_dir() or (folder / "agents").is_dir():
            return folder
    return here


def places(folder: Folder, start: Path | None = None) -> tuple[Path, ...]:
    """The folders to search, in order: the study's, then the library's; only those that exist, each once."""
    candidates = [study(start) / folder, library() / folder]
    return tuple(dict.fromkeys(path for path in candidates if path.is_dir()))


def transcripts(start: Path | None = None) -> Path:
    """Where runs are kept. It may not exist yet."""
    return study(start) / "transcripts"
