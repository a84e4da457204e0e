"""The check in a child process with limits, for files from strangers.

Templates are bounded as they are (see `limits.py`); this holds even where those bounds have a hole.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from gyges.errors import Place, UsageError
from gyges.scenarios.check import check_names
from gyges.scenarios.problem import Problem

MAX_SECONDS = 60
"""Of processor time. The whole library takes a few."""
MAX_MEMORY = 2 * 1024**3
"""Bytes of address space."""


def check_guarded(names: Sequence[str], seconds: int = MAX_SECONDS, memory: int = MAX_MEMORY) -> list[Problem]:
    """As `check_names`, with limits of time and memory. Raises UsageError for an unknown name and for a limit."""
    order = json.dumps({"names": list(names), "seconds": seconds, "memory": memory})
    # -P: nothing that lies in the study's folder can be imported.
    command = [sys.executable, "-P", "-c", "from gyges.scenarios.guard import child; child()"]
    try:
        done = subprocess.run(
            command, input=order, capture_output=True, text=True, timeout=4 * seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UsageError(
            f"the check was stopped after {4 * seconds} s", "check the families one by one"
        ) from error
    if done.returncode != 0:
        limits = f"{seconds} s of processor time or {memory // 1024**2:,} MB"
        raise UsageError(f"the check needed more than {limits} and was stopped", "check the families one by one")
    answer = json.loads(done.stdout)
    if "usage" in answer:
        raise UsageError(*answer["usage"])
    return [_problem(entry) for entry in answer["problems"]]


def child() -> None:
    """What the child process does: one order in, one answer out."""
    order = json.load(sys.stdin)
    _limit(order["seconds"], order["memory"])
    try:
        problems = check_names(order["names"])
        answer: dict[str, object] = {"problems": [_entry(problem) for problem in problems]}
    except UsageError as error:
        answer = {"usage": [str(error)]}
    json.dump(answer, sys.stdout)


def _limit(seconds: int, memory: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _entry(problem: Problem) -> list[object]:
    place = problem.place
    return [problem.severity, str(place.file), place.line, place.column, problem.what, problem.to_do]


def _problem(entry: list[object]) -> Problem:
    severity, file, line, column, what, to_do = entry
    place = Place(Path(str(file)), _number(line), _number(column))
    return Problem("error" if severity == "error" else "warning", place, str(what), str(to_do))


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
