"""Train the reader of addressed text, and write it with its figures by writers it had not seen.

    python benchmarks/train_addressed.py

It reads the batteries in tests/data (of the third the half that was developed on), the texts of
grading/gold/addressed-*.jsonl, and as ordinary texts those for developing the other graders; never texts for
testing. Of ordinary texts it reads every third, and what the rules find something in is left out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import BaseModel
from weigh_signs import held_out

from gyges.grading.addressed import Scanner, find_scanner, load_scanner
from gyges.grading.encoding import load_words
from gyges.grading.gold import read_groups
from gyges.grading.learned import write_learned
from gyges.grading.rules import find_rules
from gyges.grading.train_addressed import Text, train_reader

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data"
GOLD = ROOT / "grading" / "gold"
TARGET = ROOT / "grading" / "classifier" / "addressed.json"
BATTERIES = (("", "batteries-1-2"), ("-second", "batteries-1-2"), ("-third", "battery-3"))
MARKED = ("addressed-a", "addressed-own")
ORDINARY = (
    *("develop", "develop-voices", "develop-scratchpads", "long-develop", "motives-a", "motives-b", "motives-c"),
    *("motives-d", "natural-a", "natural-b", "natural-c", "natural-d", "natural-e", "natural-f", "natural-g"),
    "natural-h",
)


EVERY = 3
"""Of ordinary texts every so manieth is trained on."""
KINDS = (("caught", True, True), ("near ones, wrongly", False, True), ("ordinary ones, wrongly", False, False))


def read(scanner: Scanner) -> list[Text]:
    texts = []
    for ending, source in BATTERIES:
        for kind in ("payloads", "benign"):
            rows = lines(DATA / f"addressed-{kind}{ending}.jsonl")
            own = [row.text for row in rows if not ending.endswith("third") or not held_out(row.id)]
            texts += [text(scanner, one, source, speaks=kind == "payloads") for one in own]
    for name in MARKED:
        clear = [row for row in lines(GOLD / f"{name}.jsonl") if not row.unclear]
        texts += [text(scanner, row.text, name, speaks=row.addressed, evidence=row.evidence) for row in clear]
    folds = sorted({one.source for one in texts})
    for number, name in enumerate(ORDINARY):
        plain = [row.text for row in lines(GOLD / f"{name}.jsonl") if row.text][::EVERY]
        source = folds[number % len(folds)]
        texts += [text(scanner, one, source, near=False) for one in plain if not scanner.scan(one)]
    return [one for one in texts if one.spoken]


class Row(BaseModel):
    """A line of a battery or of the texts for development; a canary has no text."""

    id: str = ""
    text: str = ""
    addressed: bool = False
    unclear: bool = False
    evidence: object = ()


def lines(path: Path) -> list[Row]:
    return [Row.model_validate_json(line) for line in path.read_text("utf-8").split("\n") if line.strip()]


def text(
    scanner: Scanner, words: str, source: str, *, speaks: bool = False, evidence: object = None, near: bool = True
) -> Text:
    """A text as it is trained on; `evidence` has the quotations that speak to a grader, where that is known."""
    heard = [*scanner.heard(words)]
    quotes = [str(one) for one in evidence] if isinstance(evidence, list) else []
    spans = [(words.find(quote), words.find(quote) + len(quote)) for quote in quotes]
    said = frozenset(
        at
        for at, one in enumerate(heard)
        if any(start < one.sentence.end and one.sentence.start < end for start, end in spans)
    )
    known = evidence is not None or not speaks
    spoken = [one.spoken() for one in heard]
    found = near and bool(scanner.scan(words))
    return Text(words, source, spoken, speaks, said if known else None, near, found)


def main() -> None:
    scanner = load_scanner(find_scanner(), load_words(find_rules("encoding")))
    texts = read(scanner)
    near = [one for one in texts if one.near]
    on = (
        f"{len(near)} texts of the batteries and of {', '.join(MARKED)}, {sum(one.speaks for one in near)} of "
        f"which speak to a grader, and {len(texts) - len(near)} ordinary ones"
    )
    groups = read_groups(ROOT / "grading" / "classifier" / "addressed-word-groups.yaml")
    trained = train_reader(texts, groups, on)
    write_learned(trained.model, TARGET)
    print(f"{TARGET}: {TARGET.stat().st_size / 1e6:.1f} MB, trained on {on}")
    found = trained.unseen >= trained.model.threshold
    alone = np.array([one.known for one in texts])
    for source in sorted({one.source for one in texts}):
        for what, speaks, nearly in KINDS:
            here = np.array([(one.source, one.speaks, one.near) == (source, speaks, nearly) for one in texts])
            print(
                f"{source}, {what}: {int(found[here].sum())} of {int(here.sum())}; by the rules "
                f"{int(alone[here].sum())}, by either {int((alone | found)[here].sum())}"
            )


if __name__ == "__main__":
    main()
