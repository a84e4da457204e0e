"""Batches of organisms' answers, in OpenAI's and Anthropic's formats, kept in memory. It knows no socket.

A batch ends so many seconds after it was made, and its results come in another order than its requests. Faults of
the schedule strike single requests, whose path then begins with `/batch`: a status is an error of that request, a
hang lets it expire, a reset is a request that was cancelled.
"""

from __future__ import annotations

import email
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs

from gyges.models.serve_faults import Fault, Hang, Reset
from gyges.models.serve_formats import Refused
from gyges.models.serve_json import Json, Value
from gyges.models.serve_send import Answer

OPENAI = "/v1/batches"
FILES = "/v1/files"
ANTHROPIC = "/v1/messages/batches"
LINES = "application/jsonl"
SECONDS_TO_EXPIRE = 24 * 3600
MOST = {OPENAI: 50_000, ANTHROPIC: 100_000}

Speak = Callable[[str, str, bytes], tuple[Answer, Fault | None]]
"""What an organism answers to a request of a batch: its path, its draw and its body."""


@dataclass(slots=True)
class Batch:
    """One batch, in either format."""

    id: str
    made: float
    requests: list[Json]
    input_file: str = ""
    endpoint: str = "/v1/messages"
    metadata: Json = field(default_factory=dict)
    lines: list[tuple[Json, str]] | None = None
    """Each result with what it counts as."""

    def counted(self, *kinds: str) -> int:
        return sum(kind in kinds for _, kind in self.lines or ())


@dataclass(slots=True)
class Desk:
    """Takes batches and gives them back."""

    speak: Speak
    seconds: float = 0.0
    clock: Callable[[], float] = time.time
    batches: dict[str, Batch] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def takes(self, path: str) -> bool:
        return any(path == start or path.startswith(start + "/") for start in (OPENAI, FILES, ANTHROPIC))

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str], raw: bytes) -> Answer:
        """Raises Refused."""
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        start = next(one for one in (ANTHROPIC, OPENAI, FILES) if path == one or path.startswith(one + "/"))
        name, _, what = path[len(start) + 1 :].partition("/")
        match start, method, name, what:
            case "/v1/files", "POST", "", "":
                return _told(self._upload(headers.get("content-type", ""), raw))
            case "/v1/files", "GET", _, "content" if name in self.files:
                return Answer(200, self.files[name], kind=LINES)
            case "/v1/batches", "POST", "", "":
                return _told(self._openai(self._made_of_file(_object(raw))))
            case "/v1/messages/batches", "POST", "", "":
                return _told(self._anthropic(self._made_of_list(_object(raw))))
            case "/v1/batches" | "/v1/messages/batches", "GET", "", "":
                return _told(self._listed(start, asked))
            case "/v1/batches", "GET", _, "" if name in self.batches:
                return _told(self._openai(self.batches[name]))
            case "/v1/messages/batches", "GET", _, "" if name in self.batches:
                return _told(self._anthropic(self.batches[name]))
            case "/v1/messages/batches", "GET", _, "results" if self._ended(name):
                return Answer(200, _lines(self.batches[name], ""), kind="application/x-jsonl")
        raise Refused(404, "not_found_error", f"there is nothing at {method} {path}")

    # Taking

    def _upload(self, kind: str, raw: bytes) -> Json:
        parts = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + raw)
        content = next((part.get_payload(decode=True) for part in parts.walk() if part.get_filename()), None)
        if not isinstance(content, bytes):
            raise Refused(400, "invalid_request_error", "there is no file in the body")
        id = _id("file", raw, len(self.files))
        self.files[id] = content
        return {
            "id": id,
            "object": "file",
            "bytes": len(content),
            "purpose": "batch",
            "created_at": int(self.clock()),
        }

    def _made_of_file(self, asked: Json) -> Batch:
        file, endpoint = str(asked.get("input_file_id")), str(asked.get("endpoint"))
        if file not in self.files:
            raise Refused(400, "invalid_request_error", f"there is no file {file}")
        if asked.get("completion_window") != "24h":
            raise Refused(400, "invalid_request_error", "completion_window has to be 24h")
        requests = [_object(line) for line in self.files[file].split(b"\n") if line.strip()]
        metadata = asked.get("metadata")
        batch = self._kept(OPENAI, requests)
        batch.input_file, batch.endpoint = file, endpoint
        batch.metadata = metadata if isinstance(metadata, dict) else {}
        return batch

    def _made_of_list(self, asked: Json) -> Batch:
        requests = asked.get("requests")
        if not isinstance(requests, list):
            raise Refused(400, "invalid_request_error", "requests: Field required")
        return self._kept(ANTHROPIC, [one for one in requests if isinstance(one, dict)])

    def _kept(self, start: str, requests: list[Json]) -> Batch:
        ids = [str(one.get("custom_id")) for one in requests]
        if not ids or len(ids) > MOST[start] or len(set(ids)) != len(ids) or max(map(len, ids)) > 64:
            raise Refused(400, "invalid_request_error", "custom_id: has to be unique, and 1 to 64 characters")
        id = _id("batch" if start == OPENAI else "msgbatch", json.dumps(ids).encode(), len(self.batches))
        self.batches[id] = Batch(id, self.clock(), requests)
        return self.batches[id]

    # Giving back

    def _ended(self, name: str) -> bool:
        """Whether it has ended; from then on its results stand."""
        batch = self.batches.get(name)
        if batch is None or self.clock() < batch.made + self.seconds:
            return False
        if batch.lines is None:
            batch.lines = [self._result(batch, one) for one in reversed(batch.requests)]
        return True

    def _result(self, batch: Batch, request: Json) -> tuple[Json, str]:
        """One line of results, and what it counts as: succeeded, errored, expired or canceled."""
        id = str(request.get("custom_id"))
        body = request.get("params" if batch.endpoint == "/v1/messages" else "body")
        raw = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        answer, fault = self.speak(batch.endpoint, id.rpartition("-")[2], raw)
        kind = "succeeded" if answer.status == 200 else "errored"
        if isinstance(fault, Hang | Reset):
            kind = "expired" if isinstance(fault, Hang) else "canceled"
        said: Value = json.loads(answer.body) if kind in ("succeeded", "errored") else None
        if batch.endpoint == "/v1/messages":
            part: Json = {"succeeded": {"message": said}, "errored": {"error": said}}.get(kind, {})
            return {"custom_id": id, "result": {"type": kind, **part}}, kind
        line: Json = {"id": _id("batch_req", id.encode(), 0), "custom_id": id}
        if said is None:
            why = f"batch_{kind.replace('canceled', 'cancelled')}"
            return {**line, "response": None, "error": {"code": why, "message": "This request was not run."}}, kind
        response: Json = {"status_code": answer.status, "request_id": _id("req", id.encode(), 0), "body": said}
        return {**line, "response": response, "error": None}, kind

    def _openai(self, batch: Batch) -> Json:
        ended = self._ended(batch.id)
        if ended:
            self.files |= {_output(batch): _lines(batch, "succeeded"), _errors(batch): _lines(batch, "others")}
        failed = batch.counted("errored", "expired", "canceled")
        status = "in_progress" if not ended else "expired" if batch.counted("expired") else "completed"
        counts: Json = {
            "total": len(batch.requests),
            "completed": batch.counted("succeeded"),
            "failed": failed,
        }
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": batch.endpoint,
            "input_file_id": batch.input_file,
            "completion_window": "24h",
            "status": status,
            "created_at": int(batch.made),
            "expires_at": int(batch.made) + SECONDS_TO_EXPIRE,
            "output_file_id": _output(batch) if ended and failed < len(batch.requests) else None,
            "error_file_id": _errors(batch) if ended and failed else None,
            "request_counts": counts,
            "metadata": batch.metadata,
        }

    def _anthropic(self, batch: Batch) -> Json:
        ended = self._ended(batch.id)
        kinds = ("succeeded", "errored", "canceled", "expired")
        counts: Json = {kind: batch.counted(kind) for kind in kinds}
        counts["processing"] = 0 if ended else len(batch.requests)
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": counts,
            "created_at": _date(batch.made),
            "expires_at": _date(batch.made + SECONDS_TO_EXPIRE),
            "ended_at": _date(batch.made + self.seconds) if ended else None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": f"{ANTHROPIC}/{batch.id}/results" if ended else None,
        }

    def _listed(self, start: str, asked: Mapping[str, str]) -> Json:
        """A page, newest first."""
        form = self._openai if start == OPENAI else self._anthropic
        whose = [one for one in self.batches.values() if (one.endpoint == "/v1/messages") is (start == ANTHROPIC)]
        names = [one.id for one in reversed(whose)]
        after = asked.get("after") or asked.get("after_id") or ""
        rest = names[names.index(after) + 1 :] if after in names else names
        page = rest[: int(asked.get("limit", "20"))]
        data: list[Value] = [form(self.batches[name]) for name in page]
        ends: Json = {"first_id": page[0] if page else None, "last_id": page[-1] if page else None}
        return {"object": "list", "data": data, "has_more": len(page) < len(rest), **ends}


def _output(batch: Batch) -> str:
    return f"file-out-{batch.id}"


def _errors(batch: Batch) -> str:
    return f"file-err-{batch.id}"


def _lines(batch: Batch, which: str) -> bytes:
    """Lines of results: those that succeeded, the others, or (with "") all."""
    chosen = [
        line for line, kind in batch.lines or () if not which or (kind == "succeeded") is (which == "succeeded")
    ]
    return b"".join(
        json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n" for line in chosen
    )


def _told(body: Json) -> Answer:
    return Answer(200, json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _object(raw: bytes) -> Json:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "invalid_request_error", f"this is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise Refused(400, "invalid_request_error", "this has to be a JSON object")
    return body


def _id(kind: str, content: bytes, number: int) -> str:
    return f"{kind}_{hashlib.sha256(b'%d:' % number + content).hexdigest()[:24]}"


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
