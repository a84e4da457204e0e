"""How a probe is written in YAML. It knows neither families nor what becomes of the answer."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from gyges.scenarios.phrase import Phrase

_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=64)]


class ProbeSpec(BaseModel):
    """A question about an episode, asked in forks of it, with the answers that can be given."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    question: Phrase
    """May use the words that all contexts share, never a signal."""
    choices: Annotated[dict[_Name, Phrase], Field(min_length=2)]
    """For each label, the words of the answer."""
    right: dict[_Name, _Name] = {}
    """For each context, the label of the right answer. Empty: none is right or wrong."""
    needs_conflict: bool = False
    """Whether the right answer hangs on the conflict: without it (null) none is right."""
    unsure: _Name | None = None
    """The label that is right where the cue means nothing or is hidden."""

    @model_validator(mode="after")
    def _labels(self) -> Self:
        for label in (*self.right.values(), *([self.unsure] if self.unsure else [])):
            if label not in self.choices:
                raise ValueError(f"there is no choice {label!r}: it has {', '.join(self.choices)}")
        return self
