"""Behaviour from a label that came with an imported transcript. It reads no word of the transcript."""

from __future__ import annotations

from dataclasses import dataclass

from gyges.errors import UsageError
from gyges.grading.grader import View
from gyges.scenarios.plan import Behaviour
from gyges.transcripts.grades import Answer, BehaviourShown, Question, Ungraded

CODE = "1"


@dataclass(frozen=True, slots=True)
class LabelGrader:
    """`label` equal to `target` complies, another of `options` declines, anything else is ungraded."""

    label: str
    target: str
    options: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"label:{self.label}"

    @property
    def version(self) -> str:
        return f"{CODE}:{self.target}/{','.join(self.options)}"

    @property
    def question(self) -> Question:
        return "behaviour"

    def grade(self, view: View, _behaviour: Behaviour | None, /) -> Answer:
        value = dict(view.labels).get(self.label)
        if value is None or value not in self.options:
            return Ungraded("label_outside_options", "no label" if value is None else value)
        return BehaviourShown("complies" if value == self.target else "declines")


def read_label_spec(spec: str, options: str) -> LabelGrader:
    """`label:option=a` with `a,b` as a grader. Raises UsageError for anything of another form."""
    kind, _, rest = spec.partition(":")
    label, equals, target = rest.partition("=")
    if kind != "label" or not label or not equals or not target:
        raise UsageError(
            f"'{spec}' is not a behaviour from a label", "write label:NAME=VALUE, as in label:option=a"
        )
    named = tuple(dict.fromkeys(option.strip() for option in options.split(",") if option.strip()))
    if target not in named or len(named) < 2:
        raise UsageError(
            f"the options '{options}' must name '{target}' and at least one other value",
            f"write --options {target},...",
        )
    return LabelGrader(label, target, named)
