"""Jinja for text that strangers wrote: a small language that can't reach out, hang or fill the memory.

Attributes, items, calls and operators are allowed one by one. It knows no scenario.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gyges.scenarios.grammar import COUNTED, FILTERS, SPENT, TESTS, Costs, Fault, Generator, check_tree
from gyges.scenarios.limits import (
    MAX_PARTS,
    MAX_SOURCE,
    costly,
    counted,
    indent,
    join,
    limited_join,
    limited_range,
    replace,
    spend,
    spent,
    written,
)
from gyges.scenarios.passages import Passages

_LOOP = frozenset(("index", "index0", "revindex", "revindex0", "first", "last", "length"))


class Sandbox(ImmutableSandboxedEnvironment):
    code_generator_class = Generator
    concat = staticmethod(limited_join)
    intercepted_binops = frozenset({"+", "*", "**", "%"})
    intercepted_unops = frozenset()

    def __init__(self, passages: tuple[Path, ...]) -> None:
        super().__init__(
            loader=Passages(passages),
            undefined=StrictUndefined,
            finalize=written,
            autoescape=False,
            optimized=False,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
            newline_sequence="\n",
            extensions=(),
        )
        self.globals.clear()
        self.globals["range"] = limited_range
        self.filters = {name: costly(name, self.filters[name]) for name in FILTERS}
        self.filters |= {"replace": replace, "join": join, "indent": indent, COUNTED: counted, SPENT: spent}
        self.tests = {name: self.tests[name] for name in TESTS}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        if len(source) > MAX_SOURCE:
            raise Fault(f"render limit: a template of {len(source):,} characters, and the limit is {MAX_SOURCE:,}")
        tree = super()._parse(source, name, filename)
        if any(number >= MAX_PARTS for number, _ in enumerate(tree.find_all(nodes.Node))):
            raise Fault(
                f"render limit: a template of more than {MAX_PARTS:,} parts", to_do="use values or passages"
            )
        check_tree(tree)
        Costs().visit(tree)
        return tree

    def joined_values(self, values: tuple[object, ...]) -> str:
        return limited_join([written(None, value) for value in values])

    def shallow(self, values: Collection[object]) -> Collection[object]:
        """A list or tuple as it is, if it nests at most two deep: deeper ones double at every step."""
        spend(len(values))
        lists = [value for value in values if isinstance(value, list | tuple)]
        if any(isinstance(value, list | tuple) for inner in lists for value in inner):
            raise SecurityError("lists nest at most two deep")
        return values

    def getattr(self, obj: object, attribute: str) -> object:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: object, argument: object) -> object:
        if isinstance(obj, str | list | tuple) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
            return obj[argument]
        if isinstance(obj, Mapping) and argument in obj:
            return obj[argument]
        return self.undefined(obj=obj, name=str(argument))

    def call(self, context: Context, called: object, *args: object, **kwargs: object) -> object:
        spend(20)
        if called is not limited_range and not isinstance(called, Macro):
            raise SecurityError("only range() and macros of the same template can be called")
        return context.call(called, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        spend(10)
        match operator, left, right:
            case "+" | "*" | "%", int() | float(), int() | float() if max(abs(left), abs(right)) < 1e9:
                return super().call_binop(context, operator, left, right)
            case "+", str(), str():
                return limited_join([left, right])
            case "*", str(), int():
                spend(len(left) * max(right, 0))
                return left * right
        raise SecurityError(f"{operator} is not allowed between these values")
