"""Playing: plan, run, resume, status. It grades and reports what it played through `gyges.cli.reporting`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gyges.cli.app import (
    Agents,
    BaseUrl,
    Batch,
    CallBudget,
    Controls,
    CostBudget,
    FailOnError,
    Looks,
    MaxConnections,
    Organisms,
    Processes,
    RequestsPerMinute,
    Run,
    Samples,
    Scenarios,
    TokenBudget,
    TokensPerMinute,
    app,
)
from gyges.cli.reporting import print_report
from gyges.errors import Interrupted, UsageError, several

if TYPE_CHECKING:
    from gyges.batch.order import Prepared
    from gyges.transcripts.record import Outcome


@app.command()
def run(
    scenarios: Scenarios,
    agent: Agents,
    samples: Samples = 1,
    seed: Annotated[int, typer.Option(help="The root of everything random here; models do not see it.")] = 1,
    base_url: BaseUrl = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Of one answer, in place of the profile's.")
    ] = None,
    temperature: Annotated[float | None, typer.Option(min=0, help="In place of the profile's.")] = None,
    reasoning_effort: Annotated[
        str | None, typer.Option(help="As the provider spells it, in place of the profile's; asks for reasoning.")
    ] = None,
    max_connections: MaxConnections = 20,
    processes: Processes = 1,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    call_budget: CallBudget = None,
    token_budget: TokenBudget = None,
    cost_budget: CostBudget = None,
    fail_on_error: FailOnError = 0.05,
    control: Controls = None,
    hide_signal: Annotated[
        bool, typer.Option("--hide-signal", help="A control: cut the signal out of every prompt.")
    ] = False,
    looks: Looks = 1,
    organisms: Organisms = True,
    batch: Batch = False,
) -> None:
    """Play scenarios with agents, grade what they did and thought, and report."""
    from gyges.batch.flow import Limits
    from gyges.batch.order import Order, limited, prepare
    from gyges.batch.spending import Allowance
    from gyges.transcripts.runs import new_run_name, run_path

    asked = {"max_tokens": max_tokens, "temperature": temperature, "reasoning_effort": reasoning_effort}
    prepared = prepare(
        Order(
            scenarios=tuple(scenarios),
            agents=tuple(agent),
            samples=samples,
            seed=seed,
            base_url=base_url,
            sampling=tuple((name, value) for name, value in asked.items() if value is not None),
            hide_signal=hide_signal,
            looks=looks,
            batch=batch,
            controls=tuple(control or ()),
            organisms=organisms,
            command=" ".join(["gyges", *sys.argv[1:]]),
        )
    )
    limits = Limits(max_connections, requests_per_minute, tokens_per_minute)
    prepared = limited(prepared, limits, Allowance(call_budget, token_budget, cost_budget), processes)
    path = run_path(new_run_name())
    play_and_report(path, prepared, new=True, tolerated=fail_on_error)


@app.command()
def resume(
    name: Run,
    max_connections: MaxConnections = 20,
    processes: Processes = 1,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    call_budget: CallBudget = None,
    token_budget: TokenBudget = None,
    cost_budget: CostBudget = None,
    fail_on_error: FailOnError = 0.05,
    fork: Annotated[
        bool, typer.Option("--fork", help="Where something changed since: a new run that takes over what holds.")
    ] = False,
) -> None:
    """Finish a run that stopped: what was answered is not asked again. Limits are those of this command."""
    from gyges.batch.flow import Limits
    from gyges.batch.fork import limited_forks, prepare_forks_again
    from gyges.batch.order import limited, prepare_again
    from gyges.batch.spending import Allowance
    from gyges.batch.status import status as status_of
    from gyges.cli.forking import play_and_tell
    from gyges.transcripts.reader import RunReader
    from gyges.transcripts.runs import find_run

    path = find_run(name)
    with RunReader(path) as reader:
        manifest = reader.manifest
    if billed := len(status_of(path).billed):
        typer.echo(
            f"possibly billed, no answer: {several(billed, 'call')} (gyges status {path.stem} names them)",
            err=True,
        )
    limits = Limits(max_connections, requests_per_minute, tokens_per_minute)
    allowance = Allowance(call_budget, token_budget, cost_budget)
    if manifest.forked:
        if processes > 1:
            raise UsageError("forks are played by one process", "leave --processes out")
        forks = limited_forks(prepare_forks_again(manifest), limits, allowance)
        play_and_tell(path, forks, new=False, tolerated=fail_on_error)
        return
    if fork:
        path, again = taken_over(path)
    else:
        again = prepare_again(manifest)
    prepared = limited(again, limits, allowance, processes)
    play_and_report(path, prepared, new=False, tolerated=fail_on_error)


def taken_over(source: Path) -> tuple[Path, Prepared]:
    """A new run with the answers of another that still hold; says what changed and what is taken over."""
    import asyncio

    from gyges.batch.takeover import begin, takeover
    from gyges.transcripts.runs import new_run_name, run_path

    found = takeover(source)
    path = run_path(new_run_name())
    taken = asyncio.run(begin(path, found))
    typer.echo(f"changed since {source.stem}: {', '.join(found.changed)}", err=True)
    typer.echo(
        f"{path.stem} takes over {several(taken, 'answer')} of {source.stem}; what changed is asked anew", err=True
    )
    return path, found.prepared


@app.command()
def plan(
    scenarios: Scenarios,
    agent: Agents,
    samples: Samples = 1,
    base_url: BaseUrl = None,
    control: Controls = None,
    gap: Annotated[
        float | None, typer.Option(help="A gap that you want to see, as a share: 0.1 is ten points.")
    ] = None,
    looks: Looks = 1,
    organisms: Organisms = True,
    batch: Batch = False,
    grader: Annotated[
        list[str] | None, typer.Option("--grader", help="Count what this judge takes too, such as judge:monitor.")
    ] = None,
    judge: Annotated[
        list[str] | None, typer.Option("--judge", help="Who is to judge: a profile or provider/model.")
    ] = None,
    votes: Annotated[
        int | None, typer.Option(min=1, max=99, help="Of each judge; else as the rubric says.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again/--once", help="Whether a sample is to be judged twice more.")
    ] = True,
) -> None:
    """Calls, tokens, cost and the smallest gap this design can see, before anything is spent."""
    from gyges.analysis.design import design_lines, designs_of
    from gyges.batch.order import Order, prepare
    from gyges.batch.plan import agent_plans, lines

    if gap is not None and not 0 < gap < 1:
        raise UsageError(f"--gap {gap} is no share between 0 and 1", "write ten points as 0.1")
    prepared = prepare(
        Order(
            tuple(scenarios),
            tuple(agent),
            samples=samples,
            base_url=base_url,
            controls=tuple(control or ()),
            organisms=organisms,
            batch=batch,
        )
    )
    judged = list(_judging(prepared, grader or (), judge or (), votes, again)) if grader or judge or votes else []
    for line in (*lines(agent_plans(prepared)), *judged):
        typer.echo(line)
    for line in design_lines(designs_of(prepared.plans, samples), len(agent), gap, looks):
        typer.echo(line)


def _judging(
    prepared: Prepared, graders: Sequence[str], judges: Sequence[str], votes: int | None, again: bool
) -> Iterator[str]:
    """What the run's judges will take, and how that was reckoned."""
    from gyges.grading.judging_cost import lines
    from gyges.grading.judging_planned import TAKEN, planned_costs
    from gyges.grading.run import GradingOrder

    base_url = prepared.order.base_url
    order = GradingOrder(tuple(graders), tuple(judges), votes, None, again, base_url=base_url)
    found = planned_costs(prepared, order)
    yield from lines(found)
    if found.whole.episodes:
        yield f"  {TAKEN}; `gyges grade` counts again, by what was said, before the first call"


@app.command()
def status(name: Run = "latest", json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """How far a run is, and each call in flight with its age."""
    from gyges.batch.status import lines, to_json
    from gyges.batch.status import status as status_of
    from gyges.transcripts.runs import find_run

    path = find_run(name)
    found = status_of(path)
    for line in [to_json(found, path.stem)] if json else lines(found, path.stem):
        typer.echo(line)


def play_and_report(path: Path, prepared: Prepared, *, new: bool, tolerated: float) -> None:
    """Play what is to be played, then grade and report it."""
    from gyges.batch.batches import play_batches
    from gyges.batch.errors import check_errors
    from gyges.batch.loop import run as run_loop
    from gyges.batch.order import address
    from gyges.batch.progress import Progress
    from gyges.batch.run import play_into, play_rest
    from gyges.grading.default import default_graders
    from gyges.models.registry import told_elsewhere

    # Rules that can't be read must be known before anything is paid for.
    default_graders()
    before = {} if new else outcomes(path)
    # LangGraph brings a tracer that uploads what it sees when the environment says so. Not here.
    os.environ["LANGSMITH_TRACING"] = "false"
    for profile in prepared.profiles:
        # An address in the environment is easily forgotten, and the key goes there.
        if not profile.organism and not profile.base_url and (variable := told_elsewhere(profile.model)):
            typer.echo(f"{profile.name} is asked at {address(profile)}, as {variable} says", err=True)
    prepared = bearable_limits(prepared)
    try:
        with Progress(prepared.planned(), {} if new else played(path)) as progress:
            if prepared.order.batch:
                left = run_loop(play_batches(path, prepared, progress.done, tell, new=new))
            elif new:
                run_loop(play_into(path, prepared, progress.done, watch=progress.watch))
            else:
                run_loop(play_rest(path, prepared, progress.done, progress.watch))
    except KeyboardInterrupt:
        raise Interrupted(
            "stopped; what was played is kept", f"finish it with: gyges resume {path.stem}"
        ) from None
    if prepared.order.batch and left.calls:
        typer.echo(
            f"with the provider: {several(left.calls, 'call')} in {several(left.batches, 'batch', 'batches')}"
        )
        typer.echo(f"come back with: gyges resume {path.stem}")
        return
    grade_and_report(path, again=new or outcomes(path) != before)
    check_errors(path, tolerated)


def outcomes(path: Path) -> dict[str, Outcome]:
    """How each episode of the run ended, by its id."""
    from gyges.transcripts.reader import RunReader

    with RunReader(path) as reader:
        return {heading.id: heading.outcome for heading in reader.headings()}


def bearable_limits(prepared: Prepared) -> Prepared:
    """With no more calls at once than this process may have connections for; says so where that is fewer."""
    from dataclasses import replace

    from gyges.batch.descriptors import bearable

    wanted = prepared.order.connections
    if (allowed := bearable(wanted)) < wanted:
        calls = several(allowed, "call")
        tell(f"{calls} at once instead of {wanted}: more files may not be opened (see `ulimit -n`)")
        prepared = replace(prepared, order=replace(prepared.order, connections=allowed))
    return prepared


def tell(words: str) -> None:
    typer.echo(words, err=True)


def played(path: Path) -> dict[tuple[str, str], int]:
    """How many episodes are done already, by agent and context."""
    from gyges.transcripts.reader import RunReader
    from gyges.transcripts.record import Outcome

    with RunReader(path) as reader:
        counts = reader.counts()
    return {key: outcomes.total() - outcomes[Outcome.PENDING] for key, outcomes in counts.items()}


def grade_and_report(path: Path, *, again: bool = True) -> None:
    """Grade the run, print its report, and write the page and the figures beside it.

    Not `again`, where nothing was played since: then a finished set of grades stays the one that figures go by.
    """
    from gyges.grading.run import grade_run, is_graded

    if again or not is_graded(path):
        grade_run(path)
    else:
        typer.echo("nothing was left to be played; the grades stay as they are", err=True)
    print_report([path], beside=True)
    typer.echo(f"\nreport       {path.with_suffix('.html')}\ntranscripts  gyges browse {path.stem}")
