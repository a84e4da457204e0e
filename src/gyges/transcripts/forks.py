"""How an episode says which one it is a fork of, as JSON. It knows neither probes nor interventions."""

from __future__ import annotations

import dataclasses
import json

from gyges.transcripts import codec
from gyges.transcripts.record import Fork


def spell_fork(fork: Fork) -> str:
    """Canonical JSON of a fork; what is at its default is left out."""
    defaults = {field.name: field.default for field in dataclasses.fields(Fork)}
    given = {name: value for name, value in dataclasses.asdict(fork).items() if value != defaults[name]}
    if fork.choices:
        given["choices"] = [[label, words] for label, words in fork.choices]
    return codec.spell(given)


def read_fork(spelt: str) -> Fork:
    """The inverse of `spell_fork`. Raises TypeError or ValueError for what is none."""
    record = json.loads(spelt)
    choices = tuple((codec.original(label), codec.original(words)) for label, words in record.pop("choices", ()))
    for name, value in record.items():
        record[name] = codec.original(value) if isinstance(value, str) else value
    return Fork(**record, choices=choices)
