"""Saved views: what is kept, what gets into the file, and that nothing else does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gyges.browse.views import FILE, MOST, Views
from gyges.errors import StoreError, UsageError
from tests.browsing import ORIGIN, client, kind_run

VIEWS = "/run/kind/views"
WANTED = "?quadrant=diverges_revealed&sort=-length"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return kind_run(tmp_path)


def kept(run: Path) -> dict[str, str]:
    return Views(run.with_name(FILE)).all()


def test_a_view_is_kept_shown_and_forgotten(run: Path) -> None:
    browser = client(run)
    answer = browser.post(VIEWS, data={"name": " those that matter ", "view": WANTED + "&page=3"}, headers=ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/run/kind/pairs{WANTED}&page=3")
    assert kept(run) == {"those that matter": WANTED}
    page = browser.get("/run/kind/pairs").text
    assert f'<a href="/run/kind/pairs{WANTED.replace("&", "&amp;")}">those that matter</a>' in page
    assert 'aria-current="page">those that matter' in browser.get(f"/run/kind/pairs{WANTED}").text
    browser.post(VIEWS, data={"act": "forget", "name": "those that matter", "view": ""}, headers=ORIGIN)
    assert kept(run) == {}


def test_a_name_given_again_stands_for_the_new_view(run: Path) -> None:
    views = Views(run.with_name(FILE))
    for address in ("?q=one", "?q=two"):
        views.keep("mine", address)
    assert views.all() == {"mine": "?q=two"}


@pytest.mark.parametrize(
    "view", ["javascript:alert(1)", "//evil.example", "?evil=1", "?quadrant=", "#x", "?page=2", ""]
)
def test_only_filters_words_and_an_order_get_into_a_view(run: Path, view: str) -> None:
    client(run).post(VIEWS, data={"name": "x", "view": view}, headers=ORIGIN)
    assert kept(run) == {"x": ""}


@pytest.mark.parametrize(
    "form", [{"name": ""}, {"name": "x" * 61}, {"name": "\u202eevil"}, {"view": "?sort=nope"}]
)
def test_what_can_not_be_shown_is_not_kept(run: Path, form: dict[str, str]) -> None:
    answer = client(run).post(VIEWS, data={"name": "x", "view": "", **form}, headers=ORIGIN)
    assert answer.status_code == 400
    assert not run.with_name(FILE).exists()


@pytest.mark.parametrize("headers", [{}, {"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}])
def test_another_site_keeps_nothing(run: Path, headers: dict[str, str]) -> None:
    assert client(run).post(VIEWS, data={"name": "x", "view": ""}, headers=headers).status_code == 403
    assert not run.with_name(FILE).exists()


def test_a_file_that_is_not_ours_is_left_alone(run: Path) -> None:
    for text in ("nonsense", "[1]", '{"a": 1}'):
        run.with_name(FILE).write_text(text)
        with pytest.raises(StoreError, match="saved views"):
            Views(run.with_name(FILE)).keep("x", "")
        assert run.with_name(FILE).read_text() == text


def test_there_is_an_end_to_what_is_kept(run: Path) -> None:
    run.with_name(FILE).write_text(json.dumps({str(number): "" for number in range(MOST)}))
    with pytest.raises(UsageError, match="already"):
        Views(run.with_name(FILE)).keep("one more", "")
