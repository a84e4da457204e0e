"""Drafts: what an agent only tried out, between tags such as <draft_output>. They are blanked, not cut."""

from __future__ import annotations

import re

_OPEN = re.compile(r"<(draft\w{0,20})\b[^<>]{0,80}>", re.IGNORECASE)


def without_drafts(text: str, blank: str = "\n") -> str:
    """The text with every draft replaced by as many `blank`, so that everything else keeps its place.

    A draft without its closing tag goes on to the end. One pass over the text, whatever it holds.
    """
    kept, at = [], 0
    while (opened := _OPEN.search(text, at)) is not None:
        closed = re.compile(f"</{opened[1]}>", re.IGNORECASE).search(text, opened.end())
        end = closed.end() if closed else len(text)
        kept += [text[at : opened.start()], blank * (end - opened.start())]
        at = end
    return "".join([*kept, text[at:]])
