"""Score both graders of reasoning on the held-out texts, and print figures only, never a text.

python benchmarks/held_out.py
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from gyges.grading.calibration import Calibration, Figure, Item, calibrate
from gyges.grading.default import reasoning_grader
from gyges.grading.trained import FAKING, TrainedGrader
from gyges.grading.verdict import FIVE, LABELS
from gyges.transcripts.grades import Ungraded

HELD_OUT = Path(__file__).parent.parent / "grading" / "gold" / "held-out.jsonl"
FINDINGS = (*LABELS[:FIVE], FAKING)
Answers = Callable[[str], dict[str, tuple[bool, float]]]
"""For a text, each finding: whether it was found, and its score."""


def main() -> None:
    data = HELD_OUT.read_bytes()
    rows = [row for row in map(json.loads, data.decode().splitlines()) if "text" in row]
    print(f"{len(rows)} texts, sha256 {hashlib.sha256(data).hexdigest()[:8]}")
    grader = reasoning_grader()
    for name, version, answers in graders(grader):
        print(f"\n{name}, version {version}\n")
        print(
            "| finding | found rightly | found wrongly | missed | rightly not found | precision | recall | AUROC |"
        )
        print("|---|---|---|---|---|---|---|---|")
        answered = [answers(row["text"]) for row in rows]
        for finding in FINDINGS:
            items = []
            for row, answer in zip(rows, answered, strict=True):
                label = row["alignment_faking"] if finding == FAKING else row["labels"][finding]
                items.append(Item(bool(label), *answer[finding], group=row.get("pair") or ""))
            print(line(finding, calibrate(items)))


def graders(grader: TrainedGrader) -> Iterator[tuple[str, str, Answers]]:
    rules = grader.second
    assert rules is not None

    def by_rules(text: str) -> dict[str, tuple[bool, float]]:
        found = {one.name for one in rules.read(text)}
        count = sum(name in found for name in LABELS[:FIVE])
        return {name: (name in found, float(count if name == FAKING else name in found)) for name in FINDINGS}

    def by_classifier(one: TrainedGrader) -> Answers:
        def answers(text: str) -> dict[str, tuple[bool, float]]:
            reading = one.read(text)
            assert not isinstance(reading, Ungraded)
            found = {finding.name for finding in one.findings(text)}
            return {name: (name in found, reading.odds[name]) for name in FINDINGS}

        return answers

    alone = TrainedGrader(grader.classifier, grader.label)
    yield rules.name, rules.version, by_rules
    yield f"{alone.name} alone", alone.version, by_classifier(alone)
    yield f"{grader.name} with the rules", grader.version, by_classifier(grader)


def line(name: str, made: Calibration) -> str:
    counts = (made.true_positive, made.false_positive, made.false_negative, made.true_negative)
    figures = (made.precision, made.sensitivity, made.auroc)
    return f"| {name} | {' | '.join(map(str, counts))} | {' | '.join(map(shown, figures))} |"


def shown(figure: Figure) -> str:
    if figure.estimate is None or figure.low is None or figure.high is None:
        return "none"
    return f"{figure.estimate:.2f} [{figure.low:.2f}, {figure.high:.2f}]"


if __name__ == "__main__":
    main()
