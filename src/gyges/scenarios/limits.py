"""What a rendering may cost: one budget for every character and step, and the functions that pay from it.

Jinja's own filters would do anything they are asked to; these stop before it hurts. It knows no template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from jinja2 import pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, Undefined

from gyges.scenarios.marked import joined

MAX_TEXT = 500_000
"""Characters of any one text."""
MAX_WORK = 2_000_000
"""Characters written and steps taken in one rendering."""
MAX_RANGE = 10_000
MAX_SOURCE = 100_000
"""Characters of a template: jinja takes its time over long ones."""
MAX_PARTS = 4_000
"""Parts of a template's syntax tree, for the same reason."""
_OF_TEXT = frozenset(("capitalize", "lower", "string", "title", "trim", "upper", "wordcount"))
"""Filters that turn anything into text first, which could be a list in a list in a list ..."""


@dataclass(slots=True)
class _Budget:
    left: int = MAX_WORK

    def spend(self, cost: int) -> None:
        self.left -= cost
        if self.left < 0 or cost > MAX_TEXT:
            raise SecurityError("render limit: this template writes too much or never ends")


_budget: ContextVar[_Budget] = ContextVar("_budget")


@contextmanager
def budget() -> Iterator[None]:
    """What happens inside has one budget."""
    token = _budget.set(_Budget())
    try:
        yield
    finally:
        _budget.reset(token)


def spend(cost: int) -> None:
    """Raises SecurityError when there is nothing left."""
    _budget.get().spend(cost + 1)


@pass_context
def written(_context: Context | None, value: object) -> str:
    """What stands in `{{ }}`. With the context as argument jinja can't compute it before the budget counts."""
    if isinstance(value, Undefined):
        str(value)  # raises, with the name
    if isinstance(value, str):
        spend(len(value))
        return value
    if isinstance(value, int | float):
        spend(20)
        return str(value)
    raise SecurityError(f"only text and numbers can be written out, and this is a {type(value).__name__}")


def spent(cost: int) -> str:
    """Pays for what is about to be done, and writes nothing."""
    spend(cost)
    return ""


def counted(values: Iterable[object]) -> Iterator[object]:
    """The values, each of which costs."""
    for value in values:
        spend(20)
        yield value


def limited_range(*bounds: int) -> range:
    found = range(*bounds)
    spend(len(found))
    if len(found) > MAX_RANGE:
        raise SecurityError(f"render limit: a range of {len(found):,}, and the limit is {MAX_RANGE:,}")
    return found


def limited_join(parts: Iterable[str]) -> str:
    found = list(parts)
    spend(sum(map(len, found)))
    return joined(found)


def costly(name: str, function: Callable[..., object]) -> Callable[..., object]:
    """A filter that pays for what goes in; what comes out is not longer than a small multiple of that."""

    def pay(value: object) -> None:
        spend(len(value) if isinstance(value, str | list | tuple) else 1)
        if name in _OF_TEXT and not isinstance(value, str | int | float):
            raise SecurityError(f"the filter {name!r} takes text")

    if hasattr(function, "jinja_pass_arg"):

        def filtered(scope: object, value: object, *args: object, **kwargs: object) -> object:
            pay(value)
            return function(scope, value, *args, **kwargs)
    else:

        def filtered(value: object, *args: object, **kwargs: object) -> object:  # type: ignore[misc]
            pay(value)
            return function(value, *args, **kwargs)

    filtered.__dict__.update(getattr(function, "__dict__", {}))  # jinja's marks, such as `jinja_pass_arg`
    return filtered


def replace(text: object, old: str, new: str) -> str:
    before = written(None, text)
    spend(len(before) + before.count(old) * len(new))
    return before.replace(old, new)


def join(values: Iterable[object], between: str = "") -> str:
    parts: list[str] = []
    for value in values:
        spend(len(between))
        parts += [between, written(None, value)] if parts else [written(None, value)]
    return limited_join(parts)


def indent(text: str, width: int = 4, first: bool = False) -> str:
    lines = text.split("\n")
    if not 0 <= width <= 100:
        raise SecurityError("indent takes a width from 0 to 100")
    spend(len(text) + len(lines) * width)
    pad = " " * width
    kept = [pad + line if line and (first or number) else line for number, line in enumerate(lines)]
    return "\n".join(kept)
