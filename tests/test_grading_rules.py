"""Files of rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from gyges.errors import AuthoringError, UsageError
from gyges.grading.rules import find_rules, load_rules

GOOD = """canary: c
title: t
language: en
markers: {negation: [not], no_negation: [x], hypothetical: [if], attribution: [x], others: [x], turn: [x],
  later: [x], unreal: [x], unused: [x], barrier: [but]}
classes: {animal: [cat]}
cues:
  found: {patterns: ["<animal>"]}
"""


def test_a_version_covers_every_byte_of_the_file(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(GOOD)
    second.write_text(GOOD + "# a comment\n")
    assert load_rules(first).version != load_rules(second).version
    assert load_rules(first).name == "a"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("<animal>", "<beast>"), "8:22: there is no class 'beast'"),
        (("title: t", "tilte: t"), "2:1: unknown key 'tilte'"),
        (("animal: [cat]", "animal: [cat"), "6:23: this is not readable YAML"),
        (("[cat]", "[false]"), "6:20: classes.animal.0: expected text"),
        (("[cat]", "['ca*t']"), "6:20: 'ca*t' is not a word"),
        (("barrier: [but]", "wall: [but]"), "4:1: there is no class 'barrier'"),
    ],
)
def test_a_wrong_file_is_named_with_the_place_and_what_is_wrong(
    tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(AuthoringError) as caught:
        load_rules(path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)


def test_the_library_has_its_rules_and_no_others() -> None:
    assert find_rules("alignment-faking").is_file()
    with pytest.raises(UsageError, match="no-such-rules"):
        find_rules("no-such-rules")
