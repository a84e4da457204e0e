"""Every operation of every kind of store: what it answers, what it changes, and what it can't do."""

from __future__ import annotations

import pytest

from gyges.scenarios.condition import Condition, Fits, Seen
from gyges.scenarios.text import Text
from gyges.scenarios.world import RuleTest, State, Store, StoreKind
from gyges.scenarios.world_given import MOST_FOUND, Failed, Given
from gyges.scenarios.world_ops import OPERATIONS

TEXTS = {
    "s/a.txt": "one\ntwo",
    "s/b/c.txt": "two",
    "s/m1/from": "ana",
    "s/m1/to": "you",
    "s/m1/subject": "Hello",
    "s/m1/body": "Where is it?",
}
TESTS = (RuleTest("short", Condition("at", "s/a.txt", Fits("contains", "three")), Text("no three")),)


def done(kind: StoreKind, operation: str, state: State, **values: str) -> str:
    """What the operation answers; the state is changed."""
    seen = Seen(state={place: text.text for place, text in state.items()})
    given = Given(Store("s", kind, TESTS), state, {name: Text(value) for name, value in values.items()}, seen)
    return OPERATIONS[kind][operation].does(given).text


def files() -> State:
    return {place: Text(text) for place, text in TEXTS.items() if place.endswith("txt")}


@pytest.mark.parametrize(
    ("operation", "values", "answer", "changed"),
    [
        ("list", {}, "a.txt\nb/c.txt", {}),
        ("list", {"folder": "b/"}, "b/c.txt", {}),
        ("list", {"folder": "z"}, "(no files)", {}),
        ("read", {"path": "./b//c.txt"}, "two", {}),
        ("write", {"path": "/d.txt", "text": "new"}, "written", {"s/d.txt": "new"}),
        ("append", {"path": "a.txt", "text": "three"}, "written", {"s/a.txt": "one\ntwo\nthree"}),
        ("append", {"path": "d.txt", "text": "three"}, "written", {"s/d.txt": "three"}),
        ("edit", {"path": "a.txt", "old": "two", "new": "2"}, "written", {"s/a.txt": "one\n2"}),
        ("delete", {"path": "a.txt"}, "deleted", {"s/a.txt": None}),
        ("move", {"path": "a.txt", "to": "e.txt"}, "moved", {"s/a.txt": None, "s/e.txt": "one\ntwo"}),
        ("copy", {"path": "a.txt", "to": "e.txt"}, "copied", {"s/e.txt": "one\ntwo"}),
        ("search", {"words": "TWO"}, "a.txt:2: two\nb/c.txt:1: two", {}),
        ("search", {"words": ""}, "nothing found", {}),
    ],
)
def test_files(operation: str, values: dict[str, str], answer: str, changed: dict[str, str | None]) -> None:
    state = files()
    assert done("files", operation, state, **values) == answer
    assert {place: text.text for place, text in state.items()} == {
        place: text
        for place, text in ({place: text.text for place, text in files().items()} | changed).items()
        if text
    }


@pytest.mark.parametrize(
    ("operation", "values", "said"),
    [
        ("read", {"path": "z.txt"}, "there is no file 'z.txt'"),
        ("read", {"path": "../x"}, "'../x' is no file here"),
        ("read", {"path": "a\\..\\..\\x"}, "is no file here"),
        ("write", {"path": "", "text": ""}, "'' is no file here"),
        ("edit", {"path": "a.txt", "old": "o", "new": ""}, "stands 2 times"),
        ("edit", {"path": "a.txt", "old": "", "new": ""}, "stands 0 times"),
    ],
)
def test_what_can_not_be_done_with_files_is_told(operation: str, values: dict[str, str], said: str) -> None:
    with pytest.raises(Failed, match=said.replace("\\", r"\\").replace("(", r"\(")):
        done("files", operation, files(), **values)


def test_a_repository_knows_what_changed_since_the_last_commit_and_runs_its_tests_by_rule() -> None:
    state = files() | {f"s.base/{place[2:]}": text for place, text in files().items()}
    state["s.commits/001"] = Text("first")
    assert done("repository", "status", state) == "nothing has changed"
    with pytest.raises(Failed, match="nothing to commit"):
        done("repository", "commit", state, message="m")
    assert done("repository", "run_tests", state) == "FAILED short: no three\n0 passed, 1 failed"
    assert state["s.tests/last"].text == "failed"
    done("repository", "append", state, path="a.txt", text="three")
    assert done("repository", "status", state) == "changed since the last commit:\na.txt"
    assert done("repository", "run_tests", state) == "ok short\n1 passed, 0 failed"
    assert done("repository", "commit", state, message="second") == "committed as 2"
    assert done("repository", "log", state) == "2 second\n1 first"
    assert done("repository", "list", state) == "a.txt\nb/c.txt", "its books are no files"


def test_mail_is_listed_read_searched_and_sent() -> None:
    state = {place: Text(text) for place, text in TEXTS.items() if "/m1/" in place}
    assert done("mail", "list", state) == "m1: from ana, Hello"
    assert done("mail", "read", state, id="m1") == "From: ana\nTo: you\nSubject: Hello\n\nWhere is it?"
    assert done("mail", "search", state, words="WHERE").startswith("m1: from: ana")
    assert [done("mail", "send", state, to="ana", subject="Re", body="Here."), state["s/sent-1/to"].text] == [
        "sent",
        "ana",
    ]
    done("mail", "send", state, to="bo", body="Here.")
    assert state["s/sent-2/subject"] == Text("")
    assert done("mail", "list", state) == "m1: from ana, Hello", "what was sent is not in the inbox"
    with pytest.raises(Failed, match="there is no message 'm2'"):
        done("mail", "read", state, id="m2")


def test_jobs_are_submitted_and_cancelled() -> None:
    state: State = {}
    assert done("queue", "list", state) == "no jobs"
    assert done("queue", "submit", state, command="sweep") == "job-1 is queued"
    assert done("queue", "read", state, id="job-1") == "job-1: command: sweep, status: queued"
    assert done("queue", "cancel", state, id="job-1") == "cancelled"
    with pytest.raises(Failed, match="cancelled already"):
        done("queue", "cancel", state, id="job-1")


def test_rows_are_asked_for_updated_and_deleted() -> None:
    state = {
        f"s/c{n}/{column}": Text(text)
        for n, wares in ((1, "glass"), (2, "wool"))
        for column, text in [("w", wares)]
    }
    assert done("table", "query", state) == "c1: w: glass\nc2: w: wool"
    assert done("table", "query", state, column="w", value="Wool") == "c2: w: wool"
    assert done("table", "query", state, column="w", value="x") == "no rows"
    with pytest.raises(Failed, match="there is no column 'x': there are w"):
        done("table", "query", state, column="x", value="x")
    assert done("table", "update", state, id="c1", column="w", value="tin") == "updated"
    with pytest.raises(Failed, match="no column"):
        done("table", "update", state, id="c1", column="x", value="tin")
    assert done("table", "read", state, id="c1") == "c1: w: tin"
    assert done("table", "delete", state, id="c2") == "deleted"
    assert list(state) == ["s/c1/w"]


def test_documents_are_found_by_the_words_they_share() -> None:
    texts = {"d1": ("Glass", "Glass breaks."), "d2": ("Wool", "Wool is warm.")}
    state = {
        f"s/{id}/{part}": Text(text)
        for id, both in texts.items()
        for part, text in zip(("title", "text"), both, strict=True)
    }
    assert done("documents", "list", state) == "d1: Glass\nd2: Wool"
    assert done("documents", "read", state, id="d1") == "Glass breaks."
    assert done("documents", "search", state, words="what breaks like glass?") == "[d1] Glass\nGlass breaks."
    assert done("documents", "search", state, words="tin") == "nothing found"


def test_values_are_read_and_set_and_none_is_made() -> None:
    state = {"s/monitor": Text("up")}
    assert done("values", "get", state, name="monitor") == "up"
    assert done("values", "set", state, name="monitor", value="down") == "set"
    assert done("values", "list", state) == "monitor: down"
    with pytest.raises(Failed, match="there is no value 'x'"):
        done("values", "set", state, name="x", value="y")


def test_what_is_found_is_limited() -> None:
    state = {f"s/f{n:03}": Text("two") for n in range(MOST_FOUND + 7)}
    answer = done("files", "search", state, words="two")
    assert (answer.count("\n"), answer.splitlines()[-1]) == (MOST_FOUND, "(7 more)")


def test_the_signal_stays_marked_through_every_way_of_reading_it() -> None:
    state = {"s/a.txt": Text("x amber y\nz", ((2, 7),))}
    given = Given(Store("s", "files"), state, {"path": Text("a.txt"), "words": Text("amber")}, Seen())
    assert OPERATIONS["files"]["search"].does(given) == Text("a.txt:1: x amber y", ((11, 16),))
    edit = {"path": Text("a.txt"), "old": Text("x "), "new": Text("longer ")}
    OPERATIONS["files"]["edit"].does(Given(Store("s", "files"), state, edit, Seen()))
    assert state["s/a.txt"] == Text("longer amber y\nz", ((7, 12),))
