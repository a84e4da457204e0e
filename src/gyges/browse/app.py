"""The pages and their addresses. It reads runs through the shelf and changes nothing but labels."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from markupsafe import Markup
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from gyges.browse.apart import Progress
from gyges.browse.choice import Choice
from gyges.browse.forks import forks_of
from gyges.browse.form import NoForm
from gyges.browse.index import Index
from gyges.browse.label_pages import LabelPages
from gyges.browse.labels import Labels
from gyges.browse.lines import PairLine
from gyges.browse.markdown import as_markdown
from gyges.browse.page import asset, html
from gyges.browse.pair import view
from gyges.browse.place import read_place
from gyges.browse.shelf import BeingRead, NotHere, Shelf
from gyges.browse.table_pages import TablePages, search
from gyges.browse.views import Views
from gyges.errors import GygesError, StoreError, UsageError
from gyges.transcripts.grades import Grade
from gyges.transcripts.record import Episode
from gyges.transcripts.safe import safe

EVERY = 2.0
"""Seconds between two looks at the runs' files."""

_ASSETS = {"gyges.css": "text/css", "gyges.js": "text/javascript"}


def make_app(shelf: Shelf, labels: Labels, views: Views, ending: Callable[[], bool] = lambda: False) -> Starlette:
    """The application, without its guard. `ending` says that nothing that takes long should go on."""
    table = TablePages(shelf, views)
    return Starlette(
        routes=[
            Route("/", _bound(overview, shelf)),
            Route("/live", live(shelf, ending)),
            Route("/run/{run}/report", _bound(report, shelf)),
            Route("/run/{run}/pairs", table.pairs),
            Route("/run/{run}/views", table.keep, methods=["POST"]),
            Route("/run/{run}/pair/{pair}", _bound(pair, shelf)),
            Route("/run/{run}/pair/{pair}/raw", _bound(raw, shelf)),
            Route("/run/{run}/pair/{pair}/markdown", _bound(markdown, shelf)),
            Route("/run/{run}/episode/{episode}", _bound(episode, shelf)),
            Route("/run/{run}/text/{episode}/{place}", _bound(whole_text, shelf)),
            *LabelPages(shelf, labels).routes(),
            Route("/static/{name}", static),
        ],
        exception_handlers={
            BeingRead: _being_read(shelf),
            GygesError: _refused,
            HTTPException: _not_found,
            Exception: _failed,
        },
    )


def _bound(page: Callable[[Shelf, Request], Response], shelf: Shelf) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        return page(shelf, request)

    return answer


# Pages


def overview(shelf: Shelf, _: Request) -> Response:
    """The runs, newest first, with the figures of their reports."""
    runs = [_shelved(shelf, name) for name in reversed(shelf.names)]
    return html("overview.html", runs=runs, version=shelf.version())


@dataclass(frozen=True, slots=True)
class _Shelved:
    """A run on the overview; `trouble` says why there are no figures, `progress` what is still being done."""

    name: str
    index: Index | None
    live: bool
    figures: Markup
    progress: dict[str, Progress]
    trouble: str = ""


def _shelved(shelf: Shelf, name: str) -> _Shelved:
    index, figures, live = None, Markup(), shelf.live(name)
    try:
        # Made from our own template, which escapes.
        figures = Markup(shelf.figures(name))
        index, trouble = shelf.index(name), shelf.trouble(name)
    except BeingRead:
        trouble = "This run is being read."
    except StoreError as error:
        trouble = str(error)
    return _Shelved(name, index, live, figures, shelf.progress(name), trouble)


def live(shelf: Shelf, ending: Callable[[], bool]) -> Callable[[Request], Awaitable[Response]]:
    """Tells an open page when there is something new, and how far the reading of large runs is."""

    async def answer(request: Request) -> Response:
        async def events() -> AsyncIterator[str]:
            told = ""
            while not ending() and not await request.is_disconnected():
                progress = {name: shelf.progress(name) for name in shelf.names}
                news = {"version": shelf.version(), "progress": {name: p for name, p in progress.items() if p}}
                said = json.dumps(news)
                if said != told:
                    yield f"data: {said}\n\n"
                told = said
                await asyncio.sleep(EVERY)

        return StreamingResponse(events(), media_type="text/event-stream")

    return answer


def report(shelf: Shelf, request: Request) -> Response:
    """The report with its plots, as `gyges report --html` writes it. It has no script, so none may run."""
    page = shelf.report(request.path_params["run"])
    data = page.encode("utf-8", "backslashreplace")
    style = b64encode(sha256(page.partition("<style>")[2].partition("</style>")[0].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style}'; frame-ancestors 'none'; base-uri 'none'"
    return HTMLResponse(data, headers={"content-security-policy": f"{policy}; form-action 'none'"})


def pair(shelf: Shelf, request: Request) -> Response:
    """Two transcripts side by side."""
    run, line, choice = _asked(shelf, request)
    episodes, grades = _read(shelf, run, line)
    linked = read_place(request.query_params.get("span", ""))
    before, after, at, of = _around(shelf, run, line, choice)
    return html(
        "pair.html",
        run=run,
        line=line,
        choice=choice,
        view=view(*episodes, grades, linked, choice.query()),
        forked=forks_of(shelf, run, line, episodes),
        origin=_origin(shelf, episodes),
        before=before,
        after=after,
        at=at,
        of=of,
    )


def _origin(shelf: Shelf, episodes: tuple[Episode | None, Episode | None]) -> str:
    """Of forks the address of the pair that they left; "" where it is not here."""
    fork = next((one.fork for one in episodes if one and one.fork), None)
    return f"/run/{quote(fork.run)}/episode/{fork.episode}" if fork and fork.run in shelf.names else ""


def _asked(shelf: Shelf, request: Request) -> tuple[str, PairLine, Choice]:
    run = request.path_params["run"]
    line = shelf.index(run).pair(request.path_params["pair"])
    if line is None:
        raise NotHere("there is no such pair in this run", "the table of pairs lists what is")
    return run, line, Choice.read(request.query_params.multi_items())


def _read(shelf: Shelf, run: str, line: PairLine) -> tuple[tuple[Episode | None, Episode | None], list[Grade]]:
    """The two episodes (None for one that is not there yet) and their grades."""
    ids = [side.id if side.stored else None for side in line.sides]
    with shelf.open(run) as reader:
        first, second = (reader.episode(id) if id else None for id in ids)
        return (first, second), [grade for id in ids if id for grade in reader.grades(episode=id)]


def _around(
    shelf: Shelf, run: str, line: PairLine, choice: Choice
) -> tuple[PairLine | None, PairLine | None, int, int]:
    """The pairs before and after in the table this one was opened from, its place there (from 1) and how many."""
    found = search(shelf, run, choice)
    chosen = choice.pairs(shelf.index(run).pairs, found.episodes if found else None)
    at = next((at for at, other in enumerate(chosen) if other.id == line.id), None)
    if at is None:
        return None, None, 0, len(chosen)
    before = chosen[at - 1] if at else None
    after = chosen[at + 1] if at + 1 < len(chosen) else None
    return before, after, at + 1, len(chosen)


def raw(shelf: Shelf, request: Request) -> Response:
    """What was sent and what came back, as bytes, for both episodes."""
    run, line, choice = _asked(shelf, request)
    with shelf.open(run) as reader:
        calls = [(side, reader.calls(side.id)) for side in line.sides]
    return html("raw.html", run=run, line=line, choice=choice, calls=calls)


def markdown(shelf: Shelf, request: Request) -> Response:
    run, line, _ = _asked(shelf, request)
    episodes, grades = _read(shelf, run, line)
    text = as_markdown(run, line, view(*episodes, grades))
    return PlainTextResponse(text.encode("utf-8", "backslashreplace"))


def episode(shelf: Shelf, request: Request) -> Response:
    """From an episode to the first pair that it is in."""
    run, id = request.path_params["run"], request.path_params["episode"]
    for line in shelf.index(run).pairs:
        if id in (line.first.id, line.second.id):
            return RedirectResponse(f"/run/{quote(run)}/pair/{line.id}", status_code=303)
    raise NotHere("there is no such episode in this run", "the table of pairs lists what is")


def whole_text(shelf: Shelf, request: Request) -> Response:
    """One text from its beginning to its end, however long, as plain text."""
    linked = read_place(f"a-{request.path_params['place']}-0-0")
    with shelf.open(request.path_params["run"]) as reader:
        messages = reader.episode(request.path_params["episode"]).messages
    texts = list[str]()
    if linked and linked.place.message < len(messages):
        message = messages[linked.place.message]
        text = [message.text] if linked.place.channel == "text" else [r.text or "" for r in message.reasoning]
        texts = text[linked.place.block : linked.place.block + 1]
    if not texts:
        raise NotHere("there is no such text in this episode", "open it from the page of its pair")
    return PlainTextResponse(texts[0].encode("utf-8", "backslashreplace"))


def static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _ASSETS:
        raise HTTPException(404)
    return Response(asset(name), media_type=_ASSETS[name])


# What went wrong


def _being_read(shelf: Shelf) -> Callable[[Request, Exception], Response]:
    """A page that waits, and then looks again."""

    def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, BeingRead)
        run = request.path_params.get("run", "")
        return html(
            "reading.html", 503, run=run, what=error.what, to_do=error.to_do, version=shelf.version(),
            progress_of=shelf.progress(run) if run in shelf.names else {},
        )  # fmt: skip

    return answer


def _refused(_: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, NoForm) else _status(error)
    what, to_do = (error.what, error.to_do) if isinstance(error, GygesError) else (str(error), "")
    return html("trouble.html", status, what=safe(what), to_do=safe(to_do))


def _status(error: Exception) -> int:
    return 404 if isinstance(error, NotHere) else 400 if isinstance(error, UsageError) else 503


def _not_found(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return html(
        "trouble.html", status, what="There is no such page.", to_do="The overview leads to all there are."
    )


def _failed(_: Request, __: Exception) -> Response:
    what = "Something went wrong while this page was made."
    return html("trouble.html", 500, what=what, to_do="What it was, the terminal of `gyges browse` says.")
