"""Figures of runs, printed and written as pages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gyges.cli.app import app
from gyges.errors import UsageError, several

if TYPE_CHECKING:
    from gyges.analysis.result import Report


@app.command()
def report(
    runs: Annotated[list[str] | None, typer.Argument(help="Runs; the one played last if none is named.")] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="As Markdown.")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="As a LaTeX table.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Write the plots into this folder, as SVG and PNG.")] = None,
    grades: Annotated[str | None, typer.Option(help="The grade set; the latest if none is named.")] = None,
    acknowledge_missing: Annotated[
        bool, typer.Option("--acknowledge-missing", help="Missing data is known; say so and report.")
    ] = False,
    errors: Annotated[
        str,
        typer.Option(help="Correct by the grader's errors on these labels, even if it was made with them."),
    ] = "",
    monitors: Annotated[
        bool, typer.Option("--monitors", help="The graders as monitors: what they would catch, instead of gaps.")
    ] = False,
) -> None:
    """Figures with their intervals, and what speaks against them."""
    from gyges.transcripts.runs import find_run

    if monitors:
        if markdown or latex or html or plots:
            raise UsageError("--monitors has lines for a terminal and --json only", "leave the other form out")
        for name in runs or ["latest"]:
            _print_monitors(find_run(name), grades, json)
        return
    forms = [form for form, chosen in (("json", json), ("markdown", markdown), ("latex", latex)) if chosen]
    if len(forms) > 1:
        raise UsageError(f"--{forms[0]} and --{forms[1]} exclude each other", "choose one")
    paths = [find_run(name) for name in runs or ["latest"]]
    print_report(
        paths,
        form=forms[0] if forms else "text",
        html=html,
        grades=grades,
        acknowledged=acknowledge_missing,
        errors=errors,
    )
    if plots is not None:
        from gyges.analysis.plot_files import write_plots

        written = write_plots(reports_of(paths, grades, acknowledge_missing, errors)[0], plots)
        typer.echo(f"{several(len(written), 'file')} of plots written to {plots}", err=True)


def _print_monitors(path: Path, grades: str | None, as_json: bool) -> None:
    from gyges.analysis.monitor_words import lines, to_json
    from gyges.analysis.monitors import monitors as monitors_of
    from gyges.transcripts.reader import RunReader

    with RunReader(path) as reader:
        found = monitors_of(reader, grades)
    for line in [to_json(found)] if as_json else lines(found):
        typer.echo(line)


def print_report(
    paths: list[Path],
    *,
    form: str = "text",
    html: Path | None = None,
    grades: str | None = None,
    acknowledged: bool = False,
    errors: str = "",
    beside: bool = False,
) -> None:
    """Print the report of the runs in one form, and write it as a page where `html` says.

    With `beside`, of one run, the page and the figures are written beside its file too, over what stands there.
    """
    from gyges.analysis.report_html import to_html
    from gyges.analysis.report_json import to_json
    from gyges.analysis.report_latex import to_latex
    from gyges.analysis.report_markdown import to_markdown
    from gyges.analysis.report_text import to_text

    reports, compared = reports_of(paths, grades, acknowledged, errors)
    if html:
        write_page(html, to_html(reports), overwrite=False)
    if beside:
        _write_beside(paths[0], reports)
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


def refresh(path: Path) -> tuple[Path, str]:
    """Write the page and the figures beside a run anew, by its newest grades; returns the page and their name."""
    reports = reports_of([path], None, False)[0]
    told = reports[0].provenance
    return _write_beside(path, reports), told.grade_set if told else ""


def _write_beside(path: Path, reports: list[Report]) -> Path:
    from gyges.analysis.report_html import to_html
    from gyges.analysis.report_json import to_json

    write_page(path.with_suffix(".json"), to_json(reports), overwrite=True)
    write_page(path.with_suffix(".html"), to_html(reports), overwrite=True)
    return path.with_suffix(".html")


def reports_of(
    paths: list[Path], grades: str | None, acknowledged: bool, errors: str = ""
) -> tuple[list[Report], list[str]]:
    """The reports of the runs, and of several what sets them apart, in lines."""
    from contextlib import ExitStack

    from gyges.analysis.report import beside, compare_runs, report_of
    from gyges.analysis.sentences import compared
    from gyges.transcripts.reader import RunReader

    with ExitStack() as stack:
        readers = [stack.enter_context(RunReader(path)) for path in paths]
        reports = [
            report_of(reader, grades, missing_acknowledged=acknowledged, errors=errors) for reader in readers
        ]
        played = [reader for reader in readers if reader.manifest.forked is None]
        differences = compare_runs(played, grades) if len(played) > 1 else ()
    return beside(reports), [compared(difference) for difference in differences]


def write_page(path: Path, page: str, overwrite: bool) -> None:
    """Write the whole page or nothing. Raises UsageError where something would be lost."""
    if path.exists() and not overwrite:
        raise UsageError(f"{path} is there already", "name another file, or remove it")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", "make it, or name another file")
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(page, encoding="utf-8")
    unfinished.replace(path)
