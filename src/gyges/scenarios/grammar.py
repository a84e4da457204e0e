"""What a template may say: everything that is allowed is listed, and what it costs is written into it.

It knows jinja's syntax tree; it renders nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer

from gyges.scenarios.nearest import nearest

# fmt: off
FILTERS = frozenset((
    "abs", "capitalize", "count", "d", "default", "first", "float", "indent", "int", "join", "last", "length",
    "list", "lower", "max", "min", "replace", "reverse", "sort", "string", "sum", "title", "trim", "unique",
    "upper", "wordcount",
))
TESTS = frozenset((
    "!=", "<", "<=", "==", ">", ">=", "boolean", "divisibleby", "eq", "equalto", "even", "false", "float", "ge",
    "greaterthan", "gt", "in", "integer", "le", "lessthan", "lower", "lt", "ne", "none", "number", "odd", "string",
    "true", "upper",
))
# fmt: on
COUNTED, SPENT = " counted", " spent"
"""Filters that no template can name."""
_REFUSED = (
    (nodes.Import, "imports"),
    (nodes.FromImport, "imports"),
    (nodes.Extends, "extends"),
    (nodes.Block, "blocks"),
    (nodes.FilterBlock, "filter blocks"),
    (nodes.ScopedEvalContextModifier, "autoescape"),
    (nodes.EvalContextModifier, "autoescape"),
    (nodes.NSRef, "namespaces"),
    (nodes.CallBlock, "call blocks"),
    (nodes.Dict, "mappings"),
)
_Body = TypeVar("_Body", nodes.Template, nodes.Macro, nodes.For)


@dataclass(slots=True)
class Fault(Exception):  # noqa: N818 - turned into an AuthoringError where the file is known
    """What is wrong with a template, and in which of its lines (from 1). `name` is the word to look for there."""

    what: str
    line: int = 1
    name: str = ""
    to_do: str = ""
    passage: Path | None = None
    """The passage that it is wrong with, if it is not the template itself."""


class Generator(CodeGenerator):
    """Writes `a ~ b` as a call of the environment's own join, which keeps marks and counts."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - jinja's name
        self.write("environment.joined_values((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802 - jinja's name
        self.write("environment.shallow(")
        super().visit_List(node, frame)
        self.write(")")

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802 - jinja's name
        if node.ctx != "load":
            super().visit_Tuple(node, frame)
            return
        self.write("environment.shallow(")
        super().visit_Tuple(node, frame)
        self.write(")")


class Costs(NodeTransformer):
    """Writes into loops, macros and the template itself what one pass through them costs."""

    def visit_Template(self, node: nodes.Template) -> nodes.Template:  # noqa: N802 - jinja's name
        return self._paid(node, node.body)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Macro:  # noqa: N802 - jinja's name
        return self._paid(node, node.body)

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - jinja's name
        paid = self._paid(node, node.body)
        # The values cost too: a condition may drop them before the body is reached.
        paid.iter = nodes.Filter(paid.iter, COUNTED, [], [], None, None, lineno=node.lineno)
        return paid

    def _paid(self, node: _Body, body: list[nodes.Node]) -> _Body:
        size = 5 * sum(1 for _ in node.find_all(nodes.Node))
        self.generic_visit(node)
        cost = nodes.Filter(nodes.Const(size), SPENT, [], [], None, None, lineno=node.lineno)
        body.insert(0, nodes.Output([cost], lineno=node.lineno))
        return node


def check_tree(tree: nodes.Template) -> None:
    for refused, name in _REFUSED:
        for node in tree.find_all(refused):
            raise Fault(f"{name} are not allowed in templates", node.lineno)
    for used in (*tree.find_all(nodes.Filter), *tree.find_all(nodes.Test)):
        known, kind = (FILTERS, "filter") if isinstance(used, nodes.Filter) else (TESTS, "test")
        if used.name not in known:
            raise Fault(f"there is no {kind} {used.name!r}", used.lineno, used.name, nearest(used.name, known))
    for attribute in tree.find_all(nodes.Getattr):
        if not isinstance(attribute.node, nodes.Name) or attribute.node.name not in ("signal", "loop"):
            what = f"the attribute .{attribute.attr} can't be used"
            raise Fault(what, attribute.lineno, attribute.attr, "only signal.NAME and loop.NAME are known")
    for call in tree.find_all(nodes.Call):
        if not isinstance(call.node, nodes.Name):
            raise Fault("this can't be called", call.lineno, "", "only range() and macros can")
