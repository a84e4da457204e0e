"""The table of pairs: filtered, sorted, searched, and views of it kept under a name."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gyges.browse.choice import PAGE, Choice
from gyges.browse.form import read_form
from gyges.browse.lines import PairLine
from gyges.browse.page import html
from gyges.browse.shelf import Shelf
from gyges.browse.views import Views

if TYPE_CHECKING:
    from gyges.transcripts.search import Hit
    from gyges.transcripts.search_index import Found

LOOKED_THROUGH = 2.0
"""Seconds for reading what no index has yet, or what no index knows."""

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
        found = search(self._shelf, run, choice)
        chosen = choice.pairs(index.pairs, found.episodes if found else None)
        shown = chosen[(choice.page - 1) * PAGE : choice.page * PAGE]
        return html(
            "pairs.html",
            run=run,
            index=index,
            choice=choice,
            facets=index.facets,
            read=index.read,
            pairs=shown,
            count=len(chosen),
            pages=max(1, -(-len(chosen) // PAGE)),
            found=found,
            hits=places(self._shelf, run, choice, found, shown),
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


def search(shelf: Shelf, run: str, choice: Choice) -> Found | None:
    """The episodes where the words stand; None when there is nothing to look for."""
    query = choice.query()
    if query is None:
        return None
    with shelf.open(run) as reader:
        reader.end_after(PATIENCE)
        return reader.search(query, LOOKED_THROUGH)


def places(
    shelf: Shelf, run: str, choice: Choice, found: Found | None, pairs: Sequence[PairLine]
) -> dict[str, Hit]:
    """The first place in each episode of these pairs: they are looked for only where they are shown."""
    query = choice.query()
    if query is None or found is None:
        return {}
    hits: dict[str, Hit] = {}
    wanted = [side.id for line in pairs for side in line.sides if side.number in found.episodes]
    ends = time.monotonic() + LOOKED_THROUGH
    with shelf.open(run) as reader:
        for hit in reader.places(query, dict.fromkeys(wanted)):
            hits.setdefault(hit.episode, hit)
            if time.monotonic() > ends:
                break
    return hits
