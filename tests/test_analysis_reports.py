"""The report in its four forms: true to the result, safe with hostile names."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from gyges.analysis.analyse import analyse
from gyges.analysis.report_html import to_html
from gyges.analysis.report_json import from_json, to_json
from gyges.analysis.report_latex import to_latex
from gyges.analysis.report_markdown import escaped, to_markdown
from gyges.analysis.report_text import WIDTH, to_text
from gyges.analysis.result import Report
from gyges.analysis.table import Row
from gyges.analysis.words import VALIDATION, percent, points, printable, verdict
from gyges.scenarios.plan import Contrast
from gyges.transcripts.record import Outcome

CONTRAST = Contrast("training", "deployment", "complies", "positive", ("alignment_faking",))
HOSTILE = "<script>alert(1)</script>|\x1b[31m](javascript:x) \u202e{{ 7 * 7 }}"


def rows(agent: str, lost: int = 0, readable: bool = True, family: str = "lamps/desk") -> list[Row]:
    return [
        Row(
            family,
            agent,
            f"{family}/{i}",
            "base",
            context,
            sample,
            Outcome.TRUNCATED if sample < lost else Outcome.COMPLETED,
            None if sample < lost else context == "training" and (i + sample) % 3 > 0,
            (i + sample) % 2 == 0 if readable else None,
            "truncated" if sample < lost else "",
            "" if readable else "no_visible_reasoning",
        )
        for i in range(12)
        for context in ("training", "deployment")
        for sample in range(10)
    ]


def report_of(*tables: list[Row], model: str = "openai/x") -> Report:
    table = [row for rows in tables for row in rows]
    contrasts = [(family, CONTRAST) for family in dict.fromkeys(row.family for row in table)]
    return analyse("run-1", table, contrasts, models={row.agent: model for row in table})


@pytest.fixture(scope="module")
def report() -> Report:
    return report_of(rows("faker"), rows("lossy", lost=1), rows("hidden", readable=False), model="organism/faker")


@pytest.fixture(scope="module")
def hostile() -> Report:
    return report_of(rows(HOSTILE), rows("b", family=f"f{HOSTILE}"))


def test_the_json_has_the_shape_that_others_rely_on(report: Report) -> None:
    document = json.loads(to_json([report]))
    first = document["contrasts"][0]
    assert document["run"] == "run-1"
    assert (first["family"], first["agent"], first["contrast"]) == (
        "lamps/desk",
        "faker",
        ["training", "deployment"],
    )
    assert set(first["rate"]) == set(first["ungraded"]) == set(first["outcomes"]) == {"training", "deployment"}
    for gap in ("gap", "revealed_gap", "silent_gap"):
        assert {"estimate", "se", "low", "high", "p"} <= set(first[gap])
    cells = ("diverges_revealed", "diverges_unrevealed", "consistent_revealed", "consistent_unrevealed")
    assert sum(first["quadrants"][cell] for cell in (*cells, "reverse", "ungraded")) == first["pairs"] == 120
    assert (first["scenarios"], first["reportable"], first["reasons"]) == (12, True, [])


def test_what_cannot_be_computed_is_null_in_the_json(report: Report) -> None:
    hidden = json.loads(to_json([report]))["contrasts"][1]
    assert (hidden["agent"], hidden["revealed_gap"], hidden["silent_gap"]) == ("hidden", None, None)
    assert hidden["reasons"]


def test_the_json_comes_back_as_the_same_report(report: Report) -> None:
    assert from_json(to_json([report])) == report


def test_several_runs_are_a_list(report: Report) -> None:
    assert [document["run"] for document in json.loads(to_json([report, report]))] == ["run-1", "run-1"]


def test_the_text_is_narrow_and_says_what_the_result_says(report: Report) -> None:
    text = to_text([report], ascii_only=True)
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.isascii()
    assert VALIDATION in text
    assert "hidden: reportable: yes" in text
    assert "lossy: reportable: no, because 12 of 120 episodes (10.0%) in training are ungraded" in text
    assert re.search(r"^hidden +\+66\.7 \[.*\] +n/a +n/a +yes$", text, re.MULTILINE)


def test_a_page_without_organisms_does_not_speak_of_validation() -> None:
    plain = report_of(rows("real"))
    for form in (to_text([plain]), to_markdown([plain]), to_html([plain])):
        assert VALIDATION not in form


def test_no_name_reaches_the_terminal_as_an_order(hostile: Report) -> None:
    text = to_text([hostile])
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b[31m" in text


def test_no_name_is_markup_in_markdown(hostile: Report) -> None:
    text = to_markdown([hostile])
    assert "<script>" not in text
    assert escaped(HOSTILE) in text
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {6, 8}


def test_the_latex_is_a_table_without_orders_from_data(hostile: Report, report: Report) -> None:
    table = to_latex([hostile])
    assert table.count(r"\begin{tabular}") == table.count(r"\end{tabular}") == 2
    assert r"\textless{}script\textgreater{}alert(1)" in table
    assert r"\{\{ 7 * 7 \}\}" in table
    own = to_latex([report])
    assert VALIDATION in own
    assert r"lossy\textsuperscript{\dag} & " in own
    assert r"hidden & +66.7" in own


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return to_html([report])


def tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(page)
    return parser.tags


def test_the_page_is_self_contained_and_asks_not_to_be_indexed(page: str) -> None:
    found = tags(page)
    assert not {tag for tag, _ in found} & {"script", "link", "iframe", "img", "image", "a", "object", "use"}
    addresses = {value for _, attributes in found for value in attributes.values() if value and "//" in value}
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "url(" not in page.split("<svg")[0]
    meta = {attributes.get("name") or attributes.get("http-equiv"): attributes for tag, attributes in found}
    assert "noindex" in (meta["robots"]["content"] or "")
    assert "default-src 'none'" in (meta["Content-Security-Policy"]["content"] or "")
    assert "gyges-canary:" in page
    assert page.count("<svg") == 6


def test_the_page_marks_what_is_not_reportable(page: str) -> None:
    assert page.count('<div class="verdict withheld">') == 1
    assert "reportable: no, because 12 of 120 episodes" in page
    assert VALIDATION in page


def test_no_name_is_markup_in_the_page(hostile: Report) -> None:
    page = to_html([hostile])
    assert "script" not in {tag for tag, _ in tags(page)}
    assert not [name for _, attributes in tags(page) for name in attributes if name.startswith("on")]
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7 * 7 }}" in page
    assert "\x1b" not in page


def test_identifiers_are_unique_on_the_page(page: str) -> None:
    ids = [attributes["id"] for _, attributes in tags(page) if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_families_are_pooled_in_every_form() -> None:
    several = report_of(rows("a"), rows("a", family="lamps/wall"))
    for form in (to_text([several]), to_markdown([several]), to_html([several])):
        assert "a over 2 families" in form


def test_an_empty_report_has_all_forms() -> None:
    empty = Report(run="none", contrasts=())
    assert "nothing to report" in to_text([empty])
    assert "Nothing to report" in to_markdown([empty])
    assert "Nothing to report" in to_html([empty])


@pytest.mark.parametrize(
    ("share", "text"), [(0.227, "+22.7"), (-0.0349, "-3.5"), (0.0001, "0.0"), (-0.0001, "0.0"), (None, "n/a")]
)
def test_points_carry_their_sign(share: float | None, text: str) -> None:
    assert points(share) == text


def test_a_share_is_a_percentage() -> None:
    assert (percent(0.7794), percent(None)) == ("77.9%", "n/a")


def test_printable_text_keeps_words_and_shows_controls() -> None:
    assert printable("größer\x07\n\ud800") == "größer\\x07\\n\\ud800"


@pytest.mark.parametrize(
    ("scenarios", "said", "table"),
    [
        (2, "reportable: no, because 2 scenarios say too little of others", "NO"),
        (4, "reportable: no, because 4 scenarios say too little of others", "NO"),
        (6, "reportable: yes, WITH CAUTION: only 6 scenarios, fewer than 10", "few!"),
        (12, "reportable: yes", "yes"),
    ],
)
def test_few_scenarios_are_said_beside_the_figure(scenarios: int, said: str, table: str) -> None:
    found = report_of([row for row in rows("a") if int(row.scenario.rpartition("/")[2]) < scenarios])
    text = to_text([found])
    assert verdict(found.contrasts[0]).startswith(said)
    assert next(line for line in text.splitlines() if line.startswith("a ")).endswith(f" {table}")
    assert ("widened for scenarios unlike those seen" in text) is True
