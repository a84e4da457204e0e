"""Labelled files, read line by line."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from gyges.errors import AuthoringError
from gyges.grading.gold import read_groups, read_sentences, read_texts

LIBRARY = Path(__file__).parent.parent / "grading"


@pytest.mark.parametrize("path", sorted(LIBRARY.glob("gold/sentences-*.jsonl")), ids=lambda path: path.name)
def test_the_library_sentences_can_be_read(path: Path) -> None:
    assert len(read_sentences(path)) >= 150


def test_the_library_texts_and_groups_can_be_read() -> None:
    assert len(read_texts(LIBRARY / "gold" / "develop-voices.jsonl")) >= 200
    assert "keep" in read_groups(LIBRARY / "classifier" / "word-groups.yaml")


def test_the_sums_that_are_told_are_those_of_the_files() -> None:
    told = (LIBRARY / "gold" / "README.md").read_text(encoding="utf-8")
    sums = dict(re.findall(r"\*\*`([\w-]+\.jsonl)`\*\*[^*]*?sha256 ([0-9a-f]{64})", told))
    assert len(sums) > 45
    for name, told_sum in sums.items():
        assert hashlib.sha256((LIBRARY / "gold" / name).read_bytes()).hexdigest() == told_sum, name


@pytest.mark.parametrize(
    "line",
    ['{"text": "x"}', '{"text": "x", "labels": ["no_such"]}', "{", '{"text": 1, "labels": []}', "[]"],
)
def test_a_line_that_can_not_be_read_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text('{"canary": "c"}\n{"text": "a", "labels": []}\n' + line + "\n")
    with pytest.raises(AuthoringError) as caught:
        read_sentences(path)
    assert f"{path}:3" in str(caught.value)
