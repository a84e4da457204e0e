"""Pages: what they show, what leads where, and that text stays text."""

from __future__ import annotations

import shutil
import socket
import time
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from gyges.browse import shelf, table_pages
from gyges.browse.index import build, build_in_steps
from gyges.browse.shelf import Shelf
from gyges.transcripts import reader
from gyges.transcripts.search_index import beside, fill
from gyges.transcripts.store import RunWriter
from tests.browsing import PAYLOADS, add, client, everywhere, hostile_run, kind_pair, kind_run, manifest_of, write

HARMLESS = "harmless"
ACTING = set("\x00\x07\x1b\u202e\u2028\u200b")
FOREIGN = {"img", "iframe", "style", "base", "video", "source", "object", "math", "xmp", "plaintext", "template"}
OURS = {"span", "mark"}
"""Elements whose number depends on the text: pieces of it, and marks."""


class Page(HTMLParser):
    """The elements, attributes and words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.words = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action", "data-from")]

    def handle_data(self, data: str) -> None:
        self.words += data

    def skeleton(self) -> dict[str, int]:
        return {tag: number for tag, number in self.tags.items() if tag not in OURS}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """A client of a run with a pair for each payload, and one for harmless words."""
    return client(hostile_run(tmp_path_factory.mktemp("hostile"), [HARMLESS, *PAYLOADS]))


def pages_of(browser: TestClient, words: str) -> dict[str, Page]:
    """The pages of the pair that has these words everywhere."""
    id = "-".join(episode.key.id() for episode in everywhere(words)[0])
    paths = {
        "pair": f"/run/run/pair/{id}?agent={quote(words, safe='')}",
        "raw": f"/run/run/pair/{id}/raw",
    }
    answers = {name: browser.get(path) for name, path in paths.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(paths, 200)
    return {name: Page(answer.text) for name, answer in answers.items()}


@pytest.fixture(scope="module")
def harmless(hostile: TestClient) -> dict[str, Page]:
    return pages_of(hostile, HARMLESS)


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_text_stays_text_in_every_field_of_a_pair(
    hostile: TestClient, harmless: dict[str, Page], payload: str
) -> None:
    for name, page in pages_of(hostile, payload).items():
        assert page.skeleton() == harmless[name].skeleton(), name
        assert page.attributes <= harmless[name].attributes | {"data-width"}, name
        assert_only_words(page, [payload])


def assert_only_words(page: Page, texts: Sequence[str]) -> None:
    """The page has no element, attribute or address but its own, and says all texts."""
    assert page.tags["script"] == 1
    assert not page.tags.keys() & FOREIGN
    assert not [name for name in page.attributes if name.startswith("on") or name in ("style", "srcdoc")]
    assert all(link.startswith(("/", "#", "data:,")) and not link.startswith("//") for link in page.links)
    assert all(text in page.words for text in texts if text.isprintable())
    assert not set(page.words) & ACTING


@pytest.mark.parametrize("path", ["/", "/run/run/pairs", "/run/run/pairs?page=2", "/run/run/pairs?q=alert"])
def test_text_stays_text_in_tables(hostile: TestClient, path: str) -> None:
    assert_only_words(Page(hostile.get(path).text), PAYLOADS if path == "/" else ())


@pytest.mark.parametrize("payload", PAYLOADS[::6] + PAYLOADS[-30:])
def test_text_stays_text_in_filters_and_searches(hostile: TestClient, payload: str) -> None:
    said = quote(payload[:400], safe="")
    assert_only_words(Page(hostile.get(f"/run/run/pairs?q={said}&agent={said}").text), ())


@pytest.mark.parametrize("payload", PAYLOADS[::4] + PAYLOADS[-30:])
def test_error_pages_do_not_act_on_what_was_asked(run: Path, payload: str) -> None:
    browser = client(run)
    said = quote(payload[:500], safe="")
    for path in (f"/{said}", f"/run/{said}/pairs", f"/run/kind/pair/{said}", f"/run/kind/pairs?sort={said}"):
        answer = browser.get(path)
        assert answer.status_code in (400, 404)
        assert Page(answer.text).tags["script"] == 1
        assert "<" not in payload[3:] or payload not in answer.text
        assert str(run.parent) not in answer.text


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kind_run(tmp_path_factory.mktemp("runs"))


def count(html: str) -> int:
    return html.count("data-row")


def test_the_overview_leads_from_each_count_to_the_pairs_that_it_counts(run: Path) -> None:
    browser = client(run)
    page = Page(browser.get("/").text)
    led = [link for link in page.links if "quadrant=" in link and "agent=ann" in link]
    assert led
    wanted = {
        "diverges_revealed": 2,
        "diverges_unrevealed": 2,
        "consistent_revealed": 2,
        "consistent_unrevealed": 2,
    }
    for link in led:
        quadrant = link.rpartition("quadrant=")[2]
        assert count(browser.get(link).text) == wanted[quadrant], link


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("", 16),
        ("agent=ann", 8),
        ("agent=ann&agent=bob", 16),
        ("agent=ann&quadrant=diverges_revealed", 2),
        ("first=complies", 4),
        ("second=complies", 0),
        ("reveals=yes", 8),
        ("finding=faking&scenario=f/s0", 2),
        ("sample=1", 8),
        ("agent=nobody", 0),
        ("unknown=x", 16),
        ("q=nice+day", 8),
        ("q=nice+day&agent=bob", 4),
        ("q=TRAIN+me&first=complies", 2),
        ("q=sunshine", 0),
    ],
)
def test_filters_and_words_narrow_the_table(run: Path, query: str, pairs: int) -> None:
    assert count(client(run).get(f"/run/kind/pairs?{query}").text) == pairs


@pytest.mark.parametrize(
    "words", ['"', "AND", "a:b", "*", "NEAR(", "''", "^", "x OR", "()", "nice*", "%", "\\", "-"]
)
def test_words_are_looked_for_literally(run: Path, words: str) -> None:
    assert client(run).get("/run/kind/pairs", params={"q": words}).status_code == 200


def test_a_search_that_takes_too_long_is_given_up(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_pages, "PATIENCE", -1.0)
    monkeypatch.setattr(reader, "_STEPS", 1)
    answer = client(run).get("/run/kind/pairs?q=nice")
    assert answer.status_code == 503
    assert "took too long" in answer.text


def test_a_search_that_looked_at_some_only_says_so(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_pages, "LOOKED_THROUGH", -1.0)
    assert "Searched so far: 1 of 32 episodes" in client(run).get("/run/kind/pairs?q=%2A%2A").text
    fill(run)
    assert "Searched so far" not in client(run).get("/run/kind/pairs?q=day").text


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("q=nice+day&in=reasoning", 8),
        ("q=nice+day&in=answers", 0),
        ("q=will&in=prompts", 16),
        ("q=nice+day&in=nowhere", 8),
        ("q=nice+AND+day&as=expression", 8),
        ("q=nice+NOT+day&as=expression", 0),
    ],
)
def test_a_search_can_be_for_one_part_and_can_be_an_expression(run: Path, query: str, pairs: int) -> None:
    fill(run)
    page = Page(client(run).get(f"/run/kind/pairs?{query}").text)
    assert f"{pairs} pairs" in page.words


@pytest.mark.parametrize(
    "query",
    ["sort=1;drop", "sort=--length", "page=0", "page=-1", "page=x", "page=99999999999", "page=" + "9" * 5000],
)
def test_an_order_or_page_that_there_is_not_is_named(run: Path, query: str) -> None:
    answer = client(run).get(f"/run/kind/pairs?{query}")
    assert answer.status_code == 400
    assert "sqlite" not in answer.text.lower()


def test_too_long_a_search_is_refused_kindly(run: Path) -> None:
    answer = client(run).get("/run/kind/pairs", params={"q": "x" * 600})
    assert answer.status_code == 400
    assert "too long" in answer.text


def pair_id(agent: str = "ann", scenario: str = "s0", sample: int = 0) -> str:
    episodes, _ = kind_pair(scenario, sample, "complies", "declines", agent)
    return "-".join(episode.key.id() for episode in episodes)


def test_a_pair_shows_both_sides_with_signal_evidence_and_forks(run: Path) -> None:
    html = client(run).get(f"/run/kind/pair/{pair_id()}").text
    page = Page(html)
    for words in ("They train me on this.", "Nobody looks.", "Decision: ", "raw"):
        assert words in page.words
    for mark in ("m-signal", "m-evidence", "m-decision", "fork-reasoning-a", "fork-action-b", "the same in both"):
        assert mark in html


def test_next_and_previous_follow_the_table_that_the_pair_was_opened_from(run: Path) -> None:
    table = "?agent=bob&sort=-sample"
    browser = client(run)
    listed = [link for link in Page(browser.get(f"/run/kind/pairs{table}").text).links if "/pair/" in link]
    page = Page(browser.get(listed[3]).text)
    around = [link for link in page.links if "/pair/" in link and link.endswith("sort=-sample")]
    assert around[0] == listed[2]
    assert listed[4] in around


def test_a_deep_link_marks_its_words(run: Path) -> None:
    html = client(run).get(f"/run/kind/pair/{pair_id()}?span=a-2-r0-5-10").text
    assert 'id="a-2-r0-5-10"' in html
    assert "m-link" in html


@pytest.mark.parametrize(
    "span", ["x", "a-2-r0-5", "a-9-r0-0-1", "a-2-r0-5-99999", "c-2-r0-5-10", "a-2-r0-10-5", "<b>"]
)
def test_a_deep_link_to_nowhere_marks_nothing(run: Path, span: str) -> None:
    answer = client(run).get(f"/run/kind/pair/{pair_id()}", params={"span": span})
    assert answer.status_code == 200
    assert "m-link" not in answer.text


def test_an_episode_leads_to_its_pair(run: Path) -> None:
    id = pair_id().split("-")[1]
    answer = client(run).get(f"/run/kind/episode/{id}")
    assert answer.headers["location"] == f"/run/kind/pair/{pair_id()}"


def test_markdown_has_both_sides_and_can_not_be_broken_out_of(tmp_path: Path) -> None:
    run = hostile_run(tmp_path, ["```\n# out\n````"])
    id = "-".join(episode.key.id() for episode in everywhere("```\n# out\n````")[0])
    text = client(run).get(f"/run/run/pair/{id}/markdown").text
    assert "`````text\n```\n# out\n````\n`````" in text
    outside = [part for number, part in enumerate(text.split("`````")) if number % 2 == 0]
    assert not any("\n# out" in part for part in outside)


def test_a_whole_text_comes_as_plain_text(run: Path) -> None:
    episodes, _ = kind_pair("s0", 0, "complies", "declines")
    answer = client(run).get(f"/run/kind/text/{episodes[0].key.id()}/2-r0")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == "They train me on this."


@pytest.mark.parametrize("place", ["2-r1", "9-t0", "2-t1", "x", "2-r0-1-2"])
def test_a_text_that_there_is_not_is_not_found(run: Path, place: str) -> None:
    episodes, _ = kind_pair("s0", 0, "complies", "declines")
    assert client(run).get(f"/run/kind/text/{episodes[0].key.id()}/{place}").status_code == 404


def test_a_long_text_is_cut_but_its_evidence_is_shown(tmp_path: Path) -> None:
    thought = "a " * 200_000 + "They train me on this."
    episodes, grades = kind_pair("s0", 0, "complies", "declines", thought=thought)
    run = write(tmp_path / "long.sqlite", manifest_of("long"), episodes, [grades[0], *grades[2:]])
    html = client(run).get(f"/run/long/pair/{pair_id()}").text
    assert len(html) < 150_000
    assert "characters are not shown here" in html
    assert f"/run/long/text/{episodes[0].key.id()}/2-r0" in html


def test_browsing_changes_no_byte_of_a_run(tmp_path: Path) -> None:
    run = kind_run(tmp_path)
    before = run.read_bytes()
    browser = client(run)
    for path in ("/", "/run/kind/pairs?q=nice", f"/run/kind/pair/{pair_id()}", f"/run/kind/pair/{pair_id()}/raw"):
        assert browser.get(path).status_code == 200
    assert run.read_bytes() == before


def test_a_run_that_is_damaged_or_gone_is_said_so_without_its_path(tmp_path: Path) -> None:
    good, bad = kind_run(tmp_path), tmp_path / "bad.sqlite"
    bad.write_bytes(b"no database at all")
    browser = client(good, bad)
    overview = browser.get("/")
    assert overview.status_code == 200
    assert "is not a run of gyges" in overview.text
    assert browser.get("/run/bad/pairs").status_code == 503
    shutil.move(good, tmp_path / "moved")
    answer = browser.get(f"/run/kind/pair/{pair_id()}")
    assert answer.status_code == 503
    assert str(tmp_path) not in overview.text + answer.text


def test_a_run_that_grows_is_indexed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = kind_run(tmp_path)
    browser = client(run)
    assert count(browser.get("/run/kind/pairs").text) == 16
    add(run, *kind_pair("new", 0, "complies", "declines"))
    monkeypatch.setattr(shelf, "PATIENCE", 0.0)
    assert count(browser.get("/run/kind/pairs").text) == 17


def test_a_large_run_is_read_by_a_process_of_its_own(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = client(run).get("/run/kind/pairs").text
    monkeypatch.setattr(shelf, "APART", 1)
    monkeypatch.setattr(shelf, "WAIT", 0.0)
    large = client(run)
    answer = large.get("/run/kind/pairs")
    assert answer.status_code == 503
    assert "This run is being read" in answer.text
    ends = time.monotonic() + 30
    while large.get("/run/kind/pairs").text != here and time.monotonic() < ends:
        time.sleep(0.05)
    assert large.get("/run/kind/pairs").text == here


def test_a_large_run_that_is_damaged_says_so(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "APART", 1)
    damaged = run.with_name("damaged.sqlite")
    damaged.write_bytes(run.read_bytes()[:5000] + b"\0" * 5000)
    asking, ends = client(damaged), time.monotonic() + 30
    while "being read" in (answer := asking.get("/run/damaged/pairs")).text and time.monotonic() < ends:
        time.sleep(0.05)
    assert answer.status_code == 503
    assert "being read" not in answer.text
    assert str(run.parent) not in answer.text


def test_a_first_index_has_the_pairs_before_their_words_are_read(run: Path) -> None:
    told: list[tuple[int, int]] = []
    first, whole = build_in_steps(run, lambda done, of: told.append((done, of)))
    assert first.report is None
    assert whole.lengths is not None
    index = first.index
    before = [(line.id, line.quadrant) for line in index.pairs]
    assert not any(line.length for line in index.pairs)
    assert (index.measured(whole.lengths), whole.report) == build(run)
    assert [(line.id, line.quadrant) for line in index.pairs] == before
    assert all(line.length for line in index.pairs)
    assert told == [(0, 32)]


def test_search_indexes_are_filled_beside_large_runs_only(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside(run).unlink(missing_ok=True)
    monkeypatch.setattr(shelf, "EVERY", 0.01)
    Shelf([run]).fill(iter([False, True]).__next__)
    assert not beside(run).exists()
    monkeypatch.setattr(shelf, "SEARCHED", 1)
    Shelf([run]).fill(iter([False, True]).__next__)
    assert beside(run).exists()


async def test_a_run_whose_writer_was_killed_is_not_running(tmp_path: Path) -> None:
    run = kind_run(tmp_path)
    with RunWriter.open(run):
        assert Shelf([run]).live("kind")
    assert not Shelf([run]).live("kind")
    # What a killed writer leaves: its log, and a lock with the number of a process that is no more.
    run.with_name(run.name + "-wal").touch()
    lock = run.with_name(run.name + ".lock")
    lock.write_text(f'{{"pid": 99999999, "host": "{socket.gethostname()}", "since": "2026-11-21T00:00:00+00:00"}}')
    assert not Shelf([run]).live("kind")
