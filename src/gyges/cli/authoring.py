"""What is authored: a study made, checked, shown. It plays nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gyges.cli.app import app
from gyges.errors import several


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="The new study's folder.")]) -> None:
    """Make a study: its folders and a small family to begin with."""
    from gyges.scenarios.start import init as make

    for path in make(folder):
        typer.echo(str(path))
    typer.echo(f"next: cd {folder} && gyges check")


@app.command()
def check(
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Families, scenarios or files; all, with agents and graders, if left out."),
    ] = None,
) -> None:
    """Check everything authored: scenarios, agents, graders."""
    from gyges.scenarios.read import families

    given = paths or []
    agents, graders = ([path for path in given if _lies_in(folder, path)] for folder in ("agents", "grading"))
    if agents or not given:
        _check_agents()
    if graders or not given:
        _check_graders()
    names = [path for path in given if path not in (*agents, *graders)] or ([] if given else families())
    if names:
        _check_scenarios(names)


def _lies_in(folder: Literal["agents", "grading"], path: str) -> bool:
    """Whether this is a file or folder of that kind, of the study or the library."""
    from gyges import study

    here = Path(path).resolve()
    return here.exists() and any(here.is_relative_to(place.resolve()) for place in study.places(folder))


def _check_agents() -> None:
    """All that there are, whichever was named. Raises AuthoringError at the first fault."""
    from gyges.agents.graphs import load_graph
    from gyges.agents.profile import load_profile, profile_names
    from gyges.agents.tools import load_tools

    names = profile_names()
    for name in names:
        profile = load_profile(name, role=None)
        load_graph(profile.graph)
        if profile.tools:
            load_tools(profile.tools, profile.state)
    typer.echo(f"{several(len(names), 'agent')} checked: {', '.join(names)}")


def _check_graders() -> None:
    from gyges.grading.default import default_graders, judge_grader
    from gyges.grading.judge_file import judge_names

    default_graders()
    names = judge_names()
    for name in names:
        judge_grader(name)
    typer.echo(f"the default graders and {several(len(names), 'judge')} checked: {', '.join(names)}")


def _check_scenarios(names: list[str]) -> None:
    from gyges.grading.looked_for import unlooked
    from gyges.scenarios.guard import check_guarded
    from gyges.scenarios.read import listed

    problems = check_guarded(names)
    if not any(problem.severity == "error" for problem in problems):
        problems += unlooked(listed(names))
    for problem in problems:
        typer.echo(str(problem))
    errors = sum(problem.severity == "error" for problem in problems)
    found = f"{several(errors, 'error')}, {several(len(problems) - errors, 'warning')}"
    typer.echo(f"{several(len(listed(names)), 'scenario')} checked: {found}")
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
