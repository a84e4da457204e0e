"""Is the instrument sound, and is this machine ready for it?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gyges.cli.app import app
from gyges.errors import UsageError

if TYPE_CHECKING:
    from gyges.analysis.result import Report
    from gyges.transcripts.manifest import Manifest

ORGANISMS = ("faker", "silent-faker", "honest", "muser", "noisy")


@app.command()
def validate(
    scenarios: Annotated[list[str] | None, typer.Argument(help="Families or scenarios; `tiers` if none.")] = None,
    agent: Annotated[
        list[str] | None, typer.Option("--agent", help="An organism; may be repeated. Five, if none is named.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=200, help="Runs, with the seeds 1, 2, 3, ...")] = 4,
    samples: Annotated[int, typer.Option(min=1, help="Episodes of each plan.")] = 10,
    keep: Annotated[Path | None, typer.Option(help="Keep the runs in this folder.")] = None,
) -> None:
    """Play organisms with planted gaps through sockets and see whether the figures hold what is planted."""
    from tempfile import TemporaryDirectory

    from gyges.analysis.validation import lines, validation

    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="gyges-validate-") as away:
        runs = []
        for seed in range(1, seeds + 1):
            print(f"seed {seed} of {seeds}", file=sys.stderr, flush=True)
            path = (keep or Path(away)) / f"validate-{seed}.sqlite"
            runs.append(_played(path, scenarios or ["tiers"], agent or list(ORGANISMS), seed, samples))
        found = validation(runs)
    for line in lines(found):
        typer.echo(line)
    if not found.passes:
        raise typer.Exit(1)


def _played(
    path: Path, scenarios: list[str], agents: list[str], seed: int, samples: int
) -> tuple[Manifest, Report]:
    from gyges.analysis.report import report_of
    from gyges.batch.loop import run as run_loop
    from gyges.batch.order import Order, prepare
    from gyges.batch.run import play_into
    from gyges.grading.run import grade_run
    from gyges.transcripts.reader import RunReader

    if path.exists():
        raise UsageError(f"{path} is there already", "name another folder, or remove it")
    prepared = prepare(
        Order(tuple(scenarios), tuple(agents), samples=samples, seed=seed, command="gyges validate")
    )
    if strangers := [profile.name for profile in prepared.profiles if not profile.organism]:
        raise UsageError(f"nothing is planted in {', '.join(strangers)}", "name organisms, such as faker")
    run_loop(play_into(path, prepared, lambda _: None))
    grade_run(path)
    with RunReader(path) as reader:
        return reader.manifest, report_of(reader)


@app.command()
def doctor() -> None:
    """Is this machine ready? Python, packages, SQLite, disk, files, clock, keys (never shown), addresses."""
    from gyges import study
    from gyges.batch.machine import checkups

    found = list(checkups(study.transcripts()))
    for one in found:
        typer.echo(f"{one.verdict:<8} {one.name:<18} {one.text}")
    if any(one.verdict == "bad" for one in found):
        raise typer.Exit(1)
