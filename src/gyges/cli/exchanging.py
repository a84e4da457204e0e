"""Transcripts to and from other tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gyges.cli.app import Run, app
from gyges.errors import UsageError, several


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="Transcripts as JSON Lines, gzip allowed.")],
    behaviour: Annotated[
        str | None, typer.Option(help="Where the behaviour stands: label:NAME=VALUE; VALUE complies.")
    ] = None,
    options: Annotated[str, typer.Option(help="The label's values that count, as a,b; others are ungraded.")] = "",
    contrast: Annotated[
        str | None,
        typer.Option(
            help="The two contexts, in order; by default as exported lines declare, or training,deployment."
        ),
    ] = None,
) -> None:
    """Take in transcripts that were made elsewhere, and grade them."""
    from gyges.grading.label import read_label_spec
    from gyges.grading.run import grade_run
    from gyges.transcripts.importing import import_file
    from gyges.transcripts.runs import new_run_name, run_path

    if behaviour is not None:
        read_label_spec(behaviour, options)
    first, _, second = (contrast or "").partition(",")
    if contrast is not None and not (first and second):
        raise UsageError(f"--contrast {contrast} does not name two contexts", "write --contrast FIRST,SECOND")
    path = run_path(new_run_name())
    taken = import_file(
        file,
        path,
        target="complies",
        contrast=(first, second) if contrast else None,
        behaviour=behaviour or "",
        options=options,
        command=" ".join(["gyges", *sys.argv[1:]]),
    )
    made = grade_run(path)
    typer.echo(f"{several(made.episodes, 'episode')} and {several(made.grades, 'grade')} stored in {taken.run}")
    if behaviour is None and all(one.behaviour is None for one in taken.scenarios):
        typer.echo("no behaviour is declared, so there is no gap to tell: see --behaviour", err=True)
    typer.echo(f"report them with: gyges report {taken.run}")


@app.command()
def export(
    name: Run,
    file: Annotated[Path, typer.Argument(help="The file to write; .gz is allowed for jsonl.")],
    to: Annotated[
        str | None,
        typer.Option(
            help="jsonl (imports back equal, to be graded anew) or csv; by default as the file's name ends."
        ),
    ] = None,
) -> None:
    """Write a run's transcripts for other tools."""
    from gyges.transcripts.export import export as write
    from gyges.transcripts.reader import RunReader
    from gyges.transcripts.runs import find_run

    with RunReader(find_run(name)) as reader:
        typer.echo(f"{several(write(reader, file, to), 'episode')} written to {file}")
