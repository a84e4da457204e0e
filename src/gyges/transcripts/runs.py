"""The runs of a study: their names and where they lie. Of what is in them it asks only where that came from."""

from __future__ import annotations

import difflib
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from gyges import study
from gyges.errors import StoreError, UsageError
from gyges.transcripts.reader import RunReader

SUFFIX = ".sqlite"

_TIMED = re.compile(r"\d{8}T\d{6}Z")


def now() -> datetime:
    return datetime.now(UTC)


def new_run_name(clock: Callable[[], datetime] = now, noise: Callable[[int], str] = secrets.token_hex) -> str:
    """Such as `20261121T083603Z-5e9f03`: sorts by time, is safe as a file name, differs within a second.

    The noise is not from the seed tree: two runs of the same seed need two names.
    """
    return f"{clock().astimezone(UTC):%Y%m%dT%H%M%SZ}-{noise(3)}"


def run_path(name: str, start: Path | None = None) -> Path:
    """Where a run of this name lies, or would."""
    return study.transcripts(start) / f"{name}{SUFFIX}"


def list_runs(start: Path | None = None) -> list[Path]:
    """The runs of the study, oldest first."""
    return sorted(study.transcripts(start).glob(f"*{SUFFIX}"), key=lambda path: (_time(path), path.name))


def _time(path: Path) -> str:
    """The time in the name; for a run that was given a name, when its file was changed last."""
    found = _TIMED.match(path.name)
    return found[0] if found else f"{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y%m%dT%H%M%SZ}"


def find_run(name: str, start: Path | None = None) -> Path:
    """The run's file, by name, unambiguous beginning of a name, path, or `latest`. Raises UsageError.

    `latest` is the run that was played last: neither forks nor what was imported."""
    runs = list_runs(start)
    if name == "latest" and runs:
        return next(filter(_played, reversed(runs)), runs[-1])
    by_name = {path.stem: path for path in runs}
    if name in by_name:
        return by_name[name]
    if _is_file(name):
        return Path(name)
    matches = [path for stem, path in by_name.items() if name and stem.startswith(name)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(f"several runs begin with {name!r}", f"it could be {_listed([p.stem for p in matches])}")
    raise UsageError(f"there is no run {name!r}", _advice(name, list(by_name), start))


def _played(run: Path) -> bool:
    """Whether it was played here; also where that can't be read, which whoever opens it will hear."""
    try:
        with RunReader(run) as reader:
            return reader.manifest.source == "played"
    except StoreError:
        return True


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # Too long, or with a character that no name can have.
        return False


def _advice(name: str, names: list[str], start: Path | None) -> str:
    if not names:
        return f"there are no runs in {study.transcripts(start)}; `gyges run` makes one"
    return f"the nearest are {_listed(difflib.get_close_matches(name, names, n=3, cutoff=0.0))}"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
