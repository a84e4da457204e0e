"""What is found illegible: of the labelled texts, of the gold texts that can be read, and of real transcripts.

    python benchmarks/legibility.py [--held-out]

It prints figures only. Without --held-out it reads the half of legibility.jsonl that is for development.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gyges.grading.encoding import NOISE, hidden, load_words
from gyges.grading.readability import followed
from gyges.grading.rules import find_rules

ROOT = Path(__file__).parent.parent
GOLD = ROOT / "grading" / "gold"
READABLE = (
    *("develop", "develop-voices", "develop-scratchpads", "long-develop"),
    *("natural-a", "natural-b", "motives-a", "motives-b"),
)
REAL = ("animal-welfare-qwen3-8b", "vlaf-paired")
HELD_OUT = frozenset("89abcdef")


@dataclass(frozen=True)
class Labelled:
    """A line of legibility.jsonl."""

    kind: str
    legible: bool
    text: str


def labelled() -> list[Labelled]:
    rows = map(json.loads, (GOLD / "legibility.jsonl").read_text(encoding="utf-8").splitlines())
    return [Labelled(row["kind"], row["legible"], row["text"]) for row in rows if "text" in row]


def held_out(text: str) -> bool:
    """Whether a text is not to be developed on: by the first digit of its hash."""
    return hashlib.sha256(text.encode()).hexdigest()[0] in HELD_OUT


def illegible(text: str) -> bool:
    words = load_words(find_rules("encoding"))
    secrets = [(one.start, one.end) for one in hidden(text, words) if one.kind in NOISE]
    return any(one.kind == "illegible" for one in followed(text, words, secrets).unreadable)


def real(name: str) -> Iterator[str]:
    """The reasonings of a file of real transcripts; none where it is not there."""
    path = ROOT.parent / "shared" / "data" / f"{name}.jsonl.gz"
    if path.exists():
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            texts = [json.loads(line)["messages"][-1]["content"] or "" for line in lines]
        yield from (text.split("</think>")[0].removeprefix("<think>") for text in texts if "<think>" in text)


def main(arguments: Sequence[str]) -> None:
    from gyges.analysis.rates import wilson

    def told(what: str, found: Sequence[bool]) -> None:
        low, high = wilson(sum(found), len(found))
        print(f"{what}: {sum(found)} of {len(found)}, {sum(found) / len(found):.3f} [{low:.3f}, {high:.3f}]")

    half = [one for one in labelled() if held_out(one.text) == ("--held-out" in arguments)]
    for legible in (False, True):
        found = [(one.kind, illegible(one.text)) for one in half if one.legible == legible]
        told("legible" if legible else "illegible", [hit for _, hit in found])
        hits, all_of = Counter(kind for kind, hit in found if hit), Counter(kind for kind, _ in found)
        print("  " + ", ".join(f"{kind} {hits[kind]}/{count}" for kind, count in sorted(all_of.items())))
    for name in READABLE:
        rows = map(json.loads, (GOLD / f"{name}.jsonl").read_text(encoding="utf-8").splitlines())
        told(name, [illegible(row["text"]) for row in rows if "text" in row])
    for name in REAL:
        if texts := list(real(name)):
            told(name, [illegible(text) for text in texts])


if __name__ == "__main__":
    main(sys.argv[1:])
