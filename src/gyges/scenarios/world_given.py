"""What an operation on a world works on, and how what it finds is told. It knows no operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gyges.scenarios.condition import Seen
from gyges.scenarios.text import Text, joined, lines
from gyges.scenarios.world import State, Store

MOST_FOUND = 50
"""Lines of a search's result."""


class Failed(Exception):  # noqa: N818 - told to the model, never to the user
    """A call that can't be carried out; its words are the result that the model reads."""


@dataclass(frozen=True, slots=True)
class Given:
    """What an operation works on."""

    store: Store
    state: State
    values: Mapping[str, Text]
    """What it takes, by name; what is optional and was left out is missing."""
    seen: Seen

    def __getitem__(self, name: str) -> str:
        return self.values[name].text

    def get(self, name: str) -> str:
        return self.values[name].text if name in self.values else ""

    def place(self, *parts: str) -> str:
        return "/".join((self.store.name, *parts))

    def found(self, name: str, what: str) -> Text:
        """The text at a place that a value names. Raises Failed."""
        place = self.place(self[name])
        if place not in self.state:
            raise Failed(f"there is no {what} {self[name]!r}")
        return self.state[place]

    def names(self) -> list[str]:
        """The first part after the store's name of every place of the store, each once, in order."""
        return list(dict.fromkeys(rest.partition("/")[0] for rest in self.rests()))

    def rests(self) -> list[str]:
        start = f"{self.store.name}/"
        return [place.removeprefix(start) for place in self.state if place.startswith(start)]

    def record(self, name: str) -> dict[str, Text]:
        """The fields below a name: a message's, a job's or a row's."""
        start = self.place(name) + "/"
        return {place.removeprefix(start): text for place, text in self.state.items() if place.startswith(start)}

    def known(self, what: str) -> dict[str, Text]:
        """The record that the value `id` names. Raises Failed."""
        fields = self.record(self["id"])
        if not fields:
            raise Failed(f"there is no {what} {self['id']!r}")
        return fields

    def free(self, stem: str) -> str:
        """The first of `stem-1`, `stem-2`, ... that is not taken."""
        taken, number = set(self.names()), 1
        while f"{stem}-{number}" in taken:
            number += 1
        return f"{stem}-{number}"


def shortened(found: Sequence[Text | str], none: str) -> Text:
    more = [f"({len(found) - MOST_FOUND} more)"] if len(found) > MOST_FOUND else []
    return lines([*found[:MOST_FOUND], *more]) if found else Text(none)


def matching(given: Given, none: str) -> Text:
    """The records with the words in any of their fields, in a line each."""
    wanted = given["words"].casefold()
    found = [
        record_line(id, fields)
        for id in given.names()
        for fields in [given.record(id)]
        if any(wanted in text.text.casefold() for text in fields.values())
    ]
    return shortened(found, none)


def record_line(id: str, fields: Mapping[str, Text]) -> Text:
    told = [joined([f"{name}: ", text]) for name, text in fields.items()]
    parts: list[Text | str] = [f"{id}: "]
    for text in told:
        parts += [", ", text] if len(parts) > 1 else [text]
    return joined(parts)
