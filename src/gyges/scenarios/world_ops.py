"""What tools can do to a world: a small vocabulary of operations, by kind of store. It knows no tool and no file.

An operation gets a state of its own to write into and the values that it takes, as text, and returns what the
caller reads. Whatever can't be done raises Failed. Nothing here runs anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gyges.scenarios.condition import Seen, holds
from gyges.scenarios.text import Text, joined, lines, part
from gyges.scenarios.world import State, Store, StoreKind

MOST_FOUND = 50
"""Lines of a search's result."""
_WORD = re.compile(r"\w+")


class Failed(Exception):  # noqa: N818 - told to the model, never to the user
    """A call that can't be carried out; its words are the result that the model reads."""


@dataclass(frozen=True, slots=True)
class Given:
    """What an operation works on."""

    store: Store
    state: State
    values: Mapping[str, Text]
    """What it takes, by name; what is optional and was left out is missing."""
    seen: Seen

    def __getitem__(self, name: str) -> str:
        return self.values[name].text

    def get(self, name: str) -> str:
        return self.values[name].text if name in self.values else ""

    def place(self, *parts: str) -> str:
        return "/".join((self.store.name, *parts))

    def found(self, name: str, what: str) -> Text:
        """The text at a place that a value names. Raises Failed."""
        place = self.place(self[name])
        if place not in self.state:
            raise Failed(f"there is no {what} {self[name]!r}")
        return self.state[place]

    def names(self) -> list[str]:
        """The first part after the store's name of every place of the store, each once, in order."""
        return list(dict.fromkeys(rest.partition("/")[0] for rest in self.rests()))

    def rests(self) -> list[str]:
        start = f"{self.store.name}/"
        return [place.removeprefix(start) for place in self.state if place.startswith(start)]

    def record(self, name: str) -> dict[str, Text]:
        """The fields below a name: a message's, a job's or a row's."""
        start = self.place(name) + "/"
        return {place.removeprefix(start): text for place, text in self.state.items() if place.startswith(start)}

    def known(self, what: str) -> dict[str, Text]:
        """The record that the value `id` names. Raises Failed."""
        fields = self.record(self["id"])
        if not fields:
            raise Failed(f"there is no {what} {self['id']!r}")
        return fields

    def free(self, stem: str) -> str:
        """The first of `stem-1`, `stem-2`, ... that is not taken."""
        taken, number = set(self.names()), 1
        while f"{stem}-{number}" in taken:
            number += 1
        return f"{stem}-{number}"


# Files


def file_path(path: str) -> str:
    """A file's name as the store has it. Raises Failed for one that leads out of the store."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise Failed(f"{path!r} is no file here")
    return "/".join(parts)


def _at(given: Given, name: str = "path") -> str:
    return given.place(file_path(given[name]))


def _file(given: Given) -> Text:
    place = _at(given)
    if place not in given.state:
        raise Failed(f"there is no file {given['path']!r}")
    return given.state[place]


def list_files(given: Given) -> Text:
    """The names of all files, or of those below a folder, a line each."""
    folder = given.get("folder").strip("/ .")
    names = [rest for rest in given.rests() if not folder or rest.startswith(f"{folder}/")]
    return lines(sorted(names)) if names else Text("(no files)")


def read_file(given: Given) -> Text:
    return _file(given)


def write_file(given: Given) -> Text:
    given.state[_at(given)] = given.values["text"]
    return Text("written")


def append_file(given: Given) -> Text:
    place = _at(given)
    before = given.state.get(place)
    parts = [before, "" if before.text.endswith("\n") or not before.text else "\n"] if before else []
    given.state[place] = joined([*parts, given.values["text"]])
    return Text("written")


def edit_file(given: Given) -> Text:
    """Replace one passage, which has to stand in the file exactly once."""
    text = _file(given)
    count = text.text.count(given["old"]) if given["old"] else 0
    if count != 1:
        raise Failed(f"the passage stands {count} times in {given['path']!r}, and it has to stand there once")
    at = text.text.index(given["old"])
    end = at + len(given["old"])
    given.state[_at(given)] = joined([part(text, 0, at), given.values["new"], part(text, end, len(text.text))])
    return Text("written")


def delete_file(given: Given) -> Text:
    _file(given)
    del given.state[_at(given)]
    return Text("deleted")


def move_file(given: Given) -> Text:
    text = _file(given)
    del given.state[_at(given)]
    given.state[_at(given, "to")] = text
    return Text("moved")


def copy_file(given: Given) -> Text:
    given.state[_at(given, "to")] = _file(given)
    return Text("copied")


def search_files(given: Given) -> Text:
    """Every line that has the words in it, with its file and number."""
    wanted, found = given["words"].casefold(), []
    for name in sorted(given.rests()):
        at, text = 0, given.state[given.place(name)]
        for number, line in enumerate(text.text.split("\n"), start=1):
            if wanted and wanted in line.casefold():
                found.append(joined([f"{name}:{number}: ", part(text, at, at + len(line))]))
            at += len(line) + 1
    return _shortened(found, "nothing found")


def _shortened(found: Sequence[Text | str], none: str) -> Text:
    more = [f"({len(found) - MOST_FOUND} more)"] if len(found) > MOST_FOUND else []
    return lines([*found[:MOST_FOUND], *more]) if found else Text(none)


# A repository: files, and beside them `NAME.commits/1`, ... and `NAME.tests/last`


def commit(given: Given) -> Text:
    """Record the message, and that nothing has changed since."""
    count = sum(place.startswith(f"{given.store.name}.commits/") for place in given.state)
    if not _since_commit(given):
        raise Failed("there is nothing to commit")
    given.state[f"{given.store.name}.commits/{count + 1:03}"] = given.values["message"]
    base = f"{given.store.name}.base/"
    for place in [place for place in given.state if place.startswith(base)]:
        del given.state[place]
    given.state.update({base + name: given.state[given.place(name)] for name in given.rests()})
    return Text(f"committed as {count + 1}")


def _since_commit(given: Given) -> list[str]:
    """The files that are not as they were at the last commit."""
    base = f"{given.store.name}.base/"
    before = {place.removeprefix(base): text.text for place, text in given.state.items() if place.startswith(base)}
    now = {name: given.state[given.place(name)].text for name in given.rests()}
    return sorted(name for name in {**before, **now} if before.get(name) != now.get(name))


def status(given: Given) -> Text:
    changed = _since_commit(given)
    return lines(["changed since the last commit:", *changed]) if changed else Text("nothing has changed")


def log(given: Given) -> Text:
    start = f"{given.store.name}.commits/"
    found = [(place.removeprefix(start), text) for place, text in given.state.items() if place.startswith(start)]
    return _shortened(
        [joined([f"{int(name)} ", text]) for name, text in sorted(found, reverse=True)], "no commits"
    )


def run_tests(given: Given) -> Text:
    """The result of every test, by its rule."""
    passed = [test for test in given.store.tests if holds(test.passes, given.seen)]
    failed = [test for test in given.store.tests if test not in passed]
    given.state[f"{given.store.name}.tests/last"] = Text("failed" if failed else "passed")
    told: list[Text | str] = [f"ok {test.name}" for test in passed]
    told += [joined([f"FAILED {test.name}: ", test.failure]) for test in failed]
    return lines([*told, f"{len(passed)} passed, {len(failed)} failed"])


# Mail: `NAME/ID/from`, `to`, `subject`, `body`; what the agent sends is `NAME/sent-1/...`


def list_mail(given: Given) -> Text:
    heads = [(id, given.record(id)) for id in given.names() if not id.startswith("sent-")]
    told = [joined([f"{id}: from ", head["from"], ", ", head["subject"]]) for id, head in heads]
    return _shortened(told, "no messages")


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
    return _matching(given, "no messages")


def _matching(given: Given, none: str) -> Text:
    """The records with the words in any of their fields, in a line each."""
    wanted = given["words"].casefold()
    found = [
        record_line(id, fields)
        for id in given.names()
        for fields in [given.record(id)]
        if any(wanted in text.text.casefold() for text in fields.values())
    ]
    return _shortened(found, none)


def record_line(id: str, fields: Mapping[str, Text]) -> Text:
    told = [joined([f"{name}: ", text]) for name, text in fields.items()]
    parts: list[Text | str] = [f"{id}: "]
    for text in told:
        parts += [", ", text] if len(parts) > 1 else [text]
    return joined(parts)


# A queue of jobs: `NAME/ID/command`, `status`


def list_jobs(given: Given) -> Text:
    return _shortened([record_line(id, given.record(id)) for id in given.names()], "no jobs")


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
    return _shortened(kept, "no rows")


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
    return _shortened(found, "no documents")


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
    return _shortened([joined([f"{name}: ", given.state[given.place(name)]]) for name in given.names()], "nothing")


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
    "list": Operation(list_files, ("folder",), ("folder",)),
    "read": Operation(read_file, ("path",)),
    "write": Operation(write_file, ("path", "text")),
    "append": Operation(append_file, ("path", "text")),
    "edit": Operation(edit_file, ("path", "old", "new")),
    "delete": Operation(delete_file, ("path",)),
    "move": Operation(move_file, ("path", "to")),
    "copy": Operation(copy_file, ("path", "to")),
    "search": Operation(search_files, ("words",)),
}
OPERATIONS: Mapping[StoreKind, Mapping[str, Operation]] = {
    "files": _FILES,
    "repository": {
        **_FILES,
        "run_tests": Operation(run_tests),
        "commit": Operation(commit, ("message",)),
        "status": Operation(status),
        "log": Operation(log),
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
