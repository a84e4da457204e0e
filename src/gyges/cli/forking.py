"""Forking: questions about stored episodes, and other reasoning in them. What is stored is never changed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gyges.cli.app import (
    CallBudget,
    CostBudget,
    FailOnError,
    MaxConnections,
    RequestsPerMinute,
    Run,
    TokenBudget,
    TokensPerMinute,
    app,
)
from gyges.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from gyges.batch.fork import PreparedForks

Episodes = Annotated[
    int | None, typer.Option("--episodes", min=1, help="Of each agent and context, at the most; all if left out.")
]


@app.command()
def probe(
    run: Run,
    probe: Annotated[list[str] | None, typer.Option("--probe", help="Which question; all if left out.")] = None,
    at: Annotated[
        list[str] | None, typer.Option("--at", help="prompt: before the first answer; end: after the last. Both.")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="How often each question is asked of each episode.")] = 1,
    episodes: Episodes = None,
    max_connections: MaxConnections = 20,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    call_budget: CallBudget = None,
    token_budget: TokenBudget = None,
    cost_budget: CostBudget = None,
    fail_on_error: FailOnError = 0.05,
) -> None:
    """Ask about stored episodes, in forks of them: which context is this, what follows, is this a test?"""
    from gyges.batch.flow import Limits
    from gyges.batch.fork import ForkOrder, limited_forks, prepare_forks
    from gyges.batch.spending import Allowance

    places = tuple(at or ("prompt", "end"))
    if odd := [place for place in places if place not in ("prompt", "end")]:
        raise UsageError(f"--at {odd[0]} is no place for a probe", "say prompt or end")
    order = ForkOrder(run, "probe", tuple(probe or ()), places, samples, episodes, command=_command())
    limits = Limits(max_connections, requests_per_minute, tokens_per_minute)
    forks = limited_forks(prepare_forks(order), limits, Allowance(call_budget, token_budget, cost_budget))
    play_and_tell(_new_path(), forks, new=True, tolerated=fail_on_error)


@app.command()
def intervene(
    run: Run,
    by: Annotated[
        list[str],
        typer.Option("--by", help="What is done to the reasoning, such as removed or truncated:0.25; repeatable."),
    ],
    at: Annotated[str, typer.Option("--at", help="At which answer of the episode, from 1.")] = "last",
    repeats: Annotated[int, typer.Option(min=1, help="How often each is done to each episode.")] = 1,
    episodes: Episodes = None,
    paraphraser: Annotated[
        str | None, typer.Option(help="A profile whose role is paraphraser; by rule if left out.")
    ] = None,
    max_connections: MaxConnections = 20,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    call_budget: CallBudget = None,
    token_budget: TokenBudget = None,
    cost_budget: CostBudget = None,
    fail_on_error: FailOnError = 0.05,
) -> None:
    """Let stored episodes go on from other reasoning, in forks: does the reasoning carry the decision?"""
    from gyges.batch.flow import Limits
    from gyges.batch.fork import ForkOrder, limited_forks, prepare_forks
    from gyges.batch.spending import Allowance

    if at != "last" and not (at.isdecimal() and int(at) > 0):
        raise UsageError(f"--at {at} is no number of an answer", "count them from 1, or leave it out for the last")
    # What the rest is compared with: the same reasoning, given back as it was.
    names = tuple(dict.fromkeys(("unchanged", *by)))
    order = ForkOrder(run, "intervention", names, (at,), repeats, episodes, paraphraser, _command())
    limits = Limits(max_connections, requests_per_minute, tokens_per_minute)
    forks = limited_forks(prepare_forks(order), limits, Allowance(call_budget, token_budget, cost_budget))
    play_and_tell(_new_path(), forks, new=True, tolerated=fail_on_error)


def _command() -> str:
    return " ".join(["gyges", *sys.argv[1:]])


def _new_path() -> Path:
    from gyges.transcripts.runs import new_run_name, run_path

    return run_path(new_run_name())


def play_and_tell(path: Path, forks: PreparedForks, *, new: bool, tolerated: float) -> None:
    """Play the forks, grade what was done in them, and say what came of it."""
    from gyges.agents.forked import impossible
    from gyges.analysis.report import report_of
    from gyges.analysis.report_text import forks_to_text
    from gyges.batch.errors import check_errors
    from gyges.batch.fork_play import play_forks
    from gyges.batch.loop import run as run_loop
    from gyges.batch.progress import Progress
    from gyges.grading.run import grade_run
    from gyges.transcripts.reader import RunReader

    # LangGraph brings a tracer that uploads what it sees when the environment says so. Not here.
    os.environ["LANGSMITH_TRACING"] = "false"
    try:
        with Progress(forks.planned()) as progress:
            run_loop(play_forks(path, forks, progress.done, new=new))
    except KeyboardInterrupt:
        raise Interrupted(
            "stopped; what was played is kept", f"finish it with: gyges resume {path.stem}"
        ) from None
    if forks.order.kind == "intervention":
        grade_run(path)
    with RunReader(path) as reader:
        excused = impossible(reader)
        typer.echo(forks_to_text(report_of(reader)))
    typer.echo(f"forks        gyges show {path.stem}")
    check_errors(path, tolerated, excused)
