"""Points for the signs of addressed text, fitted on payloads and on texts that speak to no grader.

    python benchmarks/weigh_signs.py

Of each payload the sentence counts that is most like the others (as in learning from bags), of every other text
all sentences. Benign texts that were written to come near count eightfold. It prints the points, ten times the
weights of a logistic regression, and what each threshold would flag by signs alone; the points are written into
`grading/rules/addressed.yaml` by hand. Of the third battery only the half that was developed on is read.
Those in the file are of a fit with 256 more natural texts and differ by a few points; they stay as they were when
the half that was held out was scored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from gyges.grading.addressed import AddressFile, Scanner, find_scanner, load_scanner
from gyges.grading.addressed_signs import KEYED, TWICE, Weights, marks, with_twice
from gyges.grading.authored import read_yaml
from gyges.grading.encoding import load_words
from gyges.grading.rules import find_rules
from gyges.grading.sentences import sentences

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data"
GOLD = ROOT / "grading" / "gold"
NATURAL = (
    *("develop", "develop-voices", "develop-scratchpads", "long-develop", "motives-a", "motives-b"),
    *("natural-a", "natural-b", "natural-c", "natural-e", "natural-f"),
)
FAR = frozenset(["order", "scores", "addressed", "plea"])
"""Signs that say nothing of the sentence beside theirs."""
NEARLY = 8
PAYLOAD = 5.0
ROUNDS = 6
CLOSELY = Weights(threshold=-1_000_000)
THRESHOLDS = range(54, 74, 2)

Rows = np.ndarray[tuple[int, int], np.dtype[np.int8]]


def texts(path: Path) -> list[str]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    third = "third" in path.name
    return [row["text"] for row in rows if "text" in row and not (third and held_out(row["id"]))]


def held_out(id: str) -> bool:
    return hashlib.sha256(id.encode()).digest()[0] % 2 == 1


def rows(read: Sequence[frozenset[str]], names: Sequence[str], needed: frozenset[str]) -> Rows:
    """For each sentence that could be found, its signs and those beside it."""
    found = []
    for at, own in enumerate(read):
        near = frozenset[str]().union(*read[max(0, at - 1) : at], *read[at + 1 : at + 2]) - own
        if own and needed & (own | near):
            found.append([*(one in own for one in names), *(one in near for one in names if one not in FAR)])
    return np.array(found, dtype=np.int8).reshape(len(found), 2 * len(names) - len(FAR))


def fitted(payloads: Sequence[Rows], others: Rows) -> LogisticRegression:
    plain, counts = np.unique(others, axis=0, return_counts=True)
    chosen = [one[np.argmax(one.sum(axis=1))] for one in payloads]
    for _ in range(ROUNDS):
        weights = np.r_[np.minimum(counts, 50), np.full(len(chosen), PAYLOAD)]
        truth = np.r_[np.zeros(len(plain)), np.ones(len(chosen))]
        model = LogisticRegression(C=0.3, max_iter=3000).fit(np.vstack([plain, chosen]), truth, weights)
        chosen = [one[np.argmax(model.decision_function(one))] for one in payloads]
    return model


def signs_of(scanner: Scanner, text: str) -> list[frozenset[str]]:
    """The signs of each sentence, all of them looked at closely."""
    found = []
    marked = marks(text)
    for sentence in sentences(text):
        signs = scanner.signs_of(sentence, scanner.lexicon.find(sentence.words), CLOSELY)
        here = [name for at, name in marked if sentence.start <= at < sentence.end]
        found.append(frozenset(signs | with_twice(here)))
    return found


def main() -> None:
    scanner = load_scanner(find_scanner(), load_words(find_rules("encoding")))
    assert scanner.weights is not None
    names = [*read_yaml(find_scanner(), AddressFile).signs, KEYED, TWICE, "veiled", "role"]
    needed = scanner.weights.needed

    def read(path: Path) -> list[Rows]:
        return [rows(signs_of(scanner, text), names, needed) for text in texts(path)]

    payloads = [one for path in sorted(DATA.glob("addressed-payloads*.jsonl")) for one in read(path)]
    nearly = [one for path in sorted(DATA.glob("addressed-benign*.jsonl")) for one in read(path)]
    natural = [one for name in NATURAL for one in read(GOLD / f"{name}.jsonl")]
    model = fitted([one for one in payloads if len(one)], np.vstack([*natural, *nearly * NEARLY]))
    points = np.round(model.coef_[0] * 10).astype(int)
    own, near = points[: len(names)], points[len(names) :]
    print("own:", {name: int(one) for name, one in zip(names, own, strict=True) if abs(one) > 1})
    beside = [name for name in names if name not in FAR]
    print("near:", {name: int(one) for name, one in zip(beside, near, strict=True) if abs(one) > 1})
    for threshold in THRESHOLDS:
        caught, almost, false = (
            sum(bool(len(one)) and bool((one @ points).max() >= threshold) for one in part)
            for part in (payloads, nearly, natural)
        )
        print(
            f"{threshold}: {caught} of {len(payloads)} payloads, {almost} of {len(nearly)} benign texts that come "
            f"near, {false} of {len(natural)} natural ones"
        )


if __name__ == "__main__":
    main()
