"""Model calls side by side: gyges with everything on, the bare SDKs, Inspect where it is installed.

    python benchmarks/run.py [--rounds 3] [--calls 2000] [--soak] [--json FILE] [--page FILE]
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
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

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
    both_cores: bool = False
    """Whether the contender may have both: where there is no provider that needs one."""


SETTINGS = (
    Setting(
        "0 ms, 64 connections",
        0.0,
        64,
        ("aiohttp", "openai-aiohttp", "openai", "anthropic-aiohttp", "gyges", "gyges-anthropic", "inspect"),
    ),
    Setting("0 ms, 64 connections, five turns", 0.0, 64, ("openai, 5 turns", "gyges, 5 turns")),
    Setting("300 ms, 64 connections", 0.3, 64, ("aiohttp", "openai", "gyges"), 0.5),
    # Ten thousand calls: of few, the first wave and the last are most.
    Setting("300 ms, 500 connections", 0.3, 500, ("aiohttp", "openai", "gyges"), 5.0),
    Setting("2 s, 500 connections", 2.0, 500, ("aiohttp", "gyges"), 5.0),
    Setting("2 s, 1000 connections", 2.0, 1000, ("aiohttp", "gyges"), 5.0),
    Setting(
        "organisms in the playing processes, 128 connections",
        0.0,
        128,
        ("gyges, 1 process", "gyges, 2 processes"),
        4.0,
        both_cores=True,
    ),
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


def measure(name: str, port: int, calls: int, connections: int, both_cores: bool = False) -> Figures:
    core = None if both_cores else cores()[0]
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
    how = setting.connections, setting.both_cores
    with mock(setting.latency) as port:
        for _ in range(rounds):
            for name in setting.contenders:
                if missing(name):
                    continue
                try:
                    found = measure(name, port, number // 4 if name == "inspect" else number, *how)
                except subprocess.CalledProcessError:
                    # A crowded machine makes some contenders time out; the others' figures stand.
                    print(f"{name} failed: {setting.name}", file=sys.stderr, flush=True)
                    continue
                print(f"{setting.name}: {name} {found['cpu_ms']:.2f} ms", file=sys.stderr, flush=True)
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
        if not figures:
            continue
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


def line(what: str, reached: float, goal: float) -> str:
    return f"| {what} | {reached:.2f} | at most {goal:.2f} | {'yes' if reached <= goal else '**no**'} |"


def line_least(what: str, reached: float, goal: float) -> str:
    return f"| {what} | {reached:,.1f} | at least {goal:,.1f} | {'yes' if reached >= goal else '**no**'} |"


def verdicts(found: dict[str, dict[str, Figures]]) -> Iterator[str]:
    """The goals, each with what was reached."""
    at_once, turns, narrow, wide, slow, slower, processes = (found.get(setting.name, {}) for setting in SETTINGS)

    def cpu(figures: dict[str, Figures], name: str) -> float:
        return figures[name]["cpu_ms"]

    def late(figures: dict[str, Figures], setting: Setting, at_most: str = "waiting") -> float:
        """The time by the clock, of what waiting takes at least (or working, where that is more)."""
        took = figures["gyges"]
        ideal = took["calls"] / setting.connections * setting.latency
        working = took["calls"] * took["cpu_ms"] / 1000
        return took["seconds"] / (max(ideal, working) if at_most == "working" else ideal)

    def pace(name: str) -> float:
        return processes[name]["calls"] / processes[name]["seconds"]

    one, two = "gyges, 1 process", "gyges, 2 processes"
    goals: tuple[tuple[str, Callable[[], float], float], ...] = (
        (
            "processor time a call, of the stock `openai` SDK's",
            lambda: cpu(at_once, "gyges") / cpu(at_once, "openai"),
            0.5,
        ),
        ("the same in five turns", lambda: cpu(turns, "gyges, 5 turns") / cpu(turns, "openai, 5 turns"), 0.5),
        (
            "processor time a call, of Inspect's",
            lambda: cpu(at_once, "gyges") / cpu(at_once, "inspect"),
            1 / 12,
        ),
        (
            "Anthropic's format, of the bare SDK's on aiohttp",
            lambda: cpu(at_once, "gyges-anthropic") / cpu(at_once, "anthropic-aiohttp"),
            1.5,
        ),
        ("500 connections, of 64 connections", lambda: cpu(wide, "gyges") / cpu(narrow, "gyges"), 1.15),
        ("300 ms, 500 connections: time, of the ideal", lambda: late(wide, SETTINGS[3], "working"), 1.15),
        ("2 s, 500 connections: time, of the ideal", lambda: late(slow, SETTINGS[4]), 1.15),
        ("2 s, 1000 connections: time, of the ideal", lambda: late(slower, SETTINGS[5]), 1.3),
        (
            "two processes: processor time a call, of one's",
            lambda: cpu(processes, two) / cpu(processes, one),
            1.1,
        ),
        ("two processes: seconds, of one's", lambda: pace(one) / pace(two), 1 / 1.7),
        ("MiB at 500 connections", lambda: wide["gyges"]["mib"], 250),
    )
    yield "| goal | reached | wanted | met |"
    yield "|---|---|---|---|"
    for what, reached, goal in goals:
        try:
            yield line(what, reached(), goal)
        except KeyError as missing_one:
            yield f"| {what} | not measured: {missing_one.args[0]} | at most {goal:.2f} | - |"


def store_verdicts(store: dict[str, Any], soak: dict[str, Any] | None) -> Iterator[str]:
    """The goals of the store, and of a run of 20,000 episodes where one was measured."""
    yield line_least("episodes of 10 kB stored a second", store["a_second"], 2000)
    first = store["listed"][0]
    yield line(f"seconds to open a run of {first['episodes']:,} episodes and list it", first["seconds"], 0.5)
    if soak:
        early, late = soak["mib"]
        yield line("MiB that 20,000 episodes need more than 4,000", late - early, 50)
        yield line("ms that 1 in 1,000 rounds of the loop is late, 500 at once", soak["late_ms"]["0.999"], 250)
        rates = soak["a_second"]
        yield line_least("pace of the last quarter of 20,000, in percent", 100 * rates[-1] / rates[0], 90)


def store_table(store: dict[str, Any], soak: dict[str, Any] | None) -> Iterator[str]:
    yield "### The store\n"
    yield (
        f"{store['a_second']:,.0f} episodes of 10 kB a second, {store['a_processor_second']:,.0f} for each second "
        "of processor; one core, group commits, 200 at once.\n"
    )
    yield "| opened and listed | seconds |"
    yield "|---|---|"
    for one in store["listed"]:
        yield f"| a run of {one['episodes']:,} episodes | {one['seconds']:.2f} |"
    if "inspect" in store:
        one = store["inspect"]
        yield f"| Inspect's log of {one['episodes']:,} samples | {one['seconds']:.2f} |"
    if soak:
        yield "\n### 20,000 episodes, 500 at once, without sockets, each thousandth answer 10 MB\n"
        yield "| MiB at 4,000, 20,000 | open files | ms late: half, 1 in 100, 1 in 1,000 | a second, by quarter |"
        yield "|---|---|---|---|"
        late = ", ".join(f"{soak['late_ms'][share]:.0f}" for share in ("0.5", "0.99", "0.999"))
        paces = ", ".join(f"{pace:.0f}" for pace in soak["a_second"])
        mib = ", ".join(f"{one:.0f}" for one in soak["mib"])
        yield f"| {mib} | {soak['files'][0]}, {soak['files'][1]} | {late} | {paces} |"


def measured_store() -> dict[str, object]:
    core = cores()[0]
    ended = subprocess.run(
        [sys.executable, str(HERE / "store.py"), "--json"],
        check=True,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: pinned(core),
    )
    found: dict[str, object] = json.loads(ended.stdout.splitlines()[-1])
    if not missing("inspect"):
        with mock(0.0) as port:
            command = [python_of("inspect"), str(HERE / "contenders.py"), "inspect log", "2000", str(port)]
            ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        found["inspect"] = json.loads(ended.stdout.splitlines()[-1])
    return found


def measured_soak() -> dict[str, object]:
    """A run of 20,000 episodes, as in the nightly test."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.soak", "20000", "500"]
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=folder, env=environment)
    found: dict[str, object] = json.loads(ended.stdout.splitlines()[-1])
    return found


def page(result: dict[str, object]) -> str:
    """The page docs/performance.md."""
    found = result["found"]
    assert isinstance(found, dict)
    used = result["versions"]
    assert isinstance(used, dict)
    store, soak = result["store"], result.get("soak")
    assert isinstance(store, dict)
    assert soak is None or isinstance(soak, dict)
    parts = [
        "# Performance\n",
        "<!-- Generated by `python benchmarks/run.py --page docs/performance.md`. -->\n",
        (HERE / "notes.md").read_text(encoding="utf-8"),
        f"Measured on {result['date']}: {result['machine']}, load {result['load']}. "
        + ", ".join(f"{name} {number}" for name, number in used.items())
        + ".\n",
        "## Goals\n",
        *verdicts(found),
        *store_verdicts(store, soak),
        "\n## Figures\n",
        *table(found),
        *store_table(store, soak),
    ]
    return "\n".join(parts).rstrip() + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Model calls side by side.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--soak", action="store_true", help="also 20,000 episodes, some minutes")
    parser.add_argument("--from", type=Path, dest="earlier")
    wanted = parser.parse_args(arguments)
    if wanted.earlier:
        wanted.page.write_text(page(json.loads(wanted.earlier.read_text(encoding="utf-8"))), encoding="utf-8")
        return
    before = os.getloadavg()[0]
    found = {setting.name: measured(setting, wanted.rounds, wanted.calls) for setting in SETTINGS}
    if wanted.json:
        # Half an hour's figures are not lost for what comes after them.
        wanted.json.write_text(json.dumps({"found": found}, indent=1) + "\n", encoding="utf-8")
    store, soak = measured_store(), measured_soak() if wanted.soak else None
    load = f"{before:.1f} before and {os.getloadavg()[0]:.1f} after"
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    result: dict[str, object] = {"date": date, "machine": machine(), "versions": versions(), "found": found}
    result |= {"load": load, "store": store, "soak": soak}
    print("\n".join([*table(found), *store_table(store, soak), *verdicts(found), *store_verdicts(store, soak)]))
    if wanted.json:
        wanted.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if wanted.page:
        wanted.page.write_text(page(result), encoding="utf-8")


if __name__ == "__main__":
    main()
