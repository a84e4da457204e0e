"""What tools can do to a world: a small vocabulary of operations, by kind of store. It knows no tool and no file.

An operation gets a state of its own to write into and the values that it takes, as text, and returns what the
caller reads. Whatever can't be done raises Failed. Nothing here runs anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gyges.scenarios import world_files as files
from gyges.scenarios.text import Text, joined, lines
from gyges.scenarios.world import StoreKind
from gyges.scenarios.world_given import Failed, Given, matching, record_line, shortened

_WORD = re.compile(r"\w+")


# Mail: `NAME/ID/from`, `to`, `subject`, `body`; what the agent sends is `NAME/sent-1/...`


def list_mail(given: Given) -> Text:
    heads = [(id, given.record(id)) for id in given.names() if not id.startswith("sent-")]
    told = [joined([f"{id}: from ", head["from"], ", ", head["subject"]]) for id, head in heads]
    return shortened(told, "no messages")


def read_mail(given: Given) -> Text:
    mail = given.known("message")
    heads = [joined([f"{name.capitalize()}: ", mail[name]]) for name in ("from", "to", "subject")]
    return lines([*heads, "", mail["body"]])


def send_mail(given: Given) -> Text:
    id = given.free("sent")
    for name in ("to", "subject", "body"):
        given.state[given.place(id, name)] = given.values.get(name, Text(""))
    return Text("sent")


def search_mail(given: Given) -> Text:
    return matching(given, "no messages")


# A queue of jobs: `NAME/ID/command`, `status`


def list_jobs(given: Given) -> Text:
    return shortened([record_line(id, given.record(id)) for id in given.names()], "no jobs")


def submit_job(given: Given) -> Text:
    id = given.free("job")
    given.state[given.place(id, "command")] = given.values["command"]
    given.state[given.place(id, "status")] = Text("queued")
    return Text(f"{id} is queued")


def read_job(given: Given) -> Text:
    return record_line(given["id"], given.known("job"))


def cancel_job(given: Given) -> Text:
    if given.known("job")["status"].text == "cancelled":
        raise Failed(f"{given['id']!r} is cancelled already")
    given.state[given.place(given["id"], "status")] = Text("cancelled")
    return Text("cancelled")


# A table: `NAME/ID/COLUMN`


def query_rows(given: Given) -> Text:
    """The rows in which the column has this value; without a column, all rows."""
    column, value = given.get("column"), given.get("value")
    rows = [(id, given.record(id)) for id in given.names()]
    if column and rows and not any(column in fields for _, fields in rows):
        raise Failed(f"there is no column {column!r}: there are {', '.join(rows[0][1])}")
    kept = [
        record_line(id, fields)
        for id, fields in rows
        if not column or fields.get(column, Text("")).text.casefold() == value.casefold()
    ]
    return shortened(kept, "no rows")


def read_row(given: Given) -> Text:
    return record_line(given["id"], given.known("row"))


def update_row(given: Given) -> Text:
    if given["column"] not in (fields := given.known("row")):
        raise Failed(f"there is no column {given['column']!r}: there are {', '.join(fields)}")
    given.state[given.place(given["id"], given["column"])] = given.values["value"]
    return Text("updated")


def delete_row(given: Given) -> Text:
    for column in given.known("row"):
        del given.state[given.place(given["id"], column)]
    return Text("deleted")


# Documents: `NAME/ID/title`, `text`


def list_documents(given: Given) -> Text:
    found = [joined([f"{id}: ", given.state[given.place(id, "title")]]) for id in given.names()]
    return shortened(found, "no documents")


def read_document(given: Given) -> Text:
    return given.known("document")["text"]


def search_documents(given: Given) -> Text:
    """The documents that share most words with the question, best first; all of their text."""
    wanted = set(_WORD.findall(given["words"].casefold()))
    scored = []
    for id in given.names():
        fields = given.record(id)
        words = _WORD.findall(f"{fields['title'].text} {fields['text'].text}".casefold())
        if score := len(wanted & set(words)):
            scored.append((-score, id, fields))
    told: list[Text | str] = []
    for _, id, fields in sorted(scored, key=lambda each: each[:2])[:3]:
        told += ["", joined([f"[{id}] ", fields["title"]]), fields["text"]]
    return lines(told[1:]) if told else Text("nothing found")


# Values and the clock


def list_values(given: Given) -> Text:
    return shortened([joined([f"{name}: ", given.state[given.place(name)]]) for name in given.names()], "nothing")


def get_value(given: Given) -> Text:
    return given.found("name", "value")


def set_value(given: Given) -> Text:
    given.found("name", "value")
    given.state[given.place(given["name"])] = given.values["value"]
    return Text("set")


def now(given: Given) -> Text:
    return given.state[given.place("now")]


@dataclass(frozen=True, slots=True)
class Operation:
    """What a tool can do: what it takes, by name, and what of that may be left out."""

    does: Callable[[Given], Text]
    takes: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


_FILES: Mapping[str, Operation] = {
    "list": Operation(files.list_files, ("folder",), ("folder",)),
    "read": Operation(files.read_file, ("path",)),
    "write": Operation(files.write_file, ("path", "text")),
    "append": Operation(files.append_file, ("path", "text")),
    "edit": Operation(files.edit_file, ("path", "old", "new")),
    "delete": Operation(files.delete_file, ("path",)),
    "move": Operation(files.move_file, ("path", "to")),
    "copy": Operation(files.copy_file, ("path", "to")),
    "search": Operation(files.search_files, ("words",)),
}
OPERATIONS: Mapping[StoreKind, Mapping[str, Operation]] = {
    "files": _FILES,
    "repository": {
        **_FILES,
        "run_tests": Operation(files.run_tests),
        "commit": Operation(files.commit, ("message",)),
        "status": Operation(files.status),
        "log": Operation(files.log),
    },
    "mail": {
        "list": Operation(list_mail),
        "read": Operation(read_mail, ("id",)),
        "send": Operation(send_mail, ("to", "subject", "body"), ("subject",)),
        "search": Operation(search_mail, ("words",)),
    },
    "queue": {
        "list": Operation(list_jobs),
        "submit": Operation(submit_job, ("command",)),
        "read": Operation(read_job, ("id",)),
        "cancel": Operation(cancel_job, ("id",)),
    },
    "table": {
        "query": Operation(query_rows, ("column", "value"), ("column", "value")),
        "read": Operation(read_row, ("id",)),
        "update": Operation(update_row, ("id", "column", "value")),
        "delete": Operation(delete_row, ("id",)),
    },
    "documents": {
        "list": Operation(list_documents),
        "read": Operation(read_document, ("id",)),
        "search": Operation(search_documents, ("words",)),
    },
    "values": {
        "list": Operation(list_values),
        "get": Operation(get_value, ("name",)),
        "set": Operation(set_value, ("name", "value")),
    },
    "clock": {"now": Operation(now)},
}
"""By kind of store and name."""
