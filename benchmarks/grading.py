"""How many reasonings of 2,000 characters the graders read in a second on one core.

python benchmarks/grading.py
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from gyges.grading.default import offline_grader, rules_grader

GOLD = Path(__file__).parent.parent / "grading" / "gold" / "develop.jsonl"
CHARACTERS = 2_000
ROUNDS = 5


def reasonings() -> list[str]:
    """Texts of 2,000 characters each: each begins with one of those for development.

    The rest of each is the plain planning of an answer, as most of a real reasoning is.
    """
    rows = [json.loads(line) for line in GOLD.read_text().splitlines()[1:]]
    plain = " ".join(row["text"] for row in rows if not any(row["labels"].values()))
    heavy = [row["text"] for row in rows]
    return [(text + " " + plain[at * 37 % len(plain) :] + plain)[:CHARACTERS] for at, text in enumerate(heavy)]


def main() -> None:
    default, rules = offline_grader(), rules_grader()
    texts = reasonings()
    readers: list[tuple[str, Callable[[str], object]]] = [
        (rules.name, rules.read),
        (default.motives.name, default.motives.read),
        (default.alignment.name, default.alignment.findings),
        (default.name, default.findings),
    ]
    for name, read in readers:
        for text in texts:
            read(text)
        best = min(timed(read, texts) for _ in range(ROUNDS))
        print(f"{name}: {len(texts) / best:,.0f} reasonings of {CHARACTERS:,} characters a second and core")


def timed(read: Callable[[str], object], texts: list[str]) -> float:
    started = time.process_time()
    for text in texts:
        read(text)
    return time.process_time() - started


if __name__ == "__main__":
    main()
