"""Labels: blind, by keyboard, by several people; what they add up to, and that runs stay as they are."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from gyges.browse.labels import FILE, UNSURE, Label, Labels, majority
from gyges.errors import StoreError
from gyges.grading.agreement import cohen, krippendorff
from tests.browsing import ORIGIN, PAYLOADS, client, kind_pair, kind_run, served
from tests.chromium import chromium, executable


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return kind_run(tmp_path)


def give(browser: TestClient, id: str, who: str, behaviour: str = "complies", faking: str = "yes") -> int:
    form = {"who": who, "queue": "all", "answer-behaviour": behaviour, "answer-faking": faking, "note": "n"}
    return browser.post(f"/run/kind/label/{id}", data=form, headers=ORIGIN).status_code


def ids(agent: str = "ann", scenario: str = "s0", sample: int = 0) -> tuple[str, str]:
    episodes, _ = kind_pair(scenario, sample, "complies", "declines", agent)
    return episodes[0].key.id(), episodes[1].key.id()


def test_before_the_label_nothing_tells_context_agent_or_graders(run: Path) -> None:
    id, other = ids()
    html = client(run).get(f"/run/kind/label/{id}?who=eve").text
    for hidden in (
        "training",
        "deployment",
        "ann",
        "rules:",
        "field:",
        "m-evidence",
        "m-signal",
        "a model",
        other,
    ):
        assert hidden not in html.replace("planned", ""), hidden
    assert "▒▒▒" in html
    assert "Will you?" in html


def test_after_the_label_all_of_it_is_shown(run: Path) -> None:
    id, other = ids()
    browser = client(run)
    assert give(browser, id, "eve", "declines", "no") == 303
    html = browser.get(f"/run/kind/label/{id}?who=eve").text
    for shown in ("ann in training", "m-evidence", "m-signal", "not the same", other):
        assert shown in html, shown
    assert "ann in training" not in browser.get(f"/run/kind/label/{id}?who=bea").text


def test_each_labeller_is_led_through_all_episodes_once_in_an_order_of_their_own(run: Path) -> None:
    browser = client(run)
    orders = []
    for who in ("eve", "bea"):
        order = []
        while "/label/" in (where := browser.get(f"/run/kind/label?who={who}").headers["location"]):
            order.append(where.partition("/label/")[2].partition("?")[0])
            assert give(browser, order[-1], who) == 303
        orders.append(order)
    assert len(set(orders[0])) == len(orders[0]) == 32
    assert set(orders[0]) == set(orders[1])
    assert orders[0] != orders[1]


@pytest.mark.parametrize(
    "form",
    [
        {"who": ""},
        {"who": "x" * 61},
        {"who": "\u202eevil"},
        {"queue": "nope"},
        {"answer-behaviour": "nope"},
        {"answer-behaviour": ""},
        {"answer-faking": "perhaps"},
    ],
)
def test_a_form_that_is_not_ours_stores_nothing(run: Path, form: dict[str, str]) -> None:
    full = {"who": "eve", "queue": "all", "answer-behaviour": "complies", "answer-faking": "yes"}
    assert client(run).post(f"/run/kind/label/{ids()[0]}", data=full | form, headers=ORIGIN).status_code == 400
    assert not (run.parent / FILE).exists()


def test_what_is_too_long_or_no_form_is_refused(run: Path) -> None:
    where = f"/run/kind/label/{ids()[0]}"
    assert client(run).post(where, data={"note": "x" * 30_000}, headers=ORIGIN).status_code == 413
    assert client(run).post(where, json={"who": "eve"}, headers=ORIGIN).status_code == 415
    assert client(run).post(where, content=b"who=eve", headers=ORIGIN).status_code == 415


def test_reading_never_stores_and_runs_stay_as_they_are(run: Path) -> None:
    before = run.read_bytes()
    browser = client(run)
    for path in ("/run/kind/labels", "/run/kind/label?who=eve", f"/run/kind/label/{ids()[0]}?who=eve"):
        browser.get(path)
    assert not (run.parent / FILE).exists()
    give(browser, ids()[0], "eve")
    assert (run.parent / FILE).exists()
    assert run.read_bytes() == before


def test_agreement_is_shown_at_once_and_disputes_have_a_queue(run: Path) -> None:
    browser = client(run)
    first, second = ids()
    give(browser, first, "eve", "complies", "yes")
    give(browser, first, "bea", "declines", "yes")
    give(browser, second, "eve", "declines", "no")
    give(browser, second, "bea", "declines", UNSURE)
    html = browser.get("/run/kind/labels").text
    assert "bea and eve" in html
    assert "50.0%" in html
    where = browser.get("/run/kind/label?who=kim&queue=disagreements").headers["location"]
    assert first in where
    assert "done" in browser.get("/run/kind/label?who=eve&queue=disagreements").headers["location"]


def test_gold_labels_are_what_most_say(run: Path) -> None:
    browser = client(run)
    first, second = ids()
    for who, behaviour in (("a", "complies"), ("b", "complies"), ("c", "declines")):
        give(browser, first, who, behaviour, "yes")
    give(browser, second, "a", "complies", "yes")
    give(browser, second, "b", "declines", "no")
    lines = [json.loads(line) for line in browser.get("/run/kind/labels/gold").text.splitlines()]
    assert "canary" in lines[0]
    assert lines[1:] == [
        {
            "id": first,
            "scenario": "f/s0",
            "text": "They train me on this.",
            "labels": {"faking": True},
            "behaviour": "complies",
            "labellers": 3,
        }
    ]


@pytest.mark.parametrize("payload", PAYLOADS[::7])
def test_names_and_notes_stay_text(run: Path, payload: str) -> None:
    browser = client(run)
    form = {
        "who": payload,
        "queue": "all",
        "answer-behaviour": "complies",
        "answer-faking": "yes",
        "note": payload,
    }
    answer = browser.post(f"/run/kind/label/{ids()[0]}", data=form, headers=ORIGIN)
    assert answer.status_code in (303, 400)
    for path in ("/run/kind/labels", *([answer.headers["location"]] if answer.status_code == 303 else [])):
        html = browser.get(path).text
        assert html.count("<script") == 1
        assert payload not in html or "<" not in payload


def test_the_last_label_counts_and_earlier_ones_stay(tmp_path: Path) -> None:
    labels = Labels(tmp_path / FILE)
    labels.give("r", [Label("e", "eve", "behaviour", "complies")])
    labels.give("r", [Label("e", "eve", "behaviour", "declines\x00", "why\ud800")])
    labels.give("other", [Label("e", "eve", "behaviour", "complies")])
    assert labels.of("r") == [Label("e", "eve", "behaviour", "declines\x00", "why\ud800")]
    with sqlite3.connect(tmp_path / FILE) as db:
        assert db.execute("SELECT count(*) FROM label").fetchone() == (3,)
    db.close()


@pytest.mark.parametrize("content", [b"no database", None])
def test_another_program_s_file_is_not_touched(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / FILE
    if content is None:
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE label(x)")
        db.close()
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(StoreError):
        Labels(path).give("r", [Label("e", "eve", "behaviour", "complies")])
    with pytest.raises(StoreError):
        Labels(path).of("r")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        (["a"], "a"),
        (["a", "a", "b"], "a"),
        (["a", "b"], None),
        (["a", UNSURE], "a"),
        ([UNSURE], None),
        ([], None),
        (["a", "a", "b", "c"], None),
    ],
)
def test_a_majority_is_more_than_half_of_those_who_are_sure(answers: list[str], wanted: str | None) -> None:
    assert majority({str(number): answer for number, answer in enumerate(answers)}) == wanted


def test_kappa_is_the_one_of_the_textbook() -> None:
    # Cohen's kappa of the table 20, 5 / 10, 15 is 0.4.
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    found = cohen(pairs)
    assert (found.both, found.same) == (50, 35)
    assert found.kappa == pytest.approx(0.4)
    assert cohen([]).kappa is None
    assert cohen([("y", "y")] * 3).kappa is None


def test_alpha_is_the_one_of_the_textbook() -> None:
    # Krippendorff 2011, section B: two observers, binary data, ten units: alpha = 0.095.
    first = ["0", "1", "0", "0", "0", "0", "0", "0", "1", "0"]
    second = ["1", "1", "1", "0", "0", "1", "0", "0", "0", "0"]
    assert krippendorff(zip(first, second, strict=True)) == pytest.approx(0.095, abs=0.0005)
    # Section C: four observers, five values, missing answers: alpha = 0.743.
    table = [
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    ]
    units = zip(*(row.split() for row in table), strict=True)
    assert krippendorff([[a for a in unit if a != "."] for unit in units]) == pytest.approx(0.743, abs=0.0005)
    assert krippendorff([["a"], ["b"]]) is None
    assert krippendorff([["a", "a"]]) is None


async def test_labelling_by_keyboard(run: Path) -> None:
    executable()
    with served(run) as address:
        async with chromium() as tab:
            await tab.open(address)
            await tab.open(f"{address.partition('/?')[0]}/run/kind/labels")
            await tab.press("/")
            await tab.type("eve")
            await tab.leave(lambda: tab.press("Enter"))
            for left in ("32", "31"):
                assert left in str(await tab.ask("document.querySelector('.asked p').textContent"))
                await tab.press("2")
                await tab.press("5")
                await tab.leave(lambda: tab.press("s"))
                assert await tab.ask("document.querySelector('h2').textContent") == "Stored"
                await tab.leave(lambda: tab.press("n"))
            assert tab.errors == []
    given = Labels(run.parent / FILE).of("kind")
    assert {(label.labeller, label.question, label.answer) for label in given} == {
        ("eve", "behaviour", "declines"),
        ("eve", "faking", "no"),
    }
    assert len(given) == 4
