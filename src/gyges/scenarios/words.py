"""The words of one scenario in one context: values and signals, each rendered when a template asks for it.

It knows which words a template may use, and in which order they have to be rendered; not what they are for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gyges.errors import AuthoringError
from gyges.scenarios.marked import as_text, signal
from gyges.scenarios.nearest import nearest
from gyges.scenarios.phrase import Phrase
from gyges.scenarios.plan import Text
from gyges.scenarios.sandbox import Fault, compiled, rendered

_MARKUP = ("{{", "{%", "{#")


@dataclass(slots=True)
class Words:
    """Values and signals by name, unrendered. `signals` is None where no context is known: there are none then."""

    values: Mapping[str, Phrase]
    signals: Mapping[str, Phrase] | None = None
    _done: dict[tuple[str, str], str] = field(default_factory=dict)

    def render(self, phrase: Phrase) -> Text:
        """The phrase with these words, without the line feeds at its end. Raises AuthoringError."""
        return as_text(self._render(phrase, ()))

    def plain(self, phrase: Phrase) -> str:
        return self.render(phrase).text

    def _render(self, phrase: Phrase, inside: tuple[tuple[str, str], ...]) -> str:
        # A block's last line feed is YAML's, not the author's. It goes before anything is rendered, so that it
        # goes in the same way in every context.
        source = str(phrase).rstrip("\n")
        if not any(mark in source for mark in _MARKUP):
            return source
        try:
            template = compiled(source)
            words: dict[str, object] = {
                name: self._value(phrase, name, line, inside) for name, line in template.names if name != "signal"
            }
            if any(name == "signal" for name, _ in template.names):
                words["signal"] = {
                    name: self._signal(phrase, name, line, inside) for name, line in template.signals
                }
            return rendered(source, words)
        except Fault as fault:
            raise phrase.error(fault.what, fault.to_do, fault.line, fault.name) from fault

    def _value(self, user: Phrase, name: str, line: int, inside: tuple[tuple[str, str], ...]) -> str:
        if name not in self.values:
            known = [*self.values, "signal"]
            raise user.error(f"the template's word {name!r} is not defined", nearest(name, known), line, name)
        return self._word(("value", name), self.values[name], user, line, inside)

    def _signal(self, user: Phrase, name: str, line: int, inside: tuple[tuple[str, str], ...]) -> str:
        if self.signals is None:
            what = "no signal can be used here: this text is the same in all contexts"
            raise user.error(what, "", line, "signal")
        if name not in self.signals:
            raise user.error(f"there is no signal {name!r}", nearest(name, self.signals), line, name)
        return signal(str.__str__(self._word(("signal", name), self.signals[name], user, line, inside)))

    def _word(
        self, key: tuple[str, str], phrase: Phrase, user: Phrase, line: int, inside: tuple[tuple[str, str], ...]
    ) -> str:
        if key in inside:
            circle = " -> ".join(name for _, name in (*inside[inside.index(key) :], key))
            raise _circle(user, circle, line, key[1])
        if key not in self._done:
            self._done[key] = self._render(phrase, (*inside, key))
        return self._done[key]


def _circle(user: Phrase, circle: str, line: int, name: str) -> AuthoringError:
    return user.error(f"these words use each other in a circle: {circle}", "break the circle", line, name)
