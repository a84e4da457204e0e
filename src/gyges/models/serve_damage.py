"""What a fault does to an answer before it is sent. Faults of transport come later, when it is sent."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace

from gyges.models.serve_faults import Change, Events, Fault, Garbage, Redirect, Status, Truncate
from gyges.models.serve_formats import KINDS, Format, Refused
from gyges.models.serve_send import EVENTS, Answer


def faulty(answer: Answer, fault: Fault | None, format_: Format, url: str) -> Answer:
    """The answer with a fault of content, if it is one; faults of transport come when it is sent."""
    match fault:
        case Status(status=status, headers=headers, body=body):
            refused = Refused(status, fault.type or KINDS.get(status, "api_error"), fault.message, fault.type)
            raw = body.encode() if body is not None else json.dumps(format_.error(refused)).encode()
            return Answer(status, raw, {**answer.headers, **headers})
        case Garbage(headers=headers):
            return Answer(200, garbage(fault), headers)
        case Redirect(status=status, location=location):
            return Answer(status, b"", {"location": location or url})
        case Change() if answer.status == 200 and answer.kind != EVENTS:
            return replace(answer, body=changed(answer.body, fault))
        case Events() if answer.kind == EVENTS:
            return replace(answer, body=disturbed(answer.body, fault))
        case Truncate(keep=keep, honest=True):
            return replace(answer, body=answer.body[: int(keep * len(answer.body))])
    return answer


def garbage(fault: Garbage) -> bytes:
    """The bytes of a body that is no answer."""
    raw = base64.b64decode(fault.base64) if fault.base64 is not None else fault.body.encode()
    return raw * fault.repeat


def changed(body: bytes, fault: Change) -> bytes:
    """An answer's JSON with values replaced and removed. A path that isn't there is made in objects only."""
    root = json.loads(body)
    for path, value in fault.set.items():
        _put(root, path.split("."), json.loads(value))
    for path in fault.remove:
        _drop(root, path.split("."))
    return json.dumps(root, ensure_ascii=False).encode("utf-8", "surrogatepass")


def disturbed(body: bytes, fault: Events) -> bytes:
    """A stream of events after the fault."""
    found: list[str] = []
    late: list[str] = []
    for event in body.decode("utf-8", "surrogatepass").split("\n\n")[:-1]:
        if fault.drop is not None and re.search(fault.drop, event):
            continue
        moved = fault.last is not None and re.search(fault.last, event)
        (late if moved else found).append(event)
        if fault.twice is not None and re.search(fault.twice, event):
            found.append(event)
    found += late
    if fault.add:
        found[fault.at :] = [fault.add] if fault.stop else [fault.add, *found[fault.at :]]
    return "".join(event + "\n\n" for event in found).encode("utf-8", "surrogatepass")


def _put(root: object, path: list[str], value: object) -> None:
    here = _inside(root, path[:-1])
    if isinstance(here, list):
        here[int(path[-1])] = value
    elif isinstance(here, dict):
        here[path[-1]] = value


def _drop(root: object, path: list[str]) -> None:
    here = _inside(root, path[:-1])
    if isinstance(here, list):
        del here[int(path[-1])]
    elif isinstance(here, dict):
        here.pop(path[-1], None)


def _inside(root: object, path: list[str]) -> object:
    for step in path:
        if isinstance(root, list):
            root = root[int(step)]
        elif isinstance(root, dict):
            root = root.setdefault(step, {})
    return root
