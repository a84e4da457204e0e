"""The table of pairs: filtered, sorted, searched, and views of it kept under a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gyges.browse.choice import PAGE, Choice
from gyges.browse.form import read_form
from gyges.browse.page import html
from gyges.browse.shelf import Shelf
from gyges.browse.views import Views
from gyges.errors import UsageError

if TYPE_CHECKING:
    from gyges.transcripts.search import Hit

FOUND = 5_000
"""Places that a search looks at."""

SCANNED = 10_000
"""Pairs whose every word is read for a search that the full-text index can't help with."""


PATIENCE = 10.0
"""Seconds that a search may take: a page that asks for too much must not hold up the others."""


class TablePages:
    """Pages over a shelf of runs and the views that were kept."""

    def __init__(self, shelf: Shelf, views: Views) -> None:
        self._shelf = shelf
        self._views = views

    def pairs(self, request: Request) -> Response:
        """The table of pairs."""
        run = request.path_params["run"]
        index = self._shelf.index(run)
        choice = Choice.read(request.query_params.multi_items())
        hits = search(self._shelf, run, choice.words)
        chosen = choice.pairs(index.pairs, hits)
        return html(
            "pairs.html",
            run=run,
            index=index,
            choice=choice,
            facets=index.facets,
            pairs=chosen[(choice.page - 1) * PAGE : choice.page * PAGE],
            count=len(chosen),
            pages=max(1, -(-len(chosen) // PAGE)),
            hits=hits or {},
            views=self._views.all(),
        )

    async def keep(self, request: Request) -> Response:
        """Keep what the table shows under a name, or forget a name."""
        return await run_in_threadpool(self._keep, request.path_params["run"], await read_form(request))

    def _keep(self, run: str, form: dict[str, str]) -> Response:
        self._shelf.path(run)
        if form.get("act") == "forget":
            self._views.forget(form.get("name", ""))
        else:
            # Read and written anew: only filters, words and an order get into the file.
            choice = Choice.read(parse_qsl(form.get("view", "").removeprefix("?"))).on_page(1)
            self._views.keep(form.get("name", ""), choice.address())
        shown = Choice.read(parse_qsl(form.get("view", "").removeprefix("?"))).address()
        return RedirectResponse(f"/run/{quote(run)}/pairs{shown}", status_code=303)


def search(shelf: Shelf, run: str, words: str) -> dict[str, Hit] | None:
    """The first place in each episode where the words stand; None when there is nothing to look for."""
    if not words:
        return None
    if not re.search(r"[^\W_]", words) and len(shelf.index(run).pairs) > SCANNED:
        raise UsageError("there is no word in this search", "no index knows signs alone; add a word beside them")
    hits: dict[str, Hit] = {}
    with shelf.open(run) as reader:
        reader.end_after(PATIENCE)
        for hit in reader.search(words, limit=FOUND):
            hits.setdefault(hit.episode, hit)
    return hits
