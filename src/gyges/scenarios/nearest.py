"""The nearest right name to a wrong one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN = 20
"""Names that are listed at most."""


def nearest(name: str, names: Iterable[str], shown: Iterable[str] | None = None) -> str:
    """What to do about a wrong name: `did you mean ...?`, or the names there are, or those to be `shown`."""
    known = sorted(set(names))
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    there = known if shown is None else sorted(set(shown))
    listed = ", ".join(there[:SHOWN]) + (", ..." if len(there) > SHOWN else "")
    return f"there is: {listed}" if there else "there is none"
