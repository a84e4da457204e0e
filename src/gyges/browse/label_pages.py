"""The pages of labelling: who labelled what, one episode without its context, and what graders said of it."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gyges.browse.form import read_form
from gyges.browse.labelling import (
    MASK,
    QUEUES,
    Candidate,
    candidates,
    disputed,
    gold,
    graded,
    questions,
    queue,
    standing,
)
from gyges.browse.labels import Label, Labels
from gyges.browse.page import CANARY, html
from gyges.browse.pair import view
from gyges.browse.shelf import NotHere, Shelf
from gyges.errors import UsageError
from gyges.scenarios.plan import Text
from gyges.transcripts.record import Episode, Message

LONGEST_NAME = 60


class LabelPages:
    """Pages over a shelf of runs and a store of labels."""

    def __init__(self, shelf: Shelf, labels: Labels) -> None:
        self._shelf = shelf
        self._labels = labels

    def routes(self) -> list[Route]:
        return [
            Route("/run/{run}/labels", self.home),
            Route("/run/{run}/labels/gold", self.export),
            Route("/run/{run}/label", self.next),
            Route("/run/{run}/label/{episode}", self.show, methods=["GET"]),
            Route("/run/{run}/label/{episode}", self.give, methods=["POST"]),
        ]

    def home(self, request: Request) -> Response:
        """Who has labelled how much, and how far they agree."""
        run = request.path_params["run"]
        index, labels = self._shelf.index(run), self._labels.of(run)
        waiting = {"all": len(candidates(index)), "disagreements": len(disputed(index, labels))}
        return html("labels.html", run=run, standing=standing(index, labels), waiting=waiting, queues=QUEUES)

    def export(self, request: Request) -> Response:
        """Gold labels as JSON Lines."""
        run = request.path_params["run"]
        with self._shelf.open(run) as reader:
            lines = "\n".join(gold(CANARY, self._labels.of(run), reader.episodes())) + "\n"
        headers = {"content-disposition": 'attachment; filename="gold.jsonl"'}
        return Response(lines, media_type="application/jsonl", headers=headers)

    def next(self, request: Request) -> Response:
        """On to an episode that this person has not labelled."""
        run = request.path_params["run"]
        who, which = _who(request.query_params.get("who", "")), _which(request.query_params.get("queue", "all"))
        waiting = queue(self._shelf.index(run), self._labels.of(run), who, which)
        if not waiting:
            return RedirectResponse(f"/run/{quote(run)}/labels?done=1", status_code=303)
        return RedirectResponse(_address(run, waiting[0], who, which), status_code=303)

    def show(self, request: Request) -> Response:
        """An episode to be labelled; to one who has labelled it, also what was hidden."""
        run, one = self._asked(request)
        who, which = _who(request.query_params.get("who", "")), _which(request.query_params.get("queue", "all"))
        index, labels = self._shelf.index(run), self._labels.of(run)
        own = {label.question: label for label in labels if label.labeller == who and label.episode == one.side.id}
        again = request.query_params.get("again") == "1"
        with self._shelf.open(run) as reader:
            episode = reader.episode(one.side.id)
            grades = list(reader.grades(episode=one.side.id)) if own else []
        masked = any(message.signal for message in episode.messages)
        return html(
            "label.html",
            run=run,
            one=one,
            who=who,
            queue=which,
            left=len(queue(index, labels, who, which)),
            asked=questions(index, one.line),
            own=own,
            asking=not own or again,
            masked=masked,
            view=view(episode, None, grades) if own else view(blind(episode), None),
            graded={question.name: graded(one, question.name) for question in questions(index, one.line)},
        )

    async def give(self, request: Request) -> Response:
        """Store the labels of one episode."""
        return await run_in_threadpool(self._give, request, await read_form(request))

    def _give(self, request: Request, form: dict[str, str]) -> Response:
        run, one = self._asked(request)
        who, which = _who(form.get("who", "")), _which(form.get("queue", "all"))
        given = []
        for asked in questions(self._shelf.index(run), one.line):
            answer = form.get(f"answer-{asked.name}", "")
            if answer not in [name for name, _ in asked.answers]:
                raise UsageError("a question has no answer yet", "answer all of them; `unsure` is an answer too")
            given.append(Label(one.side.id, who, asked.name, answer, form.get("note", "").strip()))
        self._labels.give(run, given)
        return RedirectResponse(_address(run, one.side.id, who, which), status_code=303)

    def _asked(self, request: Request) -> tuple[str, Candidate]:
        run = request.path_params["run"]
        one = candidates(self._shelf.index(run)).get(request.path_params["episode"])
        if one is None:
            raise NotHere("there is no such episode to label in this run", "start from the page of its labels")
        return run, one


def blind(episode: Episode) -> Episode:
    """The episode with its signal masked, and without what tells agents apart."""
    return replace(episode, messages=tuple(map(_masked, episode.messages)))


def _masked(message: Message) -> Message:
    text = Text(message.text, message.signal).without_signal(MASK)
    # Where the provider put the reasoning tells one agent from another.
    thoughts = tuple(replace(thought, source="") for thought in message.reasoning)
    changes = tuple(
        replace(change, before=_hidden(change.before), after=_hidden(change.after)) for change in message.changes
    )
    return replace(message, text=text, reasoning=thoughts, signal=(), changes=changes)


def _hidden(text: Text | None) -> Text | None:
    return text and Text(text.without_signal(MASK))


def _address(run: str, episode: str, who: str, which: str) -> str:
    return f"/run/{quote(run)}/label/{episode}?{urlencode({'who': who, 'queue': which})}"


def _who(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(
            "a labeller needs a name", f"of 1 to {LONGEST_NAME} characters; start from the labels' page"
        )
    return name


def _which(name: str) -> str:
    if name not in QUEUES:
        raise UsageError("there is no such queue", f"queues are: {', '.join(QUEUES)}")
    return name
