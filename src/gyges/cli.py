"""The command line: one verb a function. It puts the stages together and knows none of their insides.

Standard output is for results, standard error for progress. what is heavy is imported by the verb that needs it,
so that `gyges --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gyges.errors import GygesError, Interrupted, UsageError

if TYPE_CHECKING:
    from gyges.analysis.result import Report
    from gyges.batch.run import Prepared

app = typer.Typer(
    help="Does a model act the same when it believes that nobody who could change it is looking?",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Run = Annotated[str, typer.Argument(help="A run: its name, the beginning of it, its file, or `latest`.")]

Scenarios = Annotated[list[str], typer.Argument(help="Families or scenarios.")]
Agents = Annotated[list[str], typer.Option("--agent", help="A profile or provider/model; may be repeated.")]
Samples = Annotated[int, typer.Option(help="Episodes of each plan.")]
BaseUrl = Annotated[str | None, typer.Option(help="The address of a compatible server.")]
Controls = Annotated[
    list[str] | None, typer.Option("--control", help="Play a control arm too: null, placebo, swap.")
]
MaxConnections = Annotated[int, typer.Option(help="Calls in flight at the most; fewer while a provider says 429.")]
RequestsPerMinute = Annotated[float | None, typer.Option(min=0.001, help="Of each model, at the most.")]
TokensPerMinute = Annotated[float | None, typer.Option(min=1, help="Of each model, at the most.")]
CallBudget = Annotated[int | None, typer.Option(min=0, help="Begin no pair that would take more calls than this.")]
TokenBudget = Annotated[int | None, typer.Option(min=0, help="The same for tokens, sent and received.")]
CostBudget = Annotated[float | None, typer.Option(min=0, help="The same for US dollars, by the prices you give.")]
FailOnError = Annotated[
    float, typer.Option(min=0, help="Exit with 1 above this share (from 1 on: number) of errors of an agent.")
]


def main() -> None:
    """Run the command line; every error of the program ends here as one message and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that can't show a character must not end a night's run.
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except GygesError as error:
        if os.environ.get("GYGES_DEBUG"):
            raise
        sys.stdout.flush()
        print(f"gyges: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:
        # The reader of our output (`| head`) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="The new study's folder.")]) -> None:
    """Make a study: its folders and a small family to begin with."""
    from gyges.scenarios.start import init as make

    for path in make(folder):
        typer.echo(str(path))
    typer.echo(f"next: cd {folder} && gyges check")


@app.command()
def check(paths: Annotated[list[str] | None, typer.Argument(help="Families, scenarios or files.")] = None) -> None:
    """Check everything authored: scenarios, agents, graders."""
    from gyges.agents.graphs import load_graph
    from gyges.agents.profile import load_profile, profile_names
    from gyges.agents.tools import load_tools
    from gyges.grading.default import default_graders
    from gyges.grading.looked_for import unlooked
    from gyges.scenarios.guard import check_guarded
    from gyges.scenarios.read import families, listed

    names = paths or families()
    if not paths:
        for name in profile_names():
            profile = load_profile(name)
            load_graph(profile.graph)
            if profile.tools:
                load_tools(profile.tools, profile.state)
        default_graders()
    problems = check_guarded(names)
    if not any(problem.severity == "error" for problem in problems):
        problems += unlooked(listed(names))
    for problem in problems:
        typer.echo(str(problem))
    errors = sum(problem.severity == "error" for problem in problems)
    typer.echo(f"{len(listed(names))} scenarios checked: {errors} errors, {len(problems) - errors} warnings")
    if errors:
        raise typer.Exit(2)


@app.command()
def render(
    scenario: Annotated[str, typer.Argument(help="A scenario's full name or file.")],
    diff: Annotated[bool, typer.Option("--diff", help="Show only where the contexts differ.")] = False,
) -> None:
    """Show what would be sent, and the difference between the contexts."""
    from gyges.scenarios.read import select
    from gyges.scenarios.show import difference_lines, plan_lines

    for found in select([scenario]):
        for line in difference_lines(found) if diff else plan_lines(found):
            typer.echo(line)


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
) -> None:
    """Play scenarios with agents, grade what they did and thought, and report."""
    from gyges.batch.flow import Limits
    from gyges.batch.run import Order, limited, prepare
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
            controls=tuple(control or ()),
            command=" ".join(["gyges", *sys.argv[1:]]),
        )
    )
    limits = Limits(max_connections, requests_per_minute, tokens_per_minute)
    prepared = limited(prepared, limits, Allowance(call_budget, token_budget, cost_budget))
    path = run_path(new_run_name())
    play_and_report(path, prepared, new=True, tolerated=fail_on_error)


@app.command()
def resume(
    name: Run,
    max_connections: MaxConnections = 20,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    call_budget: CallBudget = None,
    token_budget: TokenBudget = None,
    cost_budget: CostBudget = None,
    fail_on_error: FailOnError = 0.05,
) -> None:
    """Finish a run that stopped: what was answered is not asked again. Limits are those of this command."""
    from gyges.batch.flow import Limits
    from gyges.batch.run import limited, prepare_again
    from gyges.batch.spending import Allowance
    from gyges.transcripts.reader import RunReader
    from gyges.transcripts.runs import find_run

    path = find_run(name)
    with RunReader(path) as reader:
        prepared = prepare_again(reader.manifest)
        billed = len(reader.unanswered())
    if billed:
        typer.echo(f"possibly billed, no answer: {billed} calls (gyges status {path.stem} names them)", err=True)
    limits = Limits(max_connections, requests_per_minute, tokens_per_minute)
    prepared = limited(prepared, limits, Allowance(call_budget, token_budget, cost_budget))
    play_and_report(path, prepared, new=False, tolerated=fail_on_error)


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
    looks: Annotated[int, typer.Option(help="How often you will look at the growing run.", min=1, max=20)] = 1,
) -> None:
    """Calls, tokens, cost and the smallest gap this design can see, before anything is spent."""
    from gyges.analysis.design import design_lines, designs_of
    from gyges.batch.plan import agent_plans, lines
    from gyges.batch.run import Order, prepare

    if gap is not None and not 0 < gap < 1:
        raise UsageError(f"--gap {gap} is no share between 0 and 1", "write ten points as 0.1")
    prepared = prepare(
        Order(tuple(scenarios), tuple(agent), samples=samples, base_url=base_url, controls=tuple(control or ()))
    )
    for line in lines(agent_plans(prepared)):
        typer.echo(line)
    for line in design_lines(designs_of(prepared.plans, samples), len(agent), gap, looks):
        typer.echo(line)


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
    from gyges.batch.errors import check_errors
    from gyges.batch.loop import run as run_loop
    from gyges.batch.progress import Progress
    from gyges.batch.run import play_into, play_rest
    from gyges.grading.default import default_graders

    # Rules that can't be read must be known before anything is paid for.
    default_graders()
    # LangGraph brings a tracer that uploads what it sees when the environment says so. Not here.
    os.environ["LANGSMITH_TRACING"] = "false"
    play = play_into if new else play_rest
    try:
        with Progress(prepared.planned()) as progress:
            run_loop(play(path, prepared, progress.done))
    except KeyboardInterrupt:
        raise Interrupted(
            "stopped; what was played is kept", f"finish it with: gyges resume {path.stem}"
        ) from None
    grade_and_report(path)
    check_errors(path, tolerated)


def grade_and_report(path: Path) -> None:
    """Grade the run, print its report, and write the page and the figures beside it."""
    from gyges.analysis.report_json import to_json
    from gyges.grading.run import grade_run

    page, figures = path.with_suffix(".html"), path.with_suffix(".json")
    grade_run(path)
    print_report([path], html=page, overwrite=True)
    write_page(figures, to_json(reports_of([path], None, False)[0]), overwrite=True)
    typer.echo(f"\nreport       {page}\ntranscripts  gyges browse {path.stem}")


@app.command()
def show(
    name: Run = "latest",
    what: Annotated[str | None, typer.Argument(help="An episode's id (or its beginning), or a scenario.")] = None,
    sample: Annotated[int, typer.Option(help="With a scenario: which sample.")] = 0,
    agent: Annotated[str | None, typer.Option(help="With a scenario: whose.")] = None,
) -> None:
    """Read the transcripts of a run in the terminal: all of it, an episode, or the pair of a scenario."""
    from gyges.transcripts.reader import RunReader
    from gyges.transcripts.runs import find_run
    from gyges.transcripts.terminal import lines

    with RunReader(find_run(name)) as reader:
        for line in lines(reader, what, sample=sample, agent=agent, styled=sys.stdout.isatty()):
            typer.echo(line)


@app.command()
def grade(name: Run = "latest") -> None:
    """Grade a run again, without playing it again; earlier grades are kept."""
    from gyges.grading.run import grade_run
    from gyges.transcripts.runs import find_run

    path = find_run(name)
    made = grade_run(path)
    typer.echo(f"{made.grades} grades in the set {made.name}; report them with: gyges report {path.stem}")


@app.command()
def report(
    runs: Annotated[list[str] | None, typer.Argument(help="Runs; the latest if none is named.")] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="As a LaTeX table.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page.")] = None,
    grades: Annotated[str | None, typer.Option(help="The grade set; the latest if none is named.")] = None,
    acknowledge_missing: Annotated[
        bool, typer.Option("--acknowledge-missing", help="Missing data is known; say so and report.")
    ] = False,
) -> None:
    """Figures with their intervals, and what speaks against them."""
    from gyges.transcripts.runs import find_run

    forms = [form for form, chosen in (("json", json), ("markdown", markdown), ("latex", latex)) if chosen]
    if len(forms) > 1:
        raise UsageError(f"--{forms[0]} and --{forms[1]} exclude each other", "choose one")
    paths = [find_run(name) for name in runs or ["latest"]]
    print_report(
        paths, form=forms[0] if forms else "text", html=html, grades=grades, acknowledged=acknowledge_missing
    )


def print_report(
    paths: list[Path],
    *,
    form: str = "text",
    html: Path | None = None,
    grades: str | None = None,
    acknowledged: bool = False,
    overwrite: bool = False,
) -> None:
    """Print the report of the runs in one form, and write it as a page where `html` says."""
    from gyges.analysis.report_html import to_html
    from gyges.analysis.report_json import to_json
    from gyges.analysis.report_latex import to_latex
    from gyges.analysis.report_markdown import to_markdown
    from gyges.analysis.report_text import to_text

    reports, compared = reports_of(paths, grades, acknowledged)
    if html:
        write_page(html, to_html(reports), overwrite)
    match form:
        case "json":
            typer.echo(to_json(reports))
        case "markdown":
            typer.echo(to_markdown(reports))
        case "latex":
            typer.echo(to_latex(reports))
        case _:
            ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
            typer.echo(to_text(reports, ascii_only=ascii_only))
            for line in compared:
                typer.echo(line)


def reports_of(paths: list[Path], grades: str | None, acknowledged: bool) -> tuple[list[Report], list[str]]:
    """The reports of the runs, and of several what sets them apart, in lines."""
    from contextlib import ExitStack

    from gyges.analysis.report import compare_runs, report_of
    from gyges.analysis.words import compared
    from gyges.transcripts.reader import RunReader

    with ExitStack() as stack:
        readers = [stack.enter_context(RunReader(path)) for path in paths]
        reports = [report_of(reader, grades, missing_acknowledged=acknowledged) for reader in readers]
        differences = compare_runs(readers, grades) if len(readers) > 1 else ()
    return reports, [compared(difference) for difference in differences]


def write_page(path: Path, page: str, overwrite: bool) -> None:
    """Write the whole page or nothing. Raises UsageError where something would be lost."""
    if path.exists() and not overwrite:
        raise UsageError(f"{path} is there already", "name another file, or remove it")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", "make it, or name another file")
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(page, encoding="utf-8")
    unfinished.replace(path)


@app.command()
def browse(
    runs: Annotated[list[str] | None, typer.Argument(help="Runs; all there are if none is named.")] = None,
    static: Annotated[Path | None, typer.Option(help="Write one HTML file instead of serving.")] = None,
    choose: Annotated[
        str, typer.Option(help="With --static: which pairs, as in a table's address after the ?.")
    ] = "",
    port: Annotated[int, typer.Option(help="On loopback; the next free one if it is busy, 0 for any.")] = 8760,
    window: Annotated[bool, typer.Option("--window", help="Open the web browser.")] = False,
) -> None:
    """Read transcripts in a web browser, pairs side by side, or as one file."""
    from gyges.browse.export import write_static
    from gyges.browse.serve import serve as serve_pages
    from gyges.transcripts.runs import find_run, list_runs

    paths = [find_run(name) for name in runs] if runs else list_runs()
    if not paths:
        raise UsageError("there is no run to read", "make one with `gyges run` or `gyges import`")
    if static is None:
        serve_pages(paths, port=port, open_browser=window)
    else:
        typer.echo(f"{write_static(paths, static, choose)} pairs are in {static}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="Transcripts as JSON Lines, gzip allowed.")],
    behaviour: Annotated[
        str | None, typer.Option(help="Where the behaviour stands: label:NAME=VALUE; VALUE complies.")
    ] = None,
    options: Annotated[str, typer.Option(help="The label's values that count, as a,b; others are ungraded.")] = "",
    contrast: Annotated[str, typer.Option(help="The two contexts, in order.")] = "training,deployment",
) -> None:
    """Take in transcripts that were made elsewhere, and grade them."""
    from gyges.grading.label import read_label_spec
    from gyges.grading.run import grade_run
    from gyges.transcripts.importing import import_file
    from gyges.transcripts.runs import new_run_name, run_path

    if behaviour is not None:
        read_label_spec(behaviour, options)
    first, comma, second = contrast.partition(",")
    if not comma or not first or not second:
        raise UsageError(f"--contrast {contrast} does not name two contexts", "write --contrast FIRST,SECOND")
    path = run_path(new_run_name())
    taken = import_file(
        file,
        path,
        target="complies",
        contrast=(first, second),
        behaviour=behaviour or "",
        options=options,
        command=" ".join(["gyges", *sys.argv[1:]]),
    )
    made = grade_run(path)
    typer.echo(f"{made.episodes} episodes and {made.grades} grades are in {taken.run}")
    typer.echo(f"report them with: gyges report {taken.run}")


@app.command()
def export(
    name: Run,
    to: Annotated[str, typer.Option("--to", help="jsonl (imports back equal; grades stay here) or csv.")],
    file: Annotated[Path, typer.Argument(help="The file to write; .gz is allowed for jsonl.")],
) -> None:
    """Write a run's transcripts for other tools."""
    from gyges.transcripts.export import export as write
    from gyges.transcripts.reader import RunReader
    from gyges.transcripts.runs import find_run

    with RunReader(find_run(name)) as reader:
        typer.echo(f"{write(reader, to, file)} episodes are in {file}")


@app.command()
def verify(name: Run = "latest") -> None:
    """Does the store still say what was recorded? Hashes, ids, quotations and stored figures are checked."""
    from gyges.analysis.recompute import figures_agree
    from gyges.transcripts.runs import find_run
    from gyges.transcripts.verify import verify as problems_of

    path = find_run(name)
    problems = problems_of(path)
    problems += [] if problems else figures_agree(path)
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"{path.stem} is as it was recorded")


@app.command()
def serve(
    scenarios: Annotated[
        list[str] | None, typer.Argument(help="Families or scenarios the organisms know; all if none is named.")
    ] = None,
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8765,
    seed: Annotated[int, typer.Option(help="The root of the organisms' random effects and noise.")] = 1,
    witness: Annotated[Path | None, typer.Option(help="Log here what was received and fully sent.")] = None,
    key: Annotated[str | None, typer.Option(help="Accept this API key only.")] = None,
    faults: Annotated[
        Path | None, typer.Option(help="A schedule of faults, in YAML; see agents/README.md.")
    ] = None,
    until_stdin_closes: Annotated[
        bool, typer.Option("--until-stdin-closes", help="End with whoever started it and holds its input open.")
    ] = False,
) -> None:
    """Serve the organisms over the OpenAI and Anthropic wire formats, on loopback."""
    import asyncio
    from contextlib import suppress

    from gyges.models.organism import read_organisms
    from gyges.models.organism_corpus import Corpus, knows
    from gyges.models.serve import serve as serve_organisms
    from gyges.scenarios.plan import Seed
    from gyges.scenarios.read import families, select

    known = [one for scenario in select(scenarios or families()) for one in knows(scenario)]
    root = Seed(seed)

    def ready(url: str) -> None:
        print(f"gyges serve {url}", flush=True)

    with suppress(KeyboardInterrupt):
        asyncio.run(
            serve_organisms(
                read_organisms(Corpus(known), root),
                host=host,
                port=port,
                seed=root,
                key=key,
                witness=witness,
                faults=faults,
                until_closed=until_stdin_closes,
                ready=ready,
            )
        )
