"""Which right name was probably meant by a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], most: int = 6) -> str:
    """Words for a message: the names like `name`, or else some of all there are."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    shown = ", ".join(names[:most]) + (", ..." if len(names) > most else "")
    return f"known: {shown}" if names else "there are none"
