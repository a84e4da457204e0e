"""An authored world and its tools, rendered: from what YAML says to the values that an episode plays with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gyges.scenarios.arguments import Schema
from gyges.scenarios.condition import Condition
from gyges.scenarios.condition_file import ConditionSpec, condition
from gyges.scenarios.phrase import Phrase
from gyges.scenarios.text import Text
from gyges.scenarios.words import Words
from gyges.scenarios.world import Effect, Rule, RuleTest, Store, ToolUse, World, WorldTool
from gyges.scenarios.world_file import (
    CallSpec,
    ClockSpec,
    DocumentsSpec,
    FilesSpec,
    MailboxSpec,
    QueueSpec,
    RepositorySpec,
    StoreSpec,
    TableSpec,
    Tools,
    ToolSpec,
    ValuesSpec,
)
from gyges.scenarios.world_file import World as WorldSpec
from gyges.scenarios.world_ops import OPERATIONS


@dataclass(frozen=True, slots=True)
class Rendering:
    """`own` are the words of one context, `common` those that all contexts share: conditions know no signal."""

    own: Words
    common: Words
    written: dict[str, Phrase] = field(default_factory=dict)
    """The phrase that each named text of the world was written as."""

    def text(self, name: str, phrase: Phrase) -> Text:
        self.written[name] = phrase
        return self.own.render(phrase)

    def condition(self, spec: ConditionSpec | None) -> Condition | None:
        return condition(spec, self.common.plain) if spec else None

    def known(self, spec: ConditionSpec) -> Condition:
        return condition(spec, self.common.plain)


def rendered_world(stores: WorldSpec, tools: Tools, to: Rendering) -> World | None:
    """The world, or None where there is neither a store nor a tool. Raises AuthoringError."""
    if not stores and not tools:
        return None
    start = tuple(
        (place, to.text(place, phrase)) for name, spec in stores.items() for place, phrase in places(name, spec)
    )
    return World(
        start,
        tuple(_store(name, spec, to) for name, spec in stores.items()),
        tuple(_tool(name, spec, stores, to) for name, spec in tools.items()),
    )


def places(name: str, spec: StoreSpec) -> Iterator[tuple[str, Phrase]]:
    """Every place of a store and what is written there, in order."""
    match spec:
        case FilesSpec():
            yield from ((f"{name}/{path}", text) for path, text in spec.files.items())
        case RepositorySpec():
            yield from ((f"{name}/{path}", text) for path, text in spec.files.items())
            yield from ((f"{name}.base/{path}", text) for path, text in spec.files.items())
            yield from ((f"{name}.commits/{at:03}", text) for at, text in enumerate(spec.commits, start=1))
        case ValuesSpec():
            yield from ((f"{name}/{value}", text) for value, text in spec.values.items())
        case ClockSpec():
            yield f"{name}/now", spec.start
        case _:
            for id, record in _records(spec):
                yield from ((f"{name}/{id}/{part}", text) for part, text in record.items())


def _records(
    spec: MailboxSpec | QueueSpec | TableSpec | DocumentsSpec,
) -> Iterator[tuple[str, Mapping[str, Phrase]]]:
    match spec:
        case MailboxSpec():
            for id, mail in spec.messages.items():
                yield id, {"from": mail.from_, "to": mail.to, "subject": mail.subject, "body": mail.body}
        case QueueSpec():
            for id, job in spec.jobs.items():
                yield id, {"command": job.command, "status": job.status}
        case TableSpec():
            yield from spec.rows.items()
        case DocumentsSpec():
            for id, document in spec.documents.items():
                yield id, {"title": document.title, "text": document.text}


def _store(name: str, spec: StoreSpec, to: Rendering) -> Store:
    if isinstance(spec, ClockSpec):
        return Store(name, spec.kind, minutes=spec.minutes)
    if not isinstance(spec, RepositorySpec):
        return Store(name, spec.kind)
    tests = tuple(
        RuleTest(test, to.known(rule.passes), to.text(f"test {name}/{test}, failure", rule.failure))
        for test, rule in spec.tests.items()
    )
    return Store(name, spec.kind, tests)


def _tool(name: str, spec: ToolSpec, stores: WorldSpec, to: Rendering) -> WorldTool:
    operation, store = next(iter(spec.does.items()), ("", ""))
    results = (
        [(None, spec.result)] if spec.result is not None else [(rule.when, rule.say) for rule in spec.results]
    )
    return WorldTool(
        name,
        to.text(f"tool {name}, description", spec.description),
        json.dumps(parameters(spec, stores), ensure_ascii=False, sort_keys=False),
        operation,
        store,
        tuple((slot, to.text(f"tool {name}, with {slot}", text)) for slot, text in spec.with_.items()),
        tuple(
            Rule(to.text(f"tool {name}, refusal {at}", rule.say), to.condition(rule.when))
            for at, rule in enumerate(spec.refuses, start=1)
        ),
        tuple(_effects(name, spec, to)),
        tuple(
            Rule(to.text(f"tool {name}, result {at}", say), to.condition(when))
            for at, (when, say) in enumerate(results, start=1)
        ),
    )


def _effects(name: str, spec: ToolSpec, to: Rendering) -> Iterator[Effect]:
    for at, effect in enumerate(spec.effects, start=1):
        place = effect.set_ if effect.set_ is not None else effect.remove
        assert place is not None, "an effect without a place is refused when it is read"
        text = to.text(f"tool {name}, effect {at}", effect.to) if effect.to is not None else None
        yield Effect(to.common.plain(place), text, to.condition(effect.when))


def parameters(spec: ToolSpec, stores: WorldSpec) -> dict[str, object]:
    """The JSON Schema of a tool's arguments: what its operation takes and nothing gives, then the others."""
    operation, store = next(iter(spec.does.items()), ("", ""))
    taken = OPERATIONS[stores[store].kind][operation] if operation else None
    slots = [slot for slot in (taken.takes if taken else ()) if slot not in spec.with_]
    names = [*slots, *(name for name in spec.parameters if name not in slots)]
    optional = {*spec.optional, *(taken.optional if taken else ())}
    return {
        "type": "object",
        "properties": {name: json_schema(spec.parameters.get(name, Schema())) for name in names},
        "required": [name for name in names if name not in optional],
        "additionalProperties": False,
    }


def json_schema(schema: Schema) -> dict[str, object]:
    """The schema as a model is sent it. Its words are the same in every context, and no templates."""
    found: dict[str, object] = {"type": schema.type}
    if schema.description is not None:
        found["description"] = str(schema.description)
    if schema.enum:
        found["enum"] = [str(one) for one in schema.enum]
    if schema.items is not None:
        found["items"] = json_schema(schema.items)
    if schema.properties or schema.type == "object":
        found["properties"] = {name: json_schema(one) for name, one in schema.properties.items()}
        found["required"] = list(schema.properties)
        found["additionalProperties"] = False
    limits = {"minimum": schema.minimum, "maximum": schema.maximum}
    return found | {name: limit for name, limit in limits.items() if limit is not None}


def tool_use(call: CallSpec, words: Words) -> ToolUse:
    """A call of an example, its texts rendered. Raises AuthoringError."""
    ((tool, arguments),) = call.items()

    def value(given: object) -> object:
        if isinstance(given, Phrase):
            return words.plain(given)
        return [words.plain(one) for one in given] if isinstance(given, tuple) else given

    spelt = {name: value(given) for name, given in (arguments or {}).items()}
    return ToolUse(tool, json.dumps(spelt, ensure_ascii=False))
