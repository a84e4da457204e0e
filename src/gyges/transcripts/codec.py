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

from gyges.errors import StoreError
from gyges.scenarios.plan import Plan, Text
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


def spell(value: Json) -> str:
    """Canonical JSON, with every string as it is stored: equal values give equal text."""
    return json.dumps(_walk(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


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
    """A message's tool calls, or what it answers; None where no tool is in it."""
    record: dict[str, Json] = {}
    if message.calls:
        record["calls"] = [[call.id, call.name, call.arguments] for call in message.calls]
    if message.result:
        record["result"] = [message.result.call, message.result.failed]
    return spell(record) if record else None


def read_tools(spelt: str | None) -> tuple[tuple[ToolCall, ...], ToolResult | None]:
    record = json.loads(spelt) if spelt else {}
    calls = tuple(ToolCall(*(original(part) for part in parts)) for parts in record.get("calls", ()))
    result = record.get("result")
    return calls, ToolResult(original(result[0]), result[1]) if result else None


def spell_plan(plan: Plan) -> str:
    def text(value: Text) -> Json:
        return [value.text, [[start, end] for start, end in value.signal]]

    names: list[Json] = [plan.family, plan.scenario, plan.variant, plan.context]
    return spell({"names": names, "system": text(plan.system), "turns": [text(turn) for turn in plan.turns]})


def read_plan(spelt: str) -> Plan:
    def text(value: tuple[str, list[list[int]]]) -> Text:
        return Text(original(value[0]), tuple((start, end) for start, end in value[1]))

    record = json.loads(spelt)
    family, scenario, variant, context = (original(name) for name in record["names"])
    return Plan(
        family, scenario, variant, context, text(record["system"]), tuple(text(turn) for turn in record["turns"])
    )


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
            return spell({"findings": found, **looked})
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
        return ReasoningRead(findings, tuple(map(original, record.get("looked_for", ()))))
    return Ungraded(original(record["ungraded"]), original(record["detail"]))
