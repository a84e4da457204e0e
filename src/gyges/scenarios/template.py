"""Templates, compiled and rendered in the sandbox. It knows which words a template uses, not what they say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType

from jinja2 import Template, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.meta import find_undeclared_variables

from gyges.scenarios.grammar import Fault
from gyges.scenarios.limits import budget, limited_join
from gyges.scenarios.passages import MissingPassage, find_passage, passage_text
from gyges.scenarios.sandbox import Sandbox

__all__ = ["Compiled", "Fault", "Use", "compiled", "rendered"]

_INCLUDES = re.compile(r"{%[-+]?\s*include")


@lru_cache(maxsize=64)
def _environment(passages: tuple[Path, ...]) -> Sandbox:
    return Sandbox(passages)


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
    try:
        with budget():
            return limited_join(template.root_render_func(template.new_context(dict(words))))
    except _TOO_DEEP as error:
        raise Fault("render limit: the template nests or recurses too deeply") from error
    except UndefinedError as error:
        raise Fault(f"the template can't be rendered: {error.message}", _line(template, error)) from error
    except _BROKEN as error:
        raise Fault(f"the template can't be rendered: {error}", _line(template, error)) from error


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
