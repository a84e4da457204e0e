"""Grading a run again."""

from __future__ import annotations

import typer

from gyges.cli.app import Run, app


@app.command()
def grade(name: Run = "latest") -> None:
    """Grade a run again, without playing it again; earlier grades are kept."""
    from gyges.grading.run import grade_run
    from gyges.transcripts.runs import find_run

    path = find_run(name)
    made = grade_run(path)
    typer.echo(f"{made.grades} grades in the set {made.name}; report them with: gyges report {path.stem}")
