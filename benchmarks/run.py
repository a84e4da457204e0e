"""Model calls side by side: gyges with everything on, the bare SDKs, Inspect where it is installed.

    python benchmarks/run.py [--rounds 3] [--calls 2000] [--json FILE] [--page FILE]
    python benchmarks/run.py --from FILE --page FILE    write the page of an earlier measurement

INSPECT_PYTHON may name the interpreter of an environment that has inspect-ai.

Every contender runs in a process of its own against the same mock provider, which has the other core; what is
compared is processor time a call, in ratios of one round. The least of the rounds counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from contenders import missing as not_installed

HERE = Path(__file__).parent
Figures = dict[str, float]


@dataclass(frozen=True)
class Setting:
    """What is measured: how long the provider takes, calls at once, and by whom. `share` of the calls are made."""

    name: str
    latency: float
    connections: int
    contenders: tuple[str, ...]
    share: float = 1.0


SETTINGS = (
    Setting(
        "0 ms, 64 connections",
        0.0,
        64,
        ("aiohttp", "openai-aiohttp", "openai", "anthropic-aiohttp", "gyges", "gyges-anthropic", "inspect"),
    ),
    Setting("0 ms, 64 connections, five turns", 0.0, 64, ("openai, 5 turns", "gyges, 5 turns")),
    Setting("300 ms, 64 connections", 0.3, 64, ("aiohttp", "openai", "gyges"), 0.5),
    Setting("300 ms, 500 connections", 0.3, 500, ("aiohttp", "openai", "gyges"), 1.5),
)


def missing(name: str) -> bool:
    """Whether a contender can't be measured here."""
    return not_installed(name) and "INSPECT_PYTHON" not in os.environ


def cores() -> tuple[set[int] | None, set[int] | None]:
    """One for the contender and one for the provider, where there are two."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    first, *others = sorted(os.sched_getaffinity(0))
    return {first}, {others[0] if others else first}


def pinned(core: set[int] | None) -> None:
    if core is not None:
        os.sched_setaffinity(0, core)


@contextmanager
def mock(latency: float) -> Iterator[int]:
    """The port of a mock provider."""
    core = cores()[1]
    command = [sys.executable, str(HERE / "mock.py"), str(latency)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=lambda: pinned(core)
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def python_of(name: str) -> str:
    """The interpreter for a contender: Inspect may have an environment of its own."""
    return os.environ.get("INSPECT_PYTHON", sys.executable) if name == "inspect" else sys.executable


def measure(name: str, port: int, calls: int, connections: int) -> Figures:
    core = cores()[0]
    command = [python_of(name), str(HERE / "contenders.py"), name, str(port), str(calls), str(connections)]
    ended = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=lambda: pinned(core)
    )
    found: Figures = json.loads(ended.stdout.splitlines()[-1])
    return found


def measured(setting: Setting, rounds: int, calls: int) -> dict[str, Figures]:
    """By contender, the round that took the least processor time. Rounds are interleaved."""
    best: dict[str, Figures] = {}
    number = max(40, round(calls * setting.share / 20) * 20)
    with mock(setting.latency) as port:
        for _ in range(rounds):
            for name in setting.contenders:
                if missing(name):
                    continue
                found = measure(name, port, number // 4 if name == "inspect" else number, setting.connections)
                if name not in best or found["cpu_ms"] < best[name]["cpu_ms"]:
                    best[name] = found
    return best


def machine() -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [
            line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    found |= {name: version(name) for name in ("langgraph", "openai", "anthropic", "aiohttp", "uvloop")}
    if not missing("inspect"):
        code = "from importlib.metadata import version; print(version('inspect-ai'))"
        asked = subprocess.run([python_of("inspect"), "-c", code], check=True, capture_output=True, text=True)
        found["inspect-ai"] = asked.stdout.strip()
    return found


def table(found: dict[str, dict[str, Figures]]) -> Iterator[str]:
    """Markdown."""
    for setting in SETTINGS:
        figures = found.get(setting.name, {})
        stock = next(
            (one["cpu_ms"] for name, one in figures.items() if name in ("openai", "openai, 5 turns")), None
        )
        yield f"### {setting.name}\n"
        yield "| who | processor ms a call | of the stock `openai` SDK | seconds | calls | peak MiB |"
        yield "|---|---|---|---|---|---|"
        for name, one in figures.items():
            ratio = f"{one['cpu_ms'] / stock:.2f}" if stock else "-"
            yield (
                f"| {name} | {one['cpu_ms']:.2f} | {ratio} | {one['seconds']:.2f} "
                f"| {one['calls']:.0f} | {one['mib']:.0f} |"
            )
        yield ""


def verdicts(found: dict[str, dict[str, Figures]]) -> Iterator[str]:
    """The goals, each with what was reached."""
    at_once, turns, narrow, wide = (found[setting.name] for setting in SETTINGS)

    def line(what: str, reached: float, goal: float) -> str:
        return f"| {what} | {reached:.2f} | at most {goal:.2f} | {'yes' if reached <= goal else '**no**'} |"

    yield "| goal | reached | wanted | met |"
    yield "|---|---|---|---|"
    ours = at_once["gyges"]["cpu_ms"]
    yield line("processor time a call, of the stock `openai` SDK's", ours / at_once["openai"]["cpu_ms"], 0.5)
    reached = turns["gyges, 5 turns"]["cpu_ms"] / turns["openai, 5 turns"]["cpu_ms"]
    yield line("the same in five turns", reached, 0.5)
    yield line(
        "Anthropic's format, of the bare SDK's on aiohttp",
        at_once["gyges-anthropic"]["cpu_ms"] / at_once["anthropic-aiohttp"]["cpu_ms"],
        1.5,
    )
    yield line("500 connections, of 64 connections", wide["gyges"]["cpu_ms"] / narrow["gyges"]["cpu_ms"], 1.15)
    calls, setting = wide["gyges"]["calls"], SETTINGS[3]
    ideal = max(calls / setting.connections * setting.latency, calls * wide["gyges"]["cpu_ms"] / 1000)
    yield line("500 connections: time, of the ideal", wide["gyges"]["seconds"] / ideal, 1.15)
    if "inspect" in at_once:
        yield line("processor time a call, of Inspect's", ours / at_once["inspect"]["cpu_ms"], 1 / 12)
    else:
        yield "| processor time a call, of Inspect's | not installed here | at most 0.08 | - |"


def page(result: dict[str, object]) -> str:
    """The page docs/performance.md."""
    found = result["found"]
    assert isinstance(found, dict)
    used = result["versions"]
    assert isinstance(used, dict)
    parts = [
        "# Performance\n",
        "<!-- Generated by `python benchmarks/run.py --page docs/performance.md`. -->\n",
        (HERE / "notes.md").read_text(encoding="utf-8"),
        f"Measured on {result['date']}: {result['machine']}. "
        + ", ".join(f"{name} {number}" for name, number in used.items())
        + ".\n",
        "## Goals\n",
        *verdicts(found),
        "\n## Figures\n",
        *table(found),
    ]
    return "\n".join(parts).rstrip() + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Model calls side by side.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--from", type=Path, dest="earlier")
    wanted = parser.parse_args(arguments)
    if wanted.earlier:
        wanted.page.write_text(page(json.loads(wanted.earlier.read_text(encoding="utf-8"))), encoding="utf-8")
        return
    found = {setting.name: measured(setting, wanted.rounds, wanted.calls) for setting in SETTINGS}
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    result: dict[str, object] = {"date": date, "machine": machine(), "versions": versions(), "found": found}
    print("\n".join([*table(found), *verdicts(found)]))
    if wanted.json:
        wanted.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if wanted.page:
        wanted.page.write_text(page(result), encoding="utf-8")


if __name__ == "__main__":
    main()
