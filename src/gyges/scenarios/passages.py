"""Shared passages: pieces of templates in a `passages/` folder of the family or the study. It renders nothing.

Nothing outside these folders can be reached: names are plain, and links that lead out are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from jinja2 import BaseLoader, Environment

from gyges.scenarios.nearest import nearest
from gyges.scenarios.nodes import decoded

FOLDER = "passages"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*\.(jinja|txt|md)")


class MissingPassage(Exception):  # noqa: N818 - turned into a Fault where the line is known
    """There is no such passage, or it may not be included."""

    def __init__(self, what: str, to_do: str = "") -> None:
        self.what, self.to_do = what, to_do
        super().__init__(what)


def find_passage(folders: tuple[Path, ...], name: str) -> Path:
    """The file of a passage, from the first folder that has it. Raises MissingPassage."""
    if not _NAME.fullmatch(name):
        to_do = "passages have plain names such as 'closing.jinja', below a folder `passages`"
        raise MissingPassage(f"{name!r} is no name of a passage", to_do)
    for folder in folders:
        file = folder / name
        if file.is_file():
            # The folder may not be a link either: resolve what holds it, not it.
            if not file.resolve().is_relative_to(folder.parent.resolve() / folder.name):
                raise MissingPassage(
                    f"the passage {name!r} leads out of {FOLDER}/ by a link", "copy the file there"
                )
            return file
    known = [
        path.relative_to(folder).as_posix() for folder in folders for path in folder.rglob("*") if path.is_file()
    ]
    raise MissingPassage(f"there is no passage {name!r}", nearest(name, known))


def passage_text(file: Path) -> str:
    """The passage without the line feeds at its end. Raises AuthoringError."""
    return decoded(file).rstrip("\n")


def folders_for(family: Path) -> tuple[Path, ...]:
    """Where the templates of a family's folder may include from: its own passages, then its study's."""
    roots = [folder for folder in family.parents if folder.name == "scenarios"][:1]
    return tuple(folder / FOLDER for folder in (family, *roots) if (folder / FOLDER).is_dir())


class Passages(BaseLoader):
    """Gives jinja the passages of these folders and nothing else."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self.folders = folders

    def get_source(self, _environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        file = find_passage(self.folders, template)
        changed = file.stat().st_mtime_ns
        return passage_text(file), str(file), lambda: file.is_file() and file.stat().st_mtime_ns == changed
