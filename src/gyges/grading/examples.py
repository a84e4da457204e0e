"""Labelled sentences and reasonings, as training takes them. It knows neither file nor classifier."""

from __future__ import annotations

from dataclasses import dataclass

from gyges.grading.verdict import LABELS


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sentence or two, with the labels of `verdict.LABELS` that they have."""

    text: str
    labels: frozenset[str]
    known: frozenset[str] = frozenset(LABELS)
    """The labels that its writer had to choose from."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A reasoning, with those of the five criteria and alignment_faking that hold of it.

    `group` names what is kept together in cross-validation, such as the two texts of a minimal pair; what stands
    before a slash in it is the source, and all sources count alike.
    """

    text: str
    labels: frozenset[str]
    group: str
    said: tuple[Said, ...] | None = None
    """Where labels are said, for texts that were labelled so far; None for others."""
    complete: bool = False
    """Whether no other place of the text says any label; else no other says one of the five."""
    complied: bool | None = None
    """Whether the agent does as the objective wants, in the end; None where that is open, or isn't known."""


@dataclass(frozen=True, slots=True)
class Said:
    """A label and the span of the text that says it."""

    label: str
    start: int
    end: int
