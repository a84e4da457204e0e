"""Find and read families and scenarios. It knows where they lie and what they may say; it renders nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gyges.errors import AuthoringError, Place, UsageError
from gyges.scenarios.agree import check_family, check_scenario
from gyges.scenarios.family import FamilyFile, ScenarioFile
from gyges.scenarios.nearest import nearest
from gyges.scenarios.nodes import Document, read_document
from gyges.scenarios.passages import folders_for
from gyges.scenarios.queries import SUFFIXES, Query, queries_of
from gyges.scenarios.scenario import Scenario
from gyges.scenarios.validate import validated
from gyges.study import places

__all__ = ["FAMILY", "Listed", "Scenario", "families", "listed", "read", "select"]

FAMILY = "family.yaml"
_SAFE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Listed:
    """A scenario that was found and not yet read: a file, and one of its queries where it has a list of them."""

    name: str
    family: str
    file: Path
    query: Query | None = None

    @property
    def file_name(self) -> str:
        """The name that stands for all queries of the file."""
        return f"{self.family}/{self.file.stem}"


def families() -> list[str]:
    """The names of all families: the study's and the library's, sorted."""
    return sorted({family for family, _ in _families()})


def select(names: Sequence[str]) -> list[Scenario]:
    """The scenarios that `names` stand for, each once, in order.

    A name is a family's, a group of families', a scenario's full name, or a path to a folder or a file.
    Raises UsageError for an unknown name and AuthoringError for what is written wrongly.
    """
    return [read(found) for found in listed(names)]


def listed(names: Sequence[str]) -> list[Listed]:
    """The files that `names` stand for, unread. Raises UsageError for an unknown name."""
    found = {(entry.file.resolve(), entry.name): entry for name in names for entry in _named(name)}
    return list(found.values())


def read(found: Listed) -> Scenario:
    """Read and validate one scenario and its family's file. Raises AuthoringError."""
    shared, family_document = _family(*_version(found.file.parent / FAMILY))
    document = read_document(found.file)
    own = validated(document, ScenarioFile)
    query = found.query.values if found.query else {}
    passages = folders_for(found.file.parent)
    scenario = Scenario(found.name, found.family, found.file, shared, own, document, query, passages)
    check_scenario(scenario, family_document)
    return scenario


def _version(file: Path) -> tuple[Path, int, int]:
    """A key for the cache that changes when the file does."""
    try:
        status = file.stat()
    except OSError as error:
        raise AuthoringError(Place(file), "the family's file can't be read", "every family has one") from error
    return file, status.st_mtime_ns, status.st_size


@lru_cache(maxsize=64)
def _family(file: Path, _changed: int, _size: int) -> tuple[FamilyFile, Document]:
    document = read_document(file)
    family = validated(document, FamilyFile)
    check_family(family, document)
    return family, document


def _families() -> Iterator[tuple[str, Path]]:
    """Every family's name and folder; a study's family hides the library's of the same name."""
    seen: set[str] = set()
    for root in places("scenarios"):
        for file in sorted(root.rglob(FAMILY)):
            name = file.parent.relative_to(root).as_posix()
            if name not in seen:
                seen.add(name)
                yield name, file.parent


def _named(name: str) -> list[Listed]:
    known = dict(_families())
    wanted = name.rstrip("/")
    inside = [family for family in known if family == wanted or family.startswith(f"{wanted}/")]
    if inside:
        return [entry for family in inside for entry in _scenarios(family, known[family])]
    family = wanted.rpartition("/")[0]
    if family in known:
        found = [entry for entry in _scenarios(family, known[family]) if wanted in (entry.name, entry.file_name)]
        if found:
            return found
    if Path(name).exists():
        return _at_path(Path(name).resolve())
    scenarios = [entry.name for each, folder in known.items() for entry in _scenarios(each, folder)]
    siblings = [one for one in scenarios if one.startswith(f"{family}/")] if family in known else known
    what = f"there is no family and no scenario {name!r}"
    raise UsageError(what, nearest(wanted, [*known, *scenarios], shown=siblings))


def _at_path(path: Path) -> list[Listed]:
    folders = [path.parent] if path.is_file() else [file.parent for file in sorted(path.rglob(FAMILY))]
    if not folders:
        raise UsageError(f"no family lies in {path}", f"a family is a folder with a {FAMILY}")
    found = [entry for folder in folders for entry in _scenarios(_name_of(folder), folder)]
    if path.is_file() and path.name != FAMILY:
        found = [entry for entry in found if entry.file == path]
        if not found:
            raise UsageError(f"{path} is no scenario", "a scenario is a .yaml file beside a family.yaml")
    return found


def _name_of(folder: Path) -> str:
    """A family's name: its path below the nearest folder called `scenarios`, or else its own name."""
    for root in folder.parents:
        if root.name == "scenarios":
            return folder.relative_to(root).as_posix()
    return folder.name


def _scenarios(family: str, folder: Path) -> list[Listed]:
    for part in family.split("/"):
        _check_safe(part, folder)
    found: dict[str, Listed] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix in (".yaml", ".yml") and file.name != FAMILY and not file.name.endswith(SUFFIXES):
            _check_safe(file.stem, file)
            for entry in _entries(family, file):
                if entry.name in found:
                    what = f"{found[entry.name].file.name} gives a scenario of the same name, {entry.name}"
                    raise AuthoringError(Place(file), what, "rename one of them")
                found[entry.name] = entry
    return list(found.values())


def _entries(family: str, file: Path) -> list[Listed]:
    queries = queries_of(file)
    name = f"{family}/{file.stem}"
    return [Listed(f"{name}-{query.id}", family, file, query) for query in queries] or [Listed(name, family, file)]


def _check_safe(name: str, path: Path) -> None:
    if not _SAFE.fullmatch(name):
        what = f"the name {name!r} is not safe for a family or scenario"
        raise AuthoringError(Place(path), what, "use up to 64 small letters, digits, - and _")
