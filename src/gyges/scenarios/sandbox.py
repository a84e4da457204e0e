"""Jinja for text that strangers wrote: a small language that can't reach out, hang or fill the memory.

What a template may do is listed (filters, tests, calls, attributes), not what it may not. Every step and every
character costs from one budget per rendering. It knows no scenario.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType

from jinja2 import (
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
    pass_context,
)
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from gyges.scenarios.marked import joined
from gyges.scenarios.nearest import nearest
from gyges.scenarios.passages import MissingPassage, Passages, find_passage, passage_text

MAX_TEXT = 500_000
"""Characters of any one text."""
MAX_WORK = 2_000_000
"""Characters written and steps taken in one rendering."""
MAX_RANGE = 10_000
_INCLUDES = re.compile(r"{%[-+]?\s*include")

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
_LOOP = frozenset(("index", "index0", "revindex", "revindex0", "first", "last", "length"))
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
_OF_TEXT = frozenset(("capitalize", "lower", "string", "title", "trim", "upper", "wordcount"))
"""Filters that turn anything into text first, which could be a list in a list in a list ..."""


@dataclass(slots=True)
class Fault(Exception):  # noqa: N818 - turned into an AuthoringError where the file is known
    """What is wrong with a template, and in which of its lines (from 1). `name` is the word to look for there."""

    what: str
    line: int = 1
    name: str = ""
    to_do: str = ""
    passage: Path | None = None
    """The passage that it is wrong with, if it is not the template itself."""


@dataclass(slots=True)
class _Budget:
    left: int = MAX_WORK

    def spend(self, cost: int) -> None:
        self.left -= cost
        if self.left < 0 or cost > MAX_TEXT:
            raise SecurityError("render limit: this template writes too much or never ends")


_budget: ContextVar[_Budget] = ContextVar("_budget")


def _spend(cost: int) -> None:
    _budget.get().spend(cost + 1)


@pass_context
def _written(_context: Context | None, value: object) -> str:
    """What stands in `{{ }}`. With the context as argument jinja can't compute it before the budget counts."""
    if isinstance(value, Undefined):
        str(value)  # raises, with the name
    if isinstance(value, str):
        _spend(len(value))
        return value
    if isinstance(value, int | float):
        return str(value)
    raise SecurityError(f"only text and numbers can be written out, and this is a {type(value).__name__}")


def _counted(values: Iterable[object]) -> Iterator[object]:
    for value in values:
        _spend(20)
        yield value


def _range(*bounds: int) -> range:
    found = range(*bounds)
    _spend(len(found))
    if len(found) > MAX_RANGE:
        raise SecurityError(f"render limit: a range of {len(found):,}, and the limit is {MAX_RANGE:,}")
    return found


def _joined(parts: Iterable[str]) -> str:
    found = list(parts)
    _spend(sum(map(len, found)))
    return joined(found)


class _Generator(CodeGenerator):
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


class _LoopsCount(NodeTransformer):
    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - jinja's name
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, " counted", [], [], None, None, lineno=node.lineno)
        return node


class _Sandbox(ImmutableSandboxedEnvironment):
    code_generator_class = _Generator
    concat = staticmethod(_joined)
    intercepted_binops = frozenset({"+", "*", "**", "%"})
    intercepted_unops = frozenset()

    def __init__(self, passages: tuple[Path, ...]) -> None:
        super().__init__(
            loader=Passages(passages),
            undefined=StrictUndefined,
            finalize=_written,
            autoescape=False,
            optimized=False,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
            newline_sequence="\n",
            extensions=(),
        )
        self.globals.clear()
        self.globals["range"] = _range
        self.filters = {name: _costly(name, self.filters[name]) for name in FILTERS}
        self.filters |= {"replace": _replace, "join": _join, "indent": _indent, " counted": _counted}
        self.tests = {name: self.tests[name] for name in TESTS}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        _check_tree(tree)
        _LoopsCount().visit(tree)
        return tree

    def joined_values(self, values: tuple[object, ...]) -> str:
        return _joined([_written(None, value) for value in values])

    def shallow(self, values: Collection[object]) -> Collection[object]:
        """A list or tuple as it is, if it nests at most two deep: deeper ones double at every step."""
        _spend(len(values))
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
        _spend(20)
        if called is not _range and not isinstance(called, Macro):
            raise SecurityError("only range() and macros of the same template can be called")
        return context.call(called, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        _spend(10)
        match operator, left, right:
            case "+" | "*" | "%", int() | float(), int() | float() if max(abs(left), abs(right)) < 1e9:
                return super().call_binop(context, operator, left, right)
            case "+", str(), str():
                return _joined([left, right])
            case "*", str(), int():
                _spend(len(left) * max(right, 0))
                return left * right
        raise SecurityError(f"{operator} is not allowed between these values")


def _costly(name: str, function: Callable[..., object]) -> Callable[..., object]:
    """A filter that pays for what goes in; what comes out is not longer than a small multiple of that."""

    def pay(value: object) -> None:
        _spend(len(value) if isinstance(value, str | list | tuple) else 1)
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


def _replace(text: object, old: str, new: str) -> str:
    written = _written(None, text)
    _spend(len(written) + (written.count(old)) * len(new))
    return written.replace(old, new)


def _join(values: Iterable[object], between: str = "") -> str:
    parts: list[str] = []
    for value in values:
        _spend(len(between))
        parts += [between, _written(None, value)] if parts else [_written(None, value)]
    return _joined(parts)


def _indent(text: str, width: int = 4, first: bool = False) -> str:
    lines = text.split("\n")
    if not 0 <= width <= 100:
        raise SecurityError("indent takes a width from 0 to 100")
    _spend(len(text) + len(lines) * width)
    pad = " " * width
    kept = [pad + line if line and (first or number) else line for number, line in enumerate(lines)]
    return "\n".join(kept)


def _check_tree(tree: nodes.Template) -> None:
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


@lru_cache(maxsize=64)
def _environment(passages: tuple[Path, ...]) -> _Sandbox:
    return _Sandbox(passages)


@dataclass(frozen=True, slots=True)
class Use:
    """A word that a template uses, and where: a line of the template or of a passage that it includes."""

    name: str
    line: int
    passage: Path | None = None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template that may be rendered, and the words it uses and does not define itself, each once."""

    template: Template
    names: tuple[Use, ...]
    signals: tuple[Use, ...]


_BROKEN = (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError, SyntaxError)
_TOO_DEEP = (RecursionError, MemoryError)


def compiled(source: str, passages: tuple[Path, ...] = ()) -> Compiled:
    """Compile a template. Raises Fault."""
    # Passages may change while the program runs, so only templates without any are kept.
    return _compile(source, passages, ()) if _INCLUDES.search(source) else _kept(source)


@lru_cache(maxsize=4096)
def _kept(source: str) -> Compiled:
    return _compile(source, (), ())


def _compile(source: str, passages: tuple[Path, ...], inside: tuple[str, ...]) -> Compiled:
    environment = _environment(passages)
    token = _budget.set(_Budget())
    try:
        tree = environment.parse(source)
        template = environment.template_class.from_code(environment, environment.compile(tree), {}, None)
        template.globals = environment.globals
    except TemplateSyntaxError as error:
        raise Fault(f"the template can't be read: {error.message}", error.lineno) from error
    except _TOO_DEEP as error:
        raise Fault("the template nests too deeply") from error
    except _BROKEN as error:
        raise Fault(f"the template can't be used: {error}") from error
    finally:
        _budget.reset(token)
    names, signals = _uses(tree)
    for include in tree.find_all(nodes.Include):
        inner = _passage(include, passages, inside)
        names |= {use.name: use for use in inner.names if use.name not in names}
        signals |= {use.name: use for use in inner.signals if use.name not in signals}
    return Compiled(template, tuple(names.values()), tuple(signals.values()))


def _uses(tree: nodes.Template) -> tuple[dict[str, Use], dict[str, Use]]:
    loads = [node for node in tree.find_all(nodes.Name) if node.ctx == "load"]
    undeclared = find_undeclared_variables(tree) - {"range"}
    names = {node.name: Use(node.name, node.lineno) for node in reversed(loads) if node.name in undeclared}
    signals = {
        node.attr: Use(node.attr, node.lineno)
        for node in tree.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "signal"
    }
    return names, signals


def _passage(include: nodes.Include, passages: tuple[Path, ...], inside: tuple[str, ...]) -> Compiled:
    """A passage that a template includes, compiled. Raises Fault."""
    if not isinstance(include.template, nodes.Const) or not isinstance(include.template.value, str):
        raise Fault("the name of a passage is a plain string in quotes", include.lineno, "include")
    name = include.template.value
    try:
        file = find_passage(passages, name)
    except MissingPassage as error:
        raise Fault(error.what, include.lineno, name, error.to_do) from error
    if name in inside:
        raise Fault(f"the passage {name!r} includes itself", include.lineno, name)
    try:
        found = _compile(passage_text(file), passages, (*inside, name))
    except Fault as fault:
        raise Fault(fault.what, fault.line, fault.name, fault.to_do, fault.passage or file) from fault
    names = tuple(Use(use.name, use.line, use.passage or file) for use in found.names)
    signals = tuple(Use(use.name, use.line, use.passage or file) for use in found.signals)
    return Compiled(found.template, names, signals)


def rendered(source: str, words: Mapping[str, object], passages: tuple[Path, ...] = ()) -> str:
    """The template with these words; `Marked` where it wrote marked words. Raises Fault."""
    template = compiled(source, passages).template
    token = _budget.set(_Budget())
    try:
        return _joined(template.root_render_func(template.new_context(dict(words))))
    except _TOO_DEEP as error:
        raise Fault("render limit: the template nests or recurses too deeply") from error
    except UndefinedError as error:
        raise Fault(f"the template can't be rendered: {error.message}", _line(template, error)) from error
    except _BROKEN as error:
        raise Fault(f"the template can't be rendered: {error}", _line(template, error)) from error
    finally:
        _budget.reset(token)


def _line(template: Template, error: BaseException) -> int:
    """The template's line that the error came from."""
    line, traceback = 1, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__jinja_template__") is template or _is_code(traceback, template):
            line = template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line


def _is_code(traceback: TracebackType, template: Template) -> bool:
    return traceback.tb_frame.f_globals is template.root_render_func.__globals__
