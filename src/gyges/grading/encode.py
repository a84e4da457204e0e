"""Texts as JSON strings in which everything can be seen: injective, so that no text can pass for another one.

Control and format characters, blanks other than the space, unassigned and private ones stand as JSON escapes.
JSON would read two lone surrogates in a row as one character: they stand between marks, as do the marks.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import lru_cache

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_BLANK = frozenset(
    map(
        chr,
        (
            0x34F,
            0x115F,
            0x1160,
            0x17B4,
            0x17B5,
            0x2800,
            0x3164,
            0xFFA0,
            *range(0x180B, 0x1810),
            *range(0xFE00, 0xFE10),
        ),
    )
)
"""Letters and marks that nobody sees."""
_OPEN, _CLOSE = "⧼", "⧽"
_MARKED = re.compile(f"[\ud800-\udfff{_OPEN}{_CLOSE}]")
_UNMARKED = re.compile(f"{_OPEN}([0-9a-f]{{4}}){_CLOSE}")
_NOT_ASCII = re.compile(r"[^ -~]")


def encode(text: str) -> str:
    """The text as a JSON string, with its quotation marks; `decode` gives it back."""
    marked = _MARKED.sub(lambda found: f"{_OPEN}{ord(found[0]):04x}{_CLOSE}", text)
    return _NOT_ASCII.sub(lambda found: _seen(found[0]), json.dumps(marked, ensure_ascii=False))


def decode(encoded: str) -> str:
    """The inverse of `encode`. Raises ValueError for what `encode` never makes."""
    text = json.loads(encoded)
    if not isinstance(text, str):
        raise ValueError("this is no encoded text")
    plain = _UNMARKED.sub(lambda found: chr(int(found[1], 16)), text)
    if encode(plain) != encoded:
        raise ValueError("this is no encoded text")
    return plain


@lru_cache(maxsize=65_536)
def _seen(one: str) -> str:
    if unicodedata.category(one) in _HIDDEN or one in _BLANK or 0xE0100 <= ord(one) <= 0xE01EF:
        return json.dumps(one)[1:-1]
    return one
