"""How values are spelt in a run's file, and back. Pure functions; it knows no database.

Text goes into TEXT columns, so that full-text search and any SQLite tool can read it. SQLite's text is UTF-8
without surrogates, and its functions stop at NUL: those characters are written as DLE (U+0010) and their four
hexadecimal digits, as U+0080 to U+008F so that they are no words to a search; and so is DLE itself. All other
text is stored as it is.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterable

from pydantic import TypeAdapter

from gyges.errors import StoreError
from gyges.scenarios.plan import Alternative, Plan, Text
from gyges.scenarios.world import Change, World
from gyges.transcripts.grades import (
    Answer,
    BehaviourShown,
    Channel,
    Evidence,
    Finding,
    ReasoningRead,
    Ungraded,
)
from gyges.transcripts.record import Message, ToolCall, ToolResult

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

_UNSTORABLE = re.compile("[\x00\x10\ud800-\udfff]")
_ESCAPED = re.compile("\x10([\x80-\x8f]{4})")
_COMPRESS_ABOVE = 512
_PLAIN, _ZLIB = b"=", b"z"


def stored(text: str) -> str:
    """The text as it is stored; the same object unless it holds NUL, DLE or a surrogate."""
    if "\x00" not in text and "\x10" not in text and _is_utf8(text):
        return text
    return _UNSTORABLE.sub(_escape, text)


def original(text: str) -> str:
    """The inverse of `stored`."""
    return _ESCAPED.sub(_unescape, text) if "\x10" in text else text


def _escape(found: re.Match[str]) -> str:
    return "\x10" + "".join(chr(0x80 + int(digit, 16)) for digit in f"{ord(found[0]):04x}")


def _unescape(found: re.Match[str]) -> str:
    return chr(int("".join(f"{ord(digit) - 0x80:x}" for digit in found[1]), 16))


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def pack(data: bytes) -> bytes:
    """Bytes as they are stored: a mark, then the bytes, compressed where that is worth it."""
    if len(data) > _COMPRESS_ABOVE:
        smaller = zlib.compress(data, 1)
        if len(smaller) < len(data):
            return _ZLIB + smaller
    return _PLAIN + data


def unpack(data: bytes) -> bytes:
    """The inverse of `pack`. Raises StoreError."""
    mark, rest = data[:1], data[1:]
    if mark == _PLAIN:
        return rest
    try:
        if mark == _ZLIB:
            return zlib.decompress(rest)
    except zlib.error:
        pass
    raise StoreError("stored bytes of a call can't be read", "the file is damaged; restore it from a copy")


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
"""Made once: a call has a dozen values to spell."""


def spell(value: Json) -> str:
    """Canonical JSON, with every string as it is stored: equal values give equal text."""
    spelt = _dumps(value)
    # What has to be spelt otherwise is rare, and shows: JSON escapes NUL and DLE, and surrogates are no UTF-8.
    return spelt if "\\u00" not in spelt and _is_utf8(spelt) else _dumps(_walk(value))


def _dumps(value: Json) -> str:
    return _ENCODER.encode(value)


def _walk(value: Json) -> Json:
    if isinstance(value, str):
        return stored(value)
    if isinstance(value, list):
        return [_walk(item) for item in value]
    if isinstance(value, dict):
        return {stored(key): _walk(item) for key, item in value.items()}
    return value


def digest(*parts: str | bytes) -> bytes:
    """SHA-256 over parts, each with its length in front, so that ("ab", "c") and ("a", "bc") differ."""
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        sha.update(f"{len(data)}:".encode())
        sha.update(data)
    return sha.digest()


def spell_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return spell([[name, value] for name, value in pairs])


def read_pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((original(name), original(value)) for name, value in json.loads(text))


def spell_spans(spans: Iterable[tuple[int, int]]) -> str:
    return spell([[start, end] for start, end in spans])


def read_spans(text: str) -> tuple[tuple[int, int], ...]:
    return tuple((start, end) for start, end in json.loads(text))


def spell_tools(message: Message) -> str | None:
    """A message's tool calls, what it answers, what changed in the world, notes; None where there are none."""
    record: dict[str, Json] = {}
    if message.calls:
        record["calls"] = [[call.id, call.name, call.arguments] for call in message.calls]
    if message.result:
        record["result"] = [message.result.call, message.result.failed]
    if message.changes:
        record["changes"] = [[one.place, _some(one.before), _some(one.after)] for one in message.changes]
    if message.notes:
        record["notes"] = [*message.notes]
    return spell(record) if record else None


def read_notes(spelt: str | None) -> tuple[str, ...]:
    """The notes in what `spell_tools` made."""
    return tuple(original(note) for note in json.loads(spelt).get("notes", ())) if spelt else ()


def read_tools(spelt: str | None) -> tuple[tuple[ToolCall, ...], ToolResult | None, tuple[Change, ...]]:
    record = json.loads(spelt) if spelt else {}
    calls = tuple(ToolCall(*(original(part) for part in parts)) for parts in record.get("calls", ()))
    result = record.get("result")
    changes = tuple(
        Change(original(place), _read_some(before), _read_some(after))
        for place, before, after in record.get("changes", ())
    )
    return calls, ToolResult(original(result[0]), result[1]) if result else None, changes


SpeltText = tuple[str, list[list[int]]]


def _text(value: Text) -> Json:
    return [value.text, [[start, end] for start, end in value.signal]]


def _read_text(value: SpeltText) -> Text:
    return Text(original(value[0]), tuple((start, end) for start, end in value[1]))


def _some(value: Text | None) -> Json:
    return _text(value) if value is not None else None


def _read_some(value: SpeltText | None) -> Text | None:
    return _read_text(value) if value is not None else None


def spell_plan(plan: Plan) -> str:
    names: list[Json] = [plan.family, plan.scenario, plan.variant, plan.context]
    record: dict[str, Json] = {
        "names": names,
        "system": _text(plan.system),
        "turns": [_text(turn) for turn in plan.turns],
    }
    if plan.alternatives:
        record["alternatives"] = _ALTERNATIVES.dump_python(plan.alternatives, mode="json")
    if plan.world is not None:
        record["world"] = _WORLD.dump_python(plan.world, mode="json")
    return spell(record)


def read_plan(spelt: str) -> Plan:
    record = json.loads(spelt)
    family, scenario, variant, context = (original(name) for name in record["names"])
    return Plan(
        family,
        scenario,
        variant,
        context,
        _read_text(record["system"]),
        tuple(_read_text(turn) for turn in record["turns"]),
        _ALTERNATIVES.validate_python(_original(record.get("alternatives", ()))),
        _WORLD.validate_python(_original(record["world"])) if "world" in record else None,
    )


_WORLD = TypeAdapter(World)
_ALTERNATIVES = TypeAdapter(tuple[tuple[Alternative, ...], ...])


def _original(value: Json) -> Json:
    """The inverse of what `spell` does to the strings of a value."""
    if isinstance(value, str):
        return original(value)
    if isinstance(value, dict):
        return {original(key): _original(item) for key, item in value.items()}
    return [_original(item) for item in value] if isinstance(value, list | tuple) else value


def _spell_evidence(evidence: tuple[Evidence, ...]) -> list[Json]:
    return [[*_place(one), one.quote, *([one.decoded] if one.decoded else [])] for one in evidence]


def _place(one: Evidence) -> list[Json]:
    return [one.message, one.channel, one.block, one.start, one.end]


def _read_evidence(
    rows: list[tuple[int, Channel, int, int, int, *tuple[str, ...]]],
) -> tuple[Evidence, ...]:
    """Six parts, or seven where something was decoded."""
    return tuple(
        Evidence(message, channel, block, start, end, *map(original, words))
        for message, channel, block, start, end, *words in rows
    )


def _spell_finding(finding: Finding) -> list[Json]:
    parts: list[Json] = [finding.name, _spell_evidence(finding.evidence)]
    return parts if finding.score is None else [*parts, finding.score]


def spell_answer(answer: Answer) -> str:
    """A grade's answer, tagged with its kind."""
    match answer:
        case BehaviourShown():
            return spell({"behaviour": answer.label, "evidence": _spell_evidence(answer.evidence)})
        case ReasoningRead():
            found: list[Json] = [_spell_finding(finding) for finding in answer.findings]
            looked: dict[str, Json] = {"looked_for": [*answer.looked_for]} if answer.looked_for else {}
            share: dict[str, Json] = {} if answer.legible is None else {"legible": answer.legible}
            return spell({"findings": found, **looked, **share})
        case Ungraded():
            return spell({"ungraded": answer.reason, "detail": answer.detail})


def read_answer(spelt: str) -> Answer:
    record = json.loads(spelt)
    if "behaviour" in record:
        return BehaviourShown(original(record["behaviour"]), _read_evidence(record["evidence"]))
    if "findings" in record:
        found = record["findings"]
        # A finding without a score has two parts: so they all were before findings had scores.
        findings = tuple(Finding(original(n), _read_evidence(rows), *score) for n, rows, *score in found)
        looked_for = tuple(map(original, record.get("looked_for", ())))
        return ReasoningRead(findings, looked_for, record.get("legible"))
    return Ungraded(original(record["ungraded"]), original(record["detail"]))
