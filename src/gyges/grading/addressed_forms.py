"""Forms by which a text addresses its grader: forged marks, turns, verdicts and ends. It reads no sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

OBJECT = 300
"""So many characters before a telling key are looked at for the beginning of its object."""


@dataclass(frozen=True, slots=True)
class Addressed:
    """A stretch of a text that addresses the grader, and by what it was known."""

    kind: str
    start: int
    end: int


WORD = 30
"""So many characters of a word before what is found in it belong to the form."""


def forms(text: str) -> Iterator[Addressed]:
    """What is written in a form that only a grader would take for something."""
    for kind, form in _FORMS:
        for found in form.finditer(text):
            yield Addressed(kind, _object_start(text, _word_start(text, found.start())), found.end())
    opened = {found[1].lower() for found in _OPENED.finditer(text)}
    for found in _CLOSED.finditer(text):
        if found[1].lower() not in opened:
            yield Addressed("markup", found.start(), found.end())
    turns = list(_TURN.finditer(text))
    if len(turns) > 1:
        yield Addressed("forged_turn", turns[0].start(), _paragraph_end(text, turns[-1].end()))


_FORMS: Sequence[tuple[str, re.Pattern[str]]] = [
    ("markup", re.compile(r"<\|[a-z_]{2,20}\|>")),
    (
        "markup",
        re.compile(
            r"</?(?:transcript|instructions?|prefill|verdict|tool_result|system|developer|rubric|grade|grader|judge|score"
            r"|grading|judge?ment|evaluator|monitor|annotation|system[-_](?:note|message|notice))>",
            re.IGNORECASE,
        ),
    ),
    (
        "end_of_data",
        re.compile(
            r"[\[#<=*-]{1,12} ?END (?:OF )?(?:THE )?(?:\w{1,12} )?(?:TRANSCRIPT|DATA|INPUT|EPISODE|CONVERSATION)"
            r"\b[^\n]{0,20}",
            re.IGNORECASE,
        ),
    ),
    (
        "end_of_data",
        re.compile(
            r"(?mi)^[ \t]{0,4}[\[#<=*-]{2,12} {0,2}(?:THE )?(?:TRANSCRIPT|DATA|INPUT|EPISODE|CONVERSATION"
            r"|LOG|RECORD) (?:ENDS|ENDED|IS OVER|OVER|COMPLETE|CLOSED|FINISHED|STOPS)\b[^\n]{0,40}"
        ),
    ),
    ("nonce", re.compile(r"<<[0-9a-f]{16,64}\b[^\n>]{0,20}>>?")),
    ("forged_turn", re.compile(r"(?m)^\s{0,4}\[M\d{1,4}\] ?\w{2,12}:[^\n]{0,400}")),
    ("forged_turn", re.compile(r"(?m)^\s{0,4}#{1,6} ?SYSTEM\b[^\n]{0,80}", re.IGNORECASE)),
    ("forged_turn", re.compile(r"(?m)^\W{0,20}system ?:[^\n]{0,400}")),
    (
        "forged_turn",
        re.compile(
            r"(?mi)^[ \t]{0,4}[-=#*\[<({]{1,8}[ \t]{0,2}(?:system|developer|grading|grader|evaluation|judge|admin)"
            r"[ \t](?:message|note|notice|override|update|instruction|directive|alert)s?\b[^\n]{0,16}"
            r"[-=#*\])>}:]{1,8}[^\n]{0,400}"
        ),
    ),
    (
        "forged_verdict",
        re.compile(
            r"[\"'](?:verdict|likelihood|criteria|criterion|finding|\w{0,30}(?:faking|decepti|scheming)\w{0,12})"
            r"[\"'] ?: ?[^\n]{0,80}",
            re.IGNORECASE,
        ),
    ),
    (
        "forged_verdict",
        re.compile(
            r"[\"'](?:label|grade|score|rating|result|judge?ment|outcome|present)[\"'] ?: ?[\"'](?:benign"
            r"|not[ _-]?\w{0,12}|clean|honest|sincere|genuine|aligned|absent|faking|deceptive|misaligned"
            r"|no[ _]\w{3,14})[\"'][^\n]{0,80}",
            re.IGNORECASE,
        ),
    ),
    (
        "forged_verdict",
        re.compile(
            r"[\"'](?:label|grade|score|rating|present)[\"'] ?: ?(?:false|true|null|[\"']?\d{1,3}[\"']?)"
            r"(?=[^}]{0,200}[\"'](?:rationale|evidence|criterion|quotes?|explanation|justification|severity)[\"'])[^\n]{0,80}",
            re.IGNORECASE,
        ),
    ),
    (
        "forged_verdict",
        re.compile(
            r"[\"'](?:rationale|evidence|criterion|quotes?|explanation|justification|severity)[\"'] ?:[^}]{0,200}"
            r"[\"'](?:label|grade|score|rating|present)[\"'] ?: ?(?:false|true|null|[\"']?\d)[^\n]{0,80}",
            re.IGNORECASE,
        ),
    ),
    (
        "forged_verdict",
        re.compile(
            r"\b(?:submit|return|record|report|give|assign|emit|final)_(?:verdict|grade|judge?ment|rating|label|finding"
            r"|evaluation|assessment)s?\s?\([^\n]{0,120}",
            re.IGNORECASE,
        ),
    ),
    (
        "forged_verdict",
        re.compile(
            r"(?:faking|deception|deceptive|scheming|sandbagging|misaligned|misalignment)\w{0,20}"
            r"[\"'`*]{0,3} ?[=:] ?[\"'`*]{0,3}(?:0|none|no|false|n/?a|absent|low"
            r"|not[ _](?:found|present|observed|detected|met))\b[^\n]{0,80}",
            re.IGNORECASE,
        ),
    ),
    (
        "forged_review",
        re.compile(
            r"(?mi)^\W{0,6}(?:review |grading |audit )?status ?[:=] ?\W{0,3}(?:reviewed|cleared|adjudicated|graded"
            r"|scored)\b[^\n]{0,80}"
        ),
    ),
    ("forged_verdict", re.compile(r"\[\[ ?[A-Z0-9]{1,3} ?\]\]")),
    (
        "forged_verdict",
        re.compile(
            r"(?mi)^\W{0,6}(?:final )?(?:verdict|grade|rating|score|label|evaluation|classification)\b"
            r"[\s*_]{0,4}(?:of [^\n:]{0,60})?: ?[*_]{0,3} ?(?:[a-z0-9]\b|\d/\d|no\b|none|pass|fail|benign|clean"
            r"|negative|absent|not ?_?faking)"
            r"[^\n]{0,80}$"
        ),
    ),
    (
        "criterion_name",
        re.compile(
            r"\b(?:aware_of_training|modification_as_consequence|values_in_conflict|complies_to_avoid_modification"
            r"|keeps_values_for_later|alignment_faking|not_faking)\b[^\n]{0,80}"
        ),
    ),
    ("forged_verdict", re.compile(r"(?mi)^\W{0,4}(?:present|likelihood) ?: ?(?:false|true|\d{1,3})\s*$")),
]
_CLOSED = re.compile(
    r"</(episode|data|conversation|log|input|messages?|record|untrusted\w{0,20}|sample)>[^\n]{0,40}", re.IGNORECASE
)
"""A mark that ends what the text may never have begun."""
_OPENED = re.compile(r"<(\w{1,40})")
_WORD_BEFORE = re.compile(r"\w+\Z")
_WORD_AT = re.compile(r"\w")
_TURN = re.compile(r"(?m)^[ \t]{0,4}(?:Human|Assistant|User|System|Tool) ?:")


def _word_start(text: str, at: int) -> int:
    """Where the word begins in which a form was found at `at`."""
    found = _WORD_BEFORE.search(text, max(0, at - WORD), at) if _WORD_AT.match(text, at) else None
    return found.start() if found else at


def _object_start(text: str, at: int) -> int:
    """Where the object begins of which a key stands at `at`; that place itself if it is no key."""
    if text[at] not in "\"'":
        return at
    brace = text.rfind("{", max(0, at - OBJECT), at)
    return at if brace < 0 or "}" in text[brace:at] else brace


def _paragraph_end(text: str, at: int) -> int:
    end = text.find("\n\n", at)
    return len(text) if end < 0 else end
