"""How many reasonings of 2,000 characters the graders read in a second on one core.

    python benchmarks/grading.py

Each text's best of several rounds counts, since other work on the machine can only make it slower.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path

from gyges.errors import UsageError
from gyges.grading.default import encoder_grader, motives_reader, offline_grader, reasoning_grader, rules_grader
from gyges.grading.encoder_file import NAME as ENCODER
from gyges.grading.sentences import _cut

ROOT = Path(__file__).parent.parent
GOLD = ROOT / "grading" / "gold" / "develop.jsonl"
REAL = ROOT.parent / "shared" / "data" / "vlaf-paired.jsonl.gz"
CHARACTERS = 2_000
ROUNDS = 7
SOME = 100
FEW = 10


def dense() -> list[str]:
    """Texts of 2,000 characters each, in which every other sentence has the topic's words.

    Each begins with one of those for development; the rest is what they say of other matters.
    """
    rows = [json.loads(line) for line in GOLD.read_text().splitlines()[1:]]
    plain = " ".join(row["text"] for row in rows if not any(row["labels"].values()))
    heavy = [row["text"] for row in rows]
    return [(text + " " + plain[at * 37 % len(plain) :] + plain)[:CHARACTERS] for at, text in enumerate(heavy)][
        :SOME
    ]


def real() -> list[str]:
    """The first 2,000 characters of a real model's reasonings; none where the file is not there."""
    if not REAL.exists():
        return []
    with gzip.open(REAL, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["messages"][-1]["content"] for line in lines]
    thoughts = [text.split("</think>")[0] for text in texts if "<think>" in text]
    return [text[:CHARACTERS] for text in thoughts if len(text) >= CHARACTERS][::9][:SOME]


def main() -> None:
    default, rules = offline_grader(), rules_grader()
    alignment, motives = reasoning_grader(), motives_reader()
    readers: list[tuple[str, Callable[[str], object]]] = [
        (rules.name, rules.read),
        (motives.rules.name, motives.rules.read),
        (motives.name, motives.read),
        (alignment.name, alignment.findings),
        (default.name, default.findings),
    ]
    try:
        encoder = encoder_grader()
        readers.append((encoder.name, encoder.findings))
    except UsageError as error:
        print(f"{error}: not measured")
    for kind, texts in (("dense with the topic", dense()), ("of a real model", real())):
        for name, read in readers if texts else ():
            texts = texts[:FEW] if name == ENCODER else texts  # it is the last, and slow
            for text in texts:
                read(text)
            spent = sum(min(timed(read, text) for _ in range(ROUNDS)) for text in texts)
            print(f"{name}: {len(texts) / spent:,.0f} reasonings of {CHARACTERS:,} characters a second, {kind}")


def timed(read: Callable[[str], object], text: str) -> float:
    _cut.cache_clear()  # within one reading it is shared, over several rounds it must not be
    started = time.process_time()
    read(text)
    return time.process_time() - started


if __name__ == "__main__":
    main()
