"""Grading a run again: by rules, by a classifier, by judges."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gyges.cli.app import (
    BaseUrl,
    CallBudget,
    CostBudget,
    MaxConnections,
    RequestsPerMinute,
    Run,
    TokenBudget,
    TokensPerMinute,
    app,
)
from gyges.errors import UsageError

if TYPE_CHECKING:
    from gyges.grading.calibrations import StoredErrors
    from gyges.grading.labelled import LabelledEpisode
    from gyges.grading.run import GradingOrder, Made

GOLD = "long-test.jsonl"
"""The library's gold labels that no grader was developed on."""


@app.command()
def grade(
    name: Run = "latest",
    grader: Annotated[
        list[str] | None,
        typer.Option(
            "--grader",
            help="offline, encoder, judge:NAME, rules:NAME, classifier:NAME; repeatable. Figures go by the first.",
        ),
    ] = None,
    judge: Annotated[
        list[str] | None,
        typer.Option("--judge", "--agent", help="Who judges: a profile or provider/model; may be repeated."),
    ] = None,
    votes: Annotated[
        int | None, typer.Option(min=1, max=99, help="Of each judge; else as the rubric says.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0.01, max=1, help="The share of votes from which on something is found.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again/--once", help="Judge a sample twice more, to see how often verdicts flip.")
    ] = True,
    organisms: Annotated[
        bool,
        typer.Option(
            "--organisms/--no-organisms",
            help="Judge the organisms that the run added too, to see whether the judge finds what is planted.",
        ),
    ] = True,
    base_url: BaseUrl = None,
    max_connections: MaxConnections = 20,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    call_budget: CallBudget = None,
    token_budget: TokenBudget = None,
    cost_budget: CostBudget = None,
) -> None:
    """Grade a run again, without playing it again; earlier grades are kept, a half finished set is finished."""
    from gyges.grading.run import GradingOrder, grade_run
    from gyges.transcripts.runs import find_run

    path = find_run(name)
    order = GradingOrder(tuple(grader or ()), tuple(judge or ()), votes, threshold, again, organisms, base_url)
    rates = (max_connections, requests_per_minute, tokens_per_minute)
    order = _limited(order, rates, (call_budget, token_budget, cost_budget))
    made = grade_run(path, order)
    _tell(path, made)
    if made.pending:
        raise typer.Exit(1)


def _tell(path: Path, made: Made) -> None:
    from gyges.cli.reporting import refresh
    from gyges.errors import several
    from gyges.grading.judged_summary import lines

    if made.pending:
        pending = f"{several(made.pending, 'judgement')} ({made.pending_because})"
        typer.echo(f"pending: {pending}; the same command finishes that", err=True)
    verb = "added to" if made.resumed else "in"
    told = f"{several(made.grades, 'grade')} {verb} the set {made.name}"
    typer.echo(f"{told}; report by it with: gyges report {path.stem}")
    for line in lines(path, made.name):
        typer.echo(line)
    page, newest = refresh(path)
    typer.echo(f"{page} and the figures beside it go by {newest}, the newest; others: gyges report --grades NAME")


@app.command()
def calibrate(
    grader: Annotated[
        str,
        typer.Argument(
            help="offline, encoder, judge:NAME, rules:NAME, classifier:NAME; of what agents did: rules:behaviour."
        ),
    ],
    gold: Annotated[
        list[Path] | None,
        typer.Option(
            "--gold",
            help="Labels, as JSON Lines; may be repeated; of reasoning the library's test part if none is named.",
        ),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(help="With --gold: at whose rate findings are valued. Else, and of behaviour: whose labels."),
    ] = None,
    judge: Annotated[
        list[str] | None,
        typer.Option("--judge", "--agent", help="Who judges: a profile or provider/model; may be repeated."),
    ] = None,
    finding: Annotated[str | None, typer.Option(help="Only this one, such as alignment_faking.")] = None,
    votes: Annotated[
        int | None, typer.Option(min=1, max=99, help="Of each judge; else as the rubric says.")
    ] = None,
    train: Annotated[
        Path | None, typer.Option(help="Train the classifier again with these labels, and write it here.")
    ] = None,
    store: Annotated[
        bool, typer.Option("--store/--no-store", help="Keep the errors for the sets that are graded later.")
    ] = True,
    to: Annotated[
        Path | None, typer.Option(help="Keep them in this folder, and not in the study's grading/calibration.")
    ] = None,
    about: Annotated[
        str, typer.Option(help="What the labelled texts are like; reports that correct by them repeat it.")
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    base_url: BaseUrl = None,
    max_connections: MaxConnections = 20,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    call_budget: CallBudget = None,
    token_budget: TokenBudget = None,
    cost_budget: CostBudget = None,
) -> None:
    """A grader against labels: how often it is right, how sure that is, and what its findings are worth."""
    from gyges.grading.calibrated_words import cautions, lines, retrained_lines, to_json
    from gyges.grading.calibrating import calibrate_grader
    from gyges.grading.default import grader_of
    from gyges.grading.retrain import retrain
    from gyges.grading.run import GradingOrder

    order = GradingOrder((), tuple(judge or ()), votes, None, False, base_url=base_url)
    rates = (max_connections, requests_per_minute, tokens_per_minute)
    order = _limited(order, rates, (call_budget, token_budget, cost_budget))
    if train is not None and not grader.startswith("classifier"):
        raise UsageError(f"{grader} can't be trained", "gyges calibrate classifier:NAME --gold FILE --train FILE")
    # A wrong name is told before the labels are read.
    if train is None and grader_of(grader).question == "behaviour":
        if finding is not None:
            raise UsageError(f"{grader} has no findings", "leave --finding out: all behaviours are told")
        _calibrate_behaviour(grader, gold or [], run, order, about, json, store, to)
        return
    labelled, labels, rate = _labelled(gold or [], run)
    if train is not None:
        for line in retrained_lines(retrain(labelled, train, labels)):
            typer.echo(line)
        return
    found = calibrate_grader(grader, labelled, labels, order, finding=finding, run=rate, about=about)
    for line in [to_json(found)] if json else lines(found):
        typer.echo(line)
    for line in cautions(found):
        typer.echo(f"CAUTION: {line}", err=True)
    _keep(found.errors(), store, to)


def _calibrate_behaviour(
    grader: str,
    gold: Sequence[Path],
    run: str | None,
    order: GradingOrder,
    about: str,
    as_json: bool,
    store: bool,
    to: Path | None,
) -> None:
    from gyges.grading.calibrated_words import behaviour_lines, to_json
    from gyges.grading.calibrating_behaviour import calibrate_behaviour
    from gyges.grading.default import grader_of
    from gyges.grading.labelled_behaviour import acted_in_browser, acted_in_gold
    from gyges.transcripts.runs import find_run

    if run is None:
        raise UsageError("labels of what an agent did are about the episodes of a run", "name it: --run RUN")
    path = find_run(run)
    labelled = acted_in_gold(gold, path) if gold else acted_in_browser(path)
    labels = "+".join(file.name for file in gold) or path.stem
    made = grader_of(grader, votes=order.votes)
    found = calibrate_behaviour(made, labelled, labels, path, order, about)
    for line in [to_json(found)] if as_json else behaviour_lines(found):
        typer.echo(line)
    _keep(found.errors(), store, to)


def _keep(errors: StoredErrors, store: bool, to: Path | None) -> None:
    from gyges.grading.calibrations import store_errors

    if store:
        typer.echo(f"kept for later grading in {store_errors(errors, to)}", err=True)


def _limited(
    order: GradingOrder,
    rates: tuple[int, float | None, float | None],
    budgets: tuple[int | None, int | None, float | None],
) -> GradingOrder:
    """The order with the limits of the command line, which are about whom it asks."""
    if not order.judges:
        return order
    from dataclasses import replace

    from gyges.batch.flow import Limits
    from gyges.batch.spending import Allowance

    return replace(order, limits=Limits(*rates), allowance=Allowance(*budgets))


def _labelled(gold: Sequence[Path], run: str | None) -> tuple[list[LabelledEpisode], str, Path | None]:
    """The labelled episodes, where they are from, and the run at whose rate findings are valued."""
    from gyges.grading.labelled import from_browser, from_gold
    from gyges.study import library
    from gyges.transcripts.runs import find_run

    path = find_run(run) if run else None
    if not gold and path is not None:
        return from_browser(path), path.stem, path
    files = gold or [library() / "grading" / "gold" / GOLD]
    labelled = [one for file in files for one in from_gold(file)]
    return labelled, "+".join(file.name for file in files), path
