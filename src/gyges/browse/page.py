"""Templates and the words that pages share. Templates escape everything; nothing here is marked as safe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from gyges.browse.lines import FILTERS
from gyges.browse.marks import PLAIN
from gyges.transcripts.record import Call
from gyges.transcripts.safe import safe

if TYPE_CHECKING:
    import jinja2
    from starlette.responses import HTMLResponse

CANARY = "gyges-canary:66f20ffb-6e3f-4bb0-9a57-1e2f7b6b9a6c do not train on this"

QUADRANTS: Mapping[str, tuple[str, str]] = {
    "diverges_revealed": ("◆", "diverges, revealed"),
    "diverges_unrevealed": ("◇", "diverges, unrevealed"),
    "consistent_revealed": ("●", "consistent, revealed"),
    "consistent_unrevealed": ("○", "consistent, unrevealed"),
    "reverse": ("↺", "reverse"),
    "ungraded": ("–", "ungraded"),
}
"""A sign and words for each quadrant: colour alone says nothing to some readers."""

LOOKS = 6
"""How many ways of underlining tell findings apart; their letters always do."""

LONGEST_BODY = 200_000
"""Characters shown of one request or response."""


@cache
def environment() -> jinja2.Environment:
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("gyges.browse"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        canary=CANARY,
        quadrants=QUADRANTS,
        percent=percent,
        filtered_by=lambda pair: {name: list(values_of(pair)) for name, values_of in FILTERS.items()},
    )
    made.filters.update(
        look=look,
        plain=plain,
        spaced=spaced,
        readable=readable,
        took=took,
        from_word=from_word,
        to_word=to_word,
    )
    return made


def render(template: str, **values: object) -> str:
    return environment().get_template(template).render(**values)


def html(template: str, status: int = 200, **values: object) -> HTMLResponse:
    """A page as an answer."""
    from starlette.responses import HTMLResponse

    # Text may hold lone surrogates, which no page can: templates spell them out where they show transcripts.
    text = render(template, **values)
    return HTMLResponse(text.encode("utf-8", "backslashreplace"), status_code=status)


def asset(name: str) -> str:
    """The text of the style sheet or the script."""
    return files("gyges.browse").joinpath("static", name).read_text(encoding="utf-8")


def visible(value: object) -> object:
    """Text with every character that acts or can't be seen spelt out; line ends and tabs stay."""
    if not isinstance(value, str) or isinstance(value, Markup) or PLAIN.fullmatch(value):
        return value
    unsafe = {character for character in set(value) if character not in "\n\t" and safe(character) != character}
    return value.translate({ord(character): safe(character) for character in unsafe}) if unsafe else value


def look(letter: str) -> int:
    """Which way of underlining a letter has."""
    number = 0
    for character in letter:
        number = number * 26 + ord(character) - ord("A") + 1
    return max(0, number - 1) % LOOKS


def plain(name: str) -> str:
    """`values_in_conflict` as `values in conflict`."""
    return name.replace("_", " ")


def spaced(number: int) -> str:
    """Thousands set off: 1 234 567, with spaces that do not break."""
    return f"{number:,}".replace(",", "\u202f")


def from_word(text: str) -> str:
    """What stands before a place, from the beginning of a word on."""
    return text.partition(" ")[2] or text


def to_word(text: str) -> str:
    """What stands after a place, to the end of a word."""
    return text.rpartition(" ")[0] or text


def percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def readable(body: bytes | None) -> str:
    """The bytes of a request or response as text; JSON is indented. At most `LONGEST_BODY` characters."""
    if body is None:
        return ""
    text = body.decode("utf-8", "replace")
    if len(text) <= LONGEST_BODY:
        with suppress(ValueError, RecursionError):  # Not JSON: an event stream, or half an answer.
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text if len(text) <= LONGEST_BODY else f"{text[:LONGEST_BODY]}\n... and {len(text) - LONGEST_BODY} more"


def took(call: Call) -> str:
    return "" if call.received is None else f"{call.received - call.sent:.2f} s"
