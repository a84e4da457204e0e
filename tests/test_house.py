"""The house: one way down, nothing heavy at the door, nothing importable at the root."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gyges

SOURCE = Path(gyges.__file__).parent
ROOT = SOURCE.parent.parent
STAGES = (
    "errors",
    "study",
    "scenarios",
    "transcripts",
    "models",
    "agents",
    "batch",
    "grading",
    "analysis",
    "browse",
    "cli",
    "__main__",
)


def stage_of(module: Path) -> str:
    return module.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_stages(module: Path) -> set[str]:
    """Every stage of gyges that the module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "gyges" else []
            names += [node.module or ""]
        found |= {name.split(".")[1] for name in names if name.startswith("gyges.")}
    return found & set(STAGES)


MODULES = sorted(path for path in SOURCE.rglob("*.py") if path.parent != SOURCE or path.name != "__init__.py")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_stage_imports_only_stages_above_it(module: Path) -> None:
    own = STAGES.index(stage_of(module))
    below = {stage for stage in imported_stages(module) if STAGES.index(stage) > own}
    assert not below


def test_the_root_folders_are_no_packages() -> None:
    assert not [
        path
        for folder in ("scenarios", "agents", "grading", "transcripts")
        for path in (ROOT / folder).rglob("__init__.py")
    ]


def test_the_command_line_starts_without_anything_heavy() -> None:
    heavy = (
        "openai",
        "anthropic",
        "langgraph",
        "scipy",
        "pandas",
        "altair",
        "numpy",
        "aiohttp",
        "pydantic",
        "jinja2",
    )
    code = f"import sys, gyges.cli; print([name for name in {heavy!r} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
