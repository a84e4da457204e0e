"""Reading a run: its transcripts in terminal and browser, and whether the store says what was recorded."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gyges.cli.app import Run, app
from gyges.errors import UsageError, several


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
def browse(
    runs: Annotated[list[str] | None, typer.Argument(help="Runs; all there are if none is named.")] = None,
    static: Annotated[
        Path | None, typer.Option(help="Write one HTML file (a folder, if it is large or has no .html) instead.")
    ] = None,
    choose: Annotated[
        str, typer.Option(help="With --static: which pairs, as in a table's address after the ?.")
    ] = "",
    port: Annotated[int, typer.Option(help="On loopback; the next free one if it is busy, 0 for any.")] = 8760,
    window: Annotated[bool, typer.Option("--window", help="Open the web browser.")] = False,
) -> None:
    """Read transcripts in a web browser, pairs side by side, or as one file."""
    from gyges.transcripts.runs import find_run, list_runs

    paths = [find_run(name) for name in runs] if runs else list_runs()
    if not paths:
        raise UsageError("there is no run to read", "make one with `gyges run` or `gyges import`")
    if static is None:
        from gyges.browse.serve import serve as serve_pages

        serve_pages(paths, port=port, open_browser=window)
    else:
        # It brings all the statistics, which a server leaves to its children.
        from gyges.browse.export import write_static

        written = write_static(paths, static, choose)
        typer.echo(f"{several(written.pairs, 'pair')} written to {written.page}")


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
