"""YAML text to positioned nodes: the small, safe part of YAML that scenarios use. It knows no scenario.

Nothing is constructed but text, numbers, truth values, lists and dictionaries. Duplicate keys, tags, merge keys,
cycles and whatever multiplies or nests too deeply are refused where they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from gyges.errors import AuthoringError, Place
from gyges.scenarios.phrase import Implicit, Phrase, Source

MAX_BYTES = 1_000_000
"""A scenario is a few kilobytes. Long lists belong in files of their own."""
MAX_NODES = 20_000
"""Counted with aliases expanded."""
MAX_DEPTH = 30

Step = str | int
Path_ = tuple[Step, ...]
Data = Phrase | Implicit | int | float | bool | None | list["Data"] | dict[Phrase, "Data"]


class Event(Protocol):
    """What this module reads of a parser's event."""

    start_mark: Mark
    end_mark: Mark
    anchor: str | None
    tag: str | None
    value: str
    style: str | None
    explicit: bool


class Mark(Protocol):
    line: int
    column: int


@dataclass(slots=True, eq=False)
class Node:
    """A scalar (`text` is not None), a mapping (`pairs`) or a sequence (`items`), and where it stands."""

    line: int
    column: int
    text: str | None = None
    style: str | None = None
    """`|`, `>`, `'`, `"` or None (plain)."""
    last_line: int = 0
    pairs: dict[str, tuple[Node, Node]] | None = None
    """By the key's text: the key and the value."""
    items: list[Node] | None = None
    size: int = 1
    """Nodes in it, aliases expanded."""
    key: Node | None = None
    """While a mapping is read: the key that waits for its value."""

    def children(self) -> Iterator[tuple[Step, Node]]:
        for name, (_, value) in (self.pairs or {}).items():
            yield name, value
        yield from enumerate(self.items or ())


@dataclass(frozen=True, slots=True)
class Document:
    """A file's text and its root node."""

    file: Path
    lines: tuple[str, ...]
    root: Node

    def at(self, path: Sequence[Step]) -> Node:
        """The node at `path`, or the deepest one on the way to it."""
        node = self.root
        for step in path:
            found = next((child for name, child in node.children() if name == step), None)
            if found is None:
                return node
            node = found
        return node

    def key_at(self, path: Sequence[Step]) -> Node:
        """The key (not the value) that `path` ends with, where it has one."""
        pairs = self.at(path[:-1]).pairs or {}
        return pairs[str(path[-1])][0] if str(path[-1]) in pairs else self.at(path)

    def error(self, node: Node, what: str, to_do: str = "") -> AuthoringError:
        return AuthoringError(Place(self.file, node.line, node.column), what, to_do)

    def place(self) -> Place:
        return Place(self.file)

    def data(self) -> Data:
        return self._data(self.root)

    def _data(self, node: Node) -> Data:
        if node.pairs is not None:
            return {self._phrase(key): self._data(value) for key, value in node.pairs.values()}
        if node.items is not None:
            return [self._data(item) for item in node.items]
        return self._phrase(node) if node.style else _plain(node.text or "", self._phrase(node))

    def _phrase(self, node: Node) -> Phrase:
        source = Source(self.file, node.line, node.column, node.last_line, node.style, self.lines)
        return Phrase(node.text or "", source)


def read_document(file: Path) -> Document:
    """Read one YAML file. Raises AuthoringError with the place of whatever is not allowed."""
    text = decoded(file)
    lines = tuple(text.split("\n"))
    return Document(file, lines, _composed(file, text))


@lru_cache(maxsize=256)
def _composed(file: Path, text: str) -> Node:
    """The text's root node. One command reads most files more than once; nodes are never changed."""
    return _Composer(file).compose(text)


def decoded(file: Path, limit: int = MAX_BYTES) -> str:
    """A file's text: UTF-8, without a byte-order mark, lines ending in a line feed. Raises AuthoringError."""
    place = Place(file)
    try:
        size = file.stat().st_size
        if not file.is_file():
            raise AuthoringError(place, "this is not a regular file")
        if size > limit:
            raise AuthoringError(
                place, f"the file has {size:,} bytes, and the limit is {limit:,} bytes", "split it"
            )
        raw = file.read_bytes()
    except OSError as error:
        raise AuthoringError(place, f"the file can't be read ({error.strerror})") from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in raw:
        raise AuthoringError(place, "the file is UTF-16 or binary", "save it as UTF-8 text")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise AuthoringError(Place(file, line), "the file is not UTF-8 text here", "save it as UTF-8") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


@dataclass(slots=True)
class _Composer:
    """Builds nodes from the parser's events, so that limits hold before anything is expanded."""

    file: Path
    open: list[Node] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    unfinished: set[int] = field(default_factory=set)
    """Ids of the nodes that are still open: an alias to one of them is a cycle."""
    root: Node | None = None
    total: int = 0

    def compose(self, text: str) -> Node:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError
        from ruamel.yaml.reader import ReaderError

        try:
            for event in YAML(typ="safe", pure=True).parse(text):
                self._take(event)
        except MarkedYAMLError as error:
            raise self._syntax_error(error.problem_mark or error.context_mark, str(error.problem)) from error
        except ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            what = "a control character that YAML does not allow"
            raise AuthoringError(Place(self.file, line), what, "remove it") from error
        except (YAMLError, ValueError, RecursionError) as error:
            raise AuthoringError(Place(self.file), f"this is not readable YAML ({error})") from error
        if self.root is None:
            raise AuthoringError(Place(self.file), "the file is empty", "see docs/scenarios.md for what goes in")
        return self.root

    def _syntax_error(self, mark: Mark | None, problem: str) -> AuthoringError:
        place = Place(self.file, mark.line + 1, mark.column + 1) if mark else Place(self.file)
        if "'\\t'" in problem:
            return AuthoringError(place, "a tab stands where YAML wants spaces", "indent with spaces")
        hint = "text with `: `, `#`, `{` or `*` in it needs quotes or a `|` block"
        return AuthoringError(place, f"this is not readable YAML: {problem}", hint)

    def _take(self, event: Event) -> None:
        match type(event).__name__:
            case "ScalarEvent":
                self._add(self._node(event, text=event.value, style=event.style))
            case "MappingStartEvent":
                self._enter(self._node(event, pairs={}))
            case "SequenceStartEvent":
                self._enter(self._node(event, items=[]))
            case "MappingEndEvent" | "SequenceEndEvent":
                self._leave()
            case "AliasEvent":
                self._add(self._aliased(event))
            case "DocumentStartEvent" if self.root is not None:
                raise self._error(event, "a second document starts here", "one file holds one document")

    def _node(
        self,
        event: Event,
        text: str | None = None,
        style: str | None = None,
        pairs: dict[str, tuple[Node, Node]] | None = None,
        items: list[Node] | None = None,
    ) -> Node:
        if event.tag is not None:
            raise self._error(event, f"tags such as {event.tag} are not read", "remove the tag")
        mark = event.start_mark
        node = Node(mark.line + 1, mark.column + 1, text, style, event.end_mark.line + 1, pairs, items)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        self._count(event, 1)
        return node

    def _aliased(self, event: Event) -> Node:
        name = event.anchor or ""
        node = self.anchors.get(name)
        if node is None:
            raise self._error(event, f"no anchor &{name} stands before this alias")
        if id(node) in self.unfinished:
            raise self._error(event, f"the alias *{name} stands inside what it names: a cycle")
        self._count(event, node.size)
        return node

    def _count(self, event: Event, size: int) -> None:
        self.total += size
        if self.total > MAX_NODES:
            what = f"expansion limit: more than {MAX_NODES:,} entries, aliases included"
            raise self._error(event, what, "write less, or put long lists into files of their own")

    def _enter(self, node: Node) -> None:
        if len(self.open) >= MAX_DEPTH:
            raise AuthoringError(Place(self.file, node.line, node.column), f"nested over {MAX_DEPTH} levels deep")
        self.unfinished.add(id(node))
        self.open.append(node)

    def _leave(self) -> None:
        node = self.open.pop()
        self.unfinished.discard(id(node))
        node.size += sum(child.size for _, child in node.children())
        self._add(node)

    def _add(self, node: Node) -> None:
        if not self.open:
            self.root = node
        elif (parent := self.open[-1]).items is not None:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = self._key(parent, node)
        elif parent.pairs is not None:
            parent.pairs[parent.key.text or ""] = (parent.key, node)
            parent.key = None

    def _key(self, mapping: Node, key: Node) -> Node:
        place = Place(self.file, key.line, key.column)
        if key.text is None:
            raise AuthoringError(place, "a key has to be text")
        if key.text == "<<" and not key.style:
            what = "merge keys (<<) are not read: merges multiply without an expansion limit"
            raise AuthoringError(place, what, "write the keys out")
        if key.text in (pairs := mapping.pairs or {}):
            lines = f"in lines {pairs[key.text][0].line} and {key.line}"
            raise AuthoringError(place, f"the key {key.text!r} stands twice, {lines}", "keep one")
        return key

    def _error(self, event: Event, what: str, to_do: str = "") -> AuthoringError:
        mark = event.start_mark
        return AuthoringError(Place(self.file, mark.line + 1, mark.column + 1), what, to_do)


_NOTHING = re.compile(r"~|null|Null|NULL|")
_TRUTH = re.compile(r"true|True|TRUE|false|False|FALSE")
_YES_OR_NO = re.compile(r"yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ODD_NUMBER = re.compile(
    r"[-+]?(\.inf|\.Inf|\.INF|0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*(\.[0-9_]*)?)|\.nan|\.NaN|\.NAN"
)
_TIME = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(([Tt]| +)[0-9]{1,2}:[0-9:.]+ *([Zz]|[-+][0-9:]+)?)?")


def _plain(text: str, phrase: Phrase) -> Data:
    """An unquoted scalar. What any reader of YAML 1.1 or 1.2 takes for more than text is never text here."""
    if _NOTHING.fullmatch(text):
        return None
    if _TRUTH.fullmatch(text):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    for kind, pattern in (
        ("yes or no", _YES_OR_NO),
        ("number", _ODD_NUMBER),
        ("time of day", _TIME),
        ("date", _DATE),
    ):
        if pattern.fullmatch(text):
            # `0.5` is a number everywhere; `1.10`, `010` and `0x1F` only mean something if somebody asks for one.
            number = kind == "number" and _NUMBER.fullmatch(text) and not re.match(r"[-+]?0[0-9_]", text)
            return float(text) if number else Implicit(text, kind)
    return float(text) if _NUMBER.fullmatch(text) else phrase
