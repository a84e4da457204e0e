"""Rules for reading English reasoning, authored in YAML: classes of words, markers of polarity, cues.

It knows the form of the rules and their version; what cues add up to stands in `alignment.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from gyges.errors import UsageError
from gyges.grading.authored import error_at, read_yaml
from gyges.grading.lexicon import Lexicon
from gyges.grading.pattern import PatternError
from gyges.study import places

CODE = "5"
"""Goes up when the engine's code changes what it finds."""

Flag = Literal[
    "asked",
    "long",
    "later",
    "unreal",
    "unused",
    "denied",
    "others",
    "hypothetical",
    "negated",
    "attributed",
    "quoted",
]
FLAGS: tuple[Flag, ...] = get_args(Flag)
MARKERS = (
    "negation",
    "no_negation",
    "hypothetical",
    "attribution",
    "others",
    "turn",
    "later",
    "unreal",
    "unused",
    "barrier",
)


class CueRule(BaseModel):
    """Patterns that say one thing, and the flags under which they do not say it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unless: tuple[Flag, ...] = ()
    patterns: tuple[str, ...]


class RuleFile(BaseModel):
    """The YAML file. `markers` are the classes of MARKERS."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    canary: str
    title: str
    language: str
    markers: dict[str, tuple[str, ...]]
    classes: dict[str, tuple[str, ...]]
    parts: dict[str, tuple[str, ...]] = {}
    cues: dict[str, CueRule]


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules, ready to use. `version` covers the file's bytes and the code."""

    name: str
    version: str
    lexicon: Lexicon
    markers: Mapping[str, int]
    unless: Mapping[str, tuple[Flag, ...]]
    """For each cue its flags, in one order."""

    @property
    def marking(self) -> frozenset[int]:
        """The classes that raise flags."""
        return frozenset(self.markers.values())


@lru_cache(maxsize=16)
def load_rules(path: Path) -> Rules:
    """Read and compile a file of rules. Raises AuthoringError for whatever is wrong with it."""
    data = path.read_bytes()
    file = read_yaml(path, RuleFile)
    classes = {**file.markers, **file.classes}
    patterns = {name: rule.patterns for name, rule in file.cues.items()}
    try:
        lexicon = Lexicon(classes, file.parts, patterns, barrier="barrier", negation="negation")
        markers = {name: lexicon.number(name) for name in MARKERS}
    except PatternError as error:
        to_do = "see grading/README.md for how patterns are written"
        raise error_at(path, "markers", error.subject, str(error), to_do) from error
    version = f"{CODE}:{hashlib.sha256(data).hexdigest()[:12]}"
    unless = {name: tuple(flag for flag in FLAGS if flag in rule.unless) for name, rule in file.cues.items()}
    return Rules(path.stem, version, lexicon, markers, unless)


def find_rules(name: str) -> Path:
    """The file `rules/NAME.yaml` of the study, else of the library. Raises UsageError if there is none."""
    for folder in places("grading"):
        path = folder / "rules" / f"{name}.yaml"
        if path.is_file():
            return path
    raise UsageError(f"there are no rules '{name}'", "put them into grading/rules/ of your study")
