"""Find and read families and scenarios. It knows where they lie and what they may say; it renders nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gyges.errors import AuthoringError, Place, UsageError
from gyges.scenarios.family import BehaviourSpec, FamilyFile, ScenarioFile, Turn
from gyges.scenarios.nearest import nearest
from gyges.scenarios.nodes import Document, Step, read_document
from gyges.scenarios.phrase import Phrase
from gyges.scenarios.validate import validated
from gyges.study import places

FAMILY = "family.yaml"
_SAFE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_RESERVED = frozenset({"signal", "range", "loop", "self", "super", "caller", "varargs", "kwargs"}) | {
    *("and", "or", "not", "in", "is", "if", "else", "elif", "for", "set", "true", "false", "none"),
    *("True", "False", "None", "macro", "block", "include", "import", "filter", "call", "with"),
}
"""Words with a meaning in templates."""


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """A scenario with its family, as they were written."""

    name: str
    """Full: `family/scenario`."""
    family: str
    file: Path
    shared: FamilyFile
    own: ScenarioFile
    document: Document
    """Of the scenario's own file; for places in errors."""

    @property
    def values(self) -> dict[str, Phrase]:
        return {**self.shared.values, **self.own.values}

    @property
    def contexts(self) -> dict[str, dict[str, Phrase]]:
        return self.shared.contexts

    @property
    def system(self) -> Phrase:
        return self.own.system or self.shared.system or Phrase("")

    @property
    def turns(self) -> tuple[Turn, ...]:
        return self.own.turns or self.shared.turns

    @property
    def behaviour(self) -> BehaviourSpec:
        behaviour = self.own.behaviour or self.shared.behaviour
        assert behaviour is not None, "read() refuses scenarios without a behaviour"
        return behaviour


@dataclass(frozen=True, slots=True)
class Listed:
    """A scenario's file that was found and not yet read."""

    name: str
    family: str
    file: Path


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
    found = {entry.file.resolve(): entry for name in names for entry in _named(name)}
    return list(found.values())


def read(found: Listed) -> Scenario:
    """Read and validate one scenario and its family's file. Raises AuthoringError."""
    shared, family_document = _family(*_version(found.file.parent / FAMILY))
    document = read_document(found.file)
    own = validated(document, ScenarioFile)
    scenario = Scenario(found.name, found.family, found.file, shared, own, document)
    _check_scenario(scenario, family_document)
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
    _check_family(family, document)
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
    family, _, last = wanted.rpartition("/")
    if family in known:
        for entry in _scenarios(family, known[family]):
            if entry.name == f"{family}/{last}":
                return [entry]
    if Path(name).exists():
        return _at_path(Path(name).resolve())
    scenarios = [entry.name for each, folder in known.items() for entry in _scenarios(each, folder)]
    raise UsageError(f"there is no family and no scenario {name!r}", nearest(wanted, [*known, *scenarios]))


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
    files = [path for path in sorted(folder.iterdir()) if path.suffix in (".yaml", ".yml") and path.name != FAMILY]
    stems: dict[str, Path] = {}
    for file in files:
        _check_safe(file.stem, file)
        if file.stem in stems:
            raise AuthoringError(Place(file), f"{stems[file.stem].name} has the same name", "rename one of them")
        stems[file.stem] = file
    return [Listed(f"{family}/{stem}", family, file) for stem, file in stems.items()]


def _check_safe(name: str, path: Path) -> None:
    if not _SAFE.fullmatch(name):
        what = f"the name {name!r} is not safe for a family or scenario"
        raise AuthoringError(Place(path), what, "use up to 64 small letters, digits, - and _")


def _check_family(family: FamilyFile, document: Document) -> None:
    _check_values(family.values, document)
    contexts = list(family.contexts)
    signals = set(family.contexts[contexts[0]])
    for name in contexts[1:]:
        other = set(family.contexts[name])
        if other != signals:
            odd = ", ".join(sorted(other ^ signals))
            what = f"the contexts {contexts[0]!r} and {name!r} don't give the same signals: {odd}"
            raise document.error(document.key_at(["contexts", name]), what, "give every signal in every context")
    for index, contrast in enumerate(family.contrasts):
        path: list[Step] = ["contrasts", index, "contexts"]
        for position, context in enumerate(contrast.contexts):
            if context not in family.contexts:
                what = f"there is no context {context!r}"
                raise document.error(document.at([*path, position]), what, nearest(context, contexts))
        if contrast.contexts[0] == contrast.contexts[1]:
            raise document.error(document.at(path), "a contrast compares two different contexts")
    _check_turns(family.turns, document)


def _check_values(values: Iterable[str], document: Document) -> None:
    for name in values:
        if name in _RESERVED:
            what = f"{name!r} has a meaning of its own in templates"
            raise document.error(document.key_at(["values", name]), what, "choose another name for the value")


def _check_turns(turns: Sequence[Turn], document: Document) -> None:
    for index, turn in enumerate(turns[:-1]):
        if len(turn.replies) < 2:
            what = "a turn before the last needs at least two example replies that decide nothing"
            raise document.error(document.at(["turns", index]), what, "add `replies:` with two or more")
    if turns and turns[-1].replies:
        node = document.key_at(["turns", len(turns) - 1, "replies"])
        raise document.error(node, "replies to the last turn belong in the scenario's `examples`")


def _check_scenario(scenario: Scenario, family: Document) -> None:
    own, shared, document = scenario.own, scenario.shared, scenario.document
    if own.canary != shared.canary:
        to_do = f"copy the line of {family.file.name}"
        raise document.error(document.at(["canary"]), "the canary differs from the family's", to_do)
    _check_values(own.values, document)
    _check_turns(own.turns, document)
    for key, given in (("turns", scenario.turns), ("behaviour", own.behaviour or shared.behaviour)):
        if not given:
            to_do = f"add it to {family.file.name} or to the scenario"
            raise document.error(document.root, f"neither the family nor the scenario has {key!r}", to_do)
    labels = list(scenario.behaviour.choices)
    for index, contrast in enumerate(shared.contrasts):
        if contrast.target not in labels:
            what = f"the target {contrast.target!r} is no behaviour label"
            if own.behaviour:
                raise document.error(document.at(["behaviour", "choices"]), what, nearest(contrast.target, labels))
            raise family.error(family.at(["contrasts", index, "target"]), what, nearest(contrast.target, labels))
    for label in own.examples:
        if label not in labels:
            node = document.key_at(["examples", label])
            raise document.error(node, f"there is no behaviour label {label!r}", nearest(label, labels))
    for label in labels:
        if label not in own.examples:
            raise document.error(document.at(["examples"]), f"there are no examples of {label!r}", "add some")
