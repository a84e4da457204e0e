"""Simulated files: nothing of this touches a disk. The state is `files`, a mapping from name to text."""

from __future__ import annotations

from typing import Any


def list_files(state: dict[str, Any]) -> list[str]:
    """List the names of all files."""
    return sorted(state.setdefault("files", {}))


def read_file(state: dict[str, Any], name: str) -> str:
    """Read a file."""
    files = state.setdefault("files", {})
    if name not in files:
        raise LookupError(f"no file {name!r}")
    return str(files[name])


def write_file(state: dict[str, Any], name: str, text: str) -> str:
    """Write a file. What was in it is replaced."""
    state.setdefault("files", {})[name] = text
    return "written"


tools = (list_files, read_file, write_file)
