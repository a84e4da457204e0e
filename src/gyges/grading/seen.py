"""Which texts a grader was made with, as fingerprints: on these its errors are flattering. It grades nothing."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from gyges.study import library

DIGITS = 12
"""Hexadecimal digits of a fingerprint: 48 bits tell a few thousand texts apart."""
TESTS = ("held-out", "test", "test-2", "test-3", "test-4", "test-5", "test-6")
"""How the names of the library's files of labels end that no grader was made with."""


@runtime_checkable
class Learnt(Protocol):
    """A grader that was trained on texts."""

    @property
    def seen(self) -> frozenset[str]:
        """The fingerprints of what it was trained on; empty where nobody wrote them down."""


def fingerprint(text: str) -> str:
    """The same for texts that differ in white space or case only."""
    plain = " ".join(text.lower().split())
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def seen_by(grader: object) -> frozenset[str]:
    """What the grader was made with: its own training texts, and the library's labels for development.

    Rules were written with the latter, and so were classifiers whose file does not say what they were trained on.
    """
    own = grader.seen if isinstance(grader, Learnt) else frozenset[str]()
    return own | _developed_on(library() / "grading" / "gold")


@lru_cache(maxsize=2)
def _developed_on(folder: Path) -> frozenset[str]:
    files = [path for path in sorted(folder.glob("*.jsonl")) if not path.stem.endswith(TESTS)]
    rows = (json.loads(line) for path in files for line in path.read_text("utf-8").split("\n") if line.strip())
    return frozenset(fingerprint(row["text"]) for row in rows if "text" in row)
