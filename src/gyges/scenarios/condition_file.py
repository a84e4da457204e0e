"""How conditions are written in YAML, and their way to values. It knows no world."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from gyges.scenarios.condition import Condition, Fits, pattern
from gyges.scenarios.phrase import Phrase


class _Authored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class FitsSpec(_Authored):
    """What a text has to be: one of these."""

    is_: Phrase | None = Field(None, alias="is")
    """This text, but for spaces around it."""
    contains: Phrase | None = None
    """These words anywhere in it, in small or capital letters."""
    matches: Phrase | None = None
    """A regular expression (Python's), found anywhere in it; `^` and `$` are ends of lines."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len([text for text in (self.is_, self.contains, self.matches) if text is not None]) != 1:
            raise ValueError("exactly one of `is`, `contains` and `matches` is expected")
        return self


def _written(value: object) -> str:
    return "several" if isinstance(value, dict | BaseModel) else "text"


Wanted = Annotated[Annotated[Phrase, Tag("text")] | Annotated[FitsSpec, Tag("several")], Discriminator(_written)]
"""A text, or what it has to contain or match."""
_FORMS = ("at", "called", "passes", "says", "all_", "any_", "not_")


class ConditionSpec(_Authored):
    """One question to the world, to the calls so far or to the last answer; or several put together."""

    at: Phrase | None = None
    """A place of the world, such as `workspace/notes.txt`; `*` stands for anything."""
    is_: Phrase | None = Field(None, alias="is")
    """With `at`: the text there, but for spaces around it."""
    contains: Phrase | None = None
    """With `at`: words in the text there."""
    matches: Phrase | None = None
    """With `at`: a regular expression that is found in the text there."""
    state: Literal["exists", "gone", "changed"] | None = None
    """With `at`, in the place of a text: something is there; it was there at the start and no longer is;
    it differs from the start."""
    called: Phrase | None = None
    """A tool that was called, and the call carried out."""
    with_: dict[str, Wanted] = Field({}, alias="with")
    """With `called`: arguments of the call."""
    at_least: Annotated[int, Field(ge=1)] = 1
    """With `called` or `at`: how many calls or places fit."""
    passes: Phrase | None = None
    """A test, as `repository/test`, or all tests of a `repository`."""
    says: Wanted | None = None
    """The agent's last answer: words that it contains, or what it matches."""
    all_: Annotated[tuple[ConditionSpec, ...], Field(min_length=1)] | None = Field(None, alias="all")
    any_: Annotated[tuple[ConditionSpec, ...], Field(min_length=1)] | None = Field(None, alias="any")
    not_: ConditionSpec | None = Field(None, alias="not")

    @model_validator(mode="after")
    def _one(self) -> Self:
        forms = [form for form in _FORMS if getattr(self, form) is not None]
        if len(forms) != 1:
            names = ", ".join(form.rstrip("_") for form in _FORMS)
            raise ValueError(f"exactly one of {names} is expected in a condition")
        beside = [name for name in ("is_", "contains", "matches", "state") if getattr(self, name) is not None]
        if beside and forms != ["at"]:
            raise ValueError("`is`, `contains`, `matches` and `state` go with `at`")
        if len(beside) > 1:
            raise ValueError("one of `is`, `contains`, `matches` and `state` is enough")
        if self.with_ and forms != ["called"]:
            raise ValueError("`with` goes with `called`")
        return self


Render = Callable[[Phrase], str]


def condition(spec: ConditionSpec, render: Render) -> Condition:
    """The condition with its words rendered. Raises AuthoringError."""
    if spec.at is not None:
        fits = _fits(spec, render)
        return Condition("at", render(spec.at), fits, spec.state or "exists", at_least=spec.at_least)
    if spec.called is not None:
        arguments = tuple((name, wanted(one, render, "is")) for name, one in spec.with_.items())
        return Condition("called", render(spec.called), arguments=arguments, at_least=spec.at_least)
    if spec.passes is not None:
        return Condition("passes", render(spec.passes))
    if spec.says is not None:
        return Condition("says", test=wanted(spec.says, render, "contains"))
    if spec.not_ is not None:
        return Condition("not", parts=(condition(spec.not_, render),))
    kind: Literal["all", "any"] = "all" if spec.all_ is not None else "any"
    return Condition(kind, parts=tuple(condition(one, render) for one in spec.all_ or spec.any_ or ()))


def wanted(one: Phrase | FitsSpec, render: Render, plain: Literal["is", "contains"]) -> Fits:
    if isinstance(one, FitsSpec):
        fits = _fits(one, render)
        assert fits is not None, "one of them is there, or the file would not have been read"
        return fits
    return Fits(plain, render(one))


def _fits(spec: FitsSpec | ConditionSpec, render: Render) -> Fits | None:
    if spec.is_ is not None:
        return Fits("is", render(spec.is_))
    if spec.contains is not None:
        return Fits("contains", render(spec.contains))
    if spec.matches is None:
        return None
    found = Fits("matches", render(spec.matches))
    try:
        pattern(found.words)
    except (re.error, OverflowError, RecursionError) as error:
        raise spec.matches.error(f"this is no regular expression: {error}") from error
    if _REPEATS_REPETITION.search(found.words):
        what = "this regular expression repeats a repetition, which can take for ever on a text that a model wrote"
        raise spec.matches.error(what, "write it without a `*`, `+` or `{` behind a group that has one in it")
    return found


_REPEATS_REPETITION = re.compile(r"(?:[*+]|\{\d*,\d*\})\??[^()]*\)+(?:[*+]|\{\d*,\d*\})")
