"""Model text made fit for a terminal: what would act on it, or can't be seen, is spelt out. It knows no layout.

Escaped are control characters (C0, C1, DEL; a tab too), what changes the direction of writing, what has no width,
surrogates, tags and noncharacters: a reader sees `\\x1b` or `\\u202e`, and the terminal does nothing.
"""

from __future__ import annotations

import re

_NONCHARACTERS = "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # controls
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u3164\ufeff\uffa0"  # no width
    "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"  # format characters of single scripts
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\u2028-\u202e\u2060-\u206f"  # line ends, directions, invisible operators
    "\ufe00-\ufe0d\ufff0-\ufffb\U000e0000-\U000e0fff"  # variation selectors other than those of emoji, tags
    "\ud800-\udfff\ufdd0-\ufdef" + _NONCHARACTERS + "]"
)


def safe(text: str) -> str:
    """The text on one line, with every unsafe character as its escape."""
    return _UNSAFE.sub(_escape, text)


def safe_lines(text: str) -> list[str]:
    """The text line by line, each of them safe. At least one line, if an empty one."""
    return [safe(line) for line in text.replace("\r\n", "\n").split("\n")]


def _escape(found: re.Match[str]) -> str:
    if found[0] in "\t\n\r":
        return {"\t": "\\t", "\n": "\\n", "\r": "\\r"}[found[0]]
    code = ord(found[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
