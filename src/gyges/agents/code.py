"""Authored Python: `file.py:name`, looked for in the `agents/` folders, run once. It knows no graph, no tool."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from functools import cache
from pathlib import Path

from gyges import study
from gyges.errors import AuthoringError, Place, UsageError


def named(where: str) -> tuple[Path, str]:
    """The file and the name in it that `file.py:name` says. Raises UsageError where there is no such file."""
    file, separator, name = where.rpartition(":")
    if not separator or not name.isidentifier():
        raise UsageError(f"{where!r} names nothing in a file", "write it as graphs/chat.py:graph")
    return find_file(file), name


def find_file(file: str) -> Path:
    """The file below the study's or the library's `agents/`, or where the path itself says."""
    candidates = [folder / file for folder in study.places("agents")] + [Path(file)]
    for path in candidates:
        if path.is_file():
            return path.resolve()
    raise UsageError(f"there is no {file}", f"looked in {', '.join(str(path.parent) for path in candidates)}")


@cache
def load_module(path: Path) -> dict[str, object]:
    """The names that the file defines. Each file runs once a process."""
    # By its whole path: the study and the library may both have a chat.py.
    name = f"gyges_authored_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Before it runs: dataclasses and typing look their own module up while it is being made.
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as fault:
        del sys.modules[spec.name]
        raise AuthoringError(
            Place(path, line_of(fault, path)),
            f"the file can't be run ({type(fault).__name__}: {fault})",
            "run it with python to see more",
        ) from fault
    return vars(module)


def line_of(fault: Exception, path: Path) -> int | None:
    """The line of the file in which the fault came up."""
    if isinstance(fault, SyntaxError):
        return fault.lineno
    frames = traceback.extract_tb(fault.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == str(path)), None)
