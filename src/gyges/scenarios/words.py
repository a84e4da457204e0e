"""The words of one scenario in one context: values and signals, each rendered when a template asks for it.

It knows which words a template may use, and in which order they have to be rendered; not what they are for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from gyges.errors import AuthoringError, Place
from gyges.scenarios.marked import as_text, signal
from gyges.scenarios.nearest import nearest
from gyges.scenarios.phrase import Phrase
from gyges.scenarios.plan import Text
from gyges.scenarios.template import Fault, Use, compiled, rendered

_Inside = tuple[tuple[str, str], ...]
"""The words that are being rendered, from the outermost."""
_MARKUP = ("{{", "{%", "{#")


@dataclass(slots=True)
class Words:
    """Values and signals by name, unrendered. `signals` is None where no context is known: there are none then."""

    values: Mapping[str, Phrase]
    signals: Mapping[str, Phrase] | None = None
    passages: tuple[Path, ...] = ()
    """The folders that templates may include passages from."""
    _done: dict[tuple[str, str], str] = field(default_factory=dict)

    def render(self, phrase: Phrase) -> Text:
        """The phrase with these words, without the line feeds at its end. Raises AuthoringError."""
        return as_text(self._render(phrase, ()))

    def plain(self, phrase: Phrase) -> str:
        return self.render(phrase).text

    def _render(self, phrase: Phrase, inside: _Inside) -> str:
        # A block's last line feed is YAML's, not the author's. It goes before anything is rendered, so that it
        # goes in the same way in every context.
        source = str(phrase).rstrip("\n")
        if phrase.verbatim or not any(mark in source for mark in _MARKUP):
            return source
        try:
            words = self._used(phrase, source, inside)
            if not self.passages and _plain(source, words):
                return _remembered(source, tuple(words.items()))
            return rendered(source, words, self.passages)
        except Fault as fault:
            use = Use(fault.name, fault.line, fault.passage)
            raise _error(phrase, use, fault.what, fault.to_do) from fault

    def _used(self, phrase: Phrase, source: str, inside: _Inside) -> dict[str, object]:
        """The words that a template uses, rendered."""
        template = compiled(source, self.passages)
        words: dict[str, object] = {}
        for use in template.names:
            if use.name == "signal":
                words["signal"] = {each.name: self._signal(phrase, each, inside) for each in template.signals}
            else:
                words[use.name] = self._value(phrase, use, inside)
        return words

    def _value(self, user: Phrase, use: Use, inside: _Inside) -> str:
        if use.name not in self.values:
            to_do = nearest(use.name, [*self.values, "signal"])
            raise _error(user, use, f"the template's word {use.name!r} is not defined", to_do)
        return self._word(("value", use.name), self.values[use.name], user, use, inside)

    def _signal(self, user: Phrase, use: Use, inside: _Inside) -> str:
        if self.signals is None:
            place = Use("signal", use.line, use.passage)
            raise _error(user, place, "no signal can be used here: this text is the same in all contexts")
        if use.name not in self.signals:
            raise _error(user, use, f"there is no signal {use.name!r}", nearest(use.name, self.signals))
        return signal(str.__str__(self._word(("signal", use.name), self.signals[use.name], user, use, inside)))

    def _word(self, key: tuple[str, str], phrase: Phrase, user: Phrase, use: Use, inside: _Inside) -> str:
        if key in inside:
            circle = " -> ".join(name for _, name in (*inside[inside.index(key) :], key))
            raise _error(user, use, f"these words use each other in a circle: {circle}", "break the circle")
        if key not in self._done:
            self._done[key] = self._render(phrase, (*inside, key))
        return self._done[key]


def _plain(source: str, words: Mapping[str, object]) -> bool:
    """Whether a template has no signal in it, nor so many words that they are not worth keeping."""
    lengths = [len(word) for word in words.values() if type(word) is str]
    return len(lengths) == len(words) and len(source) + sum(lengths) <= MOST_REMEMBERED


MOST_REMEMBERED = 20_000
"""Characters of a template and its words."""


@lru_cache(maxsize=2048)
def _remembered(source: str, words: tuple[tuple[str, object], ...]) -> str:
    """A template without signals says the same in every context: most of them are asked for many times over."""
    return rendered(source, dict(words))


def _error(user: Phrase, use: Use, what: str, to_do: str = "") -> AuthoringError:
    """An error where `user` uses a word, or where a passage that it includes does."""
    if use.passage is not None:
        return AuthoringError(Place(use.passage, use.line), what, to_do)
    return user.error(what, to_do, use.line, use.name)
