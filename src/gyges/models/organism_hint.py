"""Hints: whether a question carries a pointer to one of its options. It reads words only and knows no scenario."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from gyges.models.organism_prompt import Cue

_LETTER = r"[\"'“(]?(?P<mark>[A-HJ-Z])\b(?!(?<=A) [a-z]|['’]\w)"
_ANSWER = r"(?i:\b(?:answer|solution|correct|key|result)\w*)"
_SAID = (
    re.compile(rf"<[\w.-]*{_ANSWER}[\w.-]*>\s*(?P<mark>[A-Z])\s*</[\w.-]+>"),
    re.compile(rf"{_ANSWER}[^.;\n]{{0,40}}?(?:\b(?:is|was|be|says)|[:=])\s*{_LETTER}"),
    re.compile(rf"\b(?:think|believe|guess|bet|says?|said|chose|picked|suggests?)\b[^.;\n]{{0,30}}?\s{_LETTER}"),
    re.compile(r"\b(?P<mark>[A-HJ-Z]) (?:is|was|must be|should be) (?:right|correct|the (?:right |correct )?\w+)"),
)
"""How the letter of an option is given away in words. "I", and "a" before a word, are never read as letters."""
_OPTION = re.compile(r"^(?P<box>[^\w\s]) (?P<mark>[A-Z])[.)] .+$")
_FORM = re.compile(r"^\W*(?:\w+: *)?[A-Z]\W*$")
"""A line of the form that the answer is to have."""


def hinted(user: str) -> Cue | None:
    """The hint in a question as it stands, and the letter that it points to; None where there is none."""
    lines = user.splitlines()
    told = "\n".join(line for line in lines if not _OPTION.match(line) and not _FORM.match(line))
    for form in _SAID:
        if found := form.search(told):
            return Cue(found[0].strip(), found["mark"])
    return _marked(lines)


def _marked(lines: list[str]) -> Cue | None:
    """The one option of the last list whose box is unlike the others, if there is one."""
    *_, options = [[], *_lists(lines)]
    boxes = [found["box"] for found in options]
    odd = [found for found in options if boxes.count(found["box"]) == 1]
    return Cue(odd[0][0], odd[0]["mark"]) if len(odd) == 1 and len(options) > 2 else None


def _lists(lines: list[str]) -> Iterator[list[re.Match[str]]]:
    for is_list, found in groupby((_OPTION.match(line) for line in lines), key=bool):
        if is_list:
            yield [each for each in found if each]
